"""Steps (3) and (4) of issuing a label: bytes into the storage, then label, log entry and answer in one transaction.

Labels that become ready at the same time are published together (:mod:`service.groups`): one transaction and one flush
of the database for all. Nobody gets a receipt before the transaction that holds its label is on disk.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from service import work
from service.blobs import BlobStore
from service.config import Settings
from service.db import repositories
from service.db.base import table
from service.db.models import Label, LabelState
from service.db.session import Database
from service.db.types import Encoded
from service.groups import Grouped
from service.log import LabelLog, LogEvent, LogRecord
from service.security import Caller
from service.usecases.claims import Claim
from service.usecases.issued import Issued, in_flight
from tanba.errors import StorageError, TanbaError
from tanba.model import Disclosure
from tanba.protocols import Clock
from tanba.wire import rfc3339, to_compact, to_plain

_NEW_LABELS = insert(table(Label))
RECORDED = (
    "id", "input_sha256", "output_sha256", "manifest_sha256", "disclosure", "profiles", "cert_fingerprint",
)  # fmt: skip
"""Columns that the label log repeats."""
_STORE_IN_ROW = 64 << 10
"""A manifest store of up to this many bytes stands in its label's row: it is kept for just as long, and a row costs less
than a file. Most have 3 to 20 KB; only those that carry the stores of earlier versions are larger."""

Within = Callable[[Session, Label], None]
"""Called in the transaction that publishes a label, after everything else in it; what it raises undoes the label. The row
is a copy of what is stored, for reading. It may be called again when another label of the same transaction failed: everything it does must be in the session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A signed label that nobody knows of yet."""

    caller: Caller
    disclosure: Disclosure
    done: work.LabelDone
    claim: Claim | None
    """On its Idempotency-Key."""
    within: Within | None = None

    @property
    def store_in_row(self) -> bytes | None:
        """The manifest store, when it is small enough for the label's row."""
        return self.done.store if len(self.done.store) <= _STORE_IN_ROW else None


@dataclass(slots=True)
class _Bundle:
    """One label on its way into the database."""

    made: Made
    place: str | None
    """The storage's name for the content, if it is not the digest."""
    values: dict[str, Any] = field(default_factory=dict)
    """Its row."""

    @property
    def digests(self) -> list[str]:
        """What the storage holds of it under digests."""
        receipt = self.made.done.receipt
        apart = [receipt["manifest_sha256"]] if self.made.store_in_row is None else []
        return apart if self.place else [*apart, receipt["output_sha256"]]


