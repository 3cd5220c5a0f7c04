"""`tanba text quoted`: which paragraphs of a quotation stand in a labelled text, for a file, a sidecar and a paste."""

from __future__ import annotations

import io
import json
import sys

import pytest

from tanba.asset import Asset
from tanba.cli import main
from tanba.errors import UsageError
from tanba.text import sections
from tests.text.test_damage import ARTICLE, with_sections
from verifier import quotes
from verifier.procedure import Settings
from verifier.quotes import Quotation

PARAGRAPHS = ARTICLE.rstrip("\n").split("\n\n")


def hold(desk, quote, source, *, name="article.txt"):
    raw = quote.encode() if isinstance(quote, str) else quote
    settings = Settings(trust=desk.trust)
    return quotes.examine(Asset.from_bytes(raw, name="quote.txt"), Asset.from_bytes(source, name=name), settings)


@pytest.mark.parametrize(
    ("picked", "quotation", "numbers", "foreign", "in_order"),
    [
        ([1, 2, 3], Quotation.UNCHANGED, "2-4", "", "yes"),
        ([4], Quotation.UNCHANGED, "5", "", "yes"),
        ([3, 1], Quotation.UNCHANGED, "2, 4", "", "no"),
        (["Mine.", 2, "Mine too."], Quotation.MIXED, "3", "1, 3", "yes"),
        (["Mine."], Quotation.NONE, "", "1", "yes"),
        ([], Quotation.NONE, "", "", "yes"),
    ],
)
def test_the_paragraphs_of_a_quote_are_named_whatever_the_label_came_in(
    desk, picked, quotation, numbers, foreign, in_order
):
    made = with_sections(desk)
    quote = "\r\n\r\n".join(item if isinstance(item, str) else PARAGRAPHS[item].replace("\n", " ") for item in picked)
    for source, name in ((made.output, "a.txt"), (made.store, "a.c2pa"), (b"edited " + made.output, "a.txt")):
        found = hold(desk, quote, source, name=name)
        assert found.quotation is quotation
        params = found.finding.params
        assert (params["numbers"], params["foreign_numbers"], params["in_order"]) == (numbers, foreign, in_order)
        assert quotes.document(found)["of"] == 5
        for lang in ("en", "ru", "kk"):
            said = quotes.words(found, lang)
            assert numbers in said[0]
            assert "Test organisation" in said[1]


def test_paragraphs_of_a_page_are_quoted_as_plain_text(desk):
    page = "<html><head></head><body><p>One <b>two</b>\n three</p><p>Four &amp; five</p></body></html>"
    made = with_sections(desk, "text/html", page)
    assert hold(desk, "Four & five", made.output, name="a.html").finding.params["numbers"] == "2"


def test_the_whole_text_a_text_without_a_list_and_no_label_at_all(desk):
    made = with_sections(desk, "application/json", '{"a": 1}')
    assert hold(desk, '{"a": 1}', made.store, name="a.c2pa").quotation is Quotation.WHOLE
    plain = desk.label(ARTICLE)
    assert hold(desk, PARAGRAPHS[1], plain.output).quotation is Quotation.NOT_LISTED
    assert hold(desk, PARAGRAPHS[1], ARTICLE.encode()) is None


def test_a_forged_list_proves_nothing(desk):
    made = with_sections(desk)
    for forged in (made.store.replace(b"leaves", b"leavez"), made.store[:-200]):
        found = hold(desk, PARAGRAPHS[1], forged, name="a.c2pa")
        assert found.quotation is Quotation.UNPROVEN
        assert "Test organisation" not in quotes.words(found, "en")[0]


def test_the_mark_of_a_quote_is_left_aside(desk):
    made = with_sections(desk)
    marked = desk.label(PARAGRAPHS[2])
    assert hold(desk, marked.output, made.output).finding.params["foreign"] == 0


def test_only_texts_are_quoted_from_texts(desk):
    made = with_sections(desk)
    picture = Asset.from_bytes(b"\xff\xd8\xff\xe0\0\x10JFIF", name="a.jpg")
    settings = Settings(trust=desk.trust)
    with pytest.raises(UsageError):
        quotes.examine(picture, Asset.from_bytes(made.output, name="a.txt"), settings)
    with pytest.raises(UsageError):
        quotes.examine(Asset.from_bytes(b"a", name="a.txt"), picture, settings)


def test_equal_paragraphs_have_several_places():
    data = sections.assertion(b"a\n\nb\n\na", "text/plain", bytes(16))["data"]
    for text, in_order in ((b"a\n\nb\n\na", True), (b"b\n\na", True), (b"a\n\na", True), (b"b\n\nb", False)):
        assert sections.compare(data, text, "text/plain").in_order is in_order


@pytest.mark.parametrize(
    ("quote", "labelled", "code"),
    [("Second.\n", True, 0), ("Second.\n\nMine.\n", True, 1), ("Second.\n", False, 3)],
)
def test_the_command_says_it_in_words_and_in_json(desk, tmp_path, monkeypatch, capsys, quote, labelled, code):
    monkeypatch.setenv("TANBA_HOME", str(tmp_path))
    article, root = tmp_path / "article.txt", tmp_path / "root.pem"
    article.write_bytes(with_sections(desk).output if labelled else ARTICLE.encode())
    root.write_text(desk.root)
    for more in ([], ["--json"]):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(quote.encode())))
        with pytest.raises(SystemExit) as end:
            main(["text", "quoted", "-", "--from", str(article), "--trust", f"desk={root}", "--lang", "en", *more])
        assert end.value.code == code
        out = capsys.readouterr().out
        if not labelled:
            assert out == ""
        elif more:
            document = json.loads(out)
            assert (document["schema"], document["unchanged"]) == ("tanba.quote/1", "3")
            assert document["signer"]["state"] == "trusted"
        else:
            assert out.startswith("Paragraph 3 of 5 is unchanged from a text labelled by ")


def test_a_labelled_text_given_as_a_manifest_is_sent_to_the_right_command(desk, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TANBA_HOME", str(tmp_path))
    article, quote = tmp_path / "article.txt", tmp_path / "quote.txt"
    article.write_bytes(with_sections(desk).output)
    quote.write_text("Second.\n")
    with pytest.raises(SystemExit) as end:
        main(["verify", str(quote), "--manifest", str(article)])
    assert end.value.code == 2
    assert "tanba text quoted" in capsys.readouterr().err
