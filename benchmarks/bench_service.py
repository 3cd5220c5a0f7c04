"""The service against the bare library loop, in the same run: labels and verifications a second, latency, cached hashes.

    python benchmarks/bench_service.py [SECONDS]      needs wrk (apt-get install wrk); loopback only; writes results-service.md

Library and service take turns, so that a busy machine slows both; read the shares, not the absolute numbers.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import httpx2
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from benchmarks.costs import load
from tests.service.server import COMMAND, Server

SECONDS = int(sys.argv[1]) if len(sys.argv) > 1 and __name__ == "__main__" else 4  # wrk takes whole seconds
CORES = len(os.sched_getaffinity(0))
ROUNDS = 2
LUA = """
local requests, turn = {}, 0
init = function(args)
  for path in string.gmatch("%(files)s", "[^;]+") do
    local file = io.open(path, "rb")
    local headers = {["Content-Type"] = "%(kind)s", ["Authorization"] = "Bearer %(key)s"}
    requests[#requests + 1] = wrk.format("POST", "%(path)s", headers, file:read("*a"))
    file:close()
  end
end
request = function()
  turn = turn + 1
  return requests[(turn %% #requests) + 1]
end
"""
"""What wrk sends. Requests are put together before the clock runs: the load generator shares the cores."""


def picture(seed: int) -> bytes:
    """A noisy JPEG of about 200 KB."""
    import random

    noise = random.Random(seed).randbytes(640 * 480 * 3)
    buffer = io.BytesIO()
    Image.frombytes("RGB", (640, 480), noise).save(buffer, "JPEG", quality=75)
    return buffer.getvalue()


def words(seed: int) -> bytes:
    """A text of about 1 KB."""
    return (f"Number {seed}. " + "The steppe is wide and the river is long. " * 24).encode()[:1024]


def library(task: tuple[str, str, str, float]) -> tuple[int, float]:
    """One process of the bare loop: how many times in the given seconds, and for how much processor time."""
    home, kind, what, seconds = task
    import keys
    import labeler
    from tanba import trustdir
    from tanba.asset import Asset
    from tanba.model import Disclosure, Involvement
    from verifier import Settings, verify_asset

    name = "a.jpg" if kind == "image" else "a.txt"
    content = picture(1) if kind == "image" else words(1)
    trust = trustdir.load(Path(home) / "trust")
    said = Disclosure(involvement=Involvement.GENERATED, system="Bench")
    with keys.open_identity(home=Path(home) / "keys") as signer:
        made = labeler.label(content, said, signer=signer, name=name, trust=trust)
    labelled = made.content
    settings = Settings(trust=trust, isolate=False)
    count, ends, used = 0, time.perf_counter() + seconds, time.process_time()
    while time.perf_counter() < ends:
        if what == "label":
            with keys.kept_identity(home=Path(home) / "keys") as signer:  # open for the whole loop, as in the service
                labeler.label(content, said, signer=signer, name=name, trust=trust)
        else:
            verify_asset(Asset.from_bytes(labelled, name=name), settings)
        count += 1
    return count, time.process_time() - used


def processor_seconds(server: Server) -> float:
    """What the server and its workers have used so far."""
    assert server.process is not None
    total = 0
    for pid in (server.process.pid, *server.workers()):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def wrk(server: Server, folder: Path, path: str, kind: str, files: list[Path], connections: int) -> dict[str, float]:
    """Requests a second and latencies in ms; anything but 2xx stops the benchmark."""
    script = folder / "wrk.lua"
    script.write_text(LUA % {"files": ";".join(map(str, files)), "path": path, "kind": kind, "key": server.key})
    command = ["wrk", "-t1", f"-c{connections}", f"-d{SECONDS:g}s", "--latency", "--timeout", "20s"]
    command += ["-s", str(script), server.url] if files else [server.url + path]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    assert bad is None, said
    unit = {"us": 0.001, "ms": 1.0, "s": 1000.0}
    found = {name: re.search(rf"{name}%\s+([\d.]+)(us|ms|s)", said) for name in ("50", "99")}
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    assert rate is not None
    return {"rate": float(rate[1])} | {f"p{name}": float(m[1]) * unit[m[2]] for name, m in found.items() if m}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        server = Server(home, TANBA_CACHE_ENTRIES="1", TANBA_QUEUE="200")
        server.start(90)
        try:
            lines = measure(server, home)
        finally:
            server.stop()
    cached = home  # the folder is gone; a fresh server with a real cache answers by hash
    with tempfile.TemporaryDirectory() as folder:
        cached = Path(folder)
        server = Server(cached, TANBA_WORKERS="1")
        server.start(90)
        try:
            content = picture(1)
            httpx2.post(f"{server.url}/v1/verifications", files={"file": ("a.jpg", content)}).raise_for_status()
            digest = hashlib.sha256(content).hexdigest()
            answer = wrk(server, cached, f"/v1/verifications/by-hash/{digest}", "", [], 16)
            hello = wrk(server, cached, "/healthz", "", [], 16)
        finally:
            server.stop()
    lines += [
        "",
        (
            f"Cached, by hash, one server process: **{answer['rate']:.0f} requests/s** (p50 {answer['p50']:.1f} ms, "
            f"p99 {answer['p99']:.1f} ms); `/healthz`, which does nothing, on the same machine: {hello['rate']:.0f}/s."
        ),
    ]
    lines += [
        "",
        (
            "Where the difference goes: the event loop with FastAPI, upload, hashing, limits and the access log; the hand-over to a "
            "worker process and back; for labels, their bytes flushed to disk and a transaction with label, log entry and proof, which "
            "labels that become ready together share. The service and its load generator share the cores with the workers."
        ),
    ]
    text = "\n".join(lines) + "\n"
    (Path(__file__).parent / "results-service.md").write_text(text)
    print(text)


def measure(server: Server, home: Path) -> list[str]:
    run = subprocess.run(
        [COMMAND, "clients", "new", "bench", "--scope", "label", "--scope", "verify", "--label-rate", "9999999/minute",
         "--verify-rate", "9999999/minute", "--label-concurrency", "999", "--verify-concurrency", "999"],
        capture_output=True, text=True, check=True, env=server.environment,
    )  # fmt: skip
    server.key = run.stdout.strip()
    rows = []
    with ProcessPoolExecutor(CORES, mp_context=get_context("spawn")) as pool:
        for kind, name in (("image", "a.jpg"), ("text", "a.txt")):
            media = "image/jpeg" if kind == "image" else "text/plain"
            make = picture if kind == "image" else words
            plain = [home / f"{kind}{n}" for n in range(8)]
            marked = [home / f"{kind}{n}.labelled" for n in range(8)]
            for n, (before, after) in enumerate(zip(plain, marked, strict=True)):
                before.write_bytes(make(n))
                headers = server.auth | {"Accept": "application/octet-stream", "Content-Type": media}
                answer = httpx2.post(
                    f"{server.url}/v1/labels?as=generated&system=Bench&name={name}",
                    content=before.read_bytes(), headers=headers, timeout=60,
                )  # fmt: skip
                after.write_bytes(answer.raise_for_status().content)
            for what, path, files in (
                ("label", f"/v1/labels?as=generated&system=Bench&name={name}", plain),
                ("verify", f"/v1/verifications?name={name}", marked),
            ):
                list(pool.map(library, [(str(home), kind, what, 0.2)] * CORES))
                alone, served, used, cost = [], [], 0.0, []
                for _ in range(ROUNDS):
                    loops = list(pool.map(library, [(str(home), kind, what, SECONDS)] * CORES))
                    alone.append(sum(count for count, _ in loops) / SECONDS)
                    cost.append(sum(spent for _, spent in loops) / sum(count for count, _ in loops) * 1000)
                    before = processor_seconds(server)
                    served.append(wrk(server, home, path, media, files, 8))
                    used += processor_seconds(server) - before
                done = sum(item["rate"] for item in served) * SECONDS
                ours, theirs = statistics.mean(cost), used / done * 1000
                rate = statistics.mean(item["rate"] for item in served)
                share = rate / statistics.mean(alone)
                size = plain[0].stat().st_size / 1024
                rows.append(
                    f"| {what} | {kind}, {size:.0f} KB | {statistics.mean(alone):.0f} | {rate:.0f} | {share:.0%} "
                    f"| {ours:.1f} | {theirs:.1f} | {ours / theirs:.0%} | {served[-1]['p50']:.0f} | {served[-1]['p99']:.0f} |"
                )
                print(rows[-1], flush=True)
    return [
        "# The service against the bare library loop",
        "",
        (
            f"{load()}; wrk on the same cores, 8 connections; "
            f"{ROUNDS} rounds of {SECONDS:g} s for each number; library and service took turns. Labels are durable: every one is "
            "signed, read back, stored twice, logged and committed with a flush to disk. Nothing came from the cache."
        ),
        "",
        "Rates suffer from whatever else runs; processor time (server and workers together, without wrk) does so much less.",
        "",
        "| Work | Input | Library, per s | Service, per s | Share | Library, cpu-ms | Service, cpu-ms | Share | p50 ms | p99 ms |",
        "|---|---|---|---|---|---|---|---|---|---|",
        *rows,
    ]


if __name__ == "__main__":
    main()
