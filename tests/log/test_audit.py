"""Audits over real HTTP against a log that its operator tampers with: every kind must be found, and a good log must pass."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI
from sqlalchemy import delete, select, update

from service import problems
from service.api.log import router
from service.db.session import Database, upgrade
from service.log import LabelLog, NoteSigner, store
from service.log.audit import AuditResult, Seen, audit
from service.log.models import LogEntry, LogHead, LogNode
from service.log.source import HttpLog
from tanba.cli import main
from tanba.errors import InputError, ResolverError
from tanba.net import NetworkPolicy, guarded_client
from tanba.net.client import Response
from tests.log.conftest import NOW, receipt, record


@contextlib.contextmanager
def serving(database: Database, log: LabelLog) -> Iterator[str]:
    app = FastAPI()
    problems.install(app)
    app.include_router(router(database, log))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join(5)


@pytest.fixture
def stocked(tmp_path: Path) -> Iterator[tuple[Database, LabelLog, str]]:
    """A log of 20 entries behind HTTP, on SQLite."""
    url = f"sqlite:///{tmp_path / 'log.db'}"
    upgrade(url)
    database, log = Database(url), LabelLog(NoteSigner.create("labels.example/log"))
    grow(database, log, 20)
    with serving(database, log) as address:
        yield database, log, address
    database.close()


@pytest.fixture
def either(database: Database, log: LabelLog) -> Iterator[tuple[Database, LabelLog, str]]:
    """The same on SQLite and on PostgreSQL."""
    grow(database, log, 20)
    with serving(database, log) as address:
        yield database, log, address


def grow(database: Database, log: LabelLog, count: int, salt: int = 0) -> None:
    with database.write() as session:
        at = store.size(session)
        log.append_many(session, [record(salt + number) for number in range(at, at + count)], NOW)


def look(address: str, **options) -> AuditResult:
    port = address.rsplit(":", 1)[1]
    client = guarded_client(NetworkPolicy().allowing(f"127.0.0.1:{port}"))
    return audit(HttpLog(address, client), **options)


def rebuild(database: Database, log: LabelLog, records: list) -> None:
    """What a cheating operator with the log's key does: write the whole history anew."""
    with database.write() as session:
        for model in (LogEntry, LogNode, LogHead):
            session.execute(delete(model))
    with database.write() as session:
        log.append_many(session, records, NOW)


def history(count: int = 20) -> list:
    return [record(number) for number in range(count)]


def test_a_log_in_order_passes_again_and_again_as_it_grows(stocked) -> None:
    database, log, address = stocked
    seen = None
    for added, read in ((0, 20), (1, 1), (13, 13), (0, 0)):
        if added:
            grow(database, log, added)
        result = look(address, seen=seen, key=log.key)
        assert result.complaints == ()
        assert result.entries_read == read
        seen = result.seen
    assert look(address, seen=seen, full=True).entries_read == 34


def rewritten(database: Database, log: LabelLog) -> None:
    records = history(25)
    records[4] = record(1004)
    rebuild(database, log, records)


def dropped(database: Database, log: LabelLog) -> None:
    records = history(25)
    del records[7]
    rebuild(database, log, records)


def reordered(database: Database, log: LabelLog) -> None:
    records = history(25)
    records[2], records[3] = records[3], records[2]
    rebuild(database, log, records)


def inserted(database: Database, log: LabelLog) -> None:
    records = history(24)
    records.insert(10, record(2000))
    rebuild(database, log, records)


def truncated(database: Database, log: LabelLog) -> None:
    rebuild(database, log, history(12))


def emptied(database: Database, log: LabelLog) -> None:
    rebuild(database, log, [])


def forked_at_the_same_size(database: Database, log: LabelLog) -> None:
    rebuild(database, log, [*history(19), record(3000)])


def leaf_changed_in_place(database: Database, log: LabelLog) -> None:
    grow(database, log, 3)
    with database.write() as session:
        session.execute(update(LogEntry).where(LogEntry.index == 21).values(leaf_hash="ab" * 32))


def last_entry_withheld(database: Database, log: LabelLog) -> None:
    grow(database, log, 3)
    with database.write() as session:
        session.execute(delete(LogEntry).where(LogEntry.index == 22))


def node_changed_in_place(database: Database, log: LabelLog) -> None:
    with database.write() as session:
        session.execute(update(LogNode).where(LogNode.level == 4, LogNode.index == 0).values(hash="cd" * 32))
    grow(database, log, 3)


TAMPERINGS: list[tuple[Callable[[Database, LabelLog], None], set[str]]] = [
    (rewritten, {"tanba.log.inconsistent"}),
    (dropped, {"tanba.log.inconsistent"}),
    (reordered, {"tanba.log.inconsistent"}),
    (inserted, {"tanba.log.inconsistent"}),
    (truncated, {"tanba.log.shrunk"}),
    (emptied, {"tanba.log.shrunk"}),
    (forked_at_the_same_size, {"tanba.log.forked"}),
    (leaf_changed_in_place, {"tanba.log.inconsistent", "tanba.log.entries_mismatch"}),
    (last_entry_withheld, {"tanba.log.entry_missing"}),
]


