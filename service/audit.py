"""The accountable record of decisions: withdrawals, answers to contests, clients made and revoked.

Every row carries the hash of the row before it, so a changed, removed or inserted row is found by :func:`check`.
It holds who did what to which id; never content, never a secret.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from service.db import repositories
from service.db.models import Audit
from tanba.wire import rfc3339

_START = "0" * 64


def record(
    session: Session, *, at: datetime, actor: str, action: str, subject: str, details: Mapping[str, Any] | None = None
) -> None:
    """Append one row in the caller's transaction; two writers at once make one of them fail and try again."""
    last = repositories.last_audit(session)
    row = Audit(
        seq=(last.seq if last else 0) + 1,
        at=at.replace(microsecond=0),
        actor=actor,
        action=action,
        subject=subject,
        details=dict(details or {}),
        previous_hash=last.hash if last else _START,
        hash=_START,
    )
    row.hash = _hash(row)
    session.add(row)


def check(session: Session) -> tuple[int, int | None]:
    """Recompute the chain: how many rows, and the number of the first bad one (None when all hold)."""
    previous, expected, count = _START, 1, 0
    for row in repositories.audit_rows(session):
        if row.seq != expected or row.previous_hash != previous or row.hash != _hash(row):
            return count, row.seq
        previous, expected, count = row.hash, expected + 1, count + 1
    return count, None


def _hash(row: Audit) -> str:
    text = json.dumps(
        [row.seq, rfc3339(row.at), row.actor, row.action, row.subject, row.details, row.previous_hash],
        sort_keys=True,
        ensure_ascii=True,
    )
    return hashlib.sha256(text.encode()).hexdigest()
