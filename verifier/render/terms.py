"""Terms of C2PA, IPTC and CAWG in the reader's words; what the catalogue does not know is shown verbatim, cleaned."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tanba.i18n import has, sentence
from verifier.render.safe import MAX_TEXT, clean

AI_SOURCES = frozenset(
    {
        "trainedAlgorithmicMedia",
        "trainedAlgorithmicData",
        "compositeWithTrainedAlgorithmicMedia",
        "compositeSynthetic",
    }
)
"""Digital source types that say "AI" of an action (IPTC NewsCodes)."""


def term(kind: str, value: object, lang: str) -> str:
    """``value`` of ``kind`` (``source``, ``action``, ``relation``, ``state``, ``layer``, …) in words."""
    text = value if isinstance(value, str) else ""
    key = f"term-{kind}-{re.sub(r'[^A-Za-z0-9_-]', '-', text)}"
    return sentence(key, lang) if text and len(text) < 60 and has(key, lang) else clean(text or "—")


def ai_step(action: Mapping[str, Any]) -> bool:
    """Whether an action states that AI did it."""
    return action.get("digital_source_type") in AI_SOURCES


@dataclass(frozen=True, slots=True)
class Difference:
    """One question on which the second engine answers differently."""

    question: str
    ours: str
    theirs: str
    cause: str


def differences(opinion: Mapping[str, Any] | None, lang: str) -> tuple[Difference, ...]:
    """The rows of a second opinion in words (:mod:`verifier.second`); unknown causes stay as they came, cleaned."""
    found: list[Difference] = []
    for item in ((opinion or {}).get("differences") or ())[:40]:
        if not isinstance(item, Mapping):
            continue
        question, cause = str(item.get("question") or ""), str(item.get("cause_code") or "")
        asked = next((key for key in (f"answer-{question}", f"second-question-{question}") if _usable(key, lang)), None)
        because = f"second-{cause}"
        found.append(
            Difference(
                question=sentence(asked, lang) if asked else clean(question or "—"),
                ours=_state(item.get("ours"), lang),
                theirs=_state(item.get("theirs"), lang),
                cause=sentence(because, lang) if _usable(because, lang) else clean(item.get("cause") or "—", MAX_TEXT),
            )
        )
    return tuple(found)


def second_sentence(opinion: Mapping[str, Any], lang: str) -> str:
    """Agreement, difference, or no opinion and why not."""
    agrees = opinion.get("agrees")
    key = "report-second-none" if agrees is None else f"report-second-{'agrees' if agrees else 'differs'}"
    said = sentence(key, lang, engine=clean(opinion.get("engine") or "—"))
    return f"{said} ({clean(opinion['error'], MAX_TEXT)})" if agrees is None and opinion.get("error") else said


def _state(value: object, lang: str) -> str:
    key = f"second-state-{value}"
    return sentence(key, lang) if _usable(key, lang) else clean(value or "—")


def _usable(key: str, lang: str) -> bool:
    return bool(re.fullmatch(r"[A-Za-z0-9_-]{3,60}", key)) and has(key, lang)
