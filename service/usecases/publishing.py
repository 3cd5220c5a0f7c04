"""Steps (3) and (4) of issuing a label: bytes into the storage, then label, log entry and answer in one transaction.

Labels that become ready at the same time are published together (:mod:`service.groups`): one transaction and one flush
of the database for all. Nobody gets a receipt before the transaction that holds its label is on disk.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
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
from service.db.models import Idempotency, IdempotencyState, Label, LabelState
from service.db.session import Database
from service.groups import Grouped
from service.log import LabelLog, LogEvent, LogRecord
from service.problems import InFlight
from service.security import Caller
from tanba.errors import StorageError, TanbaError
from tanba.model import Disclosure
from tanba.protocols import Clock
from tanba.wire import rfc3339, to_plain

_NEW_LABELS = insert(table(Label))
_COLUMNS = tuple(table(Label).columns.keys())

Within = Callable[[Session, Label], None]
"""Called in the transaction that publishes a label, after everything else in it; what it raises undoes the label. The row
is a copy of what is stored, for reading. It may be called again when another label of the same transaction failed: everything it does must be in the session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A signed label that nobody knows of yet."""

    caller: Caller
    disclosure: Disclosure
    done: work.LabelDone
    idempotency_key: str | None
    attempt: str
    """Who holds the claim on the key."""
    within: Within | None = None


@dataclass(frozen=True, slots=True)
class Issued:
    """An issued label as it is answered."""

    label_id: str
    receipt: dict[str, Any]
    media_type: str
    output_sha256: str
    replayed: bool = False


class Publisher:
    """Publishes labels. Safe from every thread and event loop."""

    def __init__(self, *, db: Database, blobs: BlobStore, log: LabelLog, settings: Settings, clock: Clock) -> None:
        self._db, self._blobs, self._log, self._settings, self._clock = db, blobs, log, settings, clock
        self._group: Grouped[Made, Issued] = Grouped(self._together, name="tanba-publish")

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
        try:
            self._blobs.put_all([item for made in group for item in made.done.blobs])
            outcomes = self._record(group, now)
        except BaseException as error:
            self._forget(group, now)
            if isinstance(error, IntegrityError):
                raise StorageError("the label could not be recorded", code="tanba.storage.database") from error
            raise
        self._forget([made for made, found in zip(group, outcomes, strict=True) if isinstance(found, Exception)], now)
        self._note([made for made, found in zip(group, outcomes, strict=True) if not isinstance(found, Exception)])
        return outcomes

    def _record(self, group: Sequence[Made], now: datetime) -> list[Issued | Exception]:
        """Step (4), for all or for none."""
        with self._db.write() as session:
            claims = [self._claim(session, made) for made in group]
            good = [made for made, claim in zip(group, claims, strict=True) if not isinstance(claim, Exception)]
            rows = [self._row(made, now) for made in good]
            proofs = self._log.append_proved(session, [record(row, LogEvent.ISSUED, now) for row in rows], now)
            for row, proof in zip(rows, proofs, strict=True):
                row.log_index, row.receipt = proof["index"], {**row.receipt, "log": proof}
            if rows:
                session.connection().execute(_NEW_LABELS, [_columns(row) for row in rows])
            for made, row in zip(good, rows, strict=True):
                if made.within is not None:
                    made.within(session, row)
            left = iter(rows)
            return [self._answered(claim, left) for claim in claims]

    def _claim(self, session: Session, made: Made) -> Idempotency | Exception | None:
        if made.idempotency_key is None:
            return None
        claim = repositories.idempotency(session, made.caller.id or "", made.idempotency_key)
        if claim is None or claim.attempt != made.attempt:
            return in_flight(1.0)  # it took so long that a repeat took over; that one will answer
        return claim

    def _answered(self, claim: Idempotency | Exception | None, rows: Any) -> Issued | Exception:
        if isinstance(claim, Exception):
            return claim
        row: Label = next(rows)
        if claim is not None:
            claim.state, claim.label_id = IdempotencyState.DONE, row.id
        return issued(row)

    def _row(self, made: Made, now: datetime) -> Label:
        done = made.done
        output = f"{self._settings.base_url}/v1/labels/{done.receipt.label_id}/content"
        receipt = replace(done.receipt, output=output)
        return Label(
            id=receipt.label_id,
            created_at=now,
            client_id=made.caller.id,
            input_sha256=receipt.input_sha256,
            output_sha256=receipt.output_sha256,
            manifest_sha256=receipt.manifest_sha256,
            media_type=receipt.media_type,
            carrier=receipt.carrier.value,
            profiles=list(receipt.profile),
            layers=list(receipt.layers),
            disclosure=_stated(made.disclosure),
            identity_name=receipt.identity.name,
            cert_fingerprint=receipt.identity.fingerprint,
            receipt=to_plain(receipt),
            content_size=done.size,
            content_until=now + timedelta(hours=self._settings.keep_content_hours),
            state=LabelState.ISSUED,
        )

    def _forget(self, group: Sequence[Made], now: datetime) -> None:
        """Best effort: bytes of labels that do not exist are of no use to anyone."""
        if not group:
            return
        with contextlib.suppress(TanbaError), self._db.read() as session:
            for digest, _ in (item for made in group for item in made.done.blobs):
                if not repositories.content_wanted(session, digest, now):
                    self._blobs.delete(digest)

    def _note(self, group: Sequence[Made]) -> None:
        """Into this machine's history of labels, by which ``tanba keys revoke`` names those it touches. Best effort: the labels
        are issued, and the database has the same.
        """
        import keys

        with contextlib.suppress(StorageError):
            for made in group:
                receipt = made.done.receipt
                keys.record_use(
                    receipt.identity.fingerprint, receipt.label_id, receipt.claimed_at,
                    home=self._settings.keys_dir, flush=False,
                )  # fmt: skip


def _columns(row: Label) -> dict[str, Any]:
    """The row for a plain INSERT: the ORM's unit of work costs more than the database here."""
    return {name: getattr(row, name) for name in _COLUMNS}


def issued(row: Label) -> Issued:
    """The answer that a label's row stands for."""
    return Issued(row.id, row.receipt, row.media_type, row.output_sha256)


def in_flight(seconds: float) -> InFlight:
    """The answer to a request whose key is being worked on."""
    return InFlight(
        "a request with this Idempotency-Key is being worked on",
        hint="send the same request again after Retry-After",
        details={"retry_after": seconds},
    )


def record(row: Label, event: LogEvent, at: datetime) -> LogRecord:
    """What the label log says about a label."""
    return LogRecord(
        event=event,
        label_id=row.id,
        input_sha256=row.input_sha256,
        output_sha256=row.output_sha256,
        manifest_sha256=row.manifest_sha256,
        kind=str(row.disclosure["involvement"]),
        profiles=tuple(row.profiles),
        identity=row.cert_fingerprint,
        at=rfc3339(at),
    )


def _stated(disclosure: Disclosure) -> dict[str, Any]:
    """What was stated, without the prompt's text: it is in the file if the caller wanted it there."""
    plain: dict[str, Any] = to_plain(replace(disclosure, prompt=None))
    return {key: value for key, value in plain.items() if value not in (None, [], {}, False)}