@pytest.mark.parametrize(("tamper", "codes"), TAMPERINGS, ids=lambda value: getattr(value, "__name__", ""))
def test_a_second_audit_finds(tamper, codes: set[str], stocked) -> None:
    database, log, address = stocked
    seen = look(address, key=log.key).seen
    tamper(database, log)
    result = look(address, seen=seen)
    assert {complaint.code for complaint in result.complaints} & codes
    assert result.seen == seen, "the last good checkpoint is evidence and must be kept"


def test_a_full_audit_finds_an_old_entry_that_is_no_longer_the_signed_one(stocked) -> None:
    database, log, address = stocked
    seen = look(address, key=log.key).seen
    with database.write() as session:
        session.execute(update(LogEntry).where(LogEntry.index == 4).values(leaf_hash="ab" * 32))
    assert look(address, seen=seen).good, "the signed head is the same, and a short audit reads only new entries"
    assert [complaint.code for complaint in look(address, seen=seen, full=True).complaints] == [
        "tanba.log.entries_mismatch"
    ]


def ask(address: str, path: str):
    return guarded_client(NetworkPolicy().allowing(f"127.0.0.1:{address.rsplit(':', 1)[1]}")).get(
        f"{address}/v1/log{path}"
    )


@pytest.mark.parametrize("gone", [0, 5, 17, 19])
def test_a_deleted_row_is_tampering_and_not_a_service_that_is_busy(gone: int, either, tmp_path: Path, capsys) -> None:
    """The log says 410 with the entry's number, and the auditor's exit code is 1: whoever audits must not try again later."""
    database, log, address = either
    with database.read() as session:
        kept = receipt(log, session, gone)
    (tmp_path / "receipt.json").write_text(json.dumps(kept))
    seen = look(address, key=log.key).seen
    with database.write() as session:
        session.execute(delete(LogEntry).where(LogEntry.index == gone))
    answer = ask(address, f"/entries/{gone}")
    problem = json.loads(answer.body)
    assert (answer.status, answer.media_type) == (410, "application/problem+json")
    assert (problem["code"], problem["details"], problem["retryable"]) == (
        "tanba.log.entry_missing",
        {"index": gone},
        False,
    )
    assert "retry-after" not in answer.headers
    assert ask(address, "/entries").status == 410
    for options in ({"key": log.key}, {"seen": seen, "full": True}, {"seen": seen, "receipts": [kept]}):
        result = look(address, **options)
        assert {complaint.code for complaint in result.complaints} == {"tanba.log.entry_missing"}, options
        assert f"entry {gone} " in result.complaints[0].text
        assert result.seen == options.get("seen")
    capsys.readouterr()
    assert run("check", "--service", address, "--key", log.key, "--json") == 1
    assert json.loads(capsys.readouterr().out)["complaints"][0]["code"] == "tanba.log.entry_missing"
    assert run("check", "--service", address, "--key", log.key, "--receipt", str(tmp_path / "receipt.json")) == 1
    assert run("prove", str(gone), "--service", address, "--key", log.key) == 1


def test_a_deleted_inner_node_is_tampering_too(either) -> None:
    database, log, address = either
    seen = look(address, key=log.key).seen
    with database.write() as session:
        session.execute(delete(LogNode).where(LogNode.level == 4))
    assert ask(address, "/checkpoint").status == 410
    for options in ({"key": log.key}, {"seen": seen}):
        assert [item.code for item in look(address, **options).complaints] == ["tanba.log.node_missing"]


def test_a_log_that_does_not_answer_could_not_be_checked_and_is_not_accused(stocked) -> None:
    database, log, address = stocked
    with database.write() as session:  # a failure, not a row that was deleted
        session.connection().exec_driver_sql("ALTER TABLE log_entry RENAME TO elsewhere")
    with pytest.raises(ResolverError):
        look(address, key=log.key)


@pytest.mark.parametrize(
    "body", [b"", b"gone", b"[]", b"{}", b'{"code": 1, "details": []}', b'{"details": {"index": "x"}}']
)
def test_a_410_in_whatever_words_is_an_entry_that_is_gone(body: bytes) -> None:
    class Client:
        def get(self, url: str) -> Response:
            return Response(410, {}, body, len(body), url)

    with pytest.raises(store.RowGone) as caught:
        HttpLog("https://labels.example", Client()).leaves(0, 1)
    assert caught.value.code == "tanba.log.entry_missing"


def test_a_first_audit_finds_a_changed_node(stocked) -> None:
    database, log, address = stocked
    node_changed_in_place(database, log)
    assert not look(address, key=log.key).good


def test_a_receipt_that_the_log_still_holds_passes(stocked) -> None:
    database, log, address = stocked
    with database.read() as session:
        kept = [receipt(log, session, index) for index in (0, 7, 19)]
    grow(database, log, 9)
    assert look(address, key=log.key, receipts=kept).complaints == ()


