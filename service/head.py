"""HEAD wherever there is GET (RFC 9110 section 9.1: every server must): the same answer without its body.

The framework adds it to its own routes only. Load balancers and link checkers ask so.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Head:
    """Pure ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        asked = {**scope, "method": "GET"}
        try:
            await self.app(asked, receive, sending)
        finally:  # what was found on the way belongs into the access log
            scope.update({name: value for name, value in asked.items() if name == "route" or name.startswith("tanba.")})
