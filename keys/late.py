"""The queue of labels that were signed without a time stamp because no authority answered: one JSON line per label.

It lies in the keys folder and names paths, and nothing of their content. :mod:`keys.late_stamp` works it off, while the
signing certificate is valid: a stamp proves "not later than now".
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from keys import files
from tanba.errors import StorageError
from tanba.wire import rfc3339

QUEUE = "stamp-queue.jsonl"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A label that waits for its stamp."""

    path: str
    """Absolute path of the labelled file, or of the sidecar."""
    identity: str
    """Full name of the identity that signed."""
    label_id: str
    queued_at: str
    """RFC 3339, UTC."""
    reason: str
    """Why there was no stamp: a ``tanba.timestamp.*`` code."""


def queue_stamp(path: Path, *, identity: str, label_id: str, reason: str, home: Path | None = None) -> Waiting:
    """:func:`queue` now, in the user's keys folder by default."""
    from keys.development import utc_now
    from tanba.paths import keys_dir

    return queue(home or keys_dir(), path, identity=identity, label_id=label_id, reason=reason, now=utc_now())


def queue(home: Path, path: Path, *, identity: str, label_id: str, reason: str, now: datetime) -> Waiting:
    """Remember a label that was signed without a stamp, flushed to disk. Raises :class:`StorageError`.

    Appended with one ``write`` under the lock, so that many processes may queue at once.
    """
    waiting = Waiting(str(path.resolve()), identity, label_id, rfc3339(now), reason)
    try:
        with files.locked(home):
            handle = os.open(home / QUEUE, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(handle, _line(waiting))
                os.fsync(handle)
            finally:
                os.close(handle)
    except OSError as error:
        raise StorageError("the queue of time stamps cannot be written", code="tanba.keys.queue") from error
    return waiting


def queued(home: Path) -> tuple[Waiting, ...]:
    """What waits, oldest first; of a file that was labelled twice, the last label. Raises :class:`StorageError`.

    A line cut short by a crash is passed over.
    """
    try:
        lines = (home / QUEUE).read_bytes().splitlines() if (home / QUEUE).exists() else []
    except OSError as error:
        raise StorageError("the queue of time stamps cannot be read", code="tanba.keys.queue", hint=QUEUE) from error
    waiting: dict[str, Waiting] = {}
    for line in lines:
        with suppress(ValueError, TypeError):
            item = Waiting(**json.loads(line))
            waiting.pop(item.path, None)
            waiting[item.path] = item
    return tuple(waiting.values())


def forget(home: Path, paths: Iterable[str]) -> None:
    """Take files out of the queue. Raises :class:`StorageError`."""
    gone = frozenset(paths)
    with files.locked(home):
        files.write(home / QUEUE, b"".join(_line(item) for item in queued(home) if item.path not in gone))


def _line(waiting: Waiting) -> bytes:
    return json.dumps(asdict(waiting), ensure_ascii=False).encode("utf-8", "surrogateescape") + b"\n"
