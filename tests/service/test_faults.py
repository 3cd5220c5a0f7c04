"""The fault table (docs/faults.md): things are killed, filled, cut off and slowed down; every answer stays defined.

Times and repetitions are bounded so that the folder stays fast; TANBA_KILLS raises the number of kills.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import secrets
import signal
import socket
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

import httpx2
import pytest
from starlette.testclient import TestClient

from keys import development, lifecycle
from keys.development import utc_now
from keys.lifecycle import Plan
from service.app import create_app
from tests.databases import postgres_server  # noqa: F401 -- a fixture
from tests.keys import doubles
from tests.service.conftest import Service, jpeg, make_settings
from tests.service.server import Server

KILLS = int(os.environ.get("TANBA_KILLS", "9"))
"""How many processes are killed, each at a random moment of its own: workers and, after them, the server."""


@pytest.fixture
def server(tmp_path):
    running = Server(tmp_path, TANBA_HEADER_SECONDS="2", TANBA_BODY_SECONDS="2")
    yield running
    running.stop()


def send(server: Server, key: str, content: bytes) -> httpx2.Response | None:
    """One labelling request; None when the connection broke."""
    parts = [("file", (f"{key}.jpg", content)), ("as", (None, "generated"))]
    try:
        return httpx2.post(
            f"{server.url}/v1/labels", files=parts, headers=server.auth | {"Idempotency-Key": key}, timeout=20
        )
    except httpx2.TransportError:
        return None


class Load:
    """Four threads that label until told to stop; every request is tried again with its key until it is answered."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.stop = threading.Event()
        self.answers: dict[str, set[str]] = {}
        self.odd: list[str] = []
        self.given_up: dict[str, bytes] = {}
        self.threads = [threading.Thread(target=self._run, args=(n,)) for n in range(4)]

    def __enter__(self) -> Self:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join(90)

    def _run(self, number: int) -> None:
        count = 0
        while not self.stop.is_set():
            count += 1
            key = f"k{number}-{count}"
            content = jpeg((number, count % 256, 7), (64, 48))
            if not self._label(key, content):
                self.given_up[key] = content

    def _label(self, key: str, content: bytes) -> bool:
        ends = time.monotonic() + 80
        while time.monotonic() < ends:
            answer = send(self.server, key, content)
            if answer is not None and answer.status_code == 201:
                self.answers.setdefault(key, set()).add(answer.json()["label_id"])
                return True
            if answer is not None and answer.status_code not in {409, 429, 503}:
                self.odd.append(f"{answer.status_code} {answer.text[:200]}")
            time.sleep(0.2)
        return False

    def settle(self) -> None:
        """Ask again for what was given up while everything was being killed: a label may have been made all the same."""
        assert all(self._label(key, content) for key, content in self.given_up.items())


def test_kill_9_of_server_and_workers_loses_no_label_and_makes_none_twice(server):
    """Rows 1, 2 and 19: random kills under load; each key ends with one label, and the log holds each label once."""
    server.environment["TANBA_LIMITS__SECONDS"] = "2"  # a claim of a killed server runs out after 2 x 2 + 10 seconds
    server.start()
    with Load(server) as load:
        killed = 0
        while killed < KILLS:
            time.sleep(random.uniform(0.3, 1.2))
            for pid in server.workers():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    killed += 1
                time.sleep(random.uniform(0.0, 0.4))
            server.kill(signal.SIGKILL)
            killed += 1
            server.start()
        time.sleep(1.0)
    load.settle()
    assert not load.odd
    assert load.answers
    assert all(len(ids) == 1 for ids in load.answers.values())
    labels = {next(iter(ids)) for ids in load.answers.values()}
    assert len(labels) == len(load.answers)
    assert httpx2.get(f"{server.url}/v1/log").json()["size"] == len(labels)
    for key, ids in list(load.answers.items())[-10:]:
        content = httpx2.get(f"{server.url}/v1/labels/{next(iter(ids))}/content")
        record = httpx2.get(f"{server.url}/v1/labels/{next(iter(ids))}").json()
        assert hashlib.sha256(content.content).hexdigest() == record["receipt"]["output_sha256"], key
    server.kill(signal.SIGTERM)
    server.start()
    assert not list((server.home / "service" / "spool").iterdir())


