"""Reading uploads of both kinds: a raw body, or a multipart form with ``file`` or ``text``. Limits before parsing.

OpenAPI descriptions of the two kinds stand here too, because the endpoints read the request themselves: FastAPI would
hold a whole raw body in memory.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException

from service.bodies import Spool, Spooled, bare_name
from service.headers import media_type
from service.state import State
from tanba.errors import AssetTooLarge, InputError, UnsupportedFormat, UsageError

_CHUNK = 256 << 10
_MAX_FIELDS = 64
_FIELD_BYTES = 64 << 10
_NOT_CONTENT = {"application/x-www-form-urlencoded", "application/json"}


@dataclass(slots=True)
class Upload:
    """What one request brought: spooled files by part name, and the plain fields."""

    files: dict[str, list[Spooled]] = field(default_factory=dict)
    fields: dict[str, list[str]] = field(default_factory=dict)

    def one(self, name: str) -> Spooled | None:
        """The only file of that part. Raises :class:`UsageError` for more than one."""
        found = self.files.get(name, [])
        if len(found) > 1:
            what = "more than one file or text" if name == "file" else f"more than one part called {name!r}"
            raise UsageError(f"the request holds {what}", hint="send one at a time, or a batch")
        return found[0] if found else None

    def asset(self) -> Spooled:
        """The content to work on. Raises :class:`UsageError` when there is none."""
        found = self.one("file")
        if found is None:
            raise _nothing()
        return found


def _nothing() -> UsageError:
    return UsageError(
        "the request holds neither a file nor a text",
        hint="send multipart/form-data with a part called file or text, or the bytes as the body",
    )


@contextlib.asynccontextmanager
async def receive(request: Request, state: State, *, most_files: int = 3) -> AsyncIterator[Upload]:
    """Read the body into the spool; the files are gone when the block ends.

    Raises :class:`AssetTooLarge`, :class:`UsageError`, :class:`UnsupportedFormat`; slow bodies end with 408.
    """
    upload = Upload()
    try:
        kind = media_type(request.scope)
        if kind == "multipart/form-data":
            await _multipart(request, state, upload, most_files)
        elif kind in _NOT_CONTENT:
            raise UnsupportedFormat(
                f"{kind} is not taken here",
                hint="send multipart/form-data, or the bytes of the file with its own media type",
            )
        else:
            name = bare_name(request.query_params.get("name"))
            limit = state.limits.asset_bytes
            spooled = await state.spool.take(request.stream(), name=name, limit=limit)
            upload.files["file"] = [spooled]
            if not spooled.size:
                raise _nothing()
        yield upload
    finally:
        for spooled in (item for items in upload.files.values() for item in items):
            spooled.discard()


async def _multipart(request: Request, state: State, upload: Upload, most_files: int) -> None:
    try:
        form = await request.form(max_files=most_files, max_fields=_MAX_FIELDS, max_part_size=_text_limit(state))
    except (MultiPartException, HTTPException) as error:
        if isinstance(error, HTTPException) and error.status_code != 400:
            raise
        raise InputError("the multipart body does not parse", code="tanba.input.multipart") from error
    try:
        await _sort(form, state, upload)
    finally:
        await form.close()


async def _sort(form: FormData, state: State, upload: Upload) -> None:
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            if not value.filename and not value.size:
                continue  # a browser sends an empty part for a file field that was left alone
            spooled = await state.spool.take(
                _chunks(value), name=bare_name(value.filename), limit=state.limits.asset_bytes
            )
            upload.files.setdefault(name, []).append(spooled)
        elif name == "text":
            if value:
                spooled = await take_text(state.spool, value, state.limits.text_bytes)
                upload.files.setdefault("file", []).append(spooled)
        elif len(value) > _FIELD_BYTES:
            raise UsageError(f"the field {name!r} is too long")
        else:
            upload.fields.setdefault(name, []).append(value)


async def take_text(spool: Spool, text: str, limit: int) -> Spooled:
    """A pasted text as a file of UTF-8 bytes. Raises :class:`InputError` for lone surrogates."""
    try:
        data = text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InputError("the text cannot be written as UTF-8", code="tanba.input.text_not_encodable") from error

    async def once() -> AsyncIterator[bytes]:
        yield data

    return await spool.take(once(), name="text.txt", limit=limit)


def manifest_bytes(state: State, sidecar: Spooled) -> bytes:
    """The bytes of a detached manifest. Raises :class:`AssetTooLarge`."""
    if sidecar.size > state.limits.manifest_bytes:
        raise AssetTooLarge(f"a manifest may have {state.limits.manifest_bytes:,} bytes here")
    return sidecar.head(sidecar.size)


def _text_limit(state: State) -> int:
    return max(_FIELD_BYTES, state.limits.text_bytes)


async def _chunks(file: UploadFile) -> AsyncIterator[bytes]:
    while chunk := await file.read(_CHUNK):
        yield chunk


def openapi_body(properties: Mapping[str, Any], *, description: str) -> dict[str, Any]:
    """The ``requestBody`` of an upload endpoint: a form, or the bytes themselves."""
    form = {
        "type": "object",
        "properties": {
            "file": {"type": "string", "format": "binary", "description": "The file."},
            "text": {"type": "string", "description": "Or a text, in place of the file."},
            **properties,
        },
    }
    return {
        "requestBody": {
            "required": True,
            "description": description,
            "content": {
                "multipart/form-data": {"schema": form},
                "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
            },
        }
    }
