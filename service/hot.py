"""The hottest endpoints, answered without the framework's stack: a label or a verification may cost less than FastAPI's layers.

Each endpoint is the very function that FastAPI has as its route, and answers errors in the same way; FastAPI still
describes it, and serves it when OpenTelemetry is on, because its spans come from those layers.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from service import problems

Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Below:
    """An endpoint whose path ends with a variable."""

    name: str
    """Under which the endpoint finds it in ``request.path_params``."""
    pattern: re.Pattern[str]
    """What does not match is left to FastAPI, which says what is wrong."""
    endpoint: Endpoint


class HotRoutes:
    """Pure ASGI: requests whose method and path stand in a table go to the endpoint, all others to ``app``."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        exact: Mapping[tuple[str, str], Endpoint],
        below: Mapping[tuple[str, str], Below],
    ) -> None:
        """``exact`` by method and path, ``below`` by method and the path up to the last slash."""
        self.app = app
        self._exact = exact
        self._below = below

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        endpoint = self._find(scope) if scope["type"] == "http" else None
        if endpoint is None:
            await self.app(scope, receive, send)
            return
        try:
            response = await endpoint(Request(scope, receive, send))
        except problems.CAUGHT as error:
            response = problems.answer(scope, error)
        await response(scope, receive, send)

    def _find(self, scope: Scope) -> Endpoint | None:
        method, path = scope["method"], scope["path"]
        endpoint = self._exact.get((method, path))
        if endpoint is not None:
            scope["tanba.route"] = path
            return endpoint
        before, _, last = path.rpartition("/")
        found = self._below.get((method, before))
        if found is None or found.pattern.fullmatch(last) is None:
            return None
        scope["tanba.route"] = f"{before}/{{{found.name}}}"
        scope["path_params"] = {found.name: last}
        return found.endpoint
