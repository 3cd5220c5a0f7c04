"""Claims on Idempotency-Keys: one request is worked on for each key, whoever asks at the same moment and in whatever group."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from service.config import Settings
from service.db.models import Idempotency, Label
from service.db.session import Database
from service.usecases.claims import Claim, Claims
from service.usecases.issued import Issued
from tests.databases import database, database_url, postgres_server  # noqa: F401 -- fixtures
from tests.service.conftest import jpeg

SETTINGS = Settings(idempotency_hours=2, limits={"seconds": 10})
PATIENCE = timedelta(seconds=30)
"""Twice what a file may take, and ten seconds."""


class Desk:
    """Claims with a clock of their own."""

    def __init__(self, database: Database) -> None:  # noqa: F811 -- the fixture's type
        self.database = database
        self.now = datetime(2026, 11, 25, 12, tzinfo=UTC)
        self.claims = Claims(db=database, settings=SETTINGS, clock=lambda: self.now, crowded=lambda: False)

    def take(self, *claims: Claim) -> list[object]:
        """All of them at once."""

        async def together() -> list[object]:
            return await asyncio.gather(*map(self.claims.take, claims), return_exceptions=True)

        return asyncio.run(together())

    def finish(self, claim: Claim) -> None:
        """As if its label had been published."""
        with self.database.write() as session:
            session.add(label(f"urn:c2pa:{claim.key}", self.now))
            session.flush()
            session.execute(
                update(Idempotency)
                .where(Idempotency.key == claim.key)
                .values(state="done", label_id=f"urn:c2pa:{claim.key}")
            )


@pytest.fixture
def desk(database) -> Desk:  # noqa: F811
    return Desk(database)


def claim(key: str = "k", *, request: str = "a", client: str = "c") -> Claim:
    return Claim(client, key, request * 64, secrets.token_hex(16))


def label(label_id: str, now: datetime) -> Label:
    digest = "1" * 64
    return Label(
        id=label_id, created_at=now, input_sha256=digest, output_sha256=digest, manifest_sha256=digest,
        media_type="image/png", carrier="embedded", profiles=[], layers=[], disclosure={"involvement": "generated"},
        identity_name="dev", cert_fingerprint=digest, receipt={"label_id": label_id}, content_size=1,
    )  # fmt: skip


def said(outcomes: Sequence[object]) -> list[str]:
    """Each outcome in a word: ours, an earlier label's id, or the error's code."""
    return [
        "ours" if item is None else item.label_id if isinstance(item, Issued) else getattr(item, "code", repr(item))
        for item in outcomes
    ]


BUSY, OTHER = "tanba.idempotency.in_flight", "tanba.idempotency.mismatch"


def test_of_one_key_in_one_group_the_first_is_taken_and_another_request_is_refused(desk):
    asked = [claim(), claim(), claim(request="b"), claim("other"), claim(client="d"), claim("other")]
    assert said(desk.take(*asked)) == ["ours", BUSY, OTHER, "ours", "ours", BUSY]


def test_a_second_attempt_waits_then_takes_over_from_the_dead_or_gets_the_label(desk):
    first, second = claim(), claim()
    assert said(desk.take(first)) == ["ours"]
    desk.now += PATIENCE - timedelta(seconds=1)
    (busy,) = desk.take(second)
    assert said([busy]) == [BUSY]
    assert busy.details["retry_after"] == 1.0
    desk.now += timedelta(seconds=1)
    assert said(desk.take(second, claim())) == ["ours", BUSY], "taken for dead, once"
    with desk.database.read() as session:
        assert session.scalar(select(Idempotency.attempt)) == second.attempt
    desk.finish(second)
    again = desk.take(claim(), claim(request="b"))
    assert said(again) == ["urn:c2pa:k", OTHER]
    assert again[0].replayed
    desk.now += timedelta(hours=2)
    assert said(desk.take(claim(request="b"))) == ["ours"], "a key is remembered for two hours"


def test_a_released_claim_is_free_at_once_and_only_its_holder_releases_it(desk):
    first, stranger = claim(), claim()
    assert said(desk.take(first)) == ["ours"]
    desk.claims.release(stranger)
    assert said(desk.take(stranger)) == [BUSY]
    desk.claims.release(first)
    assert said(desk.take(stranger)) == ["ours"]
    desk.finish(stranger)
    desk.claims.release(stranger)
    assert said(desk.take(claim())) == ["urn:c2pa:k"], "what is done stays"


def test_servers_that_claim_the_same_keys_at_once_share_them_without_a_double(desk):
    desks = [Desk(desk.database) for _ in range(4)]
    keys = [f"k{number}" for number in range(25)]

    def work(one: Desk) -> list[str]:
        mine = keys[:]
        secrets.SystemRandom().shuffle(mine)
        return [key for key, found in zip(mine, said(one.take(*map(claim, mine))), strict=True) if found == "ours"]

    with ThreadPoolExecutor(4) as threads:
        taken = [key for found in threads.map(work, desks) for key in found]
    assert sorted(taken) == sorted(keys)


def test_whoever_lost_the_claim_while_signing_publishes_nothing(service, photo, monkeypatch):
    state = service.state
    run = state.workers.run

    async def overtaken(work, *args, **more):
        done = await run(work, *args, **more)
        with state.db.write() as session:
            session.execute(update(Idempotency).where(Idempotency.key == "overtaken").values(attempt="another"))
        return done

    before = service.http.get("/v1/log").json()["size"]
    with monkeypatch.context() as patch:
        patch.setattr(state.workers, "run", overtaken)
        refused = service.label(photo, headers={"Idempotency-Key": "overtaken"})
    assert (refused.status_code, refused.json()["code"]) == (409, BUSY)
    assert service.http.get("/v1/log").json()["size"] == before
    assert service.label(jpeg((3, 1, 4)), headers={"Idempotency-Key": "kept"}).status_code == 201
    assert service.http.get("/v1/log").json()["size"] == before + 1
