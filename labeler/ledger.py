"""The resume ledger of a batch: one JSON line when a file is begun, one when it is done. Append only.

A run that was killed at any moment continues without redoing or doubling: a file is done when its line says so and its
output is still the one described; a file that was begun is done when its output carries the content id that was chosen
for it. Failures are not remembered, so they are tried again.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

from filelock import FileLock, Timeout

from tanba.errors import OutputRefused, UsageError

_SCHEMA = "tanba.ledger/1"


@dataclass(frozen=True, slots=True)
class Item:
    """One file of a batch."""

    source: Path
    target: Path


@dataclass(slots=True)
class Ledger:
    """Use as a context manager; one run at a time may hold it."""

    path: Path
    recipe: str
    """Digest of what is said and how; lines of another recipe do not count."""
    _entries: dict[str, dict[str, Any]] = field(default_factory=dict, repr=False)
    _stream: TextIO | None = field(default=None, repr=False)
    _lock: FileLock | None = field(default=None, repr=False)

    def __enter__(self) -> Self:
        lock = FileLock(self.path.with_name(self.path.name + ".lock"))
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=0)
        except Timeout as error:
            raise UsageError(
                f"another run uses the ledger {self.path.name}", hint="wait for it, or give another --resume file"
            ) from error
        except OSError as error:
            raise OutputRefused(f"cannot open the ledger {self.path.name}: {error.strerror}") from error
        self._lock = lock
        torn = self._load()
        self._stream = self.path.open("a", encoding="utf-8")
        if torn:
            self._stream.write("\n")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._stream is not None:
            self._stream.close()
        if self._lock is not None:
            self._lock.release()

    def done(self, item: Item, content_id_of: Callable[[Path], str | None]) -> bool:
        """Whether this item was finished by an earlier run. ``content_id_of`` reads the id out of a labelled file."""
        entry = self._entries.get(_key(item))
        if entry is None:
            return False
        target = _stat(item.target)
        if target is None:
            return False
        if entry["state"] == "done":
            unchanged = item.source == item.target or _stat(item.source) == tuple(entry["source_stat"])
            return unchanged and target == tuple(entry["target_stat"])
        if content_id_of(item.target) != entry["content_id"]:
            return False
        self.finished(item, entry["content_id"], tuple(entry["source_stat"]))
        return True

    def begun(self, item: Item, content_id: str) -> tuple[int, int] | None:
        """Note that an item is about to be labelled; returns the source's size and time as of now."""
        source = _stat(item.source)
        self._write(item, {"state": "begun", "content_id": content_id, "source_stat": source or (0, 0)})
        return source

    def finished(self, item: Item, content_id: str, source_stat: tuple[int, ...] | None) -> None:
        """Note that an item's output stands on disk."""
        self._write(
            item,
            {
                "state": "done",
                "content_id": content_id,
                "source_stat": source_stat or (0, 0),
                "target_stat": _stat(item.target) or (0, 0),
            },
        )

    def _write(self, item: Item, data: dict[str, Any]) -> None:
        assert self._stream is not None
        self._entries[_key(item)] = data
        line = {
            "schema": _SCHEMA,
            "recipe": self.recipe,
            "source": str(item.source),
            "target": str(item.target),
            **data,
        }
        self._stream.write(json.dumps(line) + "\n")
        self._stream.flush()

    def _load(self) -> bool:
        """Read what is there; whether the last line was torn by a kill. Lines that do not parse are passed over."""
        try:
            text = self.path.read_text("utf-8", errors="replace")
        except FileNotFoundError:
            return False
        for line in text.splitlines():
            try:
                entry = json.loads(line)
                if entry["schema"] == _SCHEMA and entry["recipe"] == self.recipe:
                    self._entries[f"{entry['source']}\0{entry['target']}"] = entry
            except (ValueError, KeyError, TypeError):
                continue
        return bool(text) and not text.endswith("\n")


def _key(item: Item) -> str:
    return f"{item.source}\0{item.target}"


def _stat(path: Path) -> tuple[int, int] | None:
    """Size in bytes and modification time in nanoseconds."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns
