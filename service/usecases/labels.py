"""Issuing, finding and withdrawing labels. The order of :func:`issue` is what makes it safe to kill at any moment:

(1) claim the Idempotency-Key          a row says that this request is being worked on
(2) sign in a worker process           into the spool; nothing is published yet
(3) store the content                  flushed to disk; nobody knows of it yet
(4) one transaction                    label row with the manifest store, log entry, the key's answer: all or nothing
(5) answer                             only now does anyone hold a receipt

Killed before (4): no label exists, the key's claim runs out and a repeat starts over. Killed after (4): a repeat gets
the stored receipt and the stored bytes, because a second signature would be a second label.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from service import audit, work
from service.bodies import Spooled
from service.config import Settings
from service.db import repositories
from service.db.models import Label
from service.db.session import Database
from service.log import LabelLog, LogEvent
from service.problems import Conflict, Gone, NotFound
from service.security import Caller
from service.state import State
from service.usecases.claims import Claim
from service.usecases.issued import Issued
from service.usecases.publishing import RECORDED, Made, Within, record
from tanba.errors import StorageError
from tanba.model import Disclosure
from tanba.wire import to_json


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelRequest:
    """One wish for a label."""

    file: Spooled
    parent: Spooled | None
    disclosure: Disclosure
    options: dict[str, Any]
    profiles: tuple[str, ...]
    identity: str | None
    idempotency_key: str | None

    @property
    def fingerprint(self) -> str:
        """SHA-256 over everything that decides what the label says and covers."""
        said = to_json(
            {
                "content": self.file.sha256,
                "name": self.file.name,
                "parent": self.parent.sha256 if self.parent else None,
                "disclosure": self.disclosure,
                "options": self.options,
                "profiles": self.profiles,
                "identity": self.identity,
            },
            indent=None,
        )
        return hashlib.sha256(said.encode()).hexdigest()


async def issue(state: State, caller: Caller, request: LabelRequest, *, within: Within | None = None) -> Issued:
    """Make and record one label, or answer again with an earlier one. ``within`` runs in the publishing transaction.

    Raises :class:`Conflict` and :class:`InFlight` for the Idempotency-Key, and whatever labelling raises.
    """
    claim = None
    if request.idempotency_key is not None:
        attempt = secrets.token_hex(16)
        claim = Claim(caller.id or "", request.idempotency_key, request.fingerprint, attempt)
        earlier = await state.claims.take(claim)
        if earlier is not None:
            return earlier
    output, written = state.spool.path(), True
    try:
        trust = work.TrustRef(folder=state.trust.folder, digest=state.trust.current()[1])
        task = work.LabelTask(
            file=request.file.ref(),
            output=output,
            disclosure=request.disclosure,
            options=request.options,
            profiles=request.profiles,
            parent=request.parent.ref() if request.parent else None,
            identity=request.identity,
            keys_dir=state.settings.keys_dir,
            trust=trust,
            limits=state.limits,
            stamping=_stamping(state.settings) if request.options.get("timestamp_url") else None,
        )
        done = await state.label_workers.run(work.label, task)
        written = isinstance(done.content, Path)
        made = Made(caller=caller, disclosure=request.disclosure, done=done, claim=claim, within=within)
        answer = await state.publisher.publish(made)
    except BaseException:
        if claim is not None:
            await run_in_threadpool(state.claims.release, claim)
        raise
    finally:
        if written:
            output.unlink(missing_ok=True)
    state.metrics.labels.labels(request.disclosure.involvement.value, answer.receipt["carrier"]).inc()
    return answer


def find(state: State, label_id: str) -> Label:
    """One label. Raises :class:`NotFound`."""
    with state.db.read() as session:
        return _found(repositories.label(session, label_id))


def find_by_hash(state: State, digest: str) -> Sequence[Label]:
    """Labels whose input, output or manifest has this SHA-256; empty when there is none."""
    with state.db.read() as session:
        return repositories.labels_by_hash(session, digest)


def content(state: State, label_id: str) -> tuple[Label, Iterator[bytes]]:
    """The labelled bytes. Raises :class:`NotFound`, :class:`Gone` when they are no longer kept."""
    row = find(state, label_id)
    chunks = state.blobs.stream(row.content_at or row.output_sha256) if _kept(row, state.clock()) else None
    if chunks is None:
        raise Gone(
            "the labelled bytes are no longer kept here",
            hint="the label, its manifest and its proof still are; ask whoever received the file",
        )
    return row, chunks


def manifest(state: State, label_id: str) -> tuple[Label, bytes]:
    """The manifest store. Raises :class:`NotFound`, :class:`StorageError` when it was lost."""
    with state.db.read() as session:
        row = _found(repositories.label(session, label_id))
        store = row.manifest_store
    store = store if store is not None else state.blobs.get(row.manifest_sha256)
    if store is None:
        raise StorageError("the manifest store is missing from the storage", code="tanba.storage.lost")
    return row, store


def proof(state: State, label_id: str, size: int | None = None) -> dict[str, Any]:
    """The inclusion proof of a label's entry. Raises :class:`NotFound`, :class:`tanba.errors.InputError`, ``RowGone``."""
    with state.db.read() as session:
        row = _found(repositories.label(session, label_id))
        assert row.log_index is not None
        return state.log.proof(session, row.log_index, size)


