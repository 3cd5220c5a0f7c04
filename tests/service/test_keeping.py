"""What the service keeps of a label, and for how long: the record and its manifest store for good, the bytes for a while."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update
from starlette.testclient import TestClient

from service.app import create_app
from service.db.models import Label
from service.usecases import publishing
from service.usecases.labels import purge
from service.work import IN_MEMORY
from tests.service.conftest import Service, jpeg, make_settings


class Clock:
    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def kept(tmp_path, clock) -> Iterator[Service]:
    with TestClient(create_app(make_settings(tmp_path, keep_content_hours=2), clock=clock)) as client:
        yield Service(client)


def files(folder: Path) -> list[Path]:
    return [path for path in (folder / "service" / "blobs").rglob("*") if path.is_file()]


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


LARGE = jpeg() + bytes(IN_MEMORY)  # travels as a file, because it is longer than what is held in memory


@pytest.mark.parametrize("content", [jpeg(), LARGE], ids=["in a pack", "a file of its own"])
def test_labelled_bytes_go_when_their_time_is_past_and_everything_else_stays(kept, clock, tmp_path, content):
    receipts = [kept.label(content + bytes([number])).json() for number in range(3)]
    at = "/v1/labels/{}/{}"
    clock.ahead = timedelta(hours=1, minutes=59)
    assert purge(kept.state) == 0
    for receipt in receipts:
        answer = kept.http.get(at.format(receipt["label_id"], "content"))
        assert sha(answer.content) == receipt["output_sha256"]
        assert answer.headers["content-length"] == str(len(answer.content))
    clock.ahead = timedelta(hours=2, seconds=1)
    assert kept.http.get(at.format(receipts[0]["label_id"], "content")).status_code == 410, "to the second"
    clock.ahead = timedelta(hours=3, seconds=1)
    assert purge(kept.state) > 0
    assert files(tmp_path) == []
    for receipt in receipts:
        assert kept.http.get(at.format(receipt["label_id"], "content")).status_code == 410
        assert sha(kept.http.get(at.format(receipt["label_id"], "manifest")).content) == receipt["manifest_sha256"]
        assert kept.http.get(f"/v1/labels/{receipt['label_id']}").json()["receipt"] == receipt
    assert purge(kept.state) == 0


def test_bytes_that_another_label_still_keeps_are_not_removed(kept, clock, tmp_path):
    first, second = (kept.label(LARGE + bytes([number])).json() for number in range(2))
    with kept.state.db.write() as session:  # as if both labels had the same bytes
        same = update(Label).where(Label.id == second["label_id"])
        session.execute(same.values(output_sha256=first["output_sha256"], content_until=clock() + timedelta(days=1)))
    clock.ahead = timedelta(hours=3)
    assert purge(kept.state) == 1
    assert kept.http.get(f"/v1/labels/{first['label_id']}/content").status_code == 410
    assert kept.http.get(f"/v1/labels/{second['label_id']}/content").status_code == 200


def test_more_labels_than_one_look_finds_are_all_purged(kept, clock, tmp_path, monkeypatch):
    from service.db import repositories

    look = repositories.expired_content
    monkeypatch.setattr(repositories, "expired_content", lambda session, now: look(session, now, limit=2))
    for number in range(5):
        assert kept.label(LARGE + bytes([number])).status_code == 201
    clock.ahead = timedelta(hours=3)
    assert purge(kept.state) == 5
    assert files(tmp_path) == []


@pytest.mark.parametrize("most", [0, 1 << 20], ids=["in the storage", "in the row"])
def test_a_manifest_store_comes_back_wherever_it_is(kept, clock, tmp_path, monkeypatch, most):
    monkeypatch.setattr(publishing, "_STORE_IN_ROW", most)
    receipt = kept.label(jpeg((7, 7, 7))).json()
    assert (receipt["manifest_sha256"] in {path.name for path in files(tmp_path)}) == (most == 0)
    clock.ahead = timedelta(days=2)
    purge(kept.state)
    store = kept.http.get(f"/v1/labels/{receipt['label_id']}/manifest")
    assert sha(store.content) == receipt["manifest_sha256"]


def test_bytes_lost_from_the_disk_are_an_answer(kept, tmp_path):
    receipt = kept.label(jpeg((8, 7, 7))).json()
    (pack,) = files(tmp_path)
    pack.write_bytes(pack.read_bytes()[:-1])
    answer = kept.http.get(f"/v1/labels/{receipt['label_id']}/content")
    assert (answer.status_code, answer.json()["code"]) == (503, "tanba.storage.lost")
    pack.unlink()
    assert kept.http.get(f"/v1/labels/{receipt['label_id']}/content").status_code == 410


def test_when_a_commit_fails_the_bytes_stay_because_it_may_have_taken_place(kept, monkeypatch):
    """A connection to PostgreSQL may break between the commit and its acknowledgement; a repeat then finds the label."""
    dialect = kept.state.db.engine.dialect
    commit = dialect.do_commit

    def unheard(connection) -> None:
        commit(connection)
        raise sqlite3.OperationalError("the connection broke")

    photo = jpeg((1, 8, 7))
    with monkeypatch.context() as patch:
        patch.setattr(dialect, "do_commit", unheard)
        refused = kept.label(photo)
    assert (refused.status_code, refused.json()["code"]) == (503, "tanba.storage.database")
    (found,) = kept.http.get(f"/v1/labels?sha256={sha(photo)}").json()["labels"]
    content = kept.http.get(f"/v1/labels/{found['label_id']}/content")
    assert sha(content.content) == found["receipt"]["output_sha256"]
