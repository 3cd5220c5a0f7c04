"""uvicorn around the app object, with guards that it lacks: for the request head, and for a body nobody waits for any more."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service.config import Settings
from service.refusals import Refusals
from service.state import State
from tanba.allocator import keep_freed_memory
from tanba.collector import collect_rarely

_HEAD_BYTES = 64 << 10
_UNREAD_BYTES = 4 << 20
_AHEAD_BYTES = 256 << 10
"""Of a body, how much is read before the application asks for it. Uvicorn stops at 64 KiB; a picture then reaches the
application in a dozen pieces, and each costs as much as the rest of the request.
"""


class GuardedProtocol(HttpToolsProtocol):
    """Uvicorn's httptools protocol that closes a connection whose request head takes too long or grows too large.

    A request may be answered before its body has arrived (a refusal). The rest is thrown away so that the connection can be
    used again, at most :data:`_UNREAD_BYTES` of it and for as long as a head may take; then the connection is closed.
    """

    seconds: float
    """What a head, and a body that nobody waits for, may take."""
    refusals: Refusals
    """What a full service answers from the head alone."""

    _head_bytes = 0
    _head_timer: asyncio.TimerHandle | None = None
    _in_head = True
    _arrived = False
    _unread: int | None = None
    _refused = False

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._unread is not None:
            self._unread += len(data)
            if self._unread > _UNREAD_BYTES:
                self._hang_up()
                return
        elif self._in_head:
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
        self._in_head, self._head_bytes, self._arrived = False, 0, False
        self._disarm()
        if not self._refuse_upload():
            super().on_headers_complete()

    def _refuse_upload(self) -> bool:
        """Answer without the application, when the service is full and nothing else is under way on this connection."""
        free = self.cycle is None or (self.cycle.response_complete and not self.pipeline)
        if not free or self.parser.get_method() != b"POST" or not self.parser.should_keep_alive():
            return False
        answer = self.refusals.answer(self.url, self.headers)
        if answer is None:
            return False
        date = b"".join(name + b": " + value + b"\r\n" for name, value in self.server_state.default_headers)
        self.transport.write(b"HTTP/1.1 503 Service Unavailable\r\n" + date + answer)
        self.server_state.total_requests += 1
        self._refused = True
        self._throw_away()
        if self.refusals.hasty(self.loop.time()):
            self.flow.pause_reading()
            self.refusals.hold(self._read_on)
        return True

    def _read_on(self) -> None:
        if not self.transport.is_closing():
            self.flow.resume_reading()

    def on_body(self, body: bytes) -> None:
        if self._refused:
            return
        paused = self.flow.read_paused
        super().on_body(body)
        if not paused and len(self.cycle.body) < _AHEAD_BYTES:
            self.flow.resume_reading()

    def on_message_complete(self) -> None:
        if not self._refused:
            super().on_message_complete()
        self._arrived, self._refused = True, False
        if self._unread is not None:
            self._disarm()
            self._unread, self._in_head = None, True
            # Its arrival stopped the clock of an idle connection that the answer had started.
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def on_response_complete(self) -> None:
        if self._arrived:
            self._in_head = True
        elif not self.pipeline:
            self._throw_away()
        super().on_response_complete()

    def _throw_away(self) -> None:
        """Wait for the rest of an answered request, for so long and for so much of it."""
        self._unread = 0
        self._head_timer = self.loop.call_later(self.seconds, self._hang_up)

    def _arm(self) -> None:
        self._head_timer = self.loop.call_later(self.seconds, self._refuse, b"408 Request Timeout")

    def _disarm(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _hang_up(self) -> None:
        self._disarm()
        if not self.transport.is_closing():
            self.transport.close()

    def _refuse(self, status: bytes) -> None:
        self._disarm()
        if not self.transport.is_closing():
            self.transport.write(b"HTTP/1.1 " + status + b"\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
            self.transport.close()


def protocol(seconds: float, refusals: Refusals) -> type[GuardedProtocol]:
    """The protocol with its settings: uvicorn takes a class, not an object."""
    return type("ServiceProtocol", (GuardedProtocol,), {"seconds": seconds, "refusals": refusals})


def run(app: FastAPI, settings: Settings) -> None:
    """Serve until a signal comes; then finish what was accepted."""
    state: State = app.state.tanba
    # uvicorn raises the signal again after its own shutdown; a stop that was asked for is no failure.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    collect_rarely(freeze=True)
    keep_freed_memory()
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        http=protocol(settings.header_seconds, Refusals(state.queues, state.metrics)),
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
