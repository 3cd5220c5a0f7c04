"""A full service says so before it reads: heads alone are sent, the worker stands still, and others are served meanwhile."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Self

import httpx2
import pytest

from service.observability import Metrics
from service.refusals import Refusals
from tests.service.conftest import jpeg
from tests.service.server import Server

PICTURE = jpeg((7, 7, 7))
HEAD = "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\n{more}\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    running = Server(
        tmp_path_factory.mktemp("admission"),
        TANBA_WORKERS="1",
        TANBA_QUEUE="0",
        TANBA_HEADER_SECONDS="2",
        TANBA_METRICS="true",
    ).start()
    yield running
    running.stop()


@pytest.fixture
def full(server) -> Iterator[Server]:
    """The only worker is stopped in the middle of a verification, and there is no queue."""
    with occupied(server):
        yield server


@contextmanager
def occupied(server: Server) -> Iterator[Future[httpx2.Response]]:
    (worker,) = server.workers()
    os.kill(worker, signal.SIGSTOP)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(httpx2.post, f"{server.url}/v1/verifications", content=unseen(), timeout=60)
        try:
            ends = time.monotonic() + 20
            while httpx2.post(f"{server.url}/v1/verifications", content=b"", timeout=20).status_code != 503:
                assert time.monotonic() < ends
                time.sleep(0.02)
            yield first
        finally:
            os.kill(worker, signal.SIGCONT)
        assert first.result().status_code == 200, "what was accepted is finished"


def unseen() -> bytes:
    """A picture whose report is in no cache."""
    return jpeg() + os.urandom(8)


class Connection:
    """A plain HTTP/1.1 connection that shows when the answer came and what became of the connection."""

    def __init__(self, server: Server) -> None:
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=20)
        self.kept = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes | str) -> None:
        self.socket.sendall(data if isinstance(data, bytes) else data.encode())

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        while b"\r\n\r\n" not in self.kept:
            self._more()
        head, _, self.kept = self.kept.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        size = int(headers["content-length"])
        while len(self.kept) < size:
            self._more()
        body, self.kept = self.kept[:size], self.kept[size:]
        return int(first.split()[1]), headers, body

    def _more(self) -> None:
        data = self.socket.recv(65536)
        assert data, "closed"
        self.kept += data

    def closed(self) -> bool:
        """Whether the server ends the connection, without one byte more."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True


@pytest.mark.parametrize("path", ["/v1/verifications", "/v1/labels", "/v1/verifications/batch"])
@pytest.mark.parametrize("size", [10, 300_000, 50_000_000])
def test_a_full_queue_is_told_after_the_head_alone(path: str, size: int, full: Server) -> None:
    """Row 12: not one byte of the body is sent, so nothing of it can have been waited for, spooled or parsed."""
    with Connection(full) as connection:
        connection.send(
            HEAD.format(path=path, more=f"Content-Length: {size}\r\nOrigin: chrome-extension://{'a' * 32}\r\n")
        )
        status, headers, body = connection.answer()
    problem = json.loads(body)
    assert (status, headers["content-type"]) == (503, "application/problem+json")
    assert (problem["code"], problem["retryable"]) == ("tanba.service.overloaded", True)
    assert problem["request_id"] == headers["x-request-id"]
    assert int(headers["retry-after"]) >= 1
    assert headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" in headers, "an extension can read the refusal"
    assert ("connection" in headers) == (size > 1 << 20)


def test_a_short_body_is_thrown_away_and_the_connection_is_used_again(full: Server) -> None:
    with Connection(full) as connection:
        for _ in range(3):
            connection.send(HEAD.format(path="/v1/verifications", more="Content-Length: 300000\r\n"))
            assert connection.answer()[0] == 503
            for _ in range(30):
                connection.send(bytes(10_000))
        connection.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.answer()[0] == 200


@pytest.mark.parametrize("more", ["Content-Length: 9000000\r\n", "Transfer-Encoding: chunked\r\n"])
def test_a_long_body_gets_its_whole_answer_and_then_the_end(more: str, full: Server) -> None:
    with Connection(full) as connection:
        connection.send(HEAD.format(path="/v1/verifications", more=more))
        if "chunked" in more:
            connection.send(b"100000\r\n" + bytes(1 << 20) + b"\r\n")
        else:
            connection.send(bytes(1 << 20))
        status, headers, body = connection.answer()
        assert (status, headers["connection"], json.loads(body)["status"]) == (503, "close", 503)
        assert connection.closed()


def test_who_asks_before_sending_is_never_told_to_send(full: Server) -> None:
    with Connection(full) as connection:
        connection.send(HEAD.format(path="/v1/labels", more="Content-Length: 900\r\nExpect: 100-continue\r\n"))
        status, headers, _ = connection.answer()
        assert (status, headers["connection"]) == (503, "close")


def test_a_body_that_nobody_waits_for_cannot_hold_the_connection(full: Server) -> None:
    with Connection(full) as connection:
        connection.send(HEAD.format(path="/v1/verifications", more="Content-Length: 1000\r\n"))
        assert connection.answer()[0] == 503
        started = time.monotonic()
        connection.send(b"a")
        assert connection.closed()
        assert time.monotonic() - started < 10


