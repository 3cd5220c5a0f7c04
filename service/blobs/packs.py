"""Contents that are kept for a while, one after another in few files (``docs/adr/0010-packs.md``): to make a file for each
and to flush it costs a label more processor time than its bytes do.

A pack belongs to the process that began it, holds what may be forgotten within the same hour, and goes as a whole; its
name says when. Nothing in it ever changes.
"""

from __future__ import annotations

import os
import re
import secrets
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from service.blobs.disk import CHUNK, append, flush, settle
from service.bodies import storage_error
from tanba.errors import StorageError

_SPAN = 3600
"""Seconds; what may be forgotten within the same span shares a pack."""
_PACK = re.compile(r"([0-9]{1,12})-[0-9a-f]{16}\Z", re.ASCII)
_PLACE = re.compile(r"([0-9]{1,12}-[0-9a-f]{16})/([0-9]{1,15})/([0-9]{1,12})\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a content is: in which pack, from which byte on, how many."""

    pack: str
    start: int
    size: int

    @classmethod
    def parse(cls, text: str) -> Place | None:
        """Read the text form; None when it is something else."""
        found = _PLACE.match(text)
        return cls(found[1], int(found[2]), int(found[3])) if found else None

    def __str__(self) -> str:
        return f"{self.pack}/{self.start}/{self.size}"


class Packs:
    """The packs of one folder. Safe between threads, and between processes that share the folder.

    Raises OSError when the folder cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True, mode=0o700)
        flush(folder.parent)
        self.folder = folder
        self._lock = threading.Lock()
        self._span = 0
        self._pack = ""

    def add(self, contents: Sequence[bytes], until: datetime) -> list[Place]:
        """Append contents, durably; they are kept until then, and for an hour more at most.

        Raises :class:`StorageError`; nothing was added then.
        """
        span = -(-int(until.timestamp()) // _SPAN)
        with self._lock:
            if span != self._span:
                self._span, self._pack = span, f"{span * _SPAN}-{secrets.token_hex(8)}"
            try:
                start = self._append(contents)
            except OSError as error:
                self._span = 0  # whatever is left of it, the next contents begin a pack of their own
                raise storage_error(error) from error
            places = []
            for content in contents:
                places.append(Place(self._pack, start, len(content)))
                start += len(content)
            return places

    def _append(self, contents: Sequence[bytes]) -> int:
        """Where the first of them begins."""
        path = self.folder / self._pack
        with path.open("ab", buffering=0) as pack:
            start = pack.tell()
            try:
                for content in contents:
                    append(pack, content)
                settle(pack)
                if start == 0:  # the name of a new file must be on the disk, too
                    flush(self.folder)
            except OSError:
                with suppress(OSError):
                    _cut(path, start)
                raise
        return start

    def stream(self, place: Place) -> Iterator[bytes] | None:
        """Chunks, or None when the pack is gone. Raises :class:`StorageError` when the pack is shorter than it was."""
        try:
            pack = (self.folder / place.pack).open("rb")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise storage_error(error) from error
        if os.fstat(pack.fileno()).st_size < place.start + place.size:
            pack.close()
            raise StorageError("a pack of labelled bytes is shorter than it was", code="tanba.storage.lost")

        def chunks() -> Iterator[bytes]:
            with pack:
                pack.seek(place.start)
                left = place.size
                while left and (chunk := pack.read(min(CHUNK, left))):
                    left -= len(chunk)
                    yield chunk

        return chunks()

    def take_back(self, place: Place) -> None:
        """Cut a content off again that was added last; any other stays until its pack goes. Raises :class:`StorageError`."""
        path = self.folder / place.pack
        with self._lock:
            if place.pack != self._pack:  # another process may be writing there
                return
            try:
                if path.stat().st_size == place.start + place.size:
                    _cut(path, place.start)
            except FileNotFoundError:
                return
            except OSError as error:
                raise storage_error(error) from error

    def sweep(self, now: datetime) -> int:
        """Remove the packs past their time; returns how many. Raises :class:`StorageError`."""
        removed = 0
        try:
            for path in self.folder.iterdir():
                found = _PACK.match(path.name)
                if found and int(found[1]) < now.timestamp():
                    path.unlink(missing_ok=True)
                    removed += 1
        except OSError as error:
            raise storage_error(error) from error
        return removed


def _cut(path: Path, size: int) -> None:
    """Back to this size; a pack of nothing is no file."""
    if size:
        os.truncate(path, size)
    else:
        path.unlink(missing_ok=True)
