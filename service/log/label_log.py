"""The label log as the service uses it: one object with the log's key, called with the caller's session."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from service.log import store
from service.log.checkpoint import Checkpoint
from service.log.note import NoteSigner
from service.log.record import LogRecord


class LabelLog:
    """Appends, proves and signs. Holds no session; safe to share between threads.

    A checkpoint is signed from what the session sees: hand one out only after the transaction that made it committed.
    """

    def __init__(self, signer: NoteSigner) -> None:
        self._signer = signer
        self._known = store.Known()

    @property
    def origin(self) -> str:
        """The log's identity."""
        return self._signer.name

    @property
    def key(self) -> str:
        """The public note key that auditors pin."""
        return str(self._signer.verifier)

    def append(self, session: Session, record: LogRecord, at: datetime) -> int:
        """Append one record in the caller's transaction, as its last statement; returns its index."""
        return store.append(session, [record], at, known=self._known)

    def append_proved(self, session: Session, records: Sequence[LogRecord], at: datetime) -> list[dict[str, Any]]:
        """Append records and return the :meth:`proof` of each for the log that it ends. Hand out after the commit."""
        return [
            {
                "index": item.index,
                "size": item.index + 1,
                "entry": item.record,
                "proof": [value.hex() for value in item.path],
                "checkpoint": Checkpoint(self.origin, item.index + 1, item.root).signed(self._signer),
            }
            for item in store.append_proved(session, records, at, known=self._known)
        ]

    def append_many(self, session: Session, records: Sequence[LogRecord], at: datetime) -> int:
        """Append several records; returns the index of the first."""
        return store.append(session, records, at, known=self._known)

    def checkpoint(self, session: Session, size: int | None = None) -> str:
        """The signed note for a size, by default the current one. Ed25519 is deterministic: the same size, the same
        note. Raises :class:`InputError` for a size beyond the log.
        """
        at = store.size(session) if size is None else size
        return Checkpoint(self.origin, at, store.root(session, at)).signed(self._signer)

    def proof(self, session: Session, index: int, size: int | None = None) -> dict[str, Any]:
        """What stands under ``log`` in a receipt: entry, audit path and the checkpoint it leads to."""
        at = store.size(session) if size is None else size
        path = store.inclusion_proof(session, index, at)
        return {
            "index": index,
            "size": at,
            "entry": dict(store.entry(session, index).record),
            "proof": [value.hex() for value in path],
            "checkpoint": self.checkpoint(session, at),
        }
