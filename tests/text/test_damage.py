"""What became of a text is told, the original is restored when only transport changed it, and the verdict stays invalid."""

from __future__ import annotations

import html
import unicodedata

import pytest

from tanba.model import Carrier
from tanba.report import Bucket, Verdict
from tanba.text import sections
from verifier.text_damage import examine

TEXT = "Абай — қазақ ақыны.\nОл «Қара сөздерін» жазды.\n\nЕкінші абзац, и\u0306 және 'quotes'.\n"


def split(made, text):
    size = len(unicodedata.normalize("NFC", text).encode())
    return made.output[:size].decode(), made.output[size:].decode()


DAMAGE = {
    "tanba.text.line_ends_changed": lambda text, mark: text.replace("\n", "\r\n") + mark,
    "tanba.text.normalisation_changed": lambda text, mark: unicodedata.normalize("NFD", text) + mark,
    "tanba.text.white_space_trimmed": lambda text, mark: text.rstrip() + mark,
    "tanba.text.white_space_added": lambda text, mark: text + "\n" + mark,
    "tanba.text.mark_moved": lambda text, mark: mark + text,
    "tanba.text.entities_escaped": lambda text, mark: html.escape(text) + mark,
    "tanba.text.quoted_in_mail": lambda text, mark: "> " + text[:-1].replace("\n", "\n> ") + "\n" + mark,
}


@pytest.mark.parametrize("code", DAMAGE)
def test_transport_damage_is_named_and_the_original_restored(desk, code):
    made = desk.label(TEXT)
    text, mark = split(made, TEXT)
    broken = DAMAGE[code](text, mark).encode()
    report = desk.verify(broken)
    found = [item.code for item in report.findings]
    assert report.verdict is Verdict.INVALID
    assert code in found
    assert "tanba.text.restored" in found
    assert all(item.bucket is Bucket.INFORMATIONAL for item in report.findings if item.code == code)
    damage = examine(broken, desk.read(broken))
    assert damage.restored is not None
    assert damage.restored.decode() == text


def test_one_line_with_another_end_is_not_called_white_space(desk):
    made = desk.label("one line\n")
    codes = {item.code for item in desk.verify(made.output.replace(b"\n", b"\r\n")).findings}
    assert "tanba.text.line_ends_changed" in codes
    assert "tanba.text.white_space_added" not in codes


def test_two_kinds_of_damage_are_both_named(desk):
    made = desk.label(TEXT)
    text, mark = split(made, TEXT)
    broken = (text.rstrip().replace("\n", "\r\n") + mark).encode()
    codes = {item.code for item in desk.verify(broken).findings}
    assert codes >= {"tanba.text.line_ends_changed", "tanba.text.white_space_trimmed", "tanba.text.restored"}


@pytest.mark.parametrize(
    ("text", "change", "code"),
    [
        ('He said "no" and left.\n', ('"no"', "“no”"), "tanba.text.quotes_changed"),
        ("one two three four five\n", ("three ", "three\n"), "tanba.text.rewrapped"),
        ("one two three\n", ("two ", "two  "), "tanba.text.spaces_changed"),
        ("one two three\n", ("one two", "one\u00a0two"), "tanba.text.quotes_changed"),
    ],
)
def test_typography_and_wrapping_are_recognised(desk, text, change, code):
    made = desk.label(text)
    broken = made.output.decode().replace(*change).encode()
    assert {code, "tanba.text.restored"} <= {item.code for item in desk.verify(broken).findings}


def test_a_changed_word_is_called_a_change_with_the_difference_in_length(desk):
    made = desk.label(TEXT)
    broken = made.output.decode().replace("ақыны", "жазушысы").encode()
    finding = next(item for item in desk.verify(broken).findings if item.code == "tanba.text.changed")
    assert finding.params["bytes"] == len("жазушысы".encode()) - len("ақыны".encode())
    assert "tanba.text.restored" not in {item.code for item in desk.verify(broken).findings}


def test_a_text_whose_mark_was_taken_out_is_recognised_by_its_manifest(desk):
    made = desk.label(TEXT)
    report = desk.verify(TEXT.encode(), manifest=made.store)
    assert report.verdict is Verdict.INVALID
    assert "tanba.text.mark_removed" in {item.code for item in report.findings}


