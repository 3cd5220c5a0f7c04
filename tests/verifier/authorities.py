"""Local servers for the tests: a time-stamp authority whose clocks can be set, and an OCSP responder with a CRL."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from asn1crypto import tsp

from keys.tsa import LocalTsa


@contextlib.contextmanager
def serving(answer: Callable[[str, bytes], tuple[str, bytes]]) -> Iterator[str]:
    """Serve ``(path, body) -> (media type, body)`` on loopback; gives the base URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self._reply(self.rfile.read(int(self.headers.get("content-length") or 0)))

        def do_GET(self) -> None:
            self._reply(b"")

        def _reply(self, body: bytes) -> None:
            media_type, data = answer(self.path, body)
            self.send_response(200)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@contextlib.contextmanager
def authority(
    tsa: LocalTsa, *, gen_time: datetime | None = None, signing_time: datetime | None = None
) -> Iterator[str]:
    """A time-stamp authority that stamps ``gen_time`` and puts ``signing_time`` into the CMS attribute."""

    def answer(_path: str, body: bytes) -> tuple[str, bytes]:
        asked: Any = tsp.TimeStampReq.load(body)
        now = datetime.now(UTC).replace(microsecond=0)
        info = {
            "version": "v1",
            "policy": "1.3.6.1.4.1.99999.1",
            "message_imprint": asked["message_imprint"],
            "serial_number": 7,
            "gen_time": gen_time or now,
        }
        if asked["nonce"].native is not None:
            info["nonce"] = asked["nonce"].native
        return "application/timestamp-reply", tsa.token(tsp.TSTInfo(info).dump(), signing_time or gen_time or now)

    with serving(answer) as url:
        yield url