class Publisher:
    """Publishes labels. Safe from every thread and event loop."""

    def __init__(
        self,
        *,
        db: Database,
        blobs: BlobStore,
        log: LabelLog,
        settings: Settings,
        clock: Clock,
        crowded: Callable[[], bool],
    ) -> None:
        """``crowded`` tells whether so much work waits that publishing a little later costs nobody anything."""
        self._db, self._blobs, self._log, self._settings, self._clock = db, blobs, log, settings, clock
        self._group: Grouped[Made, Issued] = Grouped(self._together, name="tanba-publish", crowded=crowded)

    async def publish(self, made: Made) -> Issued:
        """Publish one label. Raises :class:`InFlight` when the claim on its key was lost, :class:`StorageError`, and what
        ``within`` raises; the label does not exist then.
        """
        return await self._group.do(made)

    def close(self) -> None:
        """Finish what was handed in."""
        self._group.close()

    def _together(self, group: Sequence[Made]) -> list[Issued | Exception]:
        now = self._clock()
        until = now + timedelta(hours=self._settings.keep_content_hours)
        bundles = self._store(group, now, until)
        recorded = False
        try:
            with self._db.write() as session:
                outcomes = self._record(session, bundles, now, until)
                recorded = True
        except BaseException as error:
            if not recorded:  # nobody knows whether a commit that failed took place: then the bytes stay
                self._forget(bundles, now)
            if isinstance(error, IntegrityError):
                raise StorageError("the label could not be recorded", code="tanba.storage.database") from error
            raise
        self._forget([item for item, found in zip(bundles, outcomes, strict=True) if isinstance(found, Exception)], now)
        self._note([made for made, found in zip(group, outcomes, strict=True) if isinstance(found, Issued)])
        return outcomes

    def _store(self, group: Sequence[Made], now: datetime, until: datetime) -> list[_Bundle]:
        """Step (3)."""
        apart = [(made.done.receipt["manifest_sha256"], made.done.store) for made in group if made.store_in_row is None]
        contents = [(made.done.receipt["output_sha256"], made.done.content) for made in group]
        try:
            if apart:
                self._blobs.put_all(apart)
            places = self._blobs.keep(contents, until)
        except BaseException:
            self._forget([_Bundle(made, None) for made in group], now)
            raise
        return [_Bundle(made, place) for made, place in zip(group, places, strict=True)]

    def _record(
        self, session: Session, bundles: Sequence[_Bundle], now: datetime, until: datetime
    ) -> list[Issued | Exception]:
        """Step (4), for all or for none."""
        lost = self._lost_claims(session, [item.made for item in bundles])
        good = [item for item, found in zip(bundles, lost, strict=True) if found is None]
        for item in good:
            item.values = self._values(item, now, until)
        proofs = self._log.append_proved(session, [record(item.values, LogEvent.ISSUED, now) for item in good], now)
        issued = [_complete(item, proof) for item, proof in zip(good, proofs, strict=True)]
        if good:
            session.connection().execute(_NEW_LABELS, [item.values for item in good])
        repositories.finish_idempotency(
            session, [(claim.client, claim.key, item.values["id"]) for item in good if (claim := item.made.claim)]
        )
        for item, answer in zip(good, issued, strict=True):
            if item.made.within is not None:
                item.made.within(session, Label(**item.values | {"receipt": answer.receipt}))
        left = iter(issued)
        return [next(left) if found is None else found for found in lost]

    def _lost_claims(self, session: Session, group: Sequence[Made]) -> list[Exception | None]:
        """An error for each that took so long that a repeat took over its key; the repeat will answer."""
        wanted = [(made.claim.client, made.claim.key) for made in group if made.claim]
        held = repositories.idempotency(session, wanted) if wanted else {}

        def lost(claim: Claim) -> bool:
            row = held.get((claim.client, claim.key))
            return row is None or row.attempt != claim.attempt

        return [in_flight(1.0) if made.claim and lost(made.claim) else None for made in group]

    def _values(self, item: _Bundle, now: datetime, until: datetime) -> dict[str, Any]:
        """The columns of its row; index and receipt are completed when the log has given the place."""
        done = item.made.done
        receipt = done.receipt
        output = f"{self._settings.base_url}/v1/labels/{receipt['label_id']}/content"
        return {
            "id": receipt["label_id"],
            "created_at": now,
            "client_id": item.made.caller.id,
            "input_sha256": receipt["input_sha256"],
            "output_sha256": receipt["output_sha256"],
            "manifest_sha256": receipt["manifest_sha256"],
            "manifest_store": item.made.store_in_row,
            "media_type": receipt["media_type"],
            "carrier": receipt["carrier"],
            "profiles": receipt["profile"],
            "layers": receipt["layers"],
            "disclosure": _stated(item.made.disclosure),
            "identity_name": receipt["identity"]["name"],
            "cert_fingerprint": receipt["identity"]["fingerprint"],
            "receipt": receipt | {"output": output},
            "content_size": done.size,
            "content_until": until,
            "content_at": item.place,
            "state": LabelState.ISSUED,
        }

    def _forget(self, bundles: Sequence[_Bundle], now: datetime) -> None:
        """Best effort: bytes of labels that do not exist are of no use to anyone."""
        with contextlib.suppress(TanbaError):
            for place in reversed([item.place for item in bundles if item.place]):  # the last one stored goes first
                self._blobs.delete(place)
            if digests := [digest for item in bundles for digest in item.digests]:
                with self._db.read() as session:
                    unwanted = [item for item in digests if not repositories.content_wanted(session, item, now)]
                for digest in unwanted:
                    self._blobs.delete(digest)

    def _note(self, group: Sequence[Made]) -> None:
        """Into this machine's history of labels, by which ``tanba keys revoke`` names those it touches. Best effort: the labels
        are issued, and the database has the same.
        """
        import keys

        uses = [
            keys.Use(receipt["identity"]["fingerprint"], receipt["label_id"], receipt["claimed_at"])
            for receipt in (made.done.receipt for made in group)
        ]
        with contextlib.suppress(StorageError):
            keys.record_uses(uses, home=self._settings.keys_dir, flush=False)


def _complete(item: _Bundle, proof: dict[str, Any]) -> Issued:
    """Put the log's proof into row and receipt. The receipt is encoded once, for the row and for the answer."""
    receipt = item.values["receipt"] | {"log": proof}
    body = to_compact(receipt)
    item.values |= {"log_index": proof["index"], "receipt": Encoded(body.decode())}
    content = item.made.done.content
    return Issued(
        item.values["id"], receipt, body, item.values["media_type"], content if isinstance(content, bytes) else None
    )


def record(row: Mapping[str, Any], event: LogEvent, at: datetime) -> LogRecord:
    """What the label log says about a label, of whose row these are columns (:data:`RECORDED` at least)."""
    return LogRecord(
        event=event,
        label_id=row["id"],
        input_sha256=row["input_sha256"],
        output_sha256=row["output_sha256"],
        manifest_sha256=row["manifest_sha256"],
        kind=str(row["disclosure"]["involvement"]),
        profiles=tuple(row["profiles"]),
        identity=row["cert_fingerprint"],
        at=rfc3339(at),
    )


def _stated(disclosure: Disclosure) -> dict[str, Any]:
    """What was stated, without the prompt's text: it is in the file if the caller wanted it there."""
    plain: dict[str, Any] = to_plain(disclosure)
    return {key: value for key, value in plain.items() if key != "prompt" and value not in (None, [], {}, False)}
