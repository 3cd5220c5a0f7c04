"""The service's tables. Hashes, receipts and decisions; never content, file names or secrets in the clear.

The tables of the label log and of the jobs stand with their packages and are imported here, so that one metadata
holds everything that a migration must know.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from service.db.base import Base
from service.db.types import BigSerial, Digest
from service.jobs import models as job_models
from service.log import models as log_models

_BY_DIGEST = text("content_at IS NULL")


class LabelState(StrEnum):
    ISSUED = "issued"
    WITHDRAWN = "withdrawn"


class CaseState(StrEnum):
    """The life of a contest: open -> in_review -> upheld | rejected; upheld means the contest was right."""

    OPEN = "open"
    IN_REVIEW = "in_review"
    UPHELD = "upheld"
    REJECTED = "rejected"


class IdempotencyState(StrEnum):
    IN_FLIGHT = "in_flight"
    DONE = "done"


class Label(Base):
    """One issued label. The row is never deleted; a withdrawal changes its state and keeps the reason."""

    __tablename__ = "label"
    __table_args__ = (
        Index("ix_label_created_at_id", "created_at", "id"),
        Index("ix_label_content_until", "content_until", sqlite_where=_BY_DIGEST, postgresql_where=_BY_DIGEST),
    )

    id: Mapped[str] = mapped_column(String(100), primary_key=True)
    """The active manifest's label, ``urn:c2pa:<uuid>``."""
    created_at: Mapped[datetime]
    client_id: Mapped[str | None] = mapped_column(ForeignKey("client.id"), index=True)
    input_sha256: Mapped[str] = mapped_column(Digest, index=True)
    output_sha256: Mapped[str] = mapped_column(Digest, index=True)
    manifest_sha256: Mapped[str] = mapped_column(Digest, index=True)
    manifest_store: Mapped[bytes | None] = mapped_column(deferred=True)
    """None when it is in the blob store, because it is large."""
    media_type: Mapped[str] = mapped_column(String(100))
    carrier: Mapped[str] = mapped_column(String(20))
    profiles: Mapped[list[str]]
    layers: Mapped[list[str]]
    disclosure: Mapped[dict[str, Any]]
    identity_name: Mapped[str] = mapped_column(String(100), index=True)
    cert_fingerprint: Mapped[str] = mapped_column(Digest, index=True)
    receipt: Mapped[dict[str, Any]]
    content_size: Mapped[int] = mapped_column(BigSerial)
    content_until: Mapped[datetime | None]
    """Until when the labelled bytes are kept for download and replay; None when they were removed."""
    content_at: Mapped[str | None] = mapped_column(String(80))
    """The blob store's name for the labelled bytes, if it is not their digest; it then removes them by itself."""
    state: Mapped[str] = mapped_column(String(20), default=LabelState.ISSUED)
    withdrawn_at: Mapped[datetime | None]
    withdrawn_reason: Mapped[str | None] = mapped_column(Text)
    log_index: Mapped[int | None] = mapped_column(BigSerial)


class Client(Base):
    """A named API client: what it may do, and how much of it."""

    __tablename__ = "client"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]
    scopes: Mapped[list[str]]
    profiles: Mapped[list[str] | None]
    """Profiles it may use; None means all."""
    identities: Mapped[list[str] | None]
    """Signing identities it may use; None means all."""
    label_rate: Mapped[str] = mapped_column(String(40), default="600/minute")
    verify_rate: Mapped[str] = mapped_column(String(40), default="3000/minute")
    label_concurrency: Mapped[int] = mapped_column(default=8)
    verify_concurrency: Mapped[int] = mapped_column(default=16)
    keys: Mapped[list[ClientKey]] = relationship(back_populates="client", order_by="ClientKey.created_at")


class ClientKey(Base):
    """One key of a client: only the SHA-256 of its secret. Two may be alive during a rotation."""

    __tablename__ = "client_key"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("client.id"), index=True)
    secret_sha256: Mapped[str] = mapped_column(Digest)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    client: Mapped[Client] = relationship(back_populates="keys")


class Idempotency(Base):
    """One ``Idempotency-Key`` of one client: what was asked, and the answer that every repeat gets."""

    __tablename__ = "idempotency"

    client_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(Digest)
    """SHA-256 over operation, disclosure and content digest."""
    state: Mapped[str] = mapped_column(String(20))
    locked_until: Mapped[datetime]
    """While in flight: after this the holder is taken for dead and a repeat may start over."""
    attempt: Mapped[str] = mapped_column(String(32))
    """Who holds it; a holder that lost its turn cannot finish."""
    label_id: Mapped[str | None] = mapped_column(ForeignKey("label.id"))
    expires_at: Mapped[datetime] = mapped_column(index=True)


class Case(Base):
    """A contest of one label by anyone. No account and no contact data: the number is what the person keeps."""

    __tablename__ = "contest"
    __table_args__ = (Index("ix_contest_state_created_at", "state", "created_at"),)

    number: Mapped[str] = mapped_column(String(20), primary_key=True)
    label_id: Mapped[str] = mapped_column(ForeignKey("label.id"), index=True)
    created_at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(String(40))
    statement: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(String(8), default="en")
    state: Mapped[str] = mapped_column(String(20), default=CaseState.OPEN)
    answer: Mapped[str | None] = mapped_column(Text)
    answered_at: Mapped[datetime | None]


class StoredVerification(Base):
    """A cached report. Written only when the operator turned zero retention off."""

    __tablename__ = "verification"

    key: Mapped[str] = mapped_column(Digest, primary_key=True)
    """SHA-256 over content digest, trust digest, settings digest."""
    asset_sha256: Mapped[str] = mapped_column(Digest, index=True)
    verdict: Mapped[str] = mapped_column(String(20))
    report: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class Audit(Base):
    """What an operator or client did, hash-chained: every row holds the hash of the one before."""

    __tablename__ = "audit"

    seq: Mapped[int] = mapped_column(BigSerial, primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(100))
    action: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str] = mapped_column(String(200))
    details: Mapped[dict[str, Any]]
    previous_hash: Mapped[str] = mapped_column(Digest)
    hash: Mapped[str] = mapped_column(Digest)


ELSEWHERE = (log_models, job_models)
"""Modules whose tables belong to the same metadata."""

METADATA = Base.metadata
"""Every table of the service, for migrations and for the test that models and migrations agree."""