@pytest.mark.parametrize("tamper", [rewritten, dropped, truncated, forked_at_the_same_size], ids=lambda f: f.__name__)
def test_one_receipt_and_no_earlier_audit_are_enough_to_find_tampering(tamper, stocked) -> None:
    database, log, address = stocked
    with database.read() as session:
        kept = receipt(log, session, 4)
    tamper(database, log)
    assert not look(address, key=log.key, receipts=[kept]).good


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda r: r.pop("log"), "tanba.log.receipt_malformed"),
        (lambda r: r.update(output_sha256="00" * 32), "tanba.log.receipt_mismatch"),
        (lambda r: r["log"]["entry"].update(kind="human"), "tanba.log.receipt_not_included"),
        (lambda r: r["log"].update(index=5), "tanba.log.receipt_not_included"),
        (lambda r: r["log"].update(proof=["zz"]), "tanba.log.receipt_malformed"),
        (lambda r: r["log"].update(checkpoint="nothing"), "tanba.log.note_malformed"),
    ],
)
def test_a_forged_receipt_is_named(change, code: str, stocked) -> None:
    database, log, address = stocked
    with database.read() as session:
        forged = receipt(log, session, 4)
    change(forged)
    assert [complaint.code for complaint in look(address, key=log.key, receipts=[forged]).complaints] == [code]


def test_a_log_with_another_key_is_not_believed(stocked) -> None:
    _, _, address = stocked
    stranger = NoteSigner.create("labels.example/log")
    result = look(address, key=str(stranger.verifier))
    assert [complaint.code for complaint in result.complaints] == ["tanba.log.signature_invalid"]


def test_a_state_file_that_was_changed_by_hand_is_refused(stocked) -> None:
    _, log, address = stocked
    seen = look(address, key=log.key).seen
    bent = Seen(seen.key, seen.checkpoint, tuple("00" * 32 for _ in seen.frontier))
    with pytest.raises(InputError):
        look(address, seen=bent)
    assert Seen.from_dict(json.loads(json.dumps(seen.to_dict()))) == seen


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as caught:
        main(["log", *words])
    return caught.value.code or 0


def test_the_command_audits_keeps_its_state_and_exits_1_on_tampering(stocked, tmp_path: Path, capsys) -> None:
    database, log, address = stocked
    state = tmp_path / "state.json"
    arguments = ("check", "--service", address, "--key", log.key, "--state", str(state), "--json")
    assert run(*arguments) == 0
    kept = state.read_text()
    grow(database, log, 2)
    assert run(*arguments) == 0
    assert state.read_text() != kept
    kept = state.read_text()
    rewritten(database, log)
    capsys.readouterr()
    assert run(*arguments) == 1
    printed = json.loads(capsys.readouterr().out)
    assert printed["complaints"][0]["code"] == "tanba.log.inconsistent"
    assert printed["checkpoint"] != printed["last_good_checkpoint"]
    assert state.read_text() == kept


def test_the_command_shows_and_proves(stocked, capsys) -> None:
    _, log, address = stocked
    assert run("show", "--service", address) == 0
    assert capsys.readouterr().out.startswith("labels.example/log\n20\n")
    assert run("prove", "7", "--size", "9", "--service", address, "--key", log.key) == 0
    assert capsys.readouterr().out == "entry 7 is in the log of 9 entries\n"
    assert run("prove", "70", "--service", address) == 5
    assert run("show") == 2
    assert run("check", "--service", "http://127.0.0.1:9/") == 5


def test_public_answers_hold_hashes_and_nothing_of_the_record(stocked) -> None:
    database, _, address = stocked
    client = guarded_client(NetworkPolicy().allowing(f"127.0.0.1:{address.rsplit(':', 1)[1]}"))
    body = client.get(f"{address}/v1/log/entries/3").body + client.get(f"{address}/v1/log/entries").body
    with database.read() as session:
        entry = session.scalar(select(LogEntry).where(LogEntry.index == 3))
    for name in ("label_id", "input_sha256", "output_sha256", "manifest_sha256", "identity"):
        assert entry.record[name].encode() not in body


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("", 200),
        ("/checkpoint", 200),
        ("/entries?start=5&end=7", 200),
        ("/entries?start=7&end=5", 200),
        ("/entries?start=-1", 422),
        ("/entries/0?size=1", 200),
        ("/entries/20", 404),
        ("/entries/3?size=3", 404),
        ("/entries/3?size=99", 404),
        ("/entries/99999999999999999999", 422),
        ("/consistency?from=3&to=20", 200),
        ("/consistency?from=0&to=20", 200),
        ("/consistency?from=20&to=3", 404),
        ("/consistency?from=3&to=21", 404),
        ("/consistency", 422),
    ],
)
def test_every_route_answers_as_documented(path: str, status: int, stocked) -> None:
    _, _, address = stocked
    client = guarded_client(NetworkPolicy().allowing(f"127.0.0.1:{address.rsplit(':', 1)[1]}"))
    answer = client.get(f"{address}/v1/log{path}")
    assert answer.status == status
    if status >= 400:
        assert answer.media_type == "application/problem+json"
