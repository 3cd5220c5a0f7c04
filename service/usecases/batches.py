"""Accepting, watching and cancelling batches. Accepting is one transaction: the job, its items, the engine's tasks."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from service.api.label_form import LabelForm
from service.bodies import Spooled
from service.jobs import ledger, webhooks
from service.jobs.inputs import check_key
from service.jobs.ledger import ItemId
from service.jobs.models import ItemState, Job, JobItem, JobState
from service.jobs.runtime import Jobs
from service.problems import Conflict, NotFound
from service.security import Caller, Scope
from tanba.errors import InputError, UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One item as it was asked for: an upload or an object reference, and what is stated about it."""

    form: LabelForm
    name: str | None
    upload: Spooled | None = None
    object_key: str | None = None

    @property
    def statement(self) -> dict[str, Any]:
        """The form as it is kept until the item is finished."""
        return self.form.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def accept(
    jobs: Jobs, caller: Caller, wishes: Sequence[Wish], *, webhook_url: str | None, idempotency_key: str | None
) -> tuple[dict[str, Any], bool]:
    """Take a batch on; returns its summary and whether it is an earlier one. Blocks.

    Raises :class:`UsageError`, :class:`InputError`, :class:`Forbidden`, :class:`NetworkRefused` (web hook address), and
    :class:`Conflict` for a used Idempotency-Key.
    """
    state = jobs.state
    wishes = _check(jobs, caller, wishes)
    target = webhooks.check_target(webhook_url, jobs.client.policy) if webhook_url is not None else None
    said = [[wish.statement, wish.name, wish.object_key, wish.upload and wish.upload.sha256] for wish in wishes]
    fingerprint = hashlib.sha256(json.dumps([said, target], sort_keys=True).encode()).hexdigest()
    earlier = _earlier(jobs, caller, idempotency_key, fingerprint)
    if earlier is not None:
        return earlier, True
    for wish in wishes:
        if wish.upload is not None:
            state.blobs.put_all([(wish.upload.sha256, wish.upload.content)])
    now = state.clock()
    job = Job(
        id=secrets.token_hex(16),
        client_id=caller.id,
        idempotency_key=idempotency_key,
        fingerprint=fingerprint,
        created_at=now,
        state=JobState.QUEUED,
        total=len(wishes),
        done=0,
        failed=0,
        cancelled=0,
        webhook_url=target,
    )
    try:
        with state.db.write() as session:
            session.add(job)
            session.flush()
            session.add_all(_item(job, index, wish) for index, wish in enumerate(wishes))
            session.flush()
            jobs.engine.enqueue(session, [ItemId(job.id, index).task for index in range(len(wishes))])
            return ledger.summary(job), False
    except IntegrityError as error:  # the same key twice at once: the other request made the job
        earlier = _earlier(jobs, caller, idempotency_key, fingerprint)
        if earlier is None:
            raise Conflict("the batch clashes with another one") from error
        return earlier, True


def status(jobs: Jobs, caller: Caller, job_id: str) -> dict[str, Any]:
    """How far a job is. Raises :class:`NotFound`, also for another client's job."""
    with jobs.state.db.read() as session:
        return ledger.summary(_own(session.get(Job, job_id), caller))


def page(
    jobs: Jobs, caller: Caller, job_id: str, *, start: int, limit: int, state: str | None
) -> tuple[list[dict[str, Any]], int | None]:
    """Items from ``start`` on and where the next page starts. Raises :class:`NotFound`."""
    with jobs.state.db.read() as session:
        _own(session.get(Job, job_id), caller)
        found = ledger.items(session, job_id, start, limit + 1, state)
    following = found[limit].index if len(found) > limit else None
    return [_answer(row) for row in found[:limit]], following


def cancel(jobs: Jobs, caller: Caller, job_id: str) -> dict[str, Any]:
    """Stop what has not begun; finished items stay. Raises :class:`NotFound`."""
    with jobs.state.db.write() as session:
        job = _own(ledger.lock_job(session, job_id), caller)
        jobs.engine.enqueue(session, ledger.cancel(session, job, jobs.state.clock()))
        return ledger.summary(job)


def purge(jobs: Jobs) -> int:
    """Forget jobs past their time; returns how many."""
    before = jobs.state.clock() - timedelta(days=jobs.state.settings.jobs.keep_days)
    with jobs.state.db.write() as session:
        return ledger.purge(session, before)


def _check(jobs: Jobs, caller: Caller, wishes: Sequence[Wish]) -> list[Wish]:
    """The wishes with the identity that will sign each of them."""
    most = jobs.state.settings.jobs.items
    if not 0 < len(wishes) <= most:
        raise InputError(f"a batch holds 1 to {most} items", code="tanba.jobs.batch_size", hint="send several batches")
    if caller.id is None:
        raise UsageError("a batch belongs to a client", hint="send an API key")
    settings = jobs.state.settings
    forms: dict[int, LabelForm] = {}
    for form in {id(wish.form): wish.form for wish in wishes}.values():
        caller.require_profiles(tuple(form.profile))
        identity = caller.identity(form.identity, settings.identity)
        forms[id(form)] = form.model_copy(update={"identity": identity})
        form.options(settings.timestamp_url)
        if "\x00" in (form.prompt or ""):  # PostgreSQL cannot store it, and the statement waits in the database
            raise InputError("U+0000 is not allowed in a prompt")
    for key in (wish.object_key for wish in wishes if wish.object_key is not None):
        if settings.jobs.inbox_url is None:
            raise InputError(
                "this service has no inbox for object references",
                code="tanba.jobs.no_inbox",
                hint="send the files themselves; the operator sets TANBA_JOBS__INBOX_URL",
            )
        check_key(key)
    return [replace(wish, form=forms[id(wish.form)]) for wish in wishes]


def _item(job: Job, index: int, wish: Wish) -> JobItem:
    return JobItem(
        job_id=job.id,
        index=index,
        name=wish.name,
        object_key=wish.object_key,
        input_sha256=wish.upload.sha256 if wish.upload is not None else None,
        statement=wish.statement,
        state=ItemState.QUEUED,
        updated_at=job.created_at,
    )


def _earlier(jobs: Jobs, caller: Caller, key: str | None, fingerprint: str) -> dict[str, Any] | None:
    if key is None:
        return None
    with jobs.state.db.read() as session:
        return _same(session, caller.id or "", key, fingerprint)


def _same(session: Session, client_id: str, key: str, fingerprint: str) -> dict[str, Any] | None:
    job = ledger.job_by_key(session, client_id, key)
    if job is None:
        return None
    if job.fingerprint != fingerprint:
        raise Conflict(
            "this Idempotency-Key was used for a different batch",
            code="tanba.idempotency.mismatch",
            hint="use a new key for a new batch",
        )
    return ledger.summary(job)


def _own(job: Job | None, caller: Caller) -> Job:
    if job is None or (job.client_id != caller.id and not caller.may(Scope.ADMIN)):
        raise NotFound(
            "this client has no such job", code="tanba.jobs.not_found", hint="finished jobs are kept some days"
        )
    return job


def _answer(row: JobItem) -> dict[str, Any]:
    found = {
        "index": row.index,
        "name": row.name,
        "object": row.object_key,
        "input_sha256": row.input_sha256,
        "state": row.state,
        "label_id": row.label_id,
        "error": row.error,
    }
    return {key: value for key, value in found.items() if value is not None}
