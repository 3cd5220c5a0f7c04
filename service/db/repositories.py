"""Every query of the service outside the label log and the jobs: the only place with ``select()``.

Functions take a session and values; they never commit and never know about HTTP.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, delete, func, insert, or_, select, text, update
from sqlalchemy.orm import Session

from service.db.base import table
from service.db.models import (
    Audit,
    Case,
    CaseState,
    Client,
    ClientKey,
    Idempotency,
    IdempotencyState,
    Label,
    LabelState,
    StoredVerification,
)


def ping(session: Session) -> None:
    """Prove that the database answers."""
    session.execute(text("SELECT 1"))


# Labels


def label(session: Session, label_id: str) -> Label | None:
    return session.get(Label, label_id)


def label_states(session: Session, label_ids: Sequence[str]) -> Sequence[Any]:
    """Number, state, certificate and dates of those labels that were issued here."""
    columns = (
        Label.id,
        Label.state,
        Label.created_at,
        Label.withdrawn_at,
        Label.withdrawn_reason,
        Label.cert_fingerprint,
    )
    return session.execute(select(*columns).where(Label.id.in_(label_ids))).all()


def labels_by_hash(session: Session, digest: str, *, limit: int = 20) -> Sequence[Label]:
    """Labels whose input, output or manifest has this SHA-256, newest first."""
    wanted = or_(Label.output_sha256 == digest, Label.input_sha256 == digest, Label.manifest_sha256 == digest)
    return session.scalars(select(Label).where(wanted).order_by(Label.created_at.desc()).limit(limit)).all()


def newest_checkpoint(session: Session) -> str | None:
    """The signed note in the newest label's receipt; None when no label was issued."""
    receipt = session.scalar(select(Label.receipt).order_by(Label.created_at.desc(), Label.id.desc()).limit(1))
    return None if receipt is None else str((receipt.get("log") or {}).get("checkpoint"))


def withdraw(session: Session, label_id: str, reason: str, now: datetime) -> bool:
    """Mark a label as withdrawn; False when it was withdrawn before. The row stays."""
    done = session.execute(
        update(Label)
        .where(Label.id == label_id, Label.state == LabelState.ISSUED)
        .values(state=LabelState.WITHDRAWN, withdrawn_at=now, withdrawn_reason=reason)
    )
    return bool(getattr(done, "rowcount", 0))


def expired_content(session: Session, now: datetime, *, limit: int = 500) -> Sequence[Label]:
    """Labels whose bytes need not be kept any longer, and stand under their digest."""
    old = (Label.content_at.is_(None), Label.content_until.is_not(None), Label.content_until < now)
    return session.scalars(select(Label).where(*old).limit(limit)).all()


def content_wanted(session: Session, digest: str, now: datetime) -> bool:
    """Whether a label still keeps these bytes under their digest, as content or as a manifest store."""
    content = (Label.output_sha256 == digest) & (Label.content_until >= now) & Label.content_at.is_(None)
    store = (Label.manifest_sha256 == digest) & Label.manifest_store.is_(None)
    return session.scalar(select(Label.id).where(content | store).limit(1)) is not None


# Clients


def client_by_key(session: Session, key_id: str) -> tuple[Client, ClientKey] | None:
    row = session.execute(select(Client, ClientKey).join(ClientKey.client).where(ClientKey.id == key_id)).first()
    return None if row is None else (row[0], row[1])


def client_by_name(session: Session, name: str) -> Client | None:
    return session.scalar(select(Client).where(Client.name == name))


def clients(session: Session) -> Sequence[Client]:
    return session.scalars(select(Client).order_by(Client.name)).all()


def keys_of(session: Session, client_id: str) -> Sequence[ClientKey]:
    return session.scalars(
        select(ClientKey).where(ClientKey.client_id == client_id).order_by(ClientKey.created_at)
    ).all()


# Idempotency


class IdempotencyRow(NamedTuple):
    """A row of :class:`Idempotency`."""

    client_id: str
    key: str
    fingerprint: str
    state: str
    locked_until: datetime
    attempt: str
    label_id: str | None
    expires_at: datetime