def test_what_needs_no_worker_is_answered_while_the_queue_is_full(full: Server) -> None:
    with httpx2.Client(base_url=full.url, timeout=20) as http:
        assert http.get(f"/v1/verifications/by-hash/{'0' * 64}").status_code == 404
        assert http.get("/v1/log").status_code == 200
        batch = http.post("/v1/verifications/batch", json={"items": [{"sha256": "0" * 64}]})
        assert (batch.status_code, batch.json()["items"][0]["status"]) == (200, 404)
        page = http.post("/?lang=en", files={"file": ("a.jpg", unseen())})
        assert (page.status_code, page.headers["content-type"].partition(";")[0]) == (503, "text/html")


def test_the_queue_opens_again_and_nothing_is_left(server: Server) -> None:
    with occupied(server):
        assert httpx2.post(f"{server.url}/v1/verifications", content=unseen()).status_code == 503
    assert httpx2.post(f"{server.url}/v1/verifications", content=unseen()).status_code == 200
    assert not list((server.home / "service" / "spool").iterdir())


def test_an_upload_refused_for_its_key_leaves_the_connection_in_order(server: Server) -> None:
    """Not only a full queue answers early: the rest of such a body was once taken for a head that is too large."""
    with Connection(server) as connection:
        connection.send(HEAD.format(path="/v1/labels", more="Content-Length: 500000\r\n"))
        assert connection.answer()[0] == 401
        for _ in range(50):
            connection.send(bytes(10_000))
        connection.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.answer()[0] == 200


def _without_id(answer: tuple[int, dict[str, str], bytes]) -> tuple[int, dict[str, str], dict[str, object]]:
    status, headers, body = answer
    problem = json.loads(body)
    assert headers.pop("x-request-id") == problem.pop("request_id")
    assert headers.pop("date")
    return status, headers, problem


@pytest.mark.parametrize("path", ["/v1/verifications?name=a.jpg", "/v1/labels?as=generated", "/v1/verifications/batch"])
def test_the_protocol_refuses_in_the_words_of_the_application(path: str, full: Server) -> None:
    """A request with an id of its own takes the road through the middleware."""
    with Connection(full) as connection:
        answers = []
        for more in ("", f"X-Request-Id: {'a' * 36}\r\n"):
            connection.send(HEAD.format(path=path, more=f"Content-Length: 10\r\n{more}") + "0123456789")
            answers.append(_without_id(connection.answer()))
    assert answers[0] == answers[1]
    assert "content-security-policy" in answers[0][1]


def test_refusals_are_counted_each_and_logged_together(full: Server) -> None:
    def counted() -> float:
        lines = httpx2.get(f"{full.url}/metrics", headers=full.auth).text.splitlines()
        wanted = 'tanba_requests_total{method="POST",route="/v1/labels",status="503"}'
        return next((float(line.rpartition(" ")[2]) for line in lines if line.startswith(wanted)), 0.0)

    log = full.home / "serve.err"
    before, size = counted(), log.stat().st_size
    with Connection(full) as connection:
        for _ in range(200):
            connection.send(HEAD.format(path="/v1/labels", more="Content-Length: 4\r\n") + "abcd")
            assert connection.answer()[0] == 503
    ends = time.monotonic() + 20
    total = 0
    while total < 200:
        assert time.monotonic() < ends
        time.sleep(0.05)
        added = log.read_text("utf-8")[size:]
        lines = [json.loads(line) for line in added.splitlines(keepends=True) if line.endswith("\n")]
        refused = [line for line in lines if line["event"] == "refused" and line["route"] == "/v1/labels"]
        total = sum(line["count"] for line in refused)
    assert total >= 200, "those of the tests before may be among them"
    assert len(added.splitlines()) < 20
    assert counted() - before == total


def test_connections_are_read_from_again_in_turn_and_all_of_them() -> None:
    """Five thousand refusals a second leave the event loop to accepted work."""
    refusals = Refusals({}, Metrics())
    turns: list[int] = []
    seen: set[int] = set()

    async def hold() -> None:
        for number in range(250):
            refusals.hold(partial(turns.append, number))
        while len(turns) < 250:
            seen.add(len(turns))
            await asyncio.sleep(0.001)

    asyncio.run(hold())
    assert turns == list(range(250))
    assert seen <= {0, 50, 100, 150, 200}, "fifty in each turn"


def test_fifty_refusals_in_a_moment_are_no_haste_and_more_are() -> None:
    refusals = Refusals({}, Metrics())
    assert [refusals.hasty(7.0) for _ in range(60)] == [False] * 50 + [True] * 10
    assert not refusals.hasty(7.1)


def test_an_upload_whose_sender_left_gives_its_place_back(server: Server) -> None:
    (worker,) = server.workers()
    os.kill(worker, signal.SIGSTOP)
    try:
        with Connection(server) as connection:
            connection.send(HEAD.format(path="/v1/verifications", more=f"Content-Length: {len(PICTURE)}\r\n"))
            connection.send(PICTURE)
            wait_for(server, 503)
    finally:
        os.kill(worker, signal.SIGCONT)
    wait_for(server, 200)


def wait_for(server: Server, status: int) -> None:
    ends = time.monotonic() + 20
    while httpx2.post(f"{server.url}/v1/verifications", content=unseen(), timeout=20).status_code != status:
        assert time.monotonic() < ends
        time.sleep(0.02)