def test_a_polite_stop_finishes_what_was_accepted(server):
    """Row 13."""
    server.start()
    with ThreadPoolExecutor(6) as pool:
        pending = [pool.submit(send, server, f"stop-{n}", jpeg((n, n, n), (900, 700))) for n in range(6)]
        time.sleep(0.15)
        code = server.kill(signal.SIGTERM)
        answers = [item.result() for item in pending]
    assert code == 0
    # Accepted requests are answered in full; one that was not accepted sees a closed connection, never half an answer.
    assert {item.status_code for item in answers if item is not None} <= {201}


def drip(server: Server, head: bytes, rest: bytes, seconds: float) -> tuple[bytes, float]:
    """Send ``head`` at once and ``rest`` one byte every 0.2 s; what came back, and after how long."""
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", server.port), timeout=seconds) as connection:
        connection.sendall(head)
        connection.settimeout(0.2)
        for byte in rest:
            with contextlib.suppress(TimeoutError):
                if answer := connection.recv(4096):
                    return answer, time.monotonic() - started
                return b"", time.monotonic() - started
            with contextlib.suppress(OSError):
                connection.sendall(bytes([byte]))
            if time.monotonic() - started > seconds:
                break
    return b"still open", time.monotonic() - started


def test_slow_heads_slow_bodies_and_huge_heads_are_ended_and_others_do_not_notice(server):
    """Rows 10 and 11."""
    server.start()
    request = b"POST /v1/verifications HTTP/1.1\r\nHost: x\r\n"
    body_head = request + b"Content-Type: image/jpeg\r\nContent-Length: 100000\r\n\r\n"
    with ThreadPoolExecutor(42) as pool:
        heads = [pool.submit(drip, server, request, b"X-Slow: " + b"a" * 100, 12) for _ in range(20)]
        bodies = [pool.submit(drip, server, body_head, bytes(100), 12) for _ in range(20)]
        started = time.monotonic()
        assert httpx2.get(f"{server.url}/healthz", timeout=5).status_code == 200
        others = time.monotonic() - started
        for slow in heads:
            answer, took = slow.result()
            assert answer.startswith((b"HTTP/1.1 408", b"")), answer
            assert took < 8
        for slow in bodies:
            answer, took = slow.result()
            assert answer.startswith(b"HTTP/1.1 408"), answer
            assert b"application/problem+json" in answer
            assert took < 10
    assert others < 3
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n")
        with contextlib.suppress(OSError):
            for _ in range(16):
                connection.sendall(b"X-Big: " + b"a" * 65_536 + b"\r\n")
            answer = connection.recv(200)
            assert answer.startswith((b"HTTP/1.1 431", b"HTTP/1.1 400"))
    assert httpx2.get(f"{server.url}/healthz").status_code == 200


def test_a_database_that_goes_away_stops_labelling_only_and_comes_back(tmp_path, postgres_server):  # noqa: F811
    """Row 4, on PostgreSQL: connections are cut and refused, then allowed again."""
    import psycopg

    from tests import postgres

    name = f"f{secrets.token_hex(6)}"
    url = postgres.create(postgres_server, name)
    with TestClient(create_app(make_settings(tmp_path, database_url=url))) as client:
        service = Service(client)
        labelled = service.label(jpeg((5, 5, 5)), headers={"Accept": "image/jpeg"}).content
        with psycopg.connect(postgres_server.format("postgres"), autocommit=True) as admin:
            admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
            started = time.monotonic()
            refused = service.label(jpeg((6, 6, 6)))
            assert (refused.status_code, refused.json()["code"]) == (503, "tanba.storage.database")
            assert refused.headers["retry-after"]
            assert time.monotonic() - started < 5
            assert service.verify(labelled).json()["verdict"] == "trusted"
            ready = client.get("/readyz")
            assert (ready.status_code, ready.json()["checks"]["database"]) == (503, "tanba.storage.database")
            admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
        assert service.label(jpeg((6, 6, 6))).status_code == 201
        assert client.get("/v1/log").json()["size"] == 2


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("this test must be allowed to mount a small tmpfs")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=False)


