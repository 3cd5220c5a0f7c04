"""What a code means and what to do, in the reader's language: for ``tanba explain``, reports and ``/v1/explain``."""

from __future__ import annotations

from dataclasses import dataclass

from tanba import codes
from tanba.i18n import sentence


@dataclass(frozen=True, slots=True)
class Explanation:
    """One code in words."""

    code: str
    known: bool
    """False when no catalogue lists the code: another program's, or a newer standard's."""
    bucket: str | None
    clause: str | None
    text: str
    advice: str


def explain(code: str, lang: str) -> Explanation:
    """Explain any code. Never raises: an unknown code is said to be unknown."""
    if found := codes.find(code):
        return Explanation(
            code,
            known=True,
            bucket=found.bucket,
            clause=found.clause,
            text=sentence(codes.text_key(code), lang),
            advice=sentence(f"advice-code-{found.advice}", lang),
        )
    if area := codes.area(code):
        text, advice = sentence(f"area-{area}", lang), sentence("advice-code-error", lang)
        return Explanation(code, known=True, bucket=None, clause="Tanba", text=text, advice=advice)
    text, advice = sentence("report-code-unknown", lang), sentence("advice-code-error", lang)
    return Explanation(code, known=False, bucket=None, clause=None, text=text, advice=advice)