_KEYS = table(Idempotency)
_HELD = (
    select(*(_KEYS.c[name] for name in IdempotencyRow._fields))
    .where(_KEYS.c.client_id == bindparam("client"), _KEYS.c.key.in_(bindparam("keys", expanding=True)))
    .order_by(_KEYS.c.key)
    .with_for_update()
)
_NEW_KEYS = insert(_KEYS)
_OTHER_CLAIM = update(_KEYS).where(_KEYS.c.client_id == bindparam("client"), _KEYS.c.key == bindparam("wanted"))
_FINISHED = (
    update(_KEYS)
    .where(_KEYS.c.client_id == bindparam("client"), _KEYS.c.key == bindparam("wanted"))
    .values(state=IdempotencyState.DONE, label_id=bindparam("label"))
)


def idempotency(session: Session, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], IdempotencyRow]:
    """The rows of these keys (client, key), locked for this transaction where the database can (SQLite has one writer)."""
    connection, found = session.connection(), {}
    for client in sorted({client for client, _ in keys}):  # in the same order everywhere: no two wait for each other
        mine = sorted({key for owner, key in keys if owner == client})
        for row in connection.execute(_HELD, {"client": client, "keys": mine}):
            found[client, row.key] = IdempotencyRow(*row)
    return found


def store_idempotency(session: Session, fresh: Sequence[IdempotencyRow], replaced: Sequence[IdempotencyRow]) -> None:
    """Write claims: rows that are new, and rows in place of what stood there."""
    if fresh:
        session.connection().execute(_NEW_KEYS, [row._asdict() for row in sorted(fresh)])  # in order, as above
    if replaced:
        values = [row._asdict() | {"client": row.client_id, "wanted": row.key} for row in replaced]
        session.connection().execute(_OTHER_CLAIM, values)


def finish_idempotency(session: Session, answers: Sequence[tuple[str, str, str]]) -> None:
    """Note the label (client, key, label) that every repeat gets from now on."""
    if answers:
        done = [{"client": client, "wanted": key, "label": label} for client, key, label in answers]
        session.connection().execute(_FINISHED, done)


def release_idempotency(session: Session, client_id: str, key: str, attempt: str) -> None:
    """Forget a request that failed, so that a repeat may try again; only its own holder can."""
    session.execute(
        delete(Idempotency).where(
            Idempotency.client_id == client_id,
            Idempotency.key == key,
            Idempotency.attempt == attempt,
            Idempotency.state == IdempotencyState.IN_FLIGHT,
        )
    )


def purge_expired(session: Session, now: datetime) -> int:
    """Remove idempotency rows and cached verifications past their time; returns how many."""
    removed = 0
    for statement in (
        delete(Idempotency).where(Idempotency.expires_at < now),
        delete(StoredVerification).where(StoredVerification.expires_at < now),
    ):
        removed += int(getattr(session.execute(statement), "rowcount", 0))
    return removed


# Contests


def case(session: Session, number: str) -> Case | None:
    return session.get(Case, number)


def cases(session: Session, state: CaseState | None, *, limit: int = 100) -> Sequence[Case]:
    """The inbox, oldest first."""
    query = select(Case).order_by(Case.created_at).limit(limit)
    return session.scalars(query if state is None else query.where(Case.state == state)).all()


def cases_of(session: Session, label_id: str) -> Sequence[Case]:
    return session.scalars(select(Case).where(Case.label_id == label_id).order_by(Case.created_at)).all()


# Verifications (only without zero retention)


def verification(session: Session, key: str, now: datetime) -> dict[str, Any] | None:
    row = session.get(StoredVerification, key)
    return row.report if row is not None and row.expires_at > now else None


def store_verification(session: Session, row: StoredVerification) -> None:
    session.merge(row)


# Audit


def last_audit(session: Session) -> Audit | None:
    return session.scalar(select(Audit).order_by(Audit.seq.desc()).limit(1))


def audit_rows(session: Session) -> Sequence[Audit]:
    return session.scalars(select(Audit).order_by(Audit.seq)).all()


def label_count(session: Session) -> int:
    """How many labels were issued. For people at a terminal, never on a request's path."""
    return session.scalar(select(func.count()).select_from(Label)) or 0
