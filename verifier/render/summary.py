"""The page for a folder: what needs a person comes first, duplicates stand with their first copy's name.

Rows are rendered as they arrive into one spool per group, so ten thousand files need the memory of a few; the page is
handed out in pieces. Same fences as the single report: cleaned strings, escaping, no script, nothing remote.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import IO, Any
from urllib.parse import quote

from tanba.i18n import sentence
from tanba.report import AiState, Basis, IntegrityState, Strength, Verdict, VerificationReport
from verifier.render.html import environment, page_values
from verifier.render.safe import clean, clean_or
from verifier.render.view import basis_rows, list_rows
from verifier.render.words import moment, reason, signer_name, verdict_sentence

GROUPS = (
    "invalid",
    "disagree",
    "unchecked",
    "recovered",
    "note",
    "partly",
    "valid",
    "unmarked",
    "trusted",
    "duplicate",
)
"""In the order in which a person should look."""
_SPOOL = 1 << 20
_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the page; strings are cleaned here, escaped by the template."""

    group: str
    name: str
    text: str
    signer: str
    when: str
    ai: str
    sha256: str
    link: str | None = None


def row_of(
    name: str,
    lang: str,
    *,
    report: VerificationReport | None = None,
    error: Mapping[str, Any] | None = None,
    duplicate_of: str | None = None,
    link: str | None = None,
) -> Row:
    """The line of one finished file. ``link`` is a relative address of the file's own report, if one was written."""
    shown = clean(name, 300)
    if report is None:
        code = clean_or((error or {}).get("code"), "tanba.bug")
        text = f"{sentence('verdict-say-unchecked', lang)} {code}"
        return Row("unchecked", shown, text, "—", "", "—", "—", None)
    text = (
        sentence("summary-same", lang, name=clean(duplicate_of, 300))
        if duplicate_of
        else verdict_sentence(report, lang)
    )
    attributed = report.answers.integrity.state is not IntegrityState.BROKEN
    ai = report.answers.ai
    said = "—" if ai.state is AiState.NONE_DECLARED else sentence(f"answer-ai-{ai.state.value}", lang)
    if ai.strength is Strength.UNSIGNED and ai.state is not AiState.NONE_DECLARED:
        said += f" ({sentence('term-strength-unsigned', lang)})"
    return Row(
        group="duplicate" if duplicate_of else group_of(report),
        name=shown,
        text=text,
        signer=(signer_name(report) if attributed else None) or "—",
        when=(moment(report.answers.time.signed_at) if attributed else None) or "",
        ai=said,
        sha256=clean(report.asset.sha256),
        link=quote(link, errors="replace") if link else None,
    )


def group_of(report: VerificationReport) -> str:
    """Which group a report belongs to: broken labels and contradictions before everything else."""
    if report.verdict is Verdict.INVALID:
        return "invalid"
    contradicts = any(item.code == "tanba.coherence.layers_disagree" for item in report.findings)
    if contradicts or (report.second_opinion or {}).get("agrees") is False:
        return "disagree"
    if report.verdict is Verdict.UNMARKED and report.answers.ai.strength in (Strength.UNSIGNED, Strength.HEURISTIC):
        return "note"
    return "partly" if reason(report).startswith("valid-partly") else report.verdict.value


def render(rows: Iterable[Row], lang: str, *, title: str | None = None, basis: Basis | None = None) -> Iterator[str]:
    """The page in pieces. ``rows`` is consumed once; memory does not grow with their number."""
    template: Any = environment().get_template("summary.html.j2").make_module(page_values(lang))
    counts: Counter[str] = Counter()
    with ExitStack() as stack:
        spools: dict[str, IO[str]] = {}
        for row in rows:
            counts[row.group] += 1
            if row.group not in spools:
                spools[row.group] = stack.enter_context(
                    tempfile.SpooledTemporaryFile(_SPOOL, mode="w+", encoding="utf-8", newline="")
                )
            spools[row.group].write(str(template.row(row)))
        values = {
            "title": clean_or(title, sentence("summary-title", lang)),
            "counts": [(name, counts[name]) for name in GROUPS if counts[name]],
            "total": counts.total(),
            "checked_at": (moment(basis.checked_at) if basis else None) or "—",
            "command": clean(basis.command, 1000) if basis and basis.command else "",
            "facts": basis_rows(basis, lang),
            "lists": list_rows(basis, lang),
        }
        yield str(template.head(values))
        for name in GROUPS:
            if name in spools:
                yield str(template.group_head(name, counts[name]))
                yield from _pieces(spools[name])
                yield str(template.group_tail())
        yield str(template.tail(values))


def _pieces(spool: IO[str]) -> Iterator[str]:
    spool.seek(0)
    while piece := spool.read(_CHUNK):
        yield piece
