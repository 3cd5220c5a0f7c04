"""Which labels were made with which certificate: one JSON line per label, appended, never changed.

Kept so that a revocation can name the labels it touches. It holds no file name and no content, only identifiers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from keys import files
from tanba.errors import StorageError
from tanba.wire import rfc3339

FILE = "history.jsonl"
MAX_LINE = 4096


@dataclass(frozen=True, slots=True)
class Use:
    """One label made."""

    fingerprint: str
    """SHA-256 of the signing certificate's DER, hex."""
    label_id: str
    time: str
    """RFC 3339, UTC."""

    @property
    def line(self) -> str:
        """The label's line in the history: ASCII, with its end."""
        plain = {"fingerprint": self.fingerprint, "label_id": self.label_id, "time": self.time}
        return json.dumps(plain, ensure_ascii=True) + "\n"


def record_use(fingerprint: str, label_id: str, time: datetime, *, home: Path | None = None) -> None:
    """Append one label, flushed to disk. See :func:`record_uses`."""
    record_uses([Use(fingerprint, label_id, rfc3339(time))], home=home)


def record_uses(labels: Sequence[Use], *, home: Path | None = None, flush: bool = True) -> None:
    """Append a line for each label, flushed to disk. Raises :class:`StorageError`.

    All lines are written with one ``write`` in append mode under the lock, so that processes do not mix their lines.
    Without ``flush``, for those who keep a record of their own, there is neither lock nor flush: 20 µs instead of 5 ms.
    """
    import os
    from contextlib import nullcontext

    from tanba.paths import keys_dir

    place = home or keys_dir()
    lines = [use.line for use in labels]
    if any(len(line) > MAX_LINE for line in lines):
        raise StorageError("a label's identifier is too long for the history", code="tanba.keys.history")
    try:
        with files.locked(place) if flush else nullcontext():
            handle = os.open(place / FILE, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(handle, "".join(lines).encode("ascii"))
                if flush:
                    os.fsync(handle)
            finally:
                os.close(handle)
    except OSError as error:
        raise StorageError("the history of labels cannot be written", code="tanba.keys.history") from error


def uses(*, fingerprint: str | None = None, since: datetime | None = None, home: Path | None = None) -> Iterator[Use]:
    """Labels in the order they were made. A line cut short by a crash is passed over; nothing else is."""
    from tanba.paths import keys_dir

    path = (home or keys_dir()) / FILE
    if not path.exists():
        return
    with path.open("r", encoding="ascii", errors="replace") as stream:
        while line := stream.readline(MAX_LINE):
            try:
                use = Use(**json.loads(line))
                made = datetime.fromisoformat(use.time)
            except (ValueError, TypeError):
                continue
            if (fingerprint is None or use.fingerprint == fingerprint) and (since is None or made >= since):
                yield use