def test_a_full_disk_ends_in_507_and_leaves_nothing_half_written(tmp_path, small_disk):
    """Row 3."""
    settings = make_settings(tmp_path, service_dir=small_disk / "service")
    with TestClient(create_app(settings)) as client:
        service = Service(client)
        first = service.label(jpeg((1, 1, 1)))
        assert first.status_code == 201
        filler = small_disk / "filler"
        with contextlib.suppress(OSError), filler.open("wb") as out:
            while True:
                out.write(bytes(4096))
                out.flush()
        refused = [service.label(os.urandom(2_000_000), name="noise.txt"), service.label(jpeg((2, 2, 2), (2000, 1500)))]
        for answer in refused:
            assert answer.status_code in {503, 507}, answer.text
            assert answer.json()["code"].startswith("tanba.storage")
        filler.unlink()
        assert not list((small_disk / "service" / "spool").iterdir())
        assert not list((small_disk / "service" / "blobs").rglob("*.part"))
        assert client.get(first.headers["location"] + "/content").status_code == 200
        assert service.label(jpeg((3, 3, 3))).status_code == 201
        assert client.get("/v1/log").json()["size"] == 2


def test_a_key_that_is_gone_is_an_answer_and_its_return_needs_no_restart(tmp_path):
    """Row 6."""
    with TestClient(create_app(make_settings(tmp_path))) as client:
        service = Service(client)
        assert service.label(jpeg()).status_code == 201
        (tmp_path / "keys").rename(tmp_path / "elsewhere")
        started = time.monotonic()
        refused = service.label(jpeg((8, 8, 8)))
        assert refused.status_code in {422, 503}
        assert refused.json()["code"].startswith("tanba.keys.")
        assert time.monotonic() - started < 3
        client.app.state.probe.until = 0.0
        assert client.get("/readyz").json()["checks"]["signing"].startswith("tanba.keys.")
        assert service.verify(jpeg()).status_code == 200
        (tmp_path / "elsewhere").rename(tmp_path / "keys")
        assert service.label(jpeg((8, 8, 8))).status_code == 201


def test_a_slow_signer_is_an_answer_within_its_limit_and_holds_up_nobody_else(tmp_path):
    """Row 6: a remote signer that takes the request and then says nothing, behind a real service with two workers.

    The caller is told that the key's provider was slow, not that the file took too long.
    """
    with doubles.Remote("es256", "t0ken").running() as remote:
        plan = Plan("hsm", "es256", "remote", {"url": remote.url, "token": "env:HSM_TOKEN"}, existing=True)
        info = lifecycle.create(tmp_path / "keys", plan, clock=utc_now, secrets=lambda _: "t0ken")
        development.trust(tmp_path / "keys", tmp_path / "trust", utc_now())
        lifecycle.activate(tmp_path / "keys", info.name, clock=utc_now, probe=lambda _: None)
        server = Server(tmp_path, TANBA_WORKERS="2", TANBA_IDENTITY=info.name, HSM_TOKEN="t0ken").start()
        try:
            labelled = send(server, "before", jpeg((1, 1, 1)))
            assert labelled.status_code == 201, labelled.text
            remote.seconds, remote.mode = 120.0, "slow"
            asked = len(remote.requests)
            with ThreadPoolExecutor(1) as pool:
                began = time.monotonic()
                slow = pool.submit(lambda: (send(server, "slow", jpeg((2, 2, 2))), time.monotonic() - began))
                while len(remote.requests) == asked and not slow.done():
                    time.sleep(0.01)
                served = 0
                while served < 20 and not slow.done():
                    answer = httpx2.post(f"{server.url}/v1/verifications", content=jpeg((served, 9, 9)), timeout=20)
                    assert answer.status_code == 200
                    served += 1
                assert served == 20, "others are served while the signer is silent"
                refused, took = slow.result()
            assert (refused.status_code, refused.json()["code"]) == (503, "tanba.keys.provider_slow")
            assert refused.json()["retryable"]
            assert refused.headers["retry-after"]
            assert took < 10, "the work's own limit, at which the file would be blamed"
            remote.mode = "ok"
            assert send(server, "slow", jpeg((2, 2, 2))).status_code == 201, (
                "the same key works when the signer is back"
            )
            assert httpx2.get(f"{server.url}/v1/log").json()["size"] == 2
            assert not list((tmp_path / "service" / "spool").iterdir())
        finally:
            server.stop()


