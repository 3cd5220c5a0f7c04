"""The visible notice: worded by the profile, at the head of the text, inside what is signed, in the readers' languages."""

from __future__ import annotations

import json
import re

import pytest

from labeler.text_notice import SCHEMA_ORG, Line, lines, not_placeable, place
from tanba.errors import UnsupportedFormat, UsageError
from tanba.model import Disclosure, Involvement
from tanba.profiles import load
from tanba.text import html

SAID = Disclosure(involvement=Involvement.GENERATED, system="X", provider="Qazaq & Co", model="pkg:a/b@1")
NOTICE = (Line("kk", "ЖИ жасаған"), Line("ru", "Создано ИИ"))


@pytest.mark.parametrize("lang", ["kk", "ru", "en", "zh"])
@pytest.mark.parametrize("kind", [Involvement.GENERATED, Involvement.MODIFIED, Involvement.COMPOSITE])
def test_every_language_has_a_sentence_for_every_kind_of_ai_content(lang, kind):
    (line,) = lines(load("none"), Disclosure(involvement=kind), (lang,))
    assert line.lang == lang
    assert len(line.text) > 5


def test_the_profile_s_own_words_come_first_and_its_languages_are_the_default():
    found = lines(load("kz"), SAID, ())
    assert [item.lang for item in found[:2]] == ["kk", "ru"]
    assert found[0].text == "Жасанды интеллект көмегімен жасалды"


def test_a_language_without_words_is_refused():
    with pytest.raises(UsageError):
        lines(load("none"), SAID, ("tlh",))


@pytest.mark.parametrize(
    ("media_type", "before", "after"),
    [
        ("text/plain", "Text\n", "ЖИ жасаған\nСоздано ИИ\n\nText\n"),
        ("text/plain", "Text\r\nmore\r\n", "ЖИ жасаған\r\nСоздано ИИ\r\n\r\nText\r\nmore\r\n"),
        ("text/plain", "\ufeffText", "\ufeffЖИ жасаған\nСоздано ИИ\n\nText"),
        ("text/markdown", "# T\n", "> **ЖИ жасаған**\n>\n> **Создано ИИ**\n\n# T\n"),
        ("text/markdown", "---\na: 1\n---\n# T\n", "---\na: 1\n---\n\n> **ЖИ жасаған**\n>\n> **Создано ИИ**\n\n# T\n"),
    ],
)
def test_the_notice_is_the_first_thing_a_reader_sees(media_type, before, after):
    made = place(before.encode(), media_type, NOTICE, SAID)
    assert made.decode() == after
    assert place(made, media_type, NOTICE, SAID) == made


@pytest.mark.parametrize("charset", ["utf-8", "windows-1251"])
def test_html_gets_an_aside_with_languages_and_machine_readable_terms(charset):
    page = f'<!doctype html><html><head><meta charset="{charset}"><title>Т</title></head><body class=a><p>Текст</p></body></html>'
    made = place(page.encode(charset), "text/html", NOTICE, SAID).decode(charset)
    assert '<body class=a><aside role="note" class="ai-disclosure"><p lang="kk">' in made
    data = json.loads(re.search(r'<script type="application/ld\+json">(.*?)</script>', made)[1])  # type: ignore[index]
    assert data["digitalSourceType"] == "https://schema.org/TrainedAlgorithmicMediaDigitalSource"
    assert '<meta name="ai-disclosure" content="ai-generated">' in made
    assert '<meta name="ai-provider" content="Qazaq &amp; Co">' in made
    assert "</head>" in made[made.index("ai-model") :]
    assert place(made.encode(charset), "text/html", NOTICE, SAID).decode(charset) == made


@pytest.mark.parametrize("page", ["<p>x", "x", "<body>x", "<html><p>x", "<title>t</title>x"])
def test_incomplete_pages_show_the_notice_in_their_body(page):
    made = place(page.encode(), "text/html", NOTICE, SAID)
    assert html.body_start(made) <= made.index(b"<aside")
    import turbohtml

    assert turbohtml.parse(made.decode()).select_one("body > aside p[lang=kk]") is not None


@pytest.mark.parametrize("media_type", ["application/json", "text/x-python", "text/csv", "application/yaml"])
def test_code_and_data_take_no_notice_and_say_why(media_type):
    assert "could change what the file means" in (not_placeable(media_type) or "")
    with pytest.raises(UnsupportedFormat):
        place(b"x", media_type, NOTICE, SAID)


def test_schema_org_members_are_named_as_the_vocabulary_names_them():
    assert all(name.endswith("DigitalSource") for name in SCHEMA_ORG.values())


def test_the_notice_is_inside_what_is_signed(desk):
    content = place(b"Text\n", "text/plain", NOTICE, SAID)
    made = desk.label(content)
    without = made.output.replace("ЖИ жасаған\n".encode(), b"")
    assert desk.verify(made.output).verdict.value == "trusted"
    assert desk.verify(without).verdict.value == "invalid"
