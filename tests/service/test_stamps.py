"""Time stamps over HTTP: authorities that misbehave end in a 503 in bounded time, and readiness asks one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from starlette.testclient import TestClient

from keys import tsa
from service.app import create_app
from service.config import LimitSettings
from tests.pki import make_pki, now
from tests.service.conftest import Service, make_settings

Answer = Callable[[BaseHTTPRequestHandler, bytes], None]


@pytest.fixture(scope="module")
def authority() -> tsa.LocalTsa:
    pki = make_pki()
    made = pki.tsa()
    return tsa.LocalTsa((*made.chain, pki.root), made.key)


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], str]]:
    servers: list[ThreadingHTTPServer] = []

    def start(handle: Answer) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                with suppress(OSError):
                    handle(self, self.rfile.read(int(self.headers["content-length"])))

            def log_message(self, *_: object) -> None:
                """Quiet."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        server.block_on_close = False
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/tsa"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def reply(handler: BaseHTTPRequestHandler, body: bytes, status: int = 200) -> None:
    handler.send_response(status)
    handler.send_header("Content-Type", "application/timestamp-reply")
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def good(authority: tsa.LocalTsa) -> Answer:
    return lambda handler, body: reply(handler, authority.respond(body, now()))


def ahead(authority: tsa.LocalTsa) -> Answer:
    return lambda handler, body: reply(handler, authority.respond(body, now() + timedelta(days=30)))


def hang(_handler: BaseHTTPRequestHandler, _body: bytes) -> None:
    time.sleep(8)


def endless(handler: BaseHTTPRequestHandler, _body: bytes) -> None:
    reply(handler, bytes(64 << 20))


def drip(handler: BaseHTTPRequestHandler, _body: bytes) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "application/timestamp-reply")
    handler.end_headers()
    for _ in range(80):
        handler.wfile.write(b"0")
        time.sleep(0.1)


BAD: dict[str, Answer] = {
    "error 500": lambda handler, _: reply(handler, b"", 500),
    "garbage": lambda handler, _: reply(handler, b"nonsense"),
    "hang": hang,
    "drip": drip,
    "endless": endless,
}


def running(tmp_path, *urls: str, **changes) -> TestClient:
    settings = make_settings(tmp_path, timestamp_url=" ".join(urls), timestamp_seconds=1.0, **changes)
    return TestClient(create_app(settings))


@pytest.mark.parametrize("mode", [*BAD, "a month ahead"])
def test_an_authority_that_misbehaves_is_a_503_in_bounded_time_and_no_label(tmp_path, authority, serve, photo, mode):
    with running(tmp_path, serve(BAD.get(mode) or ahead(authority))) as client:
        service = Service(client)
        started = time.monotonic()
        refused = service.label(photo, timestamp="true")
        assert time.monotonic() - started < 5
        assert refused.status_code == 503, refused.text
        assert refused.json()["code"].startswith("tanba.timestamp.")
        assert refused.headers["retry-after"]
        assert client.get("/v1/log").json()["size"] == 0
        assert service.verify(photo).status_code == 200


@pytest.mark.parametrize(("own", "held_up"), [(None, False), (0, True)], ids=["workers of their own", "shared"])
def test_verifications_do_not_wait_for_an_authority_that_is_silent(tmp_path, serve, photo, own, held_up):
    """Row 5. With shared workers the only one waits for the authority; labels with their own leave it alone."""
    asked, spoken = threading.Event(), threading.Event()

    def silent(handler: BaseHTTPRequestHandler, _body: bytes) -> None:
        asked.set()
        spoken.wait(60)
        reply(handler, b"nonsense")

    limits = LimitSettings(seconds=60)
    settings = make_settings(
        tmp_path, timestamp_url=serve(silent), timestamp_seconds=25.0, limits=limits, label_workers=own
    )
    with TestClient(create_app(settings)) as client, ThreadPoolExecutor(2) as pool:
        service = Service(client)
        label = pool.submit(service.label, photo, timestamp="true")
        assert asked.wait(60)
        verification = pool.submit(service.verify, photo)
        try:
            if held_up:
                with pytest.raises(TimeoutError):
                    verification.result(0.5)
            else:
                assert verification.result(60).status_code == 200
                assert not label.done()
        finally:
            spoken.set()
        assert verification.result(60).status_code == 200
        assert label.result(60).status_code == 503


def test_readiness_asks_the_authority_and_notices_a_clock_that_is_off(tmp_path, authority, serve):
    with running(tmp_path / "good", serve(good(authority))) as client:
        assert client.get("/readyz").json()["checks"]["timestamp"] == "ok"
    with running(tmp_path / "off", serve(ahead(authority))) as client:
        answer = client.get("/readyz")
        assert (answer.status_code, answer.json()["checks"]["timestamp"]) == (503, "tanba.timestamp.future")
