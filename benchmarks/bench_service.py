"""The service against the bare library loop, in the same run: labels and verifications a second, latency, cached hashes.

    python benchmarks/bench_service.py [SECONDS]      needs wrk (apt-get install wrk); loopback only; writes results-service.md

Library and service take turns, so that a busy machine slows both; read the shares, not the absolute numbers.
"""

from __future__ import annotations

import hashlib
import io
import os
import random
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
from tests.service.server import COMMAND, Server

SECONDS = int(sys.argv[1]) if len(sys.argv) > 1 and __name__ == "__main__" else 2  # wrk takes whole seconds
CORES = len(os.sched_getaffinity(0))
ROUNDS = 5
FILES = 8
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


def picture(seed: int, width: int = 640, height: int = 480) -> bytes:
    """A noisy JPEG, by default of about 200 KB."""
    noise = random.Random(seed).randbytes(width * height * 3)
    buffer = io.BytesIO()
    Image.frombytes("RGB", (width, height), noise).save(buffer, "JPEG", quality=75)
    return buffer.getvalue()


def large_picture(seed: int) -> bytes:
    """A noisy JPEG of about 1 MB."""
    return picture(seed, 1500, 1200)


def words(seed: int) -> bytes:
    """A text of about 1 KB."""
    return (f"Number {seed}. " + "The steppe is wide and the river is long. " * 24).encode()[:1024]


CASES = {
    "image": ("a.jpg", "image/jpeg", picture),
    "large": ("a.jpg", "image/jpeg", large_picture),
    "text": ("a.txt", "text/plain", words),
}


def library(task: tuple[str, str, str, float]) -> tuple[int, float]:
    """One process of the bare loop: how many times in the given seconds, and for how much processor time."""
    home, kind, what, seconds = task
    import keys
    import labeler
    from tanba import trustdir
    from tanba.asset import Asset
    from tanba.model import Disclosure, Involvement
    from verifier import Settings, verify_asset

    name, _, make = CASES[kind]
    contents = [make(n) for n in range(FILES)]
    trust = trustdir.load(Path(home) / "trust")
    said = Disclosure(involvement=Involvement.GENERATED, system="Bench")
    with keys.open_identity(home=Path(home) / "keys") as signer:
        labelled = [labeler.label(item, said, signer=signer, name=name, trust=trust).content for item in contents]
    settings = Settings(trust=trust, isolate=False)
    count, ends, used = 0, time.perf_counter() + seconds, time.process_time()
    while time.perf_counter() < ends:
        if what == "label":
            with keys.kept_identity(home=Path(home) / "keys") as signer:  # open for the whole loop, as in the service
                labeler.label(contents[count % FILES], said, signer=signer, name=name, trust=trust)
        else:
            verify_asset(Asset.from_bytes(labelled[count % FILES], name=name), settings)
        count += 1
    return count, time.process_time() - used


def processor_seconds(*pids: int) -> float:
    """What these processes have used so far."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def wrk(server: Server, path: str, kind: str, files: list[Path], connections: int) -> dict[str, float]:
    """Requests a second and latencies in ms; anything but 2xx stops the benchmark."""
    script = server.home / "wrk.lua"
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


def empty(path: str, kind: str, files: list[Path]) -> float:
    """Processor milliseconds that the empty service uses for one such request."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder))
        script = Path(__file__).parent / "empty_service.py"
        with subprocess.Popen([sys.executable, str(script), str(server.port)]) as process:
            try:
                while silent(server.url):
                    time.sleep(0.05)
                before = processor_seconds(process.pid)
                done = wrk(server, path, kind, files, 8)["rate"] * SECONDS
                return (processor_seconds(process.pid) - before) / done * 1000
            finally:
                process.terminate()


