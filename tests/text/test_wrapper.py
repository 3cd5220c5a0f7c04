"""A.8: selectors and wrapper, against values worked out by hand and against c2pa-unstructured-text."""

from __future__ import annotations

import c2pa_unstructured_text
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tanba.text import selectors, wrapper

BOM = "\ufeff"
EMOJI = "👨‍👩‍👧 ❤️ ☂︎ 🏴󠁧󠁢󠁥󠁮󠁧󠁿 1️⃣"


def codes(report: object) -> list[str]:
    return [item.code for item in report.findings]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("byte", "point"), [(0x00, 0xFE00), (0x0F, 0xFE0F), (0x10, 0xE0100), (0x43, 0xE0133), (0xFF, 0xE01EF)]
)
def test_a_byte_becomes_the_selector_of_table_a_8_3(byte, point):
    assert selectors.encode(bytes([byte])).decode() == chr(point)
    assert selectors.decode(chr(point).encode()) == bytes([byte])


@given(st.binary(max_size=400))
def test_selectors_round_trip_and_weigh_what_they_say(data):
    run = selectors.encode(data)
    assert selectors.decode(run) == data
    assert selectors.weight(data) == len(run)
    assert selectors.run_end(b"ab" + run + b"c", 2) == 2 + len(run)


@given(st.text(), st.binary(min_size=1, max_size=300))
def test_a_wrapper_is_found_where_it_was_put_and_where_the_other_codec_finds_it(text, store):
    marked = wrapper.attach(text.encode("utf-8", "replace"), store)
    scan = wrapper.locate(marked)
    other = c2pa_unstructured_text.extract(marked.decode())
    assert [mark.store for mark in scan.marks] == [store] == [bytes(other["payload"])]
    span = scan.marks[0].span
    assert (span.start, span.length) == (other["start"], other["length"])
    assert span.length == wrapper.size(store)
    assert span.cut(marked) == text.encode("utf-8", "replace")


@given(st.binary(min_size=1, max_size=200))
def test_our_wrapper_is_byte_for_byte_what_the_other_codec_writes(store):
    assert selectors.PREFIX + selectors.encode(wrapper.frame(store)) == c2pa_unstructured_text.encode(store).encode()


@given(st.text(alphabet=st.sampled_from([BOM, "\ufe0f", "\ufe00", "\U000e0100", "\U000e01ef", "a", "👍", "\n"])))
def test_stray_selectors_emoji_and_byte_order_marks_are_no_marks(text):
    scan = wrapper.locate(text.encode())
    assert scan.marks == scan.findings == ()


def test_real_emoji_sequences_are_no_marks():
    assert wrapper.locate((BOM + EMOJI * 50).encode()).marks == ()


def frame(magic=b"C2PATXT\0", version=1, length=4, store=b"abcd"):
    return magic + bytes([version]) + length.to_bytes(4, "big") + store


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (frame(), None),
        (frame(version=2), "manifest.text.corruptedWrapper"),
        (frame(version=0), "manifest.text.corruptedWrapper"),
        (frame(length=5), "manifest.text.corruptedWrapper"),
        (frame(length=0, store=b""), "manifest.text.corruptedWrapper"),
        (frame(length=0xFFFFFFFF), "manifest.text.corruptedWrapper"),
        (frame()[:12], "manifest.text.corruptedWrapper"),
        (frame()[:8], "manifest.text.corruptedWrapper"),
        (frame(magic=b"C2PATXT\1"), "absent"),
        (frame()[:7], "absent"),
    ],
)
def test_a_bad_header_has_its_code_and_a_bad_magic_is_no_wrapper(payload, code):
    raw = b"text" + selectors.PREFIX + selectors.encode(payload)
    scan = wrapper.locate(raw)
    if code is None:
        assert len(scan.marks) == 1
        assert not scan.findings
    elif code == "absent":
        assert not scan.marks
        assert not scan.findings
    else:
        assert not scan.marks
        assert codes(scan) == [code]


def test_two_wrappers_are_one_too_many_wherever_they_stand():
    one = selectors.PREFIX + selectors.encode(frame())
    for raw in (b"a" + one + one, one + b"a" + one, one + one):
        scan = wrapper.locate(raw)
        assert len(scan.marks) == 2
        assert codes(scan) == ["manifest.text.multipleWrappers"]


def test_a_run_without_its_opening_character_is_no_mark_but_is_told():
    scan = wrapper.locate(b"text" + selectors.encode(frame()))
    assert not scan.marks
    assert codes(scan) == ["tanba.text.mark_without_prefix"]


@pytest.mark.parametrize(
    ("rest", "clean"),
    [(b"", True), (b"\0\0\0", True), (b"\0\x10\x10", True), (b"\x10", True), (b"\x10\x10\x10", False),
     (b"\0x", False), (b"\x10\0", False)],
)  # fmt: skip
def test_only_the_draft_padding_may_follow_the_store_in_a_run(rest, clean):
    scan = wrapper.locate(selectors.PREFIX + selectors.encode(frame() + rest))
    assert (scan.marks[0].foreign is None) is clean


def test_padded_wrappers_of_the_other_codec_are_read():
    raw = b"text" + c2pa_unstructured_text.encode_padded(b"abcd").encode()
    scan = wrapper.locate(raw)
    assert scan.marks[0].store == b"abcd"
    assert scan.marks[0].foreign is None


def test_a_run_longer_than_one_piece_is_decoded_like_a_short_one():
    data = bytes(range(256)) * 5000
    run = selectors.encode(data)
    assert selectors.decode(run) == data
    assert selectors.count(run, 0, len(run)) == len(data)
    with pytest.raises(ValueError, match="not a run"):
        selectors.decode(run + b"x")
