"""A report for the terminal: one line first, then what supports it, then what it does not tell; codes only with ``-v``.

Plain text without a library: this path runs in every ``tanba verify`` and its start-up time is measured. Every string out
of a file passes :mod:`verifier.render.safe`, so no escape sequence but our own colours can reach the terminal.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from tanba.codes import clause
from tanba.i18n import has, sentence
from tanba.report import Bucket, HistoryNode, VerificationReport
from verifier.render.safe import MAX_TEXT, clean, clean_or
from verifier.render.terms import ai_step, differences, second_sentence, term
from verifier.render.words import Tone, Words, words

WIDTH = 100
_COLORS: dict[Tone, str] = {"good": "32", "caution": "33", "bad": "31", "neutral": "36"}
_MARKS: dict[Tone, str] = {"good": "✓", "caution": "?", "bad": "✗", "neutral": "·"}
_MAX_NODES = 60


def render(report: VerificationReport, *, lang: str, verbosity: int = 0, color: bool = False) -> str:
    """The report as lines ending in a newline. ``verbosity`` 1 adds codes with their clauses, 2 their subjects."""
    said = words(report, lang)
    lines = [line(report, lang, color=color, said=said), *_wrap(said.sentence, "  "), ""]
    lines += _answers(said, color=color)
    if report.history:
        lines += ["", _bold(sentence("report-history", lang), color), *_history(report, lang)]
    for heading, items in (("note-heading", said.notes), ("advice-limits", said.limits), ("advice-next", said.next)):
        if not items:
            continue
        lines += ["", _bold(sentence(heading, lang), color)]
        for item in items:
            lines += _wrap(item, "  - ", "    ")
    if report.second_opinion:
        lines += ["", *_second_opinion(report, lang, color=color)]
    if verbosity:
        lines += ["", _bold(sentence("report-codes", lang), color), *_codes(report, lang, verbosity)]
    return "\n".join(lines) + "\n"


def line(report: VerificationReport, lang: str, *, color: bool = False, said: Words | None = None) -> str:
    """One line for one file: the machine's word, the file, the headline, who, when."""
    said = said or words(report, lang)
    name = clean_or(report.asset.name, "-")
    parts = [said.headline, *(part for part in (said.who, said.when) if part)]
    return f"{_paint(f'{report.verdict.value:<9}', said.tone, color)}  {name}  {' · '.join(parts)}"


def _answers(said: Words, *, color: bool) -> list[str]:
    lines: list[str] = []
    for answer in said.answers:
        mark = _paint(_MARKS[answer.tone], answer.tone, color)
        first, *rest = _wrap(f"{answer.question} {answer.text}", "    ")
        lines += [f"  {mark} {first[4:]}", *rest]
    return lines


def _history(report: VerificationReport, lang: str) -> list[str]:
    lines: list[str] = []
    left = _MAX_NODES
    stack: list[tuple[HistoryNode, str, bool, bool]] = [(node, "", True, True) for node in reversed(report.history)]
    while stack and left:
        node, indent, last, top = stack.pop()
        left -= 1
        branch = "  " if top else f"  {indent}{'└─ ' if last else '├─ '}"
        lines.append(branch + _node_title(node, lang))
        inner = "" if top else indent + ("   " if last else "│  ")
        lines += [f"  {inner}{'│' if node.ingredients else ' '}    {step}" for step in _steps(node, lang)]
        children = list(enumerate(node.ingredients, 1))
        stack += [(child, inner, place == len(children), False) for place, child in reversed(children)]
    if stack:
        lines.append(f"  … +{len(stack)}")
    return lines


def _node_title(node: HistoryNode, lang: str) -> str:
    parts = [clean_or(node.title, sentence("term-unnamed", lang))]
    if node.relationship:
        parts.append(term("relation", node.relationship, lang))
    parts.append(term("state", node.state, lang))
    parts += [clean(part) for part in (node.signer, node.software) if part]
    return " · ".join(parts)


def _steps(node: HistoryNode, lang: str) -> Iterator[str]:
    for action in node.actions[:12]:
        text = term("action", action.get("action"), lang)
        if source := action.get("digital_source_type"):
            text += f": {term('source', source, lang)}"
        yield f"[{sentence('term-ai-step', lang)}] {text}" if ai_step(action) else text
    if len(node.actions) > 12:
        yield f"… +{len(node.actions) - 12}"
    for identity in node.identities:
        names = [clean_or(item.get("name"), "") for item in identity.get("identities") or ()]
        yield f"CAWG: {', '.join(filter(None, names)) or clean_or(identity.get('issuer'), clean(identity.get('type')))}"
    if node.redacted:
        yield f"{sentence('report-redacted', lang)}: {', '.join(clean(item) for item in node.redacted[:5])}"


def _second_opinion(report: VerificationReport, lang: str, *, color: bool) -> list[str]:
    opinion = report.second_opinion or {}
    lines = [_bold(sentence("report-second", lang), color)]
    lines += _wrap(second_sentence(opinion, lang), "  ")
    for item in differences(opinion, lang):
        lines += _wrap(f"{item.question} {item.ours} | {item.theirs}. {item.cause}", "  - ", "    ")
    return lines


def _codes(report: VerificationReport, lang: str, verbosity: int) -> list[str]:
    lines: list[str] = []
    for bucket in reversed(Bucket):
        for item in (found for found in report.findings if found.bucket is bucket):
            where = clause(item.code)
            lines.append(f"  {bucket.value:<13} {clean(item.code)}{f'  [{where}]' if where else ''}")
            if verbosity > 1:
                key = _code_key(item.code)
                details = [sentence(key, lang) if key else None, item.subject, item.text]
                lines += [part for text in details if text for part in _wrap(clean(text, MAX_TEXT), " " * 16)]
    return lines


def _code_key(code: str) -> str | None:
    from tanba.codes import text_key

    key = text_key(code)
    return key if has(key) else None


def _wrap(text: str, first: str, rest: str | None = None) -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=first, subsequent_indent=first if rest is None else rest, break_on_hyphens=False
    ) or [first]


def _paint(text: str, tone: Tone, color: bool) -> str:
    return f"\x1b[1;{_COLORS[tone]}m{text}\x1b[0m" if color else text


def _bold(text: str, color: bool) -> str:
    return f"\x1b[1m{text}\x1b[0m" if color else text
