"""uvicorn around the app object, with two guards that it lacks: a deadline and a size for the request head."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service.config import Settings

_HEAD_BYTES = 64 << 10


def protocol(seconds: float) -> type[HttpToolsProtocol]:
    """Uvicorn's httptools protocol that closes a connection whose request head takes too long or grows too large."""

    class GuardedProtocol(HttpToolsProtocol):
        """See :func:`protocol`."""

        _head_bytes = 0
        _head_timer: asyncio.TimerHandle | None = None
        _in_head = True

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._arm()

        def connection_lost(self, exc: Exception | None) -> None:
            self._disarm()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            if self._in_head:
                if self._head_timer is None:
                    self._arm()
                self._head_bytes += len(data)
                # The first packet may hold a body behind the head, so only what came before it counts.
                if self._head_bytes - len(data) > _HEAD_BYTES:
                    self._refuse(b"431 Request Header Fields Too Large")
                    return
                if len(data) > _HEAD_BYTES and b"\r\n\r\n" not in data[:_HEAD_BYTES]:
                    self._refuse(b"431 Request Header Fields Too Large")
                    return
            super().data_received(data)

        def on_headers_complete(self) -> None:
            self._in_head, self._head_bytes = False, 0
            self._disarm()
            super().on_headers_complete()

        def on_response_complete(self) -> None:
            self._in_head = True
            super().on_response_complete()

        def _arm(self) -> None:
            self._head_timer = self.loop.call_later(seconds, self._refuse, b"408 Request Timeout")

        def _disarm(self) -> None:
            if self._head_timer is not None:
                self._head_timer.cancel()
                self._head_timer = None

        def _refuse(self, status: bytes) -> None:
            self._disarm()
            if not self.transport.is_closing():
                self.transport.write(b"HTTP/1.1 " + status + b"\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
                self.transport.close()

    return GuardedProtocol


def run(app: FastAPI, settings: Settings) -> None:
    """Serve until a signal comes; then finish what was accepted."""
    # uvicorn raises the signal again after its own shutdown; a stop that was asked for is no failure.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        http=protocol(settings.header_seconds),
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        forwarded_allow_ips=settings.forwarded_allow_ips,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=30,
        limit_concurrency=2000,
        backlog=1024,
    )
