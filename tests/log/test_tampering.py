"""Every way to change the log's tables by hand, on both databases: what the log itself says, and what an audit finds.

Whoever holds the database and the key can write a new history (tests/log/test_audit.py has those, and only an earlier
checkpoint or a receipt finds them). Here the tables are changed in place, and the service must notice by itself or sign
nothing that an audit would not find.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from service.db.session import Database
from service.log import LabelLog, NoteSigner, store
from service.log.audit import audit
from service.log.export import export
from service.log.models import LogEntry, LogHead, LogNode
from service.log.source import DatabaseLog
from service.log.store import Damaged
from tests.log.conftest import NOW, record
from tests.log.test_audit import ask, grow, look, run, serving

SIZE = 20


@pytest.fixture
def served(database: Database, log: LabelLog) -> Iterator[tuple[Database, LabelLog, str]]:
    grow(database, log, SIZE)
    with serving(database, log) as address:
        yield database, log, address


def head_deleted(session: Session) -> None:
    session.execute(delete(LogHead))


def head_set_back(session: Session) -> None:
    """To a size that was once right: frontier, nodes and entries of that size agree with each other."""
    found = [store.nodes(session, [node])[node].hex() for node in store.merkle.root_nodes(12)]
    session.execute(update(LogHead).values(size=12, frontier=found))


def head_set_forward(session: Session) -> None:
    session.execute(update(LogHead).values(size=24, frontier=["ab" * 32, "cd" * 32]))


def head_emptied(session: Session) -> None:
    session.execute(update(LogHead).values(size=0, frontier=[]))


def frontier_changed(session: Session) -> None:
    session.execute(update(LogHead).values(frontier=["ab" * 32, "cd" * 32]))


def frontier_no_hashes(session: Session) -> None:
    session.execute(update(LogHead).values(frontier=["xyz", 7]))


def time_moved(session: Session) -> None:
    session.execute(update(LogHead).values(at=NOW + timedelta(days=3650)))


def entry_slipped_behind_the_end(session: Session) -> None:
    session.execute(insert(LogEntry).values(_row(SIZE, 99)))


def last_entry_deleted(session: Session) -> None:
    session.execute(delete(LogEntry).where(LogEntry.index == SIZE - 1))


def last_leaf_changed(session: Session) -> None:
    session.execute(update(LogEntry).where(LogEntry.index == SIZE - 1).values(leaf_hash="ab" * 32))


def inner_node_of_the_frontier_changed(session: Session) -> None:
    session.execute(update(LogNode).where(LogNode.level == 4).values(hash="ab" * 32))


def inner_node_of_the_frontier_deleted(session: Session) -> None:
    session.execute(delete(LogNode).where(LogNode.level == 4))


def record_changed(session: Session) -> None:
    changed = record(4, kind="human").to_dict()
    session.execute(update(LogEntry).where(LogEntry.index == 4).values(record=changed))


def record_garbled(session: Session) -> None:
    session.execute(update(LogEntry).where(LogEntry.index == 4).values(record={"v": 1}))


def record_lengthened(session: Session) -> None:
    found = session.get(LogEntry, 4)
    session.execute(update(LogEntry).where(LogEntry.index == 4).values(record={**found.record, "note": "harmless"}))


def two_entries_swapped(session: Session) -> None:
    rows = {index: session.get(LogEntry, index) for index in (4, 5)}
    values = {index: {"leaf_hash": row.leaf_hash, "record": row.record} for index, row in rows.items()}
    for index, other in ((4, 5), (5, 4)):
        session.execute(update(LogEntry).where(LogEntry.index == index).values(values[other]))


def old_node_changed(session: Session) -> None:
    session.execute(update(LogNode).where(LogNode.level == 2, LogNode.index == 1).values(hash="ab" * 32))


def _row(index: int, number: int) -> dict[str, Any]:
    made = record(number)
    return {"index": index, "leaf_hash": made.leaf.hex(), "label_id": made.label_id, "record": made.to_dict(),
            "created_at": NOW}  # fmt: skip


Tamper = Callable[[Session], None]
STOPS_APPENDING: list[tuple[Tamper, str]] = [
    (head_deleted, "tanba.log.head_missing"),
    (head_set_back, "tanba.log.damaged"),
    (head_set_forward, "tanba.log.node_missing"),
    (head_emptied, "tanba.log.damaged"),
    (frontier_changed, "tanba.log.damaged"),
    (frontier_no_hashes, "tanba.log.damaged"),
    (time_moved, "tanba.log.damaged"),
    (entry_slipped_behind_the_end, "tanba.log.damaged"),
    (last_entry_deleted, "tanba.log.entry_missing"),
    (inner_node_of_the_frontier_changed, "tanba.log.damaged"),
    (inner_node_of_the_frontier_deleted, "tanba.log.node_missing"),
]
UNSEEN_BY_THE_WRITER = {last_entry_deleted, inner_node_of_the_frontier_changed, inner_node_of_the_frontier_deleted}
"""Who wrote the last entry knows the frontier, and appends rightly; whoever starts, asks or audits sees the row."""
STOPS_READING: list[tuple[Tamper, str]] = [
    (head_deleted, "tanba.log.head_missing"),
    (head_set_back, "tanba.log.damaged"),
    (head_emptied, "tanba.log.damaged"),
    (entry_slipped_behind_the_end, "tanba.log.damaged"),
]
FOUND_BY_A_FIRST_AUDIT: list[Tamper] = [
    head_deleted, head_set_back, head_set_forward, head_emptied, entry_slipped_behind_the_end, last_entry_deleted,
    last_leaf_changed, inner_node_of_the_frontier_changed, inner_node_of_the_frontier_deleted, two_entries_swapped,
]  # fmt: skip
FOUND_IN_THE_TABLES: list[Tamper] = [
    *FOUND_BY_A_FIRST_AUDIT, frontier_changed, frontier_no_hashes, time_moved, record_changed, record_garbled,
    record_lengthened,
]  # fmt: skip


def named(value: object) -> str:
    return getattr(value, "__name__", "")


def change(database: Database, tamper: Tamper) -> None:
    with database.write() as session:
        tamper(session)


@pytest.mark.parametrize(("tamper", "code"), STOPS_APPENDING, ids=named)
def test_nothing_is_appended_to_a_tree_that_was_changed(tamper: Tamper, code: str, database, log) -> None:
    """Neither by a process that starts now nor by the one that wrote the last entry; nothing is left half-written."""
    grow(database, log, SIZE)
    change(database, tamper)
    with database.read() as session:
        before = rows(session)
    for writer in (log, LabelLog(NoteSigner.create("labels.example/log"))):
        if writer is log and tamper in UNSEEN_BY_THE_WRITER:
            continue
        with pytest.raises(Damaged) as caught, database.write() as session:
            writer.append_proved(session, [record(77)], NOW)
        assert (caught.value.code, caught.value.retryable) == (code, False)
        with database.read() as session, pytest.raises(Damaged):
            store.check(session)
    with database.read() as session:
        assert rows(session) == before


def rows(session: Session) -> tuple[list[Any], list[Any]]:
    entries = session.execute(select(LogEntry.index, LogEntry.leaf_hash).order_by(LogEntry.index)).all()
    return [tuple(row) for row in entries], [tuple(row) for row in session.execute(select(LogHead.size, LogHead.at))]


@pytest.mark.parametrize(("tamper", "code"), STOPS_READING, ids=named)
def test_a_log_without_a_right_end_answers_no_question(tamper: Tamper, code: str, served) -> None:
    """A shorter log would be a lie that verifies. The refusal is loud, typed and never `try again`."""
    database, _, address = served
    change(database, tamper)
    for path in ("", "/checkpoint", "/entries", "/entries/3", "/consistency?from=3&to=12"):
        answer = ask(address, path)
        problem = json.loads(answer.body)
        assert (answer.status, answer.media_type) == (500, "application/problem+json"), path
        assert (problem["code"], problem["retryable"]) == (code, False)
        assert "retry-after" not in answer.headers


@pytest.mark.parametrize("tamper", [record_changed, record_garbled, record_lengthened], ids=named)
def test_a_record_that_is_not_what_was_logged_is_never_given_out(tamper: Tamper, database, log) -> None:
    grow(database, log, SIZE)
    change(database, tamper)
    with database.read() as session:
        for give in (
            lambda: log.proof(session, 4),
            lambda: export(session, log, NOW - timedelta(1), NOW + timedelta(1), now=NOW),
        ):
            with pytest.raises(Damaged) as caught:
                give()
            assert (caught.value.code, caught.value.details) == ("tanba.log.entry_changed", {"index": 4})
        assert log.proof(session, 5)["index"] == 5


@pytest.mark.parametrize("pinned", [True, False], ids=["with the key", "with the log's own word for it"])
@pytest.mark.parametrize("tamper", FOUND_BY_A_FIRST_AUDIT, ids=named)
def test_a_first_audit_from_outside_finds_it(tamper: Tamper, pinned: bool, served, capsys) -> None:
    database, log, address = served
    change(database, tamper)
    assert not look(address, key=log.key if pinned else None).good
    capsys.readouterr()
    assert run("check", "--service", address, *(["--key", log.key] if pinned else []), "--json") == 1
    assert json.loads(capsys.readouterr().out)["complaints"]


@pytest.mark.parametrize("tamper", FOUND_IN_THE_TABLES, ids=named)
def test_the_operators_own_audit_finds_it_in_the_tables(tamper: Tamper, database, log) -> None:
    grow(database, log, SIZE)
    with database.read() as session:
        assert audit(DatabaseLog(session, log), key=log.key).good
    change(database, tamper)
    with database.read() as session:
        assert not audit(DatabaseLog(session, log), key=log.key).good


def test_a_changed_node_under_the_frontier_makes_proofs_that_do_not_verify(served) -> None:
    """The signed root is right, so the entries are in order; only a proof through that node leads elsewhere."""
    database, log, address = served
    change(database, old_node_changed)
    assert run("prove", "1", "--service", address, "--key", log.key) == 1
    assert run("prove", "17", "--service", address, "--key", log.key) == 0
    with database.read() as session:
        kept = log.proof(session, 1)
    receipt = {name: kept["entry"][name] for name in ("label_id", "input_sha256", "output_sha256", "manifest_sha256")}
    found = look(address, key=log.key, receipts=[receipt | {"log": kept}])
    assert [item.code for item in found.complaints] == ["tanba.log.receipt_not_included"]


def test_a_swapped_key_is_found_by_whoever_pinned_the_old_one(database, log, tmp_path: Path) -> None:
    grow(database, log, SIZE)
    stranger = LabelLog(NoteSigner.create("labels.example/log"))
    with serving(database, stranger) as address:
        assert [item.code for item in look(address, key=log.key).complaints] == ["tanba.log.signature_invalid"]
