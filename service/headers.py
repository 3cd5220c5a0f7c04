"""One header of a request, without an object around all of them: every guard asks for one or two."""

from __future__ import annotations

from starlette.types import Scope


def header(scope: Scope, name: bytes) -> bytes:
    """The value of the first header with that lower-case name (ASGI has them so); empty when there is none."""
    for key, value in scope["headers"]:
        if key == name:
            found: bytes = value
            return found
    return b""


def media_type(scope: Scope) -> str:
    """The lower-case media type of the body, without parameters; empty when the request says none."""
    return header(scope, b"content-type").decode("latin-1").partition(";")[0].strip().lower()
