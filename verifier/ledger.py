"""The resume ledger of a folder verification: one JSON line per finished file, flushed as it is written.

A line counts only for the same bytes (size and modification time), the same trust lists, moment and version. A line cut
off by a crash is ignored; a ledger of other settings is refused instead of mixed.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Self

from tanba import __version__
from tanba.errors import StorageError, UsageError
from tanba.wire import rfc3339

if TYPE_CHECKING:
    from verifier.procedure import Settings

SCHEMA = "tanba.verify-ledger/1"


def fingerprint(settings: Settings) -> str:
    """Digest of everything that could change an answer."""
    parts = (
        __version__,
        settings.trust.digest,
        rfc3339(settings.as_of) if settings.as_of else "now",
        str(settings.network),
        str(settings.second_engine),
        str(settings.limits),
    )
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


class Ledger:
    """An append-only file. Only offsets are kept in memory, so ten thousand files cost ten thousand numbers."""

    def __init__(self, path: Path, settings: Settings) -> None:
        """Open or begin a ledger. Raises :class:`UsageError` when it belongs to other settings."""
        self._path = path
        self._offsets: dict[str, int] = {}
        self._mark = fingerprint(settings)
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("a+b")
        except OSError as error:
            raise StorageError("the ledger cannot be opened", code="tanba.ledger.unwritable") from error
        self._index()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def get(self, path: Path) -> Mapping[str, Any] | None:
        """The finished entry of a file that has not changed since, or None."""
        offset = self._offsets.get(str(path))
        if offset is None or self._file is None:
            return None
        self._file.seek(offset)
        entry = _line(self._file.readline())
        return entry if entry is not None and entry.get("stat") == _stat(path) else None

    def put(self, path: Path, body: Mapping[str, Any]) -> None:
        """Record a finished file. Raises :class:`StorageError`."""
        self._append({"path": str(path), "stat": _stat(path), **body})

    def _index(self) -> None:
        assert self._file is not None
        self._file.seek(0)
        offset, first = 0, True
        for line in self._file:
            entry = _line(line)
            if first and (entry or {}).get("schema") == SCHEMA and (entry or {}).get("settings") != self._mark:
                raise UsageError(
                    "the ledger belongs to a check with other settings",
                    code="tanba.ledger.other_settings",
                    hint="use the same lists, moment and version, or another file for --resume",
                )
            if first and (entry or {}).get("schema") != SCHEMA:
                raise UsageError("not a ledger of tanba verify", code="tanba.ledger.unknown", hint="name another file")
            if entry is not None and isinstance(entry.get("path"), str):
                self._offsets[entry["path"]] = offset
            offset, first = offset + len(line), False
        if first:
            self._append({"schema": SCHEMA, "settings": self._mark})
        elif not _ends_with_newline(self._file, offset):
            self._write(b"\n")

    def _append(self, entry: Mapping[str, Any]) -> None:
        self._write(json.dumps(entry, ensure_ascii=True, separators=(",", ":")).encode() + b"\n")

    def _write(self, data: bytes) -> None:
        assert self._file is not None
        try:
            self._file.seek(0, os.SEEK_END)
            self._file.write(data)
            self._file.flush()
        except OSError as error:
            raise StorageError("the ledger cannot be written", code="tanba.ledger.unwritable") from error


def _line(line: bytes) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None


def _ends_with_newline(stream: IO[bytes], size: int) -> bool:
    stream.seek(max(0, size - 1))
    return size == 0 or stream.read(1) == b"\n"


def _stat(path: Path) -> list[int]:
    """Size and modification time, in bytes and nanoseconds; a sidecar's count too, because it changes the answer."""
    found: list[int] = []
    for item in (path, path.with_name(path.name + ".c2pa")):
        try:
            status = item.stat()
            found += [status.st_size, status.st_mtime_ns]
        except OSError:
            found += [-1, -1]
    return found
