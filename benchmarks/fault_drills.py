"""The long rows of the fault table (docs/faults.md), once for real: a running `tanba serve`, loopback only, bounded.

    python benchmarks/fault_drills.py [DRILL …]      all of them by default; needs wrk; writes results-faults.md

Every drill ends with a sentence of numbers and fails loudly when a promise of the table does not hold. The short forms of
the same rows are tests (`tests/service/test_faults.py`); these take about a minute each (`TANBA_DRILL_SECONDS`).
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx2

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from benchmarks.drilling import SECONDS, promise, resident, serving
from benchmarks.kill_drill import killed_cli
from benchmarks.load_drills import memory, overload, silence, slow
from tests import postgres
from tests.service.conftest import jpeg
from tests.service.server import COMMAND, Server

RESULTS = Path(__file__).with_name("results-faults.md")


def oversize() -> str:
    """Row 11: a 600 MB multipart body, declared and not, while the spool and the temporary folder are watched."""
    with serving() as server:
        spool = server.home / "service" / "spool"
        most, before = 0, resident(server.process.pid)
        stop = threading.Event()

        def watch() -> None:
            nonlocal most
            while not stop.wait(0.02):
                with contextlib.suppress(OSError):
                    most = max(most, sum(path.stat().st_size for path in spool.iterdir()))

        watcher = threading.Thread(target=watch)
        watcher.start()
        lines = []
        for declared in (True, False):
            started = time.monotonic()
            status, sent = _post_huge(server.port, 600 << 20, declared=declared)
            lines.append(f"{'declared' if declared else 'chunked'}: {status} after {sent >> 20} MiB in "
                         f"{time.monotonic() - started:.1f} s")  # fmt: skip
            promise(status == 413, "an oversized body is 413")
        stop.set()
        watcher.join()
        grown = (resident(server.process.pid) - before) >> 10
        promise(not list(spool.iterdir()), "nothing is left in the spool")
        promise(grown < 100, "memory does not grow with the body")
        return f"600 MB multipart, {'; '.join(lines)}; spool at most {most >> 20} MiB, memory +{grown} MiB"


def _post_huge(port: int, size: int, *, declared: bool) -> tuple[int, int]:
    import socket

    form = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
    how = f"Content-Length: {size}" if declared else "Transfer-Encoding: chunked"
    block, sent = bytes(1 << 20), 0
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        head = f"POST /v1/verifications HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=x\r\n{how}\r\n\r\n"
        connection.sendall(head.encode())
        with contextlib.suppress(OSError):
            for part in [form] + [block] * (size >> 20):
                connection.sendall(part if declared else f"{len(part):x}\r\n".encode() + part + b"\r\n")
                sent += len(part)
        with contextlib.suppress(OSError):
            answer = connection.recv(4096)
            return int(answer[9:12] or 0), sent
    return 0, sent


def rotation() -> str:
    """Row 24: a new key every five seconds while labels are made; each file verifies with the key in its record."""
    with serving() as server, httpx2.Client(base_url=server.url, timeout=30, headers=server.auth) as http:
        made: list[tuple[str, str]] = []
        odd: Counter[int] = Counter()
        stop = threading.Event()

        def label(number: int) -> None:
            turn = 0
            while not stop.is_set():
                turn += 1
                parts = [("file", ("a.jpg", jpeg((number, turn % 256, 9)))), ("as", (None, "generated"))]
                answer = http.post("/v1/labels", files=parts)
                if answer.status_code == 201:
                    made.append((answer.json()["label_id"], answer.json()["identity"]["fingerprint"]))
                else:
                    odd[answer.status_code] += 1
                time.sleep(0.4)  # below the client's rate: a key that nobody may use proves nothing

        threads = [threading.Thread(target=label, args=(number,)) for number in range(3)]
        for thread in threads:
            thread.start()
        rotations, ends = 0, time.monotonic() + SECONDS
        while time.monotonic() < ends:
            time.sleep(5)
            command = [COMMAND, "keys", "rotate", "development", "--json"]
            done = subprocess.run(command, env=server.environment, capture_output=True, text=True, check=False)
            promise(done.returncode == 0, f"a rotation works: {done.stdout[:300]}{done.stderr[:300]}")
            rotations += 1
        stop.set()
        for thread in threads:
            thread.join()
        promise(not odd, f"no label fails during a rotation: {dict(odd)}")
        signers = Counter(fingerprint for _, fingerprint in made)
        for label_id, fingerprint in made[:: max(1, len(made) // 200)]:
            content = http.get(f"/v1/labels/{label_id}/content").content
            report = http.post("/v1/verifications", files={"file": ("a.jpg", content)}).json()
            promise(report["verdict"] == "trusted", f"a label stays trusted after rotations, not {report['verdict']}")
            promise(report["answers"]["signer"]["fingerprint"] == fingerprint, "the record names the key that signed")
        promise(len(signers) >= rotations, "every key was used")
        return (
            f"{rotations} rotations in {SECONDS:.0f} s under 3 labelling clients: {len(made)} labels by {len(signers)} keys, no "
            "error; 200 of them verified as trusted with the key in their record"
        )


def database() -> str:
    """Row 4: PostgreSQL refuses connections for 30 s while labels and verifications go on."""
    import psycopg

    with postgres.cluster() as template:
        url = postgres.create(template, "drill")
        with serving(TANBA_DATABASE_URL=url) as server:
            photo = jpeg((1, 2, 3), (320, 240))
            httpx2.post(
                f"{server.url}/v1/verifications", files={"file": ("a.jpg", photo)}, timeout=20
            ).raise_for_status()
            gone, stop = threading.Event(), threading.Event()
            labels: Counter[tuple[bool, int]] = Counter()
            checks: Counter[tuple[bool, int]] = Counter()
            waits: list[float] = []

            def label() -> None:
                turn = 0
                while not stop.is_set():
                    turn += 1
                    parts = [("file", ("a.jpg", jpeg((turn % 256, turn // 256, 9)))), ("as", (None, "generated"))]
                    was, began = gone.is_set(), time.monotonic()
                    answer = httpx2.post(f"{server.url}/v1/labels", files=parts, headers=server.auth, timeout=30)
                    if was and gone.is_set():
                        waits.append(time.monotonic() - began)
                    labels[was, answer.status_code] += 1
                    time.sleep(0.1)

            def check() -> None:
                turn = 0
                while not stop.is_set():
                    turn += 1
                    content = photo + turn.to_bytes(4)
                    answer = httpx2.post(
                        f"{server.url}/v1/verifications", files={"file": ("a.jpg", content)}, timeout=30
                    )
                    checks[gone.is_set(), answer.status_code] += 1
                    time.sleep(0.05)

            threads = [threading.Thread(target=work) for work in (label, check)]
            for thread in threads:
                thread.start()
            time.sleep(5)
            with psycopg.connect(template.format("postgres"), autocommit=True) as admin:
                admin.execute("ALTER DATABASE drill ALLOW_CONNECTIONS false")
                admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'drill'")
                gone.set()
                time.sleep(30)
                admin.execute("ALTER DATABASE drill ALLOW_CONNECTIONS true")
            gone.clear()
            back = time.monotonic()
            while (
                httpx2.post(
                    f"{server.url}/v1/labels",
                    files=[("file", ("a.jpg", jpeg((200, 1, 1)))), ("as", (None, "generated"))],
                    headers=server.auth,
                ).status_code
                != 201
            ):
                promise(time.monotonic() - back < 20, "labelling comes back")
                time.sleep(0.1)
            recovery = time.monotonic() - back
            time.sleep(3)
            stop.set()
            for thread in threads:
                thread.join()
            promise({status for _, status in checks} == {200}, f"verification goes on: {dict(checks)}")
            promise({status for _, status in labels} <= {201, 503}, f"labels are made or 503: {dict(labels)}")
            issued = sum(count for (_, status), count in labels.items() if status == 201) + 1
            size = httpx2.get(f"{server.url}/v1/log").json()["size"]
            promise(size == issued, f"every issued label is logged, and nothing else: {size} and {issued}")
            refused = sum(count for (_, status), count in labels.items() if status == 503)
            return (
                f"PostgreSQL refused connections for 30 s: {sum(checks.values())} verifications, all 200; {refused} labels refused "
                f"with 503, the slowest in {max(waits):.1f} s; labelling came back {recovery:.1f} s after the database; "
                f"{issued} labels issued, {size} logged"
            )


def restart() -> str:
    """Row 13: two servers on one PostgreSQL behind a client that tries the other one; one is stopped and started in turn."""
    with postgres.cluster() as template, tempfile.TemporaryDirectory(prefix="tanba-drill-") as folder:
        url = postgres.create(template, "rolling")
        blobs = Path(folder) / "blobs"
        shared = {"TANBA_DATABASE_URL": url, "TANBA_BLOBS_URL": blobs.as_uri()}
        first = Server(_made(Path(folder) / "one"), **shared).start()
        second = Server(
            _made(Path(folder) / "two"),
            **shared,
            TANBA_KEYS_DIR=str(first.home / "keys"),
            TANBA_TRUST_DIR=str(first.home / "trust"),
        )
        (second.home / "service").mkdir()
        (second.home / "service" / "log.key").write_bytes((first.home / "service" / "log.key").read_bytes())
        (second.home / "service" / "log.key").chmod(0o600)
        second.start()
        key, stop = first.key, threading.Event()
        made: dict[str, str] = {}
        odd: list[str] = []

        def label(number: int) -> None:
            turn = 0
            while not stop.is_set():
                turn += 1
                name = f"roll-{number}-{turn}"
                parts = [("file", ("a.jpg", jpeg((number, turn % 256, 77)))), ("as", (None, "generated"))]
                for attempt in range(200):
                    server = (first, second)[(number + attempt) % 2]
                    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": name}
                    try:
                        answer = httpx2.post(f"{server.url}/v1/labels", files=parts, headers=headers, timeout=20)
                    except httpx2.ConnectError:
                        continue  # not accepted: a balancer would do the same
                    except httpx2.TransportError as error:
                        odd.append(type(error).__name__)  # accepted, then dropped
                        continue
                    if answer.status_code == 201:
                        made[name] = answer.json()["label_id"]
                        break
                    if answer.status_code not in {409, 429, 503}:
                        odd.append(str(answer.status_code))
                    time.sleep(0.1)

        threads = [threading.Thread(target=label, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        stops, codes, ends = 0, [], time.monotonic() + min(SECONDS, 40)
        try:
            while time.monotonic() < ends:
                for server in (first, second):
                    time.sleep(2)
                    codes.append(server.kill(signal.SIGTERM))
                    server.start()
                    stops += 1
        finally:
            stop.set()
            for thread in threads:
                thread.join()
            size = httpx2.get(f"{first.url}/v1/log").json()["size"]
            first.stop()
            second.stop()
        promise(set(codes) == {0}, f"every stop ends with 0: {codes}")
        promise(len(set(made.values())) == len(made) == size, "one label and one log entry for each key")
        return f"{stops} rolling restarts of two servers under 4 clients: {len(made)} labels, {len(odd)} dropped requests {odd[:3]}, exit codes 0"


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


DRILLS: dict[str, Callable[[], str]] = {
    drill.__name__: drill
    for drill in (slow, oversize, overload, silence, rotation, database, restart, memory, killed_cli)
}


def main() -> None:
    for name in sys.argv[1:] or list(DRILLS):
        busy = f"load average {os.getloadavg()[0]:.1f} before"
        said = f"{DRILLS[name]()} ({busy})"
        sys.stdout.write(f"{name}: {said}\n")
        text = RESULTS.read_text("utf-8") if RESULTS.exists() else ""
        kept: dict[str, list[str]] = json.loads(text.partition("<!-- ")[2].partition(" -->")[0] or "{}")
        kept[name] = [datetime.now(UTC).date().isoformat(), said]
        rows = "".join(f"| {item} | {day} | {said} |\n" for item, (day, said) in sorted(kept.items()))
        RESULTS.write_text(
            "# The fault drills\n\nWritten by `python benchmarks/fault_drills.py`; every row says when, and how busy the machine was.\n\n"
            f"| Drill | Day | What happened |\n|---|---|---|\n{rows}\n<!-- {json.dumps(kept)} -->\n",
            "utf-8",
        )


if __name__ == "__main__":
    main()
