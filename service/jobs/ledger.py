"""Every query of the jobs, and the rule in which order rows are locked: the log's head, the effect, the job, its items.

Functions take a session and values; they never commit. Nothing here knows how a label is made.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, exists, func, insert, select, update
from sqlalchemy.orm import Session

from service.jobs.engine import Task
from service.jobs.models import (
    DeliveryState,
    EffectState,
    ItemState,
    Job,
    JobEffect,
    JobItem,
    JobState,
    WebhookDelivery,
)
from tanba.wire import rfc3339

ITEM = "label-item"
WEBHOOK = "webhook"
_OPEN = (ItemState.QUEUED, ItemState.RUNNING)
_RESUMED_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class ItemId:
    """One item of one job."""

    job_id: str
    index: int

    @property
    def task(self) -> Task:
        """The engine's name for it."""
        return Task(ITEM, f"{self.job_id}:{self.index}")

    @classmethod
    def parse(cls, key: str) -> ItemId:
        """Out of a task's key."""
        job_id, _, index = key.rpartition(":")
        return cls(job_id, int(index))


def lock_job(session: Session, job_id: str) -> Job | None:
    """The job, ours until the transaction ends."""
    return session.get(Job, job_id, with_for_update=True, populate_existing=True)


def job_by_key(session: Session, client_id: str, key: str) -> Job | None:
    """An earlier job of this client with this Idempotency-Key."""
    return session.scalar(select(Job).where(Job.client_id == client_id, Job.idempotency_key == key))


def items(session: Session, job_id: str, start: int, limit: int, state: str | None = None) -> Sequence[JobItem]:
    """A page of items in their order."""
    query = select(JobItem).where(JobItem.job_id == job_id, JobItem.index >= start).order_by(JobItem.index).limit(limit)
    return session.scalars(query if state is None else query.where(JobItem.state == state)).all()


def begin(session: Session, item: ItemId, now: datetime) -> JobItem | None:
    """Take an item in hand; None when it is finished, cancelled or gone."""
    job = lock_job(session, item.job_id)
    row = session.get(JobItem, (item.job_id, item.index), populate_existing=True)
    if job is None or row is None or row.state not in _OPEN:
        return None
    if job.state == JobState.QUEUED:
        job.state = JobState.RUNNING
    row.state, row.updated_at = ItemState.RUNNING, now
    session.flush()
    return row


def put_back(session: Session, item: ItemId, now: datetime) -> None:
    """Among those that nobody has begun: it waits for something outside, and may be cancelled meanwhile."""
    session.execute(
        update(JobItem)
        .where(JobItem.job_id == item.job_id, JobItem.index == item.index, JobItem.state == ItemState.RUNNING)
        .values(state=ItemState.QUEUED, updated_at=now)
    )


def intend(session: Session, effect: str, now: datetime) -> str | None:
    """Write down what is about to be done, before it is done. Returns the label when it was done before."""
    row = session.get(JobEffect, effect, with_for_update=True, populate_existing=True)
    if row is None:
        session.execute(insert(JobEffect).values(effect=effect, state=EffectState.INTENT, attempts=1, started_at=now))
        return None
    if row.state == EffectState.DONE:
        return row.label_id
    row.attempts += 1
    return None


def claim(session: Session, effect: str, label_id: str, now: datetime) -> bool:
    """Make the effect real in the transaction that also holds the label; False when another one was first."""
    done = session.execute(
        update(JobEffect)
        .where(JobEffect.effect == effect, JobEffect.state == EffectState.INTENT)
        .values(state=EffectState.DONE, label_id=label_id, done_at=now)
    )
    return bool(getattr(done, "rowcount", 0))


def finish(
    session: Session, item: ItemId, now: datetime, *, label_id: str | None = None, error: dict[str, Any] | None = None
) -> list[Task]:
    """Write an item's result and count it; returns what is owed when it was the last one (nothing otherwise)."""
    job = lock_job(session, item.job_id)
    if job is None:
        return []
    changed = session.execute(
        update(JobItem)
        .where(JobItem.job_id == item.job_id, JobItem.index == item.index, JobItem.state.in_(_OPEN))
        .values(
            state=ItemState.DONE if error is None else ItemState.FAILED,
            label_id=label_id,
            error=error,
            statement=None,
            updated_at=now,
        )
        .execution_options(synchronize_session=False)
    )
    if not getattr(changed, "rowcount", 0):
        return []
    if error is None:
        job.done += 1
    else:
        job.failed += 1
    return _complete(session, job, now)


