"""Migrations go up and down on both databases, and say the same as the models."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import inspect, text
from sqlalchemy.exc import StatementError

from service.db import repositories
from service.db.models import METADATA, Label
from service.db.session import Database, alembic_config, downgrade, is_current, normal_url, upgrade
from tanba.errors import StorageError, UsageError
from tests.databases import database, database_url, postgres_server  # noqa: F401 -- fixtures


def test_models_and_migrations_agree(database_url):  # noqa: F811 -- the fixture
    from alembic import command

    command.check(alembic_config(database_url))


def test_migrations_go_down_to_nothing_and_up_again(database_url):  # noqa: F811
    opened = Database(database_url)
    try:
        assert is_current(opened)
        downgrade(database_url, "base")
        assert not is_current(opened)
        assert set(inspect(opened.engine).get_table_names()) <= {"alembic_version"}
        upgrade(database_url)
        assert is_current(opened)
        assert set(METADATA.tables) <= set(inspect(opened.engine).get_table_names())
    finally:
        opened.close()


def _label(**changes) -> Label:
    given = {
        "id": "urn:c2pa:1", "created_at": datetime(2026, 1, 2, 3, tzinfo=timezone(timedelta(hours=5))), "client_id": None,
        "input_sha256": "1" * 64, "output_sha256": "2" * 64, "manifest_sha256": "3" * 64, "media_type": "image/png",
        "carrier": "embedded", "profiles": [], "layers": ["c2pa"], "disclosure": {"involvement": "generated"},
        "identity_name": "dev", "cert_fingerprint": "4" * 64, "receipt": {"ә": "қ"}, "content_size": 5_000_000_000,
    }  # fmt: skip
    return Label(**(given | changes))


def test_rows_come_back_as_they_went_in(database):  # noqa: F811
    with database.write() as session:
        session.add(_label())
    with database.read() as session:
        row = repositories.label(session, "urn:c2pa:1")
        assert row.created_at == datetime(2026, 1, 1, 22, tzinfo=UTC)
        assert row.created_at.tzinfo is UTC
        assert (row.receipt, row.content_size) == ({"ә": "қ"}, 5_000_000_000)


@pytest.mark.parametrize(
    "wrong", [{"created_at": datetime(2026, 1, 1)}, {"input_sha256": "A" * 64}, {"input_sha256": "1"}]
)
def test_a_naive_time_and_a_wrong_digest_never_reach_the_database(database, wrong):  # noqa: F811
    with pytest.raises((StorageError, StatementError)), database.write() as session:
        session.add(_label(**wrong))


def _add_and_fail(database) -> None:  # noqa: F811
    with database.write() as session:
        session.add(_label())
        session.flush()
        raise RuntimeError


def test_a_block_that_fails_leaves_nothing_behind(database):  # noqa: F811
    with pytest.raises(RuntimeError):
        _add_and_fail(database)
    with database.read() as session:
        assert repositories.label(session, "urn:c2pa:1") is None


def test_withdrawing_twice_changes_once(database):  # noqa: F811
    now = datetime.now(UTC)
    with database.write() as session:
        session.add(_label())
        session.flush()
        assert repositories.withdraw(session, "urn:c2pa:1", "first", now)
        assert not repositories.withdraw(session, "urn:c2pa:1", "second", now)
    with database.read() as session:
        assert repositories.label(session, "urn:c2pa:1").withdrawn_reason == "first"


def test_only_a_write_that_need_not_be_durable_does_without_the_flush(database):  # noqa: F811
    ask, durable, passing = (
        ("PRAGMA synchronous", 2, 1) if database.is_sqlite else ("SHOW synchronous_commit", "on", "off")
    )
    found = []
    for wanted in (True, False, True):
        with database.write(durable=wanted) as session:
            found.append(session.scalar(text(ask)))
            session.add(_label(id=f"urn:c2pa:{len(found)}"))
    assert found == [durable, passing, durable]
    with database.read() as session:
        assert repositories.label_count(session) == 3


def _ping(url: str) -> None:
    with Database(url).read() as session:
        repositories.ping(session)


def test_a_database_that_is_gone_is_a_storage_error_within_seconds(tmp_path):
    import time

    started = time.monotonic()
    for url in (f"sqlite:///{tmp_path}/no/such/folder/x.db", f"postgresql://x@/x?host={tmp_path}"):
        with pytest.raises(StorageError):
            _ping(url)
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("url", ["mysql://x", "oracle://x", "x"])
def test_other_databases_are_refused_in_words(url):
    with pytest.raises(UsageError, match="not supported"):
        normal_url(url)
