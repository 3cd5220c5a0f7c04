"""Normalisation: what NFC does (UAX #15), and that hostile runs of marks are refused quickly."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tanba.errors import TextNotEncodable
from tanba.text.normalize import MAX_COMBINING, nfc


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ә\u0301", "Ә\u0301"),  # Kazakh letters have no composed form with an accent
        ("и\u0306", "й"),
        ("e\u0301", "é"),
        ("\u212b", "Å"),
        ("\u1112\u1161\u11ab", "한"),
        ("q\u0307\u0323", "q\u0323\u0307"),
        ("ﬁ", "ﬁ"),
    ],
)
def test_characters_are_composed_as_the_annex_says(text, expected):
    assert nfc(text.encode()).decode() == expected


@given(st.text())
def test_nfc_is_stable_and_leaves_line_ends_alone(text):
    once = nfc(text.encode("utf-8", "replace"))
    assert nfc(once) == once
    assert once.count(b"\r") == text.count("\r")


@pytest.mark.parametrize("raw", [b"\xff", b"a\xed\xa0\x80", b"\xc0\xaf", "я".encode("utf-16"), b"\xf5\x80\x80\x80"])
def test_bytes_that_are_not_utf_8_are_a_typed_error_with_an_offset(raw):
    with pytest.raises(TextNotEncodable) as caught:
        nfc(raw)
    assert isinstance(caught.value.details["offset"], int)


@pytest.mark.parametrize("lead", range(0, 130, 13))
def test_a_run_of_marks_over_the_limit_is_refused_wherever_it_begins(lead):
    nfc(("я" * lead + "a" + "\u0301\u0316" * (MAX_COMBINING // 2) + "b").encode())
    with pytest.raises(TextNotEncodable):
        nfc(("я" * lead + "a" + "\u0301" * (MAX_COMBINING + 1) + "b").encode())


def test_a_megabyte_of_marks_is_refused_at_once():
    started = time.process_time()
    with pytest.raises(TextNotEncodable):
        nfc(("a" + "\u0301\u0316" * 250_000).encode())
    assert time.process_time() - started < 1
