"""A.7: the element stands where a browser's parser finds it in head; odd documents; codes."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tanba.errors import UnsupportedFormat, UsageError
from tanba.model import Carrier
from tanba.report import Verdict
from tanba.text import html

STORE = base64.b64encode(b"store").decode()
SCRIPT = f'<script type="application/c2pa">{STORE}</script>'

ODD = {
    "full": "<!doctype html><html><head><title>x</title></head><body>y</body></html>",
    "head in comment": "<!doctype html><html><!-- <head></head> --><head><title>x</title></head><body>y</body></html>",
    "end tag in script": "<html><head><script>var a='</head>';</script></head><body>y",
    "end tag in title": "<html><head><title></head></title></head><body>y",
    "upper case": "<HTML><HEAD></HEAD\n><BODY>y",
    "no head": "<p>hello",
    "only text": "hello",
    "empty": "",
    "doctype only": "<!doctype html>",
    "body only": "<body onload=x>y",
    "head without end": "<html><head><meta charset=utf-8><body>y",
    "bom": "\ufeff<!doctype html><html><head></head></html>",
    "crlf": "<!doctype html>\r\n<html>\r\n<head>\r\n<title>ә</title>\r\n</head>\r\n</html>\r\n",
    "template": "<html><head><template><head></head></template></head><body>y",
    "comment first": "<!-- a > b --><!doctype html><title>x</title><p>y",
    "noscript": "<html><head><noscript><style></style></noscript></head><body>y",
    "frameset": "<html><head></head><frameset><frame></frameset></html>",
    "xml prolog": "<?xml version='1.0'?><html><head></head><body>y</body></html>",
}


@pytest.mark.parametrize("name", ODD)
def test_documents_that_no_validator_would_like_are_labelled_in_head_and_stay_as_they_were(desk, name):
    content = ODD[name].encode()
    made = desk.label(content, "text/html")
    assert made.carrier is Carrier.A7
    mark = html.locate(made.output).marks[0]
    assert html.in_head(made.output, mark.span)
    assert mark.span.cut(made.output) == content
    assert desk.verify(made.output, "text/html").verdict is Verdict.TRUSTED


def test_documents_of_other_charsets_keep_their_bytes(desk):
    content = "<html><head><meta charset=windows-1251><title>Қ</title></head><body>Привет".encode("cp1251", "replace")
    made = desk.label(content, "text/html")
    assert html.locate(made.output).marks[0].span.cut(made.output) == content
    assert desk.verify(made.output, "text/html").verdict is Verdict.TRUSTED


@pytest.mark.parametrize(
    ("page", "code"),
    [
        (f"<html><head>{SCRIPT}{SCRIPT}</head></html>", "manifest.html.multipleManifests"),
        (f"<html><head>{SCRIPT}</head><body>{SCRIPT}</body></html>", "manifest.html.multipleManifests"),
        (
            f'<html><head>{SCRIPT}<link rel="c2pa-manifest" href="a.c2pa"></head></html>',
            "manifest.html.multipleManifests",
        ),
        ('<html><head><script type="application/c2pa">%%%</script></head></html>', "claim.missing"),
        ('<html><head><script type="application/c2pa"></script></head></html>', "claim.missing"),
        ('<html><head><script type="application/c2pa">AAAA', "claim.missing"),
        ('<html><head><link rel="c2pa-manifest"></head></html>', "claim.missing"),
    ],
)
def test_each_fault_of_an_association_has_its_code(desk, page, code):
    report = desk.verify(page.encode(), "text/html")
    assert report.verdict is Verdict.INVALID
    assert code in [item.code for item in report.findings]


@pytest.mark.parametrize(
    "page",
    [
        f"<html><head><!-- {SCRIPT} --></head><body>y",
        f"<html><head><title>{SCRIPT}</title></head><body>y",
        f"<html><body><textarea>{SCRIPT}</textarea>",
        f"<html><head><script>var a = '{SCRIPT[:-9]}';</script></head>",
        '<html><head><script type="application/json">{"a": "application/c2pa"}</script></head>',
        '<html><head><link rel="stylesheet" href="c2pa-manifest.css"></head>',
    ],
)
def test_what_a_parser_does_not_see_as_an_element_is_no_mark(desk, page):
    assert html.locate(page.encode()).marks == ()
    assert desk.verify(page.encode(), "text/html").verdict is Verdict.UNMARKED


@pytest.mark.parametrize(
    "tag",
    [
        "<script type='application/c2pa'>",
        '<SCRIPT\ntype="APPLICATION/C2PA">',
        "<script type=application/c2pa>",
        '<script  type = "application/c2pa" >',
    ],
)
def test_a_mark_is_found_however_its_tag_is_spelt(tag):
    page = f"<html><head>{tag}{STORE}</script></head></html>".encode()
    assert [(mark.store, mark.foreign) for mark in html.locate(page).marks] == [(b"store", None)]


def test_extra_attributes_and_spaces_inside_the_element_are_content_hidden_from_the_hash():
    for element in (
        f'<script type="application/c2pa" data-note="read this">{STORE}</script>',
        f'<script type="application/c2pa">{" " * 50}{STORE}</script>',
        f'<script type="application/c2pa"{" " * 50}>{STORE}</script>',
        f'<script type="application/c2pa" type="read this">{STORE}</script>',
        f'<script type="application/c2pa">{STORE}</script words>',
    ):
        mark = html.locate(f"<html><head>{element}</head></html>".encode()).marks[0]
        assert mark.foreign


def test_a_link_needs_its_manifest_and_hashes_the_whole_document(desk):
    made = desk.label(ODD["full"], "text/html", reference="note.html.c2pa")
    assert b'<link rel="c2pa-manifest" href="note.html.c2pa" type="application/c2pa">' in made.output
    assert desk.verify(made.output, "text/html").verdict is Verdict.UNCHECKED
    assert desk.verify(made.output, "text/html", made.store).verdict is Verdict.TRUSTED
    other = made.output.replace(b"note.html.c2pa", b"evil.html.c2pa")
    assert desk.verify(other, "text/html", made.store).verdict is Verdict.INVALID


def test_a_page_in_utf_16_gets_a_sidecar_and_a7_is_refused_with_the_reason(desk):
    page = ODD["full"].encode("utf-16")
    assert desk.label(page, "text/html").carrier is Carrier.SIDECAR
    with pytest.raises(UsageError, match="UTF-16"):
        desk.label(page, "text/html", carrier=Carrier.A7)


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet=st.sampled_from(list("<>/!-='\" \n\rabehdtx?&;ә\0")), max_size=120))
def test_any_soup_is_labelled_losslessly_or_refused_with_a_type(desk, soup):
    content = ("<html><head>" + soup).encode()
    try:
        made = desk.label(content, "text/html")
    except UnsupportedFormat:
        return
    if made.carrier is Carrier.A7:
        assert html.locate(made.output).marks[0].span.cut(made.output) == content
        assert made.evidence.state == "Valid"
