"""The jobs' tables: what was asked, how far it is, which effects happened, which web hooks are owed.

They are the truth; the queue engine's own tables only say who works on what right now.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from service.db.base import Base
from service.db.types import Digest


class JobState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    CANCELLED = "cancelled"


class ItemState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class EffectState(StrEnum):
    INTENT = "intent"
    DONE = "done"


class DeliveryState(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


class Job(Base):
    """One batch. Its row is locked before any of its items changes."""

    __tablename__ = "job"
    __table_args__ = (UniqueConstraint("client_id", "idempotency_key"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("client.id"), index=True)
    idempotency_key: Mapped[str | None] = mapped_column(String(255))
    fingerprint: Mapped[str] = mapped_column(Digest)
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None] = mapped_column(index=True)
    state: Mapped[str] = mapped_column(String(20), default=JobState.QUEUED)
    total: Mapped[int]
    done: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)
    cancelled: Mapped[int] = mapped_column(default=0)
    webhook_url: Mapped[str | None] = mapped_column(Text)


class JobItem(Base):
    """One file or text of a batch."""

    __tablename__ = "job_item"
    __table_args__ = (Index("ix_job_item_state_updated_at", "state", "updated_at"),)

    job_id: Mapped[str] = mapped_column(ForeignKey("job.id"), primary_key=True)
    index: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str | None] = mapped_column(String(200))
    object_key: Mapped[str | None] = mapped_column(Text)
    """Where the input stands in the operator's inbox; None when it was uploaded."""
    input_sha256: Mapped[str | None] = mapped_column(Digest, index=True)
    statement: Mapped[dict[str, Any] | None]
    """What is stated about it; removed when the item is finished."""
    state: Mapped[str] = mapped_column(String(20), default=ItemState.QUEUED)
    label_id: Mapped[str | None] = mapped_column(ForeignKey("label.id"))
    error: Mapped[dict[str, Any] | None]
    updated_at: Mapped[datetime]


class JobEffect(Base):
    """One label that must come into being exactly once, named by who wants what done to which bytes."""

    __tablename__ = "job_effect"

    effect: Mapped[str] = mapped_column(Digest, primary_key=True)
    state: Mapped[str] = mapped_column(String(20), default=EffectState.INTENT)
    attempts: Mapped[int]
    started_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    label_id: Mapped[str | None] = mapped_column(ForeignKey("label.id"))


class WebhookDelivery(Base):
    """The outbox: one message that is owed to one address."""

    __tablename__ = "webhook_delivery"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("job.id"), index=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("client.id"))
    url: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(20), default=DeliveryState.PENDING, index=True)
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None] = mapped_column(String(80))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