@pytest.mark.parametrize("table", ["label", "log_entry", "idempotency"])
def test_a_record_that_cannot_be_written_publishes_nothing(tmp_path, table):
    """Row 2, after Boulder's issuance test: the database refuses the row after the signature was made."""
    from sqlalchemy import text as sql

    with TestClient(create_app(make_settings(tmp_path))) as client:
        service = Service(client)
        moment = "UPDATE" if table == "idempotency" else "INSERT"
        trigger = f"CREATE TRIGGER stop BEFORE {moment} ON {table} BEGIN SELECT RAISE(ABORT, 'canary-cause'); END"
        with service.state.db.write() as session:
            session.execute(sql(trigger))
        refused = service.label(jpeg((4, 4, 4)), headers={"Idempotency-Key": "trigger-1"})
        assert refused.status_code == 503, refused.text
        assert "canary-cause" not in refused.text
        blobs = [item for item in (tmp_path / "service" / "blobs").rglob("*") if item.is_file()]
        assert blobs == []
        with service.state.db.write() as session:
            session.execute(sql("DROP TRIGGER stop"))
        done = service.label(jpeg((4, 4, 4)), headers={"Idempotency-Key": "trigger-1"})
        assert done.status_code == 201, done.text
        assert client.get("/v1/log").json()["size"] == 1


def test_keys_never_appear_in_logs_problems_or_metrics(tmp_path):
    """Row 23."""
    server = Server(tmp_path, TANBA_METRICS="true", TANBA_WORKERS="1").start()
    try:
        secret = server.key.split("_", 3)[3].rpartition("_")[0]
        send(server, "canary-key", jpeg())
        bodies = [
            httpx2.post(
                f"{server.url}/v1/labels", headers={"Authorization": f"Bearer {server.key}x"}, content=b"x"
            ).text,
            httpx2.get(f"{server.url}/v1/{secret}").text,
            httpx2.get(f"{server.url}/metrics").text,
        ]
    finally:
        server.stop()
    assert "tanba_requests_total" in bodies[2]
    assert secret not in "".join(bodies)
    assert secret not in (tmp_path / "serve.err").read_text()
    for path in (item for item in tmp_path.rglob("*") if item.is_file() and item.name != "serve.out"):
        assert secret.encode() not in path.read_bytes(), path


def test_memory_stays_flat_over_thousands_of_requests(tmp_path):
    """Row 12 and the global number, bounded: a warm server does not grow by more than a tenth."""
    server = Server(tmp_path, TANBA_WORKERS="1").start()
    try:
        picture = jpeg((9, 8, 7))
        digest = hashlib.sha256(picture).hexdigest()
        with httpx2.Client(base_url=server.url, timeout=30) as http:

            def work(count: int) -> None:
                for n in range(count):
                    http.post("/v1/verifications", files={"file": ("a.jpg", picture + bytes([n % 256, n // 256]))})
                    for _ in range(9):
                        http.get(f"/v1/verifications/by-hash/{digest}")

            http.post("/v1/verifications", files={"file": ("a.jpg", picture)}).raise_for_status()
            work(60)
            before = _resident(server.process.pid)
            work(200)
            after = _resident(server.process.pid)
    finally:
        server.stop()
    assert after < before * 1.10, (before, after)


def _resident(pid: int) -> int:
    """Resident kilobytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1])
    raise AssertionError("no VmRSS")
