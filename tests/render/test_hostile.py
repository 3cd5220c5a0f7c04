"""Hostile strings in every field a manifest can hold: nothing runs and nothing hides, in any medium."""

import csv as std_csv
import io
import re
import unicodedata

import html5lib
import pytest

from tanba.i18n import LANGUAGES
from tests.render import factories, hostile
from verifier.render import csv, html, summary, terminal
from verifier.render.safe import clean, suspicions

XHTML = "{http://www.w3.org/1999/xhtml}"
MAY_CARRY_SRC = {"img"}
EVERY = pytest.mark.parametrize("name", hostile.STRINGS)


def is_hidden(character: str) -> bool:
    """Independent of our own table: Unicode categories of what no reader can see, less what we write on purpose."""
    kept = "\n\u2068\u2069"
    return (unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") and character not in kept) or (
        "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"
    )


def balanced(text: str) -> bool:
    """Every isolate is closed on its own line, so that no name can turn our words around."""
    depth = 0
    for character in text:
        depth += (character == "\u2068") - (character == "\u2069")
        if depth not in (0, 1) or (character == "\n" and depth):
            return False
    return depth == 0


@EVERY
def test_nothing_hides_in_the_terminal_and_no_escape_gets_through(name):
    shown = terminal.render(hostile.report(hostile.STRINGS[name]), lang="en", verbosity=2)
    assert [hex(ord(item)) for item in shown if is_hidden(item)] == []
    assert "\x1b" not in shown
    assert len(shown) < 60_000


@pytest.mark.parametrize("name", ["colour", "link", "title", "override"])
def test_our_own_colours_are_the_only_escapes_of_a_coloured_terminal(name):
    shown = terminal.render(hostile.report(hostile.STRINGS[name]), lang="kk", color=True)
    assert re.sub(r"\x1b\[(?:0|1|1;3[1236])m", "", shown).count("\x1b") == 0


@EVERY
def test_the_page_holds_no_script_no_handler_and_no_foreign_address(name):
    page = html.render(hostile.report(hostile.STRINGS[name]), lang="ru")
    tree = html5lib.parse(page)
    for element in tree.iter():
        tag = str(element.tag).removeprefix(XHTML)
        assert tag not in {"script", "iframe", "object", "embed", "base", "form", "svg", "math", "link", "template"}
        for key, value in element.attrib.items():
            assert not key.lower().startswith("on")
            assert key.lower() not in ("style", "srcset", "formaction", "srcdoc")
            if key == "src":
                assert tag in MAY_CARRY_SRC
                assert value.startswith(("data:image/jpeg;base64,", "data:image/png;base64,"))
            if key == "href":
                assert value.startswith("#")
    assert [hex(ord(item)) for item in page if is_hidden(item)] == []
    assert len(page) < 500_000


@EVERY
def test_what_a_reader_sees_on_the_page_is_the_string_made_visible(name):
    text = hostile.STRINGS[name]
    shown = "".join(html5lib.parse(html.render(hostile.report(text), lang="en")).itertext())
    if text.strip(" \u3164\u115f"):
        assert clean(text) in shown
    assert "49" not in re.findall(r"\{\{ 7\*7 \}\}|\b49\b", shown)


def test_thumbnails_out_of_a_manifest_are_drawn_anew_or_left_out():
    page = html.render(hostile.report("x"), lang="en")
    assert "<img" not in page
    assert "svg+xml" not in page


@EVERY
def test_the_spreadsheet_gets_one_line_no_formula_and_nothing_hidden(name):
    line = csv.row(hostile.report(hostile.STRINGS[name]))
    rows = list(std_csv.reader(io.StringIO(line), strict=True))
    assert len(rows) == 1
    assert len(rows[0]) == len(csv.COLUMNS)
    for cell in rows[0]:
        assert not cell.lstrip(" \u00a0\u2068'").startswith(("=", "+", "@", "\t", "|")) or cell.startswith("'")
        assert not re.match(r"^[-%]", cell)
        assert not any(is_hidden(item) for item in cell)


@EVERY
def test_the_folder_page_holds_no_script_and_nothing_hidden(name):
    text = hostile.STRINGS[name]
    rows = [
        summary.row_of(text, "en", report=hostile.report(text), link=text),
        summary.row_of(text, "en", report=factories.report(), duplicate_of=text),
        summary.row_of(text, "en", error={"code": text}),
    ]
    page = "".join(summary.render(rows, "en", title=text, basis=hostile.report(text).basis))
    tree = html5lib.parse(page)
    tags = {str(element.tag).removeprefix(XHTML) for element in tree.iter()}
    assert not tags & {"script", "img", "svg", "iframe", "form"}
    for element in tree.iter():
        assert not any(key.lower().startswith("on") for key in element.attrib)
        address = element.attrib.get("href", "#")
        assert ":" not in address
    assert [hex(ord(item)) for item in page if is_hidden(item)] == []


def test_a_right_to_left_name_is_isolated_from_our_words():
    shown = clean(hostile.STRINGS["arabic"])
    assert shown == f"\u2068{hostile.STRINGS['arabic']}\u2069"
    assert balanced(terminal.render(hostile.report(hostile.STRINGS["arabic"]), lang="en"))


def test_a_file_cannot_close_our_isolation():
    shown = clean("\u2069\u202eأخبار")
    assert balanced(shown)
    assert shown.count("\u2069") == 1


def test_a_hidden_manifest_in_a_text_is_one_short_note():
    assert len(clean(hostile.STRINGS["selectors"], 100_000)) < 40


@pytest.mark.parametrize("text", hostile.STRINGS.values(), ids=hostile.STRINGS)
def test_cleaned_text_is_one_bounded_line_that_every_encoding_of_ours_takes(text):
    shown = clean(text)
    assert "\n" not in shown
    assert "\r" not in shown
    assert len(shown) < 1200
    shown.encode("utf-8")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Reuters", ()),
        ("Қазақстан Республикасы", ()),
        ("Россия сегодня", ()),
        ("Nikon Corporation", ()),
        ("日本経済新聞 NIKKEI", ()),
        ("Rеuters", ("mixed",)),  # the second letter is Cyrillic
        ("аррӏе", ("lookalike",)),  # wholly Cyrillic, reads as a Latin word
        ("Reu\u200bters", ("hidden",)),
        ("photo\u202egpj.exe", ("direction",)),
    ],
)
def test_names_are_flagged_for_what_is_odd_about_them_and_plain_ones_are_not(name, expected):
    assert suspicions(name) == expected


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_lookalike_name_is_pointed_out_to_the_reader(lang):
    from dataclasses import replace

    base = factories.unknown_signer()
    odd = factories.with_answers(base, signer=replace(base.answers.signer, organization="Rеuters"))
    from tanba.i18n import sentence

    assert sentence("term-suspicion-mixed", lang) in html.render(odd, lang=lang)
    assert sentence("advice-do-names", lang)[:40] in " ".join(terminal.render(odd, lang=lang).split())