def cancel(session: Session, job: Job, now: datetime) -> list[Task]:
    """Cancel what has not begun; what is in hand is finished. ``job`` must be locked."""
    if job.state in (JobState.FINISHED, JobState.CANCELLED):
        return []
    changed = session.execute(
        update(JobItem)
        .where(JobItem.job_id == job.id, JobItem.state == ItemState.QUEUED)
        .values(state=ItemState.CANCELLED, statement=None, updated_at=now)
        .execution_options(synchronize_session=False)
    )
    job.cancelled += int(getattr(changed, "rowcount", 0))
    return _complete(session, job, now)


def _complete(session: Session, job: Job, now: datetime) -> list[Task]:
    """When every item is finished: the job is, and its web hook is owed, in this very transaction."""
    if job.done + job.failed + job.cancelled < job.total:
        session.flush()
        return []
    job.state = JobState.CANCELLED if job.cancelled else JobState.FINISHED
    job.finished_at = now
    session.flush()
    if job.webhook_url is None:
        return []
    delivery = WebhookDelivery(
        id=f"msg_{secrets.token_hex(16)}",
        job_id=job.id,
        client_id=job.client_id,
        url=job.webhook_url,
        body=json.dumps({"type": "job.finished", "timestamp": rfc3339(now), "data": summary(job)}),
        state=DeliveryState.PENDING,
        attempts=0,
        created_at=now,
        updated_at=now,
    )
    session.add(delivery)
    session.flush()
    return [Task(WEBHOOK, delivery.id)]


def summary(job: Job) -> dict[str, Any]:
    """A job as it is answered and announced."""
    return {
        "job_id": job.id,
        "state": job.state,
        "total": job.total,
        "done": job.done,
        "failed": job.failed,
        "cancelled": job.cancelled,
        "created_at": rfc3339(job.created_at),
        "finished_at": rfc3339(job.finished_at) if job.finished_at else None,
    }


def unfinished(session: Session, untouched_since: datetime) -> list[Task]:
    """What nobody has touched since then: items and messages that a crash may have left alone."""
    rows = session.execute(
        select(JobItem.job_id, JobItem.index)
        .where(JobItem.state.in_(_OPEN), JobItem.updated_at <= untouched_since)
        .order_by(JobItem.updated_at)
        .limit(_RESUMED_AT_ONCE)
    )
    messages = session.scalars(
        select(WebhookDelivery.id).where(
            WebhookDelivery.state == DeliveryState.PENDING, WebhookDelivery.updated_at <= untouched_since
        )
    )
    return [*(ItemId(job_id, index).task for job_id, index in rows), *(Task(WEBHOOK, found) for found in messages)]


def input_wanted(session: Session, digest: str) -> bool:
    """Whether an unfinished item still needs these uploaded bytes."""
    wanted = exists().where(JobItem.input_sha256 == digest, JobItem.state.in_(_OPEN), JobItem.object_key.is_(None))
    return bool(session.scalar(select(wanted)))


def purge(session: Session, before: datetime) -> int:
    """Forget jobs that finished before; effects stay as long, and so does the guard against doing them twice."""
    old = select(Job.id).where(Job.finished_at.is_not(None), Job.finished_at < before)
    session.execute(delete(WebhookDelivery).where(WebhookDelivery.job_id.in_(old)))
    session.execute(delete(JobItem).where(JobItem.job_id.in_(old)))
    removed = session.execute(delete(Job).where(Job.id.in_(old)).execution_options(synchronize_session=False))
    session.execute(delete(JobEffect).where(JobEffect.started_at < before - timedelta(days=1)))
    return int(getattr(removed, "rowcount", 0))


def open_count(session: Session) -> int:
    """Items that are not finished; for metrics."""
    return session.scalar(select(func.count()).select_from(JobItem).where(JobItem.state.in_(_OPEN))) or 0
