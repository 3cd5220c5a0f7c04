"""The stored tree on both databases: transactions, concurrency, past sizes, damage."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from service.db.session import Database
from service.log import LabelLog, merkle, store
from service.log.checkpoint import Checkpoint
from service.log.models import LogEntry, LogHead, LogNode
from service.log.note import NoteVerifier
from service.log.record import LogRecord
from tanba.errors import InputError, StorageError
from tests.log.conftest import NOW, record


def fill(database: Database, log: LabelLog, count: int, start: int = 0) -> None:
    with database.write() as session:
        log.append_many(session, [record(number) for number in range(start, start + count)], NOW)


def naive_root(leaves: list[bytes]) -> bytes:
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    return merkle.node_hash(naive_root(leaves[:split]), naive_root(leaves[split:]))


def test_every_size_has_the_root_of_its_entries_and_every_proof_verifies(database: Database, log: LabelLog) -> None:
    for batch in (1, 2, 5, 1, 11, 3):
        with database.read() as session:
            at = store.size(session)
        fill(database, log, batch, at)
    with database.read() as session:
        size = store.size(session)
        leaves = store.leaves(session, 0, size)
        assert (size, len(leaves)) == (23, 23)
        for tree_size in range(1, size + 1):
            root = store.root(session, tree_size)
            assert root == naive_root(leaves[:tree_size])
            for index in (0, tree_size // 2, tree_size - 1):
                proof = store.inclusion_proof(session, index, tree_size)
                assert merkle.verify_inclusion(index, tree_size, leaves[index], proof, root)
            proof = store.consistency_proof(session, tree_size, size)
            assert merkle.verify_consistency(tree_size, size, root, store.root(session, size), proof)


def test_an_empty_log_has_the_empty_root(database: Database, log: LabelLog) -> None:
    with database.read() as session:
        note = log.checkpoint(session)
    checkpoint = Checkpoint.open(note, NoteVerifier.parse(log.key))
    assert (checkpoint.size, checkpoint.root) == (0, merkle.EMPTY_ROOT)


def test_an_entry_lives_and_dies_with_the_transaction_around_it(database: Database, log: LabelLog) -> None:
    fill(database, log, 3)
    with pytest.raises(ZeroDivisionError), database.write() as session:
        _ = log.append(session, record(99), NOW) / 0  # something fails between the entry and the commit
    with database.read() as session:
        assert store.size(session) == 3
        assert session.scalar(select(LogEntry).where(LogEntry.label_id == record(99).label_id)) is None
    fill(database, log, 1, start=7)
    with database.read() as session:
        assert store.entry(session, 3).label_id == record(7).label_id


def test_many_writers_at_once_leave_one_gapless_log(database: Database, log: LabelLog) -> None:
    errors: list[BaseException] = []

    def write(worker: int) -> None:
        try:
            for number in range(10):
                with database.write() as session:
                    log.append(session, record(worker * 100 + number), NOW)
        except BaseException as error:  # noqa: BLE001 - shown by the assertion below
            errors.append(error)

    threads = [threading.Thread(target=write, args=(worker,)) for worker in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with database.read() as session:
        leaves = store.leaves(session, 0, 100)
        assert len(leaves) == store.size(session) == 60
        assert store.root(session, 60) == naive_root(leaves)


def test_the_time_of_the_log_never_runs_back(database: Database, log: LabelLog) -> None:
    fill(database, log, 1)
    with database.write() as session:
        log.append(session, record(1), NOW - timedelta(hours=1))
    with database.read() as session:
        assert store.entry(session, 1).record["at"] == "2026-11-23T12:00:00Z"


def test_a_stored_record_hashes_to_its_leaf(database: Database, log: LabelLog) -> None:
    fill(database, log, 4)
    with database.read() as session:
        for entry in session.scalars(select(LogEntry)):
            assert LogRecord.from_dict(entry.record).leaf.hex() == entry.leaf_hash


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 4), (10**18, 3)])
def test_what_the_log_does_not_hold_is_an_input_error(database: Database, log: LabelLog, index: int, size: int) -> None:
    fill(database, log, 3)
    with database.read() as session, pytest.raises(InputError):
        store.inclusion_proof(session, index, size)


def test_a_missing_node_is_told_apart_from_a_wrong_question(database: Database, log: LabelLog) -> None:
    fill(database, log, 8)
    with database.write() as session:
        session.execute(delete(LogNode).where(LogNode.level == 2))
    with database.read() as session, pytest.raises(StorageError) as caught:
        store.root(session, 4)
    assert (caught.value.code, caught.value.retryable) == ("tanba.log.node_missing", False)


def test_a_deleted_entry_is_named_and_a_stretch_never_closes_over_it(database: Database, log: LabelLog) -> None:
    fill(database, log, 9)
    with database.write() as session:
        session.execute(delete(LogEntry).where(LogEntry.index == 5))
    with database.read() as session:
        for ask in (
            lambda: store.entry(session, 5),
            lambda: store.leaves(session, 3, 7),
            lambda: store.inclusion_proof(session, 4, 9),
        ):
            with pytest.raises(store.RowGone) as caught:
                ask()
            assert (caught.value.code, caught.value.details) == ("tanba.log.entry_missing", {"index": 5})
        assert len(store.leaves(session, 6, 99)) == 3
        with pytest.raises(InputError):
            store.entry(session, 9)


def test_a_damaged_head_stops_appending(database: Database, log: LabelLog) -> None:
    fill(database, log, 3)
    with database.write() as session:
        session.execute(update(LogHead).values(frontier=[]))
    with pytest.raises(StorageError), database.write() as session:
        log.append(session, record(9), NOW)


def test_the_same_size_is_always_signed_with_the_same_note(database: Database, log: LabelLog) -> None:
    fill(database, log, 3)
    with database.read() as session:
        before = log.checkpoint(session)
    fill(database, log, 4, start=3)
    with database.read() as session:
        assert log.checkpoint(session, 3) == before
        assert log.checkpoint(session) != before


def test_the_log_holds_no_name_and_no_content() -> None:
    assert set(record(1).to_dict()) == {
        "v", "event", "label_id", "input_sha256", "output_sha256", "manifest_sha256", "kind", "profiles", "identity", "at"
    }  # fmt: skip


def test_the_proof_given_while_appending_is_the_one_asked_for_afterwards(database):
    from datetime import UTC, datetime

    from service.log import LabelLog, LogEvent, LogRecord, NoteSigner

    log = LabelLog(NoteSigner.create("example.org/log"))
    for number in range(34):
        record = LogRecord(
            LogEvent.ISSUED,
            f"urn:c2pa:{number}",
            "1" * 64,
            "2" * 64,
            "3" * 64,
            "generated",
            (),
            "4" * 64,
            "2026-11-23T00:00:00Z",
        )
        with database.write() as session:
            given = log.append_proved(session, [record], datetime.now(UTC))[0]
        with database.read() as session:
            assert given == log.proof(session, number, number + 1)
