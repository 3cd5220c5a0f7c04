"""The small HTTP server behind the development authorities: a POST in, an answer out. For one machine, never for the net."""

from __future__ import annotations

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MAX_REQUEST = 64 << 10
"""Bytes of one request; real ones have some hundred."""
_IDLE_SECONDS = 10


def server(
    respond: Callable[[bytes], bytes], media_type: str, *, host: str = "127.0.0.1", port: int = 0
) -> ThreadingHTTPServer:
    """A server that gives every POST to ``respond`` and its answer back; the caller runs and closes it.

    Port 0 takes a free one. Nothing is logged: what is asked is nobody's business.
    """

    class Handler(BaseHTTPRequestHandler):
        timeout = _IDLE_SECONDS

        def do_POST(self) -> None:
            length = self.headers.get("content-length", "")
            if not length.isdigit() or int(length) > MAX_REQUEST:
                self.send_error(413)
                return
            answer = respond(self.rfile.read(int(length)))
            self.send_response(200)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    made = ThreadingHTTPServer((host, port), Handler)
    made.daemon_threads = True
    return made
