"""Terms of C2PA, IPTC and CAWG in the reader's words; what the catalogue does not know is shown verbatim, cleaned."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tanba.i18n import has, sentence
from verifier.render.safe import clean

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
