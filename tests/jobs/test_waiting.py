"""Items of a batch that must have a time stamp wait for an authority, before they are signed. The engine is not run here: its
calls are made one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from starlette.testclient import TestClient

from service.app import create_app
from service.jobs import ledger
from service.jobs.items import ItemWork
from service.jobs.memory import MemoryEngine
from tanba.errors import ProviderUnavailable, TanbaError, TimestampError
from tests.service.conftest import Service, jpeg, make_settings
from tests.service.test_stamps import authority, good, reply, serve

__all__ = ["authority", "serve"]


class Waiting:
    """One accepted item, an authority that can be switched on, and a clock."""

    def __init__(self, client: TestClient, clock: dict[str, timedelta], tsa: dict[str, bool]) -> None:
        self.service, self.clock, self.tsa = Service(client), clock, tsa
        jobs = client.app.state.jobs
        self.run = jobs.engine.handlers[ledger.ITEM].run
        self.work: ItemWork = self.run.__self__
        parts = [("file", ("a.jpg", jpeg())), ("as", (None, "generated")), ("timestamp", (None, "true"))]
        accepted = client.post("/v1/labels/batch", headers=self.service.auth, files=parts)
        assert accepted.status_code == 202, accepted.text
        self.job = accepted.json()["job_id"]

    def call(self, *, last: bool) -> None:
        self.work.silence.until = 0.0
        self.service.http.portal.call(self.run, f"{self.job}:0", last)

    def get(self, path: str) -> dict:
        return self.service.http.get(f"/v1/jobs/{self.job}{path}", headers=self.service.auth).json()

    @property
    def item(self) -> dict:
        return self.get("/items")["items"][0]

    def offered(self, after: timedelta) -> list[str]:
        """What the engine's look would offer."""
        state = self.service.state
        with state.db.read() as session:
            return [task.key for task in ledger.unfinished(session, state.clock() + after - timedelta(minutes=10))]


@pytest.fixture
def waiting(tmp_path, authority, serve, monkeypatch) -> Iterator[Waiting]:
    monkeypatch.setattr(MemoryEngine, "enqueue", lambda *_: None)
    tsa, clock = {"up": False}, {"ahead": timedelta()}
    answer = good(authority)
    url = serve(lambda handler, body: answer(handler, body) if tsa["up"] else reply(handler, b"", 503))
    settings = make_settings(tmp_path, timestamp_url=url, timestamp_seconds=1.0)
    app = create_app(settings, clock=lambda: datetime.now(UTC) + clock["ahead"])
    with TestClient(app) as client:
        yield Waiting(client, clock, tsa)


def test_an_item_waits_for_an_authority_and_gets_its_stamp_when_it_is_back(waiting: Waiting) -> None:
    with pytest.raises(TimestampError):
        waiting.call(last=False)  # the engine tries again
    waiting.call(last=True)
    assert (waiting.item["state"], waiting.item["error"]) == ("queued", None)
    assert waiting.get("")["state"] == "running"
    assert waiting.offered(timedelta(minutes=9)) == []
    assert waiting.offered(timedelta(minutes=11)) == [f"{waiting.job}:0"]
    assert waiting.service.http.get("/v1/log").json()["size"] == 0, "nothing is signed without its stamp"
    waiting.tsa["up"] = True
    waiting.call(last=True)
    assert waiting.item["state"] == "done"
    receipt = waiting.service.http.get(f"/v1/labels/{waiting.item['label_id']}").json()["receipt"]
    assert receipt["timestamp"] is not None
    assert waiting.get("")["state"] == "finished"


def test_the_wait_ends_after_its_hours_and_the_item_says_why(waiting: Waiting) -> None:
    waiting.clock["ahead"] = timedelta(hours=23)
    waiting.call(last=True)
    assert waiting.item["state"] == "queued"
    waiting.clock["ahead"] = timedelta(hours=25)
    waiting.call(last=True)
    assert (waiting.item["state"], waiting.item["error"]["code"]) == ("failed", "tanba.timestamp.down")
    assert waiting.get("")["state"] == "finished"


def test_an_item_that_waits_can_be_cancelled(waiting: Waiting) -> None:
    waiting.call(last=True)
    job = waiting.service.http.delete(f"/v1/jobs/{waiting.job}", headers=waiting.service.auth).json()
    assert (job["state"], job["cancelled"]) == ("cancelled", 1)
    waiting.tsa["up"] = True
    waiting.call(last=True)
    assert waiting.item["state"] == "cancelled"
    assert waiting.service.http.get("/v1/log").json()["size"] == 0


def test_after_an_authority_failed_the_next_items_do_not_ask_for_a_moment(waiting: Waiting) -> None:
    waiting.call(last=True)
    assert waiting.work.silence.until > 0
    waiting.tsa["up"] = True
    waiting.service.http.portal.call(waiting.run, f"{waiting.job}:0", True)
    assert waiting.item["state"] == "queued", "it was not asked"
    waiting.call(last=True)
    assert waiting.item["state"] == "done"


@pytest.mark.parametrize(
    ("error", "state"), [(ProviderUnavailable("away"), "queued"), (TanbaError("something else"), "failed")]
)
def test_a_key_provider_is_waited_for_and_nothing_else(waiting: Waiting, error: TanbaError, state: str) -> None:
    async def issue(*_: object) -> None:
        raise error

    stubbed = ItemWork(waiting.work.state, waiting.work.engine, waiting.work.inputs, issue)
    run: Callable[[str, bool], object] = stubbed.run
    waiting.service.http.portal.call(run, f"{waiting.job}:0", True)
    assert waiting.item["state"] == state
