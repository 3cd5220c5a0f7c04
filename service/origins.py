"""Which browser origins may call the API: Starlette's CORS with a problem document for a refused preflight."""

from __future__ import annotations

import structlog
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from service import problems
from service.headers import header


class Origins(CORSMiddleware):
    """As its base, but "no" is a 403 problem instead of plain text, and what no browser asks is not looked at."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or header(scope, b"origin"):
            await super().__call__(scope, receive, send)
            return

        async def varying(message: Message) -> None:
            """A cache must not hand the answer, which names no origin, to a browser that has one."""
            if message["type"] == "http.response.start":
                vary = [value for name, value in message["headers"] if name == b"vary"]
                rest = [item for item in message["headers"] if item[0] != b"vary"]
                message["headers"] = [*rest, (b"vary", b", ".join([*vary, b"Origin"]))]
            await send(message)

        await self.app(scope, receive, varying)

    def preflight_response(self, request_headers: Headers) -> Response:
        answer = super().preflight_response(request_headers)
        if answer.status_code < 400:
            return answer
        document = problems.body(
            403,
            "tanba.http.origin_refused",
            "web pages of this origin may not call this service in this way",
            hint="browser extensions may; the operator sets TANBA_EXTENSION_ORIGINS",
            request_id=structlog.contextvars.get_contextvars().get("request_id"),
        )
        return problems.response(403, document, {"Vary": answer.headers.get("vary", "Origin")})