def withdraw(state: State, caller: Caller, label_id: str, reason: str) -> Label:
    """Withdraw a label that was issued in error: the record stays, its status changes, the log says so.

    Raises :class:`NotFound`; :class:`Conflict` when it was withdrawn before. A client withdraws its own labels only.
    """
    owner = None if "admin" in caller.scopes else caller.id
    return take_back(state.db, state.log, label_id, reason, actor=caller.name, owner=owner, now=state.clock())


def take_back(
    db: Database, log: LabelLog, label_id: str, reason: str, *, actor: str, now: datetime, owner: str | None = None
) -> Label:
    """:func:`withdraw` without a running service; ``owner`` None is an operator, who may withdraw every label."""
    with db.write() as session:
        row = _found(repositories.label(session, label_id))
        if owner is not None and owner != row.client_id:
            raise NotFound("no such label was issued to this client")
        if not repositories.withdraw(session, label_id, reason, now):
            raise Conflict("this label was withdrawn before", code="tanba.label.withdrawn_before")
        audit.record(session, at=now, actor=actor, action="label.withdrawn", subject=label_id)
        session.refresh(row)
        log.append(session, record({name: getattr(row, name) for name in RECORDED}, LogEvent.WITHDRAWN, now), now)
    return row


def _stamping(settings: Settings) -> work.Stamping:
    """All authorities together get half of a file's time, so that the label can still be made, or refused, within it."""
    urls = settings.timestamp_urls
    seconds = min(settings.timestamp_seconds, settings.limits.seconds / 2 / len(urls))
    return work.Stamping(urls, seconds, settings.timestamp_policy)


def _kept(row: Label, now: datetime) -> bool:
    return row.content_until is not None and row.content_until > now


def _found(row: Label | None) -> Label:
    if row is None:
        raise NotFound("no such label was issued here", code="tanba.label.not_found", hint="check the label's id")
    return row


def purge(state: State) -> int:
    """Remove labelled bytes, idempotency rows and cached reports past their time; returns how many."""
    now = state.clock()
    removed = state.blobs.sweep(now)
    while old := _expired(state, now):
        for label_id, digest in old:
            _forget_content(state, label_id, digest, now)
        removed += len(old)
    with state.db.write() as session:
        return repositories.purge_expired(session, now) + removed


def _expired(state: State, now: datetime) -> list[tuple[str, str]]:
    with state.db.read() as session:
        return [(row.id, row.output_sha256) for row in repositories.expired_content(session, now)]


def _forget_content(state: State, label_id: str, digest: str, now: datetime) -> None:
    with state.db.write() as session:
        _mark_gone(session, label_id)
        if not repositories.content_wanted(session, digest, now):
            state.blobs.delete(digest)


def _mark_gone(session: Session, label_id: str) -> None:
    row = repositories.label(session, label_id)
    if row is not None:
        row.content_until = None
