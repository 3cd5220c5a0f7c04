"""Every carrier in any text: the one place that knows all three, and what it means when they meet."""

from __future__ import annotations

from tanba.report import Bucket, Finding
from tanba.text import html, structured, wrapper
from tanba.text.marks import Mark, Scan, failure

HTML_TYPES = frozenset({"text/html"})
"""Documents that are labelled by A.7."""
_HTML_OR_XML = HTML_TYPES | {"application/xhtml+xml"}
"""Documents in which others may have put an A.7 element; ours get an A.9 block, which keeps them well-formed."""


def locate(raw: bytes, media_type: str) -> Scan:
    """All marks of a text and the codes of unreadable ones.

    A readable mark beside a merely mentioned or broken one of another annex wins, and the codes of the other become
    informational (a Markdown file about A.9 may be labelled by A.8). Two readable marks are
    ``tanba.text.several_carriers``: nobody could say which one counts.
    """
    parts = (
        html.locate(raw) if media_type in _HTML_OR_XML else Scan(),
        structured.locate(raw) if media_type not in HTML_TYPES else Scan(),
        wrapper.locate(raw),
    )
    readable = [part for part in parts if part.marks]
    findings: list[Finding] = []
    marks: list[Mark] = []
    for part in parts:
        marks += part.marks
        quiet = bool(readable) and not part.marks and part is not parts[2]
        findings += [_quiet(item) for item in part.findings] if quiet else part.findings
    if len(readable) > 1:
        carriers = ", ".join(sorted(mark.carrier.value for mark in marks))
        findings.append(failure("tanba.text.several_carriers", f"marks of several annexes in one text: {carriers}"))
    return Scan(tuple(marks), tuple(findings))


def _quiet(item: Finding) -> Finding:
    return Finding(item.code, Bucket.INFORMATIONAL, item.layer, item.subject, item.text, item.params)


def slow(raw: bytes, media_type: str, *, given: bool) -> bool:
    """Whether reading the label could take long, so that a killable worker should do it.

    ``given`` means that a manifest store came beside the text. A document without any sign of a label is not parsed.
    """
    if media_type not in _HTML_OR_XML:
        return False
    return (given or html.mentioned(raw) or wrapper.mentioned(raw)) and html.slow(raw)