def silent(url: str) -> bool:
    """Whether nobody answers there yet."""
    try:
        httpx2.post(url, timeout=1)
    except httpx2.TransportError:
        return True
    return False


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        server = Server(home, TANBA_CACHE_ENTRIES="1", TANBA_QUEUE="200")
        server.start(90)
        try:
            lines = measure(server, home)
        finally:
            server.stop()
    with tempfile.TemporaryDirectory() as folder:  # a fresh server with a real cache answers by hash
        server = Server(Path(folder), TANBA_WORKERS="1")
        server.start(90)
        try:
            content = picture(1)
            httpx2.post(f"{server.url}/v1/verifications", files={"file": ("a.jpg", content)}).raise_for_status()
            digest = hashlib.sha256(content).hexdigest()
            answer = wrk(server, f"/v1/verifications/by-hash/{digest}", "", [], 16)
            hello = wrk(server, "/healthz", "", [], 16)
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
            "Where the difference goes. *Server*: HTTP, upload, hash, limits, the access log, the hand-over to a worker and back; "
            "for labels also their bytes flushed to disk and a transaction with label, log entry and proof, which labels that "
            "become ready together share. *Workers* do what the loop does, plus the report or the receipt as JSON; beside a server and a load "
            "generator that take turns on the same two cores each pays more for it (with nothing beside them, two workers cost "
            "what the loop costs)."
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
    rows, idle = [], os.getloadavg()[0]
    with ProcessPoolExecutor(CORES, mp_context=get_context("spawn")) as pool:
        for kind, (name, media, make) in CASES.items():
            plain = [home / f"{kind}{n}" for n in range(FILES)]
            marked = [home / f"{kind}{n}.labelled" for n in range(FILES)]
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
                assert server.process is not None
                alone, served, cost, used = [], [], [], [0.0, 0.0]
                pids = [[server.process.pid], server.workers()]
                for _ in range(ROUNDS):
                    loops = list(pool.map(library, [(str(home), kind, what, SECONDS)] * CORES))
                    alone.append(sum(count for count, _ in loops) / SECONDS)
                    cost.append(sum(spent for _, spent in loops) / sum(count for count, _ in loops) * 1000)
                    before = [processor_seconds(*some) for some in pids]
                    served.append(wrk(server, path, media, files, 8))
                    used = [
                        sum_ + processor_seconds(*some) - b for sum_, some, b in zip(used, pids, before, strict=True)
                    ]
                done = sum(item["rate"] for item in served) * SECONDS
                ours, in_server, in_workers = statistics.mean(cost), used[0] / done * 1000, used[1] / done * 1000
                least = empty(path, media, files)
                rate = statistics.mean(item["rate"] for item in served)
                share = rate / statistics.mean(alone)
                size = plain[0].stat().st_size / 1024
                rows.append(
                    f"| {what} | {'text' if kind == 'text' else 'image'}, {size:.0f} KB | {statistics.mean(alone):.0f} | {rate:.0f} | {share:.0%} "
                    f"| {ours:.1f} | {in_workers:.1f} | {in_server:.2f} | {least:.2f} | {ours / (in_server + in_workers):.0%} | {served[-1]['p50']:.0f} | {served[-1]['p99']:.0f} |"
                )
                print(rows[-1], flush=True)
    return [
        "# The service against the bare library loop",
        "",
        (
            f"{CORES} cores, load average {idle:.1f} before; wrk on the same cores, 8 connections; "
            f"{ROUNDS} rounds of {SECONDS:g} s for each number; library and service took turns. Labels are durable: every one is "
            "signed, read back, stored twice, logged and committed with a flush to disk. Nothing came from the cache."
        ),
        "",
        (
            "Rates suffer from whatever else runs; processor time does so much less. *Empty service* is what uvicorn with an application "
            "that only takes in and hashes the same bodies uses for each (`empty_service.py`): below that no service in Python gets."
        ),
        "",
        (
            "| Work | Input | Library, per s | Service, per s | Share | Library, cpu-ms | Workers, cpu-ms | Server, cpu-ms "
            "| Empty service, cpu-ms | Share by cpu | p50 ms | p99 ms |"
        ),
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
        *rows,
    ]


if __name__ == "__main__":
    main()
