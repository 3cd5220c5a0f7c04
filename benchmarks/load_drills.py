"""The drills of the fault table that are about load: slow clients, overload, a silent authority, memory."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx2

from benchmarks.drilling import (
    SECONDS,
    Ask,
    Probe,
    by_hash,
    picture,
    promise,
    quantile,
    resident,
    serving,
    storm,
    upload,
)
from tests.service.server import COMMAND, Server

_OPEN = {"TANBA_RATES__ANONYMOUS_CONCURRENCY": "100000", "TANBA_RATES__ANONYMOUS_VERIFY": "100000000/minute"}


def slow() -> str:
    """Row 10: 500 connections with a dripping head and 500 with a dripping body, for as long as the drill lasts."""
    with serving(**_OPEN, TANBA_RATES__ANONYMOUS_READ="1000000/minute") as server:
        with Probe(server, by_hash) as warm:
            time.sleep(2)
        with Probe(server, by_hash) as calm:
            time.sleep(SECONDS / 3)
        script = Path(__file__).with_name("slow_clients.py")
        attack = subprocess.Popen(
            [sys.executable, script, str(server.port), "500", "500", str(SECONDS)], stdout=subprocess.PIPE, text=True
        )
        time.sleep(2)
        with Probe(server, by_hash) as pressed:
            time.sleep(SECONDS - 4)
        ends = json.loads(attack.communicate()[0])
        still, longest = ends.pop("open")
        promise(set(warm.times) | set(calm.times) | set(pressed.times) == {404}, "readers are served")
        promise(set(ends) == {"408"} and still <= 1000, f"slow connections are ended with 408: {ends}")
        promise(max(longest, ends["408"][1]) < 30, "slow connections are ended within 30 s")
        was, now = quantile(calm.times[404], 0.99), quantile(pressed.times[404], 0.99)
        middle, middle_now = quantile(calm.times[404], 0.5), quantile(pressed.times[404], 0.5)
        return (
            f"500 slow heads and 500 slow bodies held open for {SECONDS:.0f} s, a byte a second: {ends['408'][0]} ended with 408, the "
            f"longest after {ends['408'][1]:.1f} s; {len(pressed.times[404])} readers' answers meanwhile p50 {middle_now:.1f} ms, p99 "
            f"{now:.1f} ms (alone {middle:.1f} and {was:.1f} ms)"
        )


def overload() -> str:
    """Row 12: ten times what the service can do, and clients that ask again without end, in turn with a full but calm one."""
    with serving(**_OPEN, TANBA_QUEUE="16", TANBA_CACHE_ENTRIES="1") as server:
        assert server.process is not None
        asks = []
        for number in range(16):
            file = server.home / f"{number}.jpg"
            file.write_bytes(picture(number, 320))
            asks.append(Ask("/v1/verifications", "image/jpeg", file))
        sample = asks[0].file.read_bytes()
        storm(server, asks, connections=8, seconds=3)
        each, before = max(2, int(SECONDS / 12)), 0
        calm, tenfold, endless, waits = [], [], [], {"tenfold": [], "endless": []}
        for _ in range(4):
            calm.append(storm(server, asks, connections=8, seconds=each))
            delay = round(1000 * 200 / (10 * calm[-1].done))
            with Probe(server, upload(sample)) as probe:
                tenfold.append(storm(server, asks, connections=200, seconds=each, delay=delay))
            waits["tenfold"] += probe.times.get(503, [])
            before = before or resident(server.process.pid)
            with Probe(server, upload(sample)) as probe:
                endless.append(storm(server, asks, connections=200, seconds=each))
            waits["endless"] += probe.times.get(503, [])
        grown = (resident(server.process.pid) - before) / before
        began = time.monotonic()
        while httpx2.post(f"{server.url}/v1/verifications", content=sample, timeout=30).status_code != 200:
            promise(time.monotonic() - began < 2, "it recovers within two seconds")
        after = time.monotonic() - began
        promise(not any(item.lost for item in (*calm, *tenfold, *endless)), "every request is answered")
        promise(grown < 0.25, "memory stays flat")
        rate, cost = (sum(getattr(item, kind) for item in calm) / len(calm) for kind in ("done", "cost"))
        said = []
        for name, storms in (("tenfold", tenfold), ("endless", endless)):
            done, refused = (sum(getattr(item, kind) for item in storms) / len(storms) for kind in ("done", "refused"))
            share = cost / (sum(item.cost for item in storms) / len(storms))
            said.append(
                f"{name}: {done:.0f} done a second ({done / rate:.0%}; {share:.0%} of what the same processor time does in calm), "
                f"{refused:.0f} refused a second, a refusal p50 "
                f"{quantile(waits[name], 0.5):.0f} ms, p99 {quantile(waits[name], 0.99):.0f} ms"
            )
        return (
            f"pictures of 31 KB, {len(server.workers())} workers and 16 places in the queue, four rounds of {each} s each: 8 connections get {rate:.0f} done a second; 200 "
            f"that together ask for ten times as much, {said[0]}; 200 that ask again at once whatever they are told, {said[1]}; "
            f"memory {grown:+.0%}, recovered in {after:.2f} s; wrk shares the two cores"
        )


def silence() -> str:
    """Row 5: eight clients ask for time stamps of an authority that takes every question and never answers."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    held: list[socket.socket] = []

    def take() -> None:
        while True:
            try:
                held.append(listener.accept()[0])
            except OSError:
                return

    threading.Thread(target=take, daemon=True).start()
    said = []
    try:
        for name, own in (("labels with workers of their own", {}), ("shared workers", {"TANBA_LABEL_WORKERS": "0"})):
            url = f"http://127.0.0.1:{listener.getsockname()[1]}/tsa"
            with serving(**_OPEN, **own, TANBA_TIMESTAMP_URL=url) as server:
                calm, pressed, answers = _beside_silence(server)
            promise(set(answers) <= {503}, f"no label without its stamp: {answers}")
            promise(
                set(pressed) == {200}, f"verifications go on: { {key: len(value) for key, value in pressed.items()} }"
            )
            said.append(
                f"{name}: p50 {quantile(pressed[200], 0.5):.0f} ms, p99 {quantile(pressed[200], 0.99):.0f} ms (before "
                f"{quantile(calm[200], 0.5):.0f} and {quantile(calm[200], 0.99):.0f} ms), {len(pressed[200])} answered, "
                f"{len(answers)} labels refused with 503"
            )
    finally:
        listener.close()
        for connection in held:
            connection.close()
    return f"8 clients label with a time stamp for {SECONDS / 3:.0f} s, the authority is silent; verifications beside them, {'; '.join(said)}"


