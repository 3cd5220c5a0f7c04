"""One line per file for a spreadsheet that runs nothing.

Formula injection (OWASP, "CSV Injection"): a cell that begins with a character that spreadsheets take for a formula gets
an apostrophe before it, quotes are doubled, every cell is quoted, and no cell holds a line break, because strings are
cleaned first.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from tanba.i18n import sentence
from tanba.report import Bucket, VerificationReport
from tanba.wire import rfc3339
from verifier.render.safe import MAX_TEXT, clean
from verifier.render.words import verdict_sentence

COLUMNS = (
    "name",
    "verdict",
    "integrity",
    "signer_state",
    "signer",
    "organization",
    "trust_list",
    "trust_list_date",
    "time_state",
    "signed_at",
    "revocation",
    "ai",
    "ai_strength",
    "media_type",
    "size",
    "sha256",
    "failures",
    "checked_at",
    "tanba",
    "sentence",
)
"""Names of the columns, stable for scripts; the last one is a sentence in the reader's language."""

BOM = "\ufeff"
"""Written first when a spreadsheet shall recognise UTF-8 without being asked."""
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "＝", "＋", "－", "＠")  # OWASP, with full-width forms


def header(*, bom: bool = False) -> str:
    """The first line."""
    return (BOM if bom else "") + line(COLUMNS)


def row(report: VerificationReport, lang: str = "en") -> str:
    """One report as one line ending in CRLF (RFC 4180)."""
    answers, basis = report.answers, report.basis
    listed = answers.signer.list
    failures = dict.fromkeys(item.code for item in report.findings if item.bucket is Bucket.FAILURE)
    return line(
        (
            report.asset.name or "",
            report.verdict.value,
            answers.integrity.state.value,
            answers.signer.state.value,
            answers.signer.name or "",
            answers.signer.organization or "",
            listed.name if listed else "",
            (listed.date or "") if listed else "",
            answers.time.state.value,
            rfc3339(answers.time.signed_at) if answers.time.signed_at else "",
            answers.revocation.state.value,
            answers.ai.state.value,
            answers.ai.strength.value,
            report.asset.media_type,
            str(report.asset.size),
            report.asset.sha256,
            " ".join(list(failures)[:20]),
            rfc3339(basis.checked_at) if basis and basis.checked_at else "",
            basis.tanba if basis else "",
            verdict_sentence(report, lang),
        )
    )


def error_row(name: str, code: str, lang: str = "en") -> str:
    """The line of a file that could not even be opened: verdict ``unchecked`` and the error's code."""
    empty = [""] * (len(COLUMNS) - 2)
    values = dict(zip(COLUMNS, [name, "unchecked", *empty], strict=True))
    values |= {"failures": code, "sentence": sentence("verdict-say-unchecked", lang)}
    return line(tuple(values.values()))


def line(cells: Sequence[str]) -> str:
    """Cells, made harmless, as one line."""
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow([harmless(cell) for cell in cells])
    return out.getvalue()


def harmless(cell: str) -> str:
    """``cell`` with nothing hidden in it, and an apostrophe before what a spreadsheet would take for a formula."""
    shown = clean(cell, MAX_TEXT)
    return f"'{shown}" if shown.lstrip(" \u00a0\u2068").startswith(_DANGEROUS) else shown
