"""Request bodies: a deadline for slow senders, and a spool that hashes while it writes.

A file reaches the engine only from the spool, after its size and first bytes were looked at. Names given by clients
are cut to a bare name and never used as a path.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import re
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from io import BufferedRandom
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service import problems
from service.headers import header
from service.work import IN_MEMORY, FileRef
from tanba.errors import AssetTooLarge, StorageError

_STALE_SECONDS = 3600
_MEMORY = 128 << 20
"""Bytes of uploads that are held in memory at the same time."""
_BYTES_PER_SECOND = 64 << 10


class BodyGuard:
    """Pure ASGI middleware: a body has at most ``most`` bytes (413) and ``seconds`` plus one for every 64 KiB (408).

    FastAPI's own ``max_body_size`` sits outside every middleware and answers in plain text, so the bound is ours.
    """

    def __init__(self, app: ASGIApp, *, seconds: float, most: int) -> None:
        self.app = app
        self.seconds = seconds
        self.most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        declared = header(scope, b"content-length") or b"0"
        if not declared.isdigit() or int(declared) > self.most:
            await problems.answer(scope, _too_large())(scope, receive, send)
            return
        started: float | None = None
        arrived, complete = 0, False

        async def receiving() -> Message:
            nonlocal started, arrived, complete
            if complete:
                return await receive()
            if started is None:
                started = asyncio.get_running_loop().time()
            try:
                # Not wait_for: on Python 3.11 it makes a task for every chunk.
                async with asyncio.timeout_at(started + self.seconds + arrived / _BYTES_PER_SECOND):
                    message = await receive()
            except TimeoutError as error:
                raise HTTPException(408, "the body came too slowly", {"Connection": "close"}) from error
            arrived += len(message.get("body", b""))
            complete = not message.get("more_body", False)
            if arrived > self.most:
                raise _too_large()
            return message

        await self.app(scope, receiving, send)


def _too_large() -> HTTPException:
    return HTTPException(413, "the body is larger than this service takes", {"Connection": "close"})


@dataclass(frozen=True, slots=True)
class Spooled:
    """One upload: its bytes when it is small, a file in the spool otherwise."""

    path: Path | None
    name: str | None
    sha256: str
    size: int
    data: bytes | None = field(default=None, repr=False)
    done: Callable[[int], None] | None = field(default=None, repr=False)
    """Gives the memory of ``data`` back to the spool's share."""

    @property
    def content(self) -> bytes | Path:
        """The bytes, or the file that holds them."""
        if self.data is not None:
            return self.data
        assert self.path is not None
        return self.path

    def head(self, size: int) -> bytes:
        """The first bytes."""
        if self.path is None:
            return (self.data or b"")[:size]
        with self.path.open("rb") as stream:
            return stream.read(size)

    def ref(self) -> FileRef:
        """The same for a worker process."""
        return FileRef(path=self.path, name=self.name, sha256=self.sha256, size=self.size, data=self.data)

    def discard(self) -> None:
        """Remove what is on disk, and count what was in memory as gone. Once, when nobody needs the bytes any more."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)
        if self.done is not None:
            self.done(self.size)


class _Meter:
    """Size and SHA-256 of what goes through, up to a limit."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._digest = hashlib.sha256()
        self.size = 0

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def through(self, chunk: bytes) -> bytes:
        """The chunk itself. Raises :class:`AssetTooLarge`."""
        self.size += len(chunk)
        if self.size > self._limit:
            raise _too_long(self._limit)
        self._digest.update(chunk)
        return chunk


class Spool:
    """A private folder for uploads and results on their way. Everything in it may be deleted at any start.

    Small contents stay in memory instead, as long as all of them together have room in ``memory`` bytes: hundreds of
    slow senders must not fill it. Used on one event loop.
    """

    def __init__(self, folder: Path, memory: int = _MEMORY) -> None:
        self.folder = folder
        self._room = memory
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def path(self) -> Path:
        """A fresh name in the spool."""
        return self.folder / f"{os.getpid()}-{secrets.token_hex(12)}.part"

    def _give_back(self, size: int) -> None:
        self._room += size

    async def take(self, chunks: AsyncIterator[bytes], *, name: str | None, limit: int) -> Spooled:
        """Take a stream in: in memory up to :data:`IN_MEMORY` while there is room, to the disk as a whole otherwise.

        Raises :class:`AssetTooLarge`, :class:`StorageError` (full disk); leaves nothing then. The writes are small and go
        to the page cache, so they stay on the event loop.
        """
        meter, held, counted = _Meter(limit), list[bytes](), 0
        try:
            async for chunk in chunks:
                held.append(meter.through(chunk))
                if meter.size > IN_MEMORY or len(chunk) > self._room:
                    break
                self._room -= len(chunk)
                counted += len(chunk)
            else:
                data, counted = b"".join(held), 0
                return Spooled(None, name, meter.sha256, meter.size, data, self._give_back)
        finally:
            self._give_back(counted)
        with self.fresh() as (path, out):
            out.writelines(held)
            held.clear()  # it leaves the memory before the first wait
            async for chunk in chunks:
                out.write(meter.through(chunk))
        return Spooled(path, name, meter.sha256, meter.size)

    @contextlib.contextmanager
    def fresh(self) -> Iterator[tuple[Path, BufferedRandom]]:
        """A new file, gone again when the block fails. An OSError in it becomes a :class:`StorageError`."""
        path = self.path()
        try:
            with path.open("x+b") as out:
                yield path, out
        except OSError as error:
            path.unlink(missing_ok=True)
            raise storage_error(error) from error
        except BaseException:
            path.unlink(missing_ok=True)
            raise

    def sweep(self, older_than: float = _STALE_SECONDS) -> int:
        """Remove what a killed process left; returns how many files."""
        removed = 0
        for path in self.folder.glob("*.part"):
            with contextlib.suppress(OSError):
                if time.time() - path.stat().st_mtime > older_than:
                    path.unlink()
                    removed += 1
        return removed


def _too_long(limit: int) -> AssetTooLarge:
    return AssetTooLarge(f"more than {limit:,} bytes", hint="send a smaller file")


def storage_error(error: OSError) -> StorageError:
    """A file system's refusal as our error; a full disk has its own code."""
    import errno

    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return StorageError(
            "the server's storage is full", code="tanba.storage.full", hint="the operator must make room"
        )
    return StorageError("the server's storage failed", hint="try again shortly")


_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


def bare_name(name: str | None) -> str | None:
    """A client's file name as a bare name for people: no folders, no control or direction characters, bounded."""
    if not name:
        return None
    cleaned = _CONTROL.sub("", name.replace("\\", "/").rpartition("/")[2]).strip()[:200]
    return cleaned if cleaned not in {"", ".", ".."} else None
