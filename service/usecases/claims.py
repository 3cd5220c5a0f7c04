"""Step (1) of issuing a label: claims on Idempotency-Keys. Those that come in together share a transaction.

It does not wait for the disk. A claim that a power loss takes away had no label yet: publishing looks for it again, in its
own transaction, and publishes nothing without it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from service.config import Settings
from service.db import repositories
from service.db.models import IdempotencyState
from service.db.repositories import IdempotencyRow
from service.db.session import Database
from service.groups import Grouped
from service.problems import Conflict
from service.usecases.issued import Issued, in_flight, replayed
from tanba.errors import TanbaError
from tanba.protocols import Clock


@dataclass(frozen=True, slots=True)
class Claim:
    """One request's wish to be the one that is worked on for its key."""

    client: str
    key: str
    fingerprint: str
    """What the request is."""
    attempt: str
    """Who asks."""


class Claims:
    """Takes and releases claims. Safe from every thread and event loop."""

    def __init__(self, *, db: Database, settings: Settings, clock: Clock, crowded: Callable[[], bool]) -> None:
        """``crowded`` as for :class:`service.usecases.publishing.Publisher`."""
        self._db, self._clock = db, clock
        self._patience = timedelta(seconds=2 * settings.limits.seconds + 10)
        self._memory = timedelta(hours=settings.idempotency_hours)
        self._group: Grouped[Claim, Issued | None] = Grouped(self._together, name="tanba-claims", crowded=crowded)

    async def take(self, claim: Claim) -> Issued | None:
        """None when the key is ours now, the earlier answer when there is one.

        Raises :class:`Conflict` for a key of another request, :class:`InFlight` when another attempt holds it.
        """
        return await self._group.do(claim)

    def release(self, claim: Claim) -> None:
        """Forget a request that failed, so that a repeat may start at once. Blocks; best effort."""
        with contextlib.suppress(TanbaError), self._db.write() as session:
            repositories.release_idempotency(session, claim.client, claim.key, claim.attempt)

    def close(self) -> None:
        """Finish what was handed in."""
        self._group.close()

    def _together(self, group: Sequence[Claim]) -> list[Issued | Exception | None]:
        now = self._clock()
        try:
            with self._db.write(durable=False) as session:
                return self._take(session, group, now)
        except IntegrityError:  # two first requests at once on PostgreSQL: the other one has it
            if len(group) > 1:
                raise
            return [in_flight(1.0)]

    def _take(self, session: Session, group: Sequence[Claim], now: datetime) -> list[Issued | Exception | None]:
        held = repositories.idempotency(session, [(claim.client, claim.key) for claim in group])
        outcomes: list[Issued | Exception | None] = []
        fresh: list[IdempotencyRow] = []
        replaced: list[IdempotencyRow] = []
        for claim in group:
            row = held.get((claim.client, claim.key))
            if row is not None and row.expires_at > now:
                found = _standing(session, row, claim, now)
                if found is not None:
                    outcomes.append(found)
                    continue
            mine = IdempotencyRow(
                client_id=claim.client,
                key=claim.key,
                fingerprint=claim.fingerprint,
                state=IdempotencyState.IN_FLIGHT,
                locked_until=now + self._patience,
                attempt=claim.attempt,
                label_id=None,
                expires_at=now + self._memory,
            )
            (fresh if row is None else replaced).append(mine)
            held[claim.client, claim.key] = mine  # the next in this group with the same key meets it
            outcomes.append(None)
        repositories.store_idempotency(session, fresh, replaced)
        return outcomes


def _standing(session: Session, row: IdempotencyRow, claim: Claim, now: datetime) -> Issued | Exception | None:
    """What a claim meets that has not expired; None when its holder is taken for dead."""
    if row.fingerprint != claim.fingerprint:
        return Conflict(
            "this Idempotency-Key was used for a different request",
            code="tanba.idempotency.mismatch",
            hint="use a new key for a new request",
        )
    if row.state == IdempotencyState.DONE and row.label_id is not None:
        label = repositories.label(session, row.label_id)
        assert label is not None  # a foreign key, and labels are never deleted
        return replayed(label)
    if row.locked_until > now:
        return in_flight(min(2.0, (row.locked_until - now).total_seconds()))
    return None
