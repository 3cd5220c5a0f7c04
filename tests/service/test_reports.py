"""A report is written once; what the service acts on stands beside it."""

from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from enum import IntEnum, StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from service import reports
from service.reports import Written
from tanba.report import (
    Answers,
    AssetFacts,
    HistoryNode,
    IntegrityAnswer,
    IntegrityState,
    SignerAnswer,
    TimeAnswer,
    TimeState,
    Verdict,
    VerificationReport,
)
from tanba.wire import to_compact, to_plain
from verifier.issuer import Told

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
LABEL = "urn:c2pa:0b1f3f0e-0000-4000-8000-000000000000"


class Word(StrEnum):
    ONE = "one"


class Number(IntEnum):
    TWO = 2


@dataclass(frozen=True, slots=True)
class Thing:
    name: Any
    more: Any = ()


values = some.recursive(
    some.none() | some.booleans() | some.integers() | some.text() | some.sampled_from([*Word, *Number])
    | some.datetimes(timezones=some.just(UTC)) | some.floats(allow_nan=False),
    lambda inner: some.lists(inner) | some.tuples(inner, inner) | some.builds(Thing, inner, inner)
    | some.dictionaries(some.text(), inner) | some.dictionaries(some.text(), inner).map(MappingProxyType),
)  # fmt: skip


@given(values)
def test_compact_json_says_what_the_plain_form_says(value):
    assert json.loads(to_compact(value)) == json.loads(json.dumps(to_plain(value)))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": [1, 2.5, None, True]}, '{"a":[1,2.5,null,true]}'),
        (Thing("é", (Word.ONE, Number.TWO)), '{"name":"é","more":["one",2]}'),
        (MappingProxyType({Word.ONE: frozenset({7})}), '{"one":[7]}'),
        (OrderedDict(b=1, a=2), '{"b":1,"a":2}'),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=5))), '"2026-01-01T22:04:05Z"'),
        ("cut \ud83d", '"cut \\ud83d"'),
    ],
)
def test_compact_json_has_no_blanks_and_always_encodes(value, text):
    assert to_compact(value) == text.encode()


@pytest.mark.parametrize("value", [object(), {"path": Path("secret")}, [b"bytes"]])
def test_what_has_no_json_form_is_refused(value):
    with pytest.raises(TypeError, match="no JSON form"):
        to_compact(value)


def report(
    verdict: Verdict = Verdict.VALID,
    *,
    integrity: IntegrityState = IntegrityState.INTACT,
    time: TimeState = TimeState.CLAIMED,
    ends: datetime | None = None,
    label: str | None = LABEL,
) -> VerificationReport:
    answers = Answers(
        integrity=IntegrityAnswer(integrity),
        signer=SignerAnswer(fingerprint="f" * 64, not_after=ends),
        time=TimeAnswer(time),
    )
    return VerificationReport(
        asset=AssetFacts("private name.jpg", "a" * 64, 7, "image/jpeg"),
        verdict=verdict,
        answers=answers,
        history=(HistoryNode(None, "valid", label=label),) if label else (),
    )


def test_the_written_report_is_the_report_without_its_name():
    made = report(ends=NOW)
    assert b"private name" not in reports.write(made).body
    assert reports.write(made).plain() == to_plain(replace(made, asset=replace(made.asset, name=None)))
    named = json.loads(reports.with_name(reports.write(made).body, "private name.jpg"))
    assert named == to_plain(made)


def test_a_stored_report_is_acted_on_like_a_new_one():
    first = reports.write(report(ends=NOW))
    assert reports.written_before(first.plain()) == first


def test_what_a_later_version_stored_is_answered_whole():
    plain = {**reports.write(report()).plain(), "later": {"x": 1}}
    assert reports.written_before(plain).plain() == plain


def test_the_labels_that_hold_stand_beside_the_report():
    assert reports.write(report()).labels == (Told(LABEL, "f" * 64, None, newest=True),)
    assert reports.write(report(integrity=IntegrityState.BROKEN)).labels == ()
    assert reports.write(report(label=None)).labels == ()


@pytest.mark.parametrize(
    ("made", "seconds"),
    [
        (report(), 3600),
        (report(Verdict.UNMARKED), 300),
        (report(Verdict.UNCHECKED), 300),
        (report(Verdict.TRUSTED, ends=NOW + timedelta(seconds=90)), 90),
        (report(Verdict.TRUSTED, ends=NOW + timedelta(days=90)), 3600),
        (report(Verdict.TRUSTED, ends=NOW + timedelta(seconds=90), time=TimeState.TIMESTAMPED), 3600),
        (report(Verdict.INVALID, ends=NOW - timedelta(seconds=90)), 3600),
    ],
)
def test_a_result_is_kept_until_it_could_change(made, seconds):
    written: Written = reports.write(made)
    assert written.lifetime(NOW, 3600) == seconds