@pytest.mark.parametrize("media_type", ["text/markdown", "text/html"])
def test_line_ends_of_other_carriers_are_explained(desk, media_type):
    made = desk.label("<p>one</p>\n<p>two</p>\n", media_type)
    report = desk.verify(made.output.replace(b"\n", b"\r\n"), media_type)
    assert report.verdict is Verdict.INVALID
    assert {"tanba.text.line_ends_changed", "tanba.text.restored"} <= {item.code for item in report.findings}


def test_an_intact_text_needs_no_explanation(desk):
    made = desk.label(TEXT)
    assert examine(made.output, desk.read(made.output)).findings == ()


@pytest.mark.parametrize(
    ("encode", "name"),
    [
        (lambda raw: __import__("quopri").encodestring(raw), "quoted-printable"),
        (lambda raw: __import__("json").dumps(raw.decode()).encode(), "JSON escapes"),
        (lambda raw: raw.decode().encode("ascii", "xmlcharrefreplace"), "HTML character references"),
    ],
)
def test_a_mark_in_a_transport_encoding_is_pointed_out(desk, encode, name):
    report = desk.verify(encode(desk.label("hello").output))
    finding = next(item for item in report.findings if item.code == "tanba.text.mark_encoded")
    assert report.verdict is Verdict.UNMARKED
    assert finding.params["encoding"] == name


def test_an_unmarked_paste_is_warned_about(desk):
    assert "tanba.text.paste_may_lose_mark" in {item.code for item in desk.verify(b"pasted").findings}


ARTICLE = "Title\n\nFirst paragraph, long\nenough to wrap.\n\nSecond.\n\nThird и\u0306.\n\nFourth.\n"


def with_sections(desk, media_type="text/plain", text=ARTICLE, **options):
    extra = sections.assertion(text.encode(), media_type, bytes(16))
    return desk.label(text, media_type, assertions=(extra,), **options)


def test_a_quoted_part_is_recognised_from_the_manifest_alone(desk):
    made = with_sections(desk)
    quoted = "My words.\n\nFirst paragraph, long enough to wrap.\r\n\r\nSecond.\n\nThird й.\n"
    report = desk.verify(quoted.encode(), manifest=made.store)
    finding = next(item for item in report.findings if item.code == "tanba.text.sections_unchanged")
    assert report.verdict is Verdict.INVALID
    assert (finding.params["numbers"], finding.params["total"], finding.params["foreign"]) == ("2-4", 5, 1)
    assert "Test organisation" in (finding.text or "")


def test_unchanged_paragraphs_are_named_when_the_embedded_mark_survived_an_edit(desk):
    made = with_sections(desk)
    report = desk.verify(made.output.replace(b"Second.", b"2nd."))
    finding = next(item for item in report.findings if item.code == "tanba.text.sections_unchanged")
    assert finding.params["numbers"] == "1-2, 4-5"


def test_nothing_is_said_about_paragraphs_of_an_intact_text_or_a_broken_signature(desk):
    made = with_sections(desk)
    assert "tanba.text.sections_unchanged" not in {item.code for item in desk.verify(made.output).findings}
    forged = made.store.replace(b"leaves", b"leavez")
    report = desk.verify(b"Second.", manifest=forged)
    assert "tanba.text.sections_unchanged" not in {item.code for item in report.findings}


def test_html_paragraphs_are_the_text_of_block_elements(desk):
    page = "<html><head></head><body><h1>T</h1><p>One <b>two</b>\n three</p><ul><li>x</li></ul></body></html>"
    assert sections.split(page.encode(), "text/html") == ("T", "One two three", "x")
    made = with_sections(desk, "text/html", page)
    assert made.carrier is Carrier.A7
    assert desk.verify(made.output, "text/html").verdict is Verdict.TRUSTED


def test_the_root_is_the_merkle_tree_of_rfc_9162():
    """Three leaves by hand: H(1 | H(1 | a | b) | c)."""
    import hashlib

    a, b, c = (sections.leaf(b"s", text) for text in "abc")
    left = hashlib.sha256(b"\1" + a + b).digest()
    assert sections.root([a, b, c]) == hashlib.sha256(b"\1" + left + c).digest()
    assert sections.root([]) == hashlib.sha256().digest()
    assert sections.leaf(b"s", "a") == hashlib.sha256(b"\0sa").digest()[:16]
