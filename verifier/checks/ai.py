"""What the label says about AI: every statement in signed manifests, each with who says it and how strongly.

A heuristic alone never makes the answer "AI" (C2PA Conformance Task Force signals of 6 August 2026 name what counts).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tanba.engine.read import Evidence, EvidenceStatus
from tanba.formats.iptc import MEANING
from tanba.report import AiAnswer, AiState, IntegrityState, Layer, Statement, Strength

_RANK = (
    AiState.GENERATED,
    AiState.MODIFIED,
    AiState.COMPOSITE,
    AiState.ASSISTED,
    AiState.HUMAN_DECLARED,
    AiState.NONE_DECLARED,
)
_VENDOR_ASSERTIONS: Mapping[str, AiState | None] = {
    "com.adobe.generative-ai": AiState.GENERATED,
    "c2pa.ai-disclosure": None,
    "cawg.training-mining": None,
    "c2pa.training-mining": None,
}
_AI_DESCRIPTION = re.compile(r"\b(?:ai|artificial intelligence)[ -]?(?:generated|created|made)\b", re.IGNORECASE)
_GENERATORS = re.compile(
    r"dall.?e|midjourney|stable.?diffusion|sdxl|firefly|imagen\b|bing image creator|image creator|gpt-?4o|gpt-image|chatgpt"
    r"|openai|flux\.?1|ideogram|leonardo\.ai|runway|gemini|nano banana|sora|veo|grok|designer",
    re.IGNORECASE,
)
_MAX_DEPTH = 32


def term(uri: object) -> str | None:
    """The IPTC or C2PA term of a digital source type URI; None for anything that is no such URI."""
    if not isinstance(uri, str):
        return None
    base, _, name = uri.rpartition("/")
    return name if name and base.rstrip("/").endswith("digitalsourcetype") else None


def statements(evidence: Evidence, *, integrity: IntegrityState) -> tuple[Statement, ...]:
    """Everything signed manifests say about AI: the active one, then its history.

    When the label is broken nobody vouches for its words any more, so they count as unsigned.
    """
    if evidence.status is not EvidenceStatus.FOUND or not evidence.active:
        return ()
    strength = Strength.SIGNED if integrity is IntegrityState.INTACT else Strength.UNSIGNED
    return tuple(_walk(evidence, evidence.active, strength, "asset", set(), 0))


def _walk(
    evidence: Evidence, label: str, strength: Strength, scope: str, seen: set[str], depth: int
) -> Iterator[Statement]:
    if label in seen or depth > _MAX_DEPTH:
        return
    seen.add(label)
    manifest = evidence.manifest(label)
    info = manifest.get("signature_info") or {}
    who = info.get("issuer") or info.get("common_name")
    for assertion in manifest.get("assertions") or ():
        yield from _of_assertion(assertion, who, strength, scope)
    for ingredient in manifest.get("ingredients") or ():
        relationship = ingredient.get("relationship")
        inner = scope if relationship == "parentOf" else "ingredient"
        own = term((ingredient.get("metadata") or {}).get("digitalSourceType") or ingredient.get("digitalSourceType"))
        if own and own in MEANING:
            yield Statement(Layer.C2PA, own, who, strength, "ingredient", MEANING[own], "ingredient")
        child = ingredient.get("active_manifest")
        if isinstance(child, str):
            yield from _walk(evidence, child, strength, inner, seen, depth + 1)


def _of_assertion(assertion: Mapping[str, Any], who: str | None, strength: Strength, scope: str) -> Iterator[Statement]:
    label, data = str(assertion.get("label", "")), assertion.get("data")
    base = label.partition("__")[0]
    if base in ("c2pa.actions", "c2pa.actions.v2") and isinstance(data, Mapping):
        for action in data.get("actions") or ():
            if isinstance(action, Mapping):
                yield from _of_action(action, who, strength, scope)
    elif base in _VENDOR_ASSERTIONS:
        layer = Layer.VENDOR if base.startswith("com.") else Layer.C2PA
        yield Statement(layer, base, who, strength, _brief(base, data), _VENDOR_ASSERTIONS[base], scope)


def _of_action(action: Mapping[str, Any], who: str | None, strength: Strength, scope: str) -> Iterator[Statement]:
    name = str(action.get("action", ""))
    source = term(action.get("digitalSourceType"))
    if source:
        yield Statement(Layer.C2PA, source, who, strength, name, MEANING.get(source), scope)
    agent = action.get("softwareAgent")
    software = agent.get("name") if isinstance(agent, Mapping) else agent
    described = " ".join(str(action.get(key) or "") for key in ("description", "parameters"))
    if _AI_DESCRIPTION.search(described):
        yield Statement(Layer.C2PA, "description", who, strength, described[:200], AiState.GENERATED, scope)
    if isinstance(software, str) and _GENERATORS.search(software):
        yield Statement(Layer.VENDOR, "softwareAgent", who, Strength.HEURISTIC, software[:200], None, scope)


def _brief(label: str, data: object) -> str | None:
    if not isinstance(data, Mapping):
        return None
    if label == "c2pa.ai-disclosure":
        profile = data.get("contentProfile")
        level = profile.get("humanOversightLevel") if isinstance(profile, Mapping) else None
        parts = [data.get("modelName"), data.get("modelIdentifier"), level]
        return ", ".join(str(part) for part in parts if part) or None
    if label.endswith("training-mining"):
        entries = data.get("entries")
        if isinstance(entries, Mapping):
            uses = {str(item.get("use")) for item in entries.values() if isinstance(item, Mapping)}
            return ", ".join(sorted(uses)) or None
    text = data.get("description") or data.get("prompt")
    return str(text)[:200] if text else None


def answer(found: Iterable[Statement]) -> AiAnswer:
    """One state from all statements: the strongest backing first, then the highest degree of AI.

    A part (``scope='ingredient'``) that is AI makes the whole at least ``composite``. Heuristics are listed, and leave
    the state at ``none_declared``.
    """
    kept = tuple(found)
    for strength in (Strength.SIGNED, Strength.UNSIGNED):
        states = {_as_whole(item) for item in kept if item.strength is strength and item.involvement}
        if states:
            return AiAnswer(next(state for state in _RANK if state in states), strength, kept)
    heuristic = any(item.strength is Strength.HEURISTIC for item in kept)
    return AiAnswer(AiState.NONE_DECLARED, Strength.HEURISTIC if heuristic else Strength.NONE, kept)


def _as_whole(item: Statement) -> AiState:
    state = item.involvement or AiState.NONE_DECLARED
    if item.scope == "asset":
        return state
    ai = state in (AiState.GENERATED, AiState.MODIFIED, AiState.COMPOSITE)
    return AiState.COMPOSITE if ai else AiState.NONE_DECLARED
