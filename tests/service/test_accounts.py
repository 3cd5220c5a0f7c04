"""API clients: keys are shown once and stored as digests; they expire, rotate and end."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from service import audit
from service.accounts import Accounts, ClientSpec
from service.problems import Unauthenticated
from service.security import Scope, new_key, parse_key
from tanba.errors import UsageError
from tests.databases import database, database_url, postgres_server  # noqa: F401 -- fixtures


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def accounts(database, clock) -> Accounts:  # noqa: F811 -- the fixture above
    return Accounts(database, clock=clock)


SPEC = ClientSpec(name="newsroom", scopes=(Scope.LABEL,), profiles=("kz",), lifetime=timedelta(days=30))


def test_a_key_has_the_documented_shape_and_a_checksum_that_catches_typing_errors():
    text, parsed = new_key(live=True)
    assert re.fullmatch(r"tnb_live_[a-z0-9]{12}_[A-Za-z0-9_-]{43}_[0-9a-f]{8}", text)
    assert parse_key(text) == parsed
    assert parse_key(text.replace("live", "dev")) is None
    flipped = text[:30] + ("A" if text[30] != "A" else "B") + text[31:]
    assert parse_key(flipped) is None
    for wrong in ("", "tnb_", "Bearer x", text + "0", text[:-1], text.upper(), "tnb_live_é"):
        assert parse_key(wrong) is None


def test_the_database_holds_the_digest_of_the_secret_only(accounts, database):  # noqa: F811
    from sqlalchemy import text as sql

    key = accounts.create(SPEC, live=True, actor="test")
    secret = key.split("_", 3)[3].rpartition("_")[0]
    with database.read() as session:
        stored = session.execute(sql("SELECT secret_sha256 FROM client_key")).scalar_one()
    assert stored == hashlib.sha256(secret.encode()).hexdigest()


def test_a_key_is_recognised_with_the_rights_of_its_client(accounts):
    caller = accounts.recognise(accounts.create(SPEC, live=True, actor="test"))
    assert (caller.name, caller.scopes, caller.profiles) == ("newsroom", {"label"}, {"kz"})


def test_an_expired_key_ends_even_while_it_is_remembered(accounts, clock):
    key = accounts.create(SPEC, live=True, actor="test")
    accounts.recognise(key)
    clock.now += timedelta(days=31)
    with pytest.raises(Unauthenticated):
        accounts.recognise(key)


def test_after_a_rotation_both_keys_work_until_the_overlap_ends(accounts, clock):
    old = accounts.create(SPEC, live=True, actor="test")
    new = accounts.rotate("newsroom", live=True, actor="test", overlap=timedelta(hours=1))
    assert accounts.recognise(old).id == accounts.recognise(new).id
    clock.now += timedelta(hours=2)
    assert accounts.recognise(new)
    with pytest.raises(Unauthenticated):
        accounts.recognise(old)


def test_a_revoked_client_and_a_revoked_key_are_unknown_at_once(accounts):
    key = accounts.create(SPEC, live=True, actor="test")
    other = accounts.rotate("newsroom", live=True, actor="test", overlap=timedelta(hours=1))
    accounts.recognise(key)
    accounts.revoke("newsroom", actor="test", key_id=parse_key(key).key_id)
    assert accounts.remembered(key) is None
    with pytest.raises(Unauthenticated):
        accounts.recognise(key)
    assert accounts.recognise(other)
    accounts.revoke("newsroom", actor="test")
    with pytest.raises(Unauthenticated):
        accounts.recognise(other)


def test_a_name_is_taken_once_and_a_rate_must_parse(accounts):
    accounts.create(SPEC, live=True, actor="test")
    with pytest.raises(UsageError, match="exists"):
        accounts.create(SPEC, live=True, actor="test")
    with pytest.raises(UsageError, match="rate"):
        accounts.create(ClientSpec(name="x", scopes=(), label_rate="often"), live=True, actor="test")
    with pytest.raises(UsageError, match="no client"):
        accounts.rotate("nobody", live=True, actor="test", overlap=timedelta())


TAMPERINGS = {
    "a changed actor": "UPDATE audit SET actor = 'mallory' WHERE seq = 2",
    "a changed time": "UPDATE audit SET at = '2020-01-01 00:00:00' WHERE seq = 1",
    "a removed row": "DELETE FROM audit WHERE seq = 2",
    "two rows exchanged": "UPDATE audit SET seq = CASE seq WHEN 1 THEN -2 WHEN 2 THEN -1 ELSE seq END",
    "a rewritten hash": "UPDATE audit SET hash = previous_hash WHERE seq = 3",
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_tampering_with_the_audit_table_is_found(accounts, database, name):  # noqa: F811
    from sqlalchemy import text as sql

    accounts.create(SPEC, live=True, actor="test")
    accounts.rotate("newsroom", live=True, actor="test", overlap=timedelta())
    accounts.revoke("newsroom", actor="test")
    with database.read() as session:
        assert audit.check(session) == (3, None)
    with database.write() as session:
        session.execute(sql(TAMPERINGS[name]))
    with database.read() as session:
        assert audit.check(session)[1] is not None


def test_clients_on_the_command_line(tmp_path, monkeypatch):
    import json

    from service import cli

    monkeypatch.setenv("TANBA_SERVICE_DIR", str(tmp_path))
    run = CliRunner()
    assert run.invoke(cli.db, ["upgrade"]).exit_code == 0
    made = run.invoke(cli.clients, ["new", "platform", "--scope", "label", "--scope", "verify", "--days", "30"])
    key = made.stdout.strip()
    assert parse_key(key) is not None
    assert parse_key(run.invoke(cli.clients, ["rotate", "platform"]).stdout.strip()) is not None
    listed = json.loads(run.invoke(cli.clients, ["list", "--json"]).stdout)
    assert [(item["name"], len(item["keys"])) for item in listed] == [("platform", 2)]
    assert key.rpartition("_")[0][-43:] not in str(listed)
    assert run.invoke(cli.clients, ["revoke", "platform"]).exit_code == 0
    assert "(revoked)" in run.invoke(cli.clients, ["list"]).stdout