def _beside_silence(server: Server) -> tuple[dict[int, list[float]], dict[int, list[float]], list[int]]:
    sample, answers, stop = picture(1, 320), [], threading.Event()
    with Probe(server, upload(sample)):
        time.sleep(2)
    with Probe(server, upload(sample)) as calm:
        time.sleep(SECONDS / 6)

    def label() -> None:
        with httpx2.Client(base_url=server.url, timeout=60, headers=server.auth) as http:
            while not stop.is_set():
                parts = [("file", ("a.jpg", sample)), ("as", (None, "generated")), ("timestamp", (None, "true"))]
                answers.append(http.post("/v1/labels", files=parts).status_code)
                time.sleep(0.1)

    clients = [threading.Thread(target=label) for _ in range(8)]
    for client in clients:
        client.start()
    with Probe(server, upload(sample)) as pressed:
        time.sleep(SECONDS / 3)
    stop.set()
    for client in clients:
        client.join()
    return calm.times, pressed.times, answers


def memory() -> str:
    """Issue 6: the memory of server and workers over 20,000 whole requests, nothing of them from the cache."""
    with serving(**_OPEN, TANBA_CACHE_ENTRIES="1", TANBA_QUEUE="200") as server:
        assert server.process is not None
        made = subprocess.run(
            [COMMAND, "clients", "new", "memory", "--scope", "label", "--scope", "verify", "--label-rate", "9999999/minute",
             "--verify-rate", "9999999/minute", "--label-concurrency", "999", "--verify-concurrency", "999"],
            capture_output=True, text=True, check=True, env=server.environment,
        )  # fmt: skip
        asks = _every_kind(server, made.stdout.strip())
        count, rows, refused, seconds = 0, [], 0.0, 4
        storm(server, asks, connections=8, seconds=2, key=made.stdout.strip())
        while count < 20_000:
            sizes = [resident(pid) >> 10 for pid in (server.process.pid, *server.workers())]
            rows.append((count, sizes))
            got = storm(server, asks, connections=8, seconds=seconds, key=made.stdout.strip())
            count += round(got.done * seconds)
            refused += got.refused + got.lost
        sizes = [resident(pid) >> 10 for pid in (server.process.pid, *server.workers())]
        rows.append((count, sizes))
        promise(refused == 0, "every request succeeds")
        half = next(sizes for done, sizes in rows if done >= count / 2)
        grown = max(now - then for now, then in zip(sizes, half, strict=True))
        promise(grown < 0.05 * max(half), f"memory is flat: {rows}")
        curve = "; ".join(f"{done:,}: {'/'.join(map(str, sizes))}" for done, sizes in rows[:: max(1, len(rows) // 10)])
        return (
            f"{count:,} requests (labels and verifications of pictures of 31 KB and texts of 1 KB in turn); MiB resident of server and "
            f"workers after so many: {curve}; at the end {'/'.join(map(str, sizes))}; most growth in the second half {grown} MiB"
        )


def _every_kind(server: Server, key: str) -> list[Ask]:
    asks = []
    for number in range(8):
        for name, media_type, content in (
            (f"{number}.jpg", "image/jpeg", picture(number, 320)),
            (f"{number}.txt", "text/plain", (f"Number {number}. " + "The steppe is wide. " * 50).encode()[:1024]),
        ):
            plain, marked = server.home / name, server.home / f"labelled-{name}"
            plain.write_bytes(content)
            path = f"/v1/labels?as=generated&system=Drill&name={name}"
            headers = {
                "Authorization": f"Bearer {key}",
                "Accept": "application/octet-stream",
                "Content-Type": media_type,
            }
            answer = httpx2.post(server.url + path, content=content, headers=headers, timeout=60)
            marked.write_bytes(answer.raise_for_status().content)
            asks += [Ask(path, media_type, plain), Ask(f"/v1/verifications?name={name}", media_type, marked)]
    return asks
