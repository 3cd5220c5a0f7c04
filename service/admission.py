"""Refusing work before its body is read: when every worker and every place in the queue is taken, an upload is told so at once.

A refused body is never parsed, spooled or hashed. A place is not reserved for a body that is still arriving, or slow senders
could take all of them; so a request that came in time may still find the queue full, and gets the same answer then.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service import problems
from service.headers import media_type
from service.isolation import Workers
from tanba.errors import TanbaError

SHORT = 1 << 20
"""A declared body up to this size is left to the server to throw away, and the connection lives on."""
_LINGER_SECONDS = 2.0
"""How long a longer one is thrown away, so that its sender reads the answer and not a reset connection (RFC 9112 §9.6)."""


class Admission:
    """Pure ASGI middleware: 503 with ``Retry-After`` and a problem document for an upload that no worker could take."""

    def __init__(self, app: ASGIApp, *, queues: Mapping[str, Workers]) -> None:
        """``queues`` names the workers of every path that takes uploads."""
        self.app = app
        self.queues = queues

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        workers = self.queues.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        if workers is None:
            await self.app(scope, receive, send)
            return
        refusal = workers.refusal()
        if refusal is None or media_type(scope) == "application/json":
            await self.app(scope, receive, send)
            return
        await _refuse(refusal, Headers(scope=scope), scope, receive, send)


async def _refuse(error: TanbaError, headers: Headers, scope: Scope, receive: Receive, send: Send) -> None:
    scope["tanba.route"] = scope["path"]
    answer = problems.answer(scope, error)
    declared = headers.get("content-length", "")
    # Who asked before sending (100-continue) may keep the body and reuse the connection: only closing it is unambiguous.
    if "expect" not in headers and declared.isdigit() and int(declared[:20]) <= SHORT:
        await answer(scope, receive, send)
        return

    async def lingering(message: Message) -> None:
        """Send everything, but end only when the sender stopped or had its time."""
        last = message["type"] == "http.response.body"
        await send({**message, "more_body": True} if last else message)
        if last:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LINGER_SECONDS):
                    while (await receive()).get("more_body", False):
                        pass
            await send({"type": "http.response.body", "body": b""})

    answer.headers["Connection"] = "close"
    await answer(scope, receive, lingering)
