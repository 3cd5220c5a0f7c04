"""The visible disclosure in a text: a headline sentence in the readers' languages, worded by the profile.

It is put in before signing, so it is part of what is signed. A notice goes only where it cannot change what a file
means: prose, Markdown, reStructuredText and HTML. Code, data and configuration are refused with the reason.
"""

from __future__ import annotations

import html as entities
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from tanba.errors import UnsupportedFormat, UsageError
from tanba.model import DigitalSourceType, Disclosure, Involvement
from tanba.profiles import Profile, Use, load
from tanba.text import html
from tanba.text.locate import HTML_TYPES
from tanba.text.structured import newline

RTL = frozenset({"ar", "he", "fa", "ur"})
_PROSE = frozenset({"text/plain", "text/markdown", "text/x-rst"})
_BOM = b"\xef\xbb\xbf"
_FRONT_MATTER = re.compile(rb"(---|\+\+\+)[ \t]*\r?\n.*?\r?\n\1[ \t]*(?:\r?\n|\Z)", re.DOTALL)

SCHEMA_ORG = {
    DigitalSourceType.TRAINED_ALGORITHMIC_MEDIA: "TrainedAlgorithmicMediaDigitalSource",
    DigitalSourceType.COMPOSITE_WITH_TRAINED_ALGORITHMIC_MEDIA: "CompositeWithTrainedAlgorithmicMediaDigitalSource",
    DigitalSourceType.COMPOSITE_SYNTHETIC: "CompositeSyntheticDigitalSource",
    DigitalSourceType.COMPOSITE: "CompositeDigitalSource",
    DigitalSourceType.COMPOSITE_CAPTURE: "CompositeCaptureDigitalSource",
    DigitalSourceType.ALGORITHMIC_MEDIA: "AlgorithmicMediaDigitalSource",
    DigitalSourceType.ALGORITHMICALLY_ENHANCED: "AlgorithmicallyEnhancedDigitalSource",
    DigitalSourceType.DATA_DRIVEN_MEDIA: "DataDrivenMediaDigitalSource",
    DigitalSourceType.DIGITAL_CAPTURE: "DigitalCaptureDigitalSource",
    DigitalSourceType.NEGATIVE_FILM: "NegativeFilmDigitalSource",
    DigitalSourceType.POSITIVE_FILM: "PositiveFilmDigitalSource",
    DigitalSourceType.PRINT: "PrintDigitalSource",
    DigitalSourceType.SCREEN_CAPTURE: "ScreenCaptureDigitalSource",
    DigitalSourceType.VIRTUAL_RECORDING: "VirtualRecordingDigitalSource",
}
"""Members of ``IPTCDigitalSourceEnumeration`` of schema.org; other terms are given by their IPTC URI."""

_CG_TERMS = {
    Involvement.GENERATED: "ai-generated",
    Involvement.MODIFIED: "ai-assisted",
    Involvement.COMPOSITE: "mixed",
    Involvement.ASSISTED: "ai-assisted",
    Involvement.HUMAN: "none",
}
"""Values of ``ai-disclosure`` of the W3C AI Content Disclosure Community Group (regulation facts, section 8.2)."""


@dataclass(frozen=True, slots=True)
class Line:
    """One language of the notice."""

    lang: str
    text: str


def lines(profile: Profile, disclosure: Disclosure, languages: Sequence[str]) -> tuple[Line, ...]:
    """The sentences: the profile's wording, else the base profile's; equal sentences once.

    Raises :class:`UsageError` for a language that neither has words in.
    """
    base = load("none")
    found: dict[str, Line] = {}
    for lang in languages or profile.languages:
        string = profile.string(Use.NOTICE, disclosure.involvement, lang) or base.string(
            Use.NOTICE, disclosure.involvement, lang
        )
        if string is None:
            raise UsageError(
                f"there is no notice in {lang!r} for 'as {disclosure.involvement.value}'",
                code="tanba.visible.no_wording",
                hint="choose languages out of kk, ru, en, zh",
            )
        found.setdefault(string.text, Line(lang, string.text))
    return tuple(found.values())


def not_placeable(media_type: str) -> str | None:
    """Why no notice can be put into a text of this type, or None when it can."""
    if media_type in _PROSE or media_type in HTML_TYPES:
        return None
    return f"a sentence inside {media_type} could change what the file means"


def place(content: bytes, media_type: str, notice: Sequence[Line], disclosure: Disclosure) -> bytes:
    """The text with the notice at its head; unchanged when exactly this notice stands there already.

    Raises :class:`UnsupportedFormat` where :func:`not_placeable` gives a reason, or for text that is not UTF-8.
    """
    if reason := not_placeable(media_type):
        raise UnsupportedFormat(reason, hint="label it without --visible")
    if media_type in HTML_TYPES:
        return _in_html(content, notice, disclosure)
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnsupportedFormat("a notice needs UTF-8 text", hint="convert the file to UTF-8") from error
    head = len(_BOM) if content.startswith(_BOM) else 0
    if media_type == "text/markdown" and (match := _FRONT_MATTER.match(content, head)):
        head = match.end()
    end = newline(content)
    sentences = [item.text.encode() for item in notice]
    if media_type == "text/markdown":
        block = (end + b">" + end).join(b"> **" + item + b"**" for item in sentences)
    else:
        block = end.join(sentences)
    block += end + end
    lead = end if head and content[:head].endswith(b"\n") and not content[head:].startswith((b"\n", b"\r")) else b""
    if content[head:].lstrip(b"\r\n").startswith(block):
        return content
    return content[:head] + lead + block + content[head:]


def _in_html(content: bytes, notice: Sequence[Line], disclosure: Disclosure) -> bytes:
    charset = html.charset(content)
    shown = _aside(notice).encode(charset, "xmlcharrefreplace")
    if shown in content:
        return content
    at = html.body_start(content)
    made = content[:at] + shown + content[at:]
    data = _machine_readable(disclosure).encode("ascii")
    for spot in html.places(made):
        candidate = made[: spot.at] + data + made[spot.at :]
        if html.head_holds(candidate, 'script[type="application/ld+json"]', spot.at):
            return candidate
    return made


def _aside(notice: Sequence[Line]) -> str:
    parts = "".join(
        f'<p lang="{item.lang}"{" dir=rtl" if item.lang in RTL else ""}>{entities.escape(item.text)}</p>'
        for item in notice
    )
    return f'<aside role="note" class="ai-disclosure">{parts}</aside>'


def _machine_readable(disclosure: Disclosure) -> str:
    """JSON-LD (schema.org ``digitalSourceType``), then ``meta`` elements. ASCII only, so that any charset holds it."""
    term = disclosure.digital_source_type
    value = f"https://schema.org/{SCHEMA_ORG[term]}" if term in SCHEMA_ORG else term.uri
    data = {"@context": "https://schema.org", "@type": "CreativeWork", "digitalSourceType": value}
    # "<" would be able to end the script element.
    graph = json.dumps(data, ensure_ascii=True).replace("<", "\\u003c")
    metas = [("ai-disclosure", _CG_TERMS[disclosure.involvement])]
    metas += [
        (name, text) for name, text in (("ai-provider", disclosure.provider), ("ai-model", disclosure.model)) if text
    ]
    elements = "".join(
        f'<meta name="{name}" content="{entities.escape(text).encode("ascii", "xmlcharrefreplace").decode()}">'
        for name, text in metas
    )
    return f'<script type="application/ld+json">{graph}</script>{elements}'
