"""The auditor's export: complete, counted, provable; every change to it is found."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime, timedelta

import pytest

from service.db.session import Database
from service.log import LabelLog, LogEvent
from service.log.export import export, verify_export
from service.log.record import LogRecord
from tanba.errors import InputError
from tests.log.conftest import record

DAY = timedelta(days=1)
START = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def month(database: Database, log: LabelLog) -> Database:
    """One entry a day: even days generated under kz, odd days modified under eu and kz; one withdrawal on day 10."""
    for day in range(20):
        made = record(
            day,
            kind="modified" if day % 2 else "generated",
            profiles=("eu", "kz") if day % 2 else ("kz",),
            identity="b" if day < 10 else "a",
        )
        with database.write() as session:
            log.append(session, made, START + day * DAY)
    with database.write() as session:
        withdrawn = {**record(3).to_dict(), "event": "withdrawn"}
        log.append(session, LogRecord.from_dict(withdrawn), START + 20 * DAY)
    return database


def take(database: Database, log: LabelLog, first: int, last: int) -> dict:
    with database.read() as session:
        made = export(session, log, START + first * DAY, START + last * DAY, now=START + 30 * DAY)
    return json.loads(json.dumps(made))


def test_the_counts_are_those_of_the_period(month: Database, log: LabelLog) -> None:
    made = take(month, log, 5, 15)
    assert made["counts"] == {
        "event": {"issued": 10},
        "profile": {"eu": 5, "kz": 10},
        "kind": {"generated": 5, "modified": 5},
        "identity": {"a" * 64: 5, "b" * 64: 5},
    }
    assert verify_export(made, log.key) == []


def test_withdrawals_are_counted_as_events_only(month: Database, log: LabelLog) -> None:
    counts = take(month, log, 19, 30)["counts"]
    assert counts["event"] == {str(LogEvent.ISSUED): 1, str(LogEvent.WITHDRAWN): 1}
    assert sum(counts["kind"].values()) == 1


@pytest.mark.parametrize(("first", "last"), [(0, 30), (0, 1), (20, 21), (-5, 0), (25, 30), (3, 3), (7, 19)])
def test_any_period_verifies(month: Database, log: LabelLog, first: int, last: int) -> None:
    made = take(month, log, first, last)
    assert verify_export(made, log.key) == []
    expected = len([day for day in range(21) if first <= day < last])
    assert sum(made["counts"]["event"].values()) == expected


def test_an_empty_log_can_be_exported(database: Database, log: LabelLog) -> None:
    assert verify_export(take(database, log, 0, 5), log.key) == []


def change_record(made: dict) -> None:
    made["entries"][3]["kind"] = "human"


def drop_record(made: dict) -> None:
    del made["entries"][3]


def drop_edge(made: dict) -> None:
    del made["entries"][-1]


def add_record(made: dict) -> None:
    made["entries"].append(record(77).to_dict() | {"at": "2026-11-15T00:00:00Z"})


def change_counts(made: dict) -> None:
    made["counts"]["kind"]["generated"] -= 1


def bend_frontier(made: dict) -> None:
    made["frontier"][0] = "00" * 32


def widen_the_period(made: dict) -> None:
    made["from"] = "2026-11-02T00:00:00+00:00"


def another_checkpoint(made: dict) -> None:
    made["current_checkpoint"] = made["checkpoint"]


@pytest.mark.parametrize(
    "change",
    [
        change_record,
        drop_record,
        drop_edge,
        add_record,
        change_counts,
        bend_frontier,
        widen_the_period,
        another_checkpoint,
    ],
)
def test_a_changed_export_is_found_out(change, month: Database, log: LabelLog) -> None:
    made = take(month, log, 5, 15)
    changed = copy.deepcopy(made)
    change(changed)
    assert verify_export(changed, log.key) != []


def test_leaving_out_the_last_days_shows_even_with_fitting_proofs(month: Database, log: LabelLog) -> None:
    made = take(month, log, 5, 12)
    made["to"] = (START + 15 * DAY).isoformat()
    assert "tanba.log.entry_missing" in [complaint.code for complaint in verify_export(made, log.key)]


@pytest.mark.parametrize("document", [{}, {"from": 1}, {"from": "x", "to": "y"}])
def test_what_is_no_export_is_an_input_error(document: dict, log: LabelLog) -> None:
    with pytest.raises(InputError):
        verify_export(document, log.key)
