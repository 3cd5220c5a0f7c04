"""What a label says, in C2PA's words: a :class:`Disclosure` in, a manifest definition for the engine out.

The only place where assertions are composed. Everything comes from typed fields and closed lists: no caller's JSON can
reach a manifest, because a foreign ``c2pa.hash.data`` or a second inception action would be signed without complaint.
It never reads an asset, never signs, and never puts a raw prompt in unless the caller gave one to be published.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from tanba import __version__
from tanba.errors import UsageError
from tanba.model import SOURCE_TYPES, DigitalSourceType, Disclosure, Involvement
from tanba.wire import rfc3339

SPEC_VERSION = "2.4.0"
"""C2PA Technical Specification the manifests are written for (``claim_generator_info.specVersion``)."""

PARENT_LABEL = "parent"
"""Builder-side name of the parent ingredient; the engine turns it into a hashed JUMBF URI."""

DISCLOSURE_LABEL = "org.tanba.disclosure"
"""Our own assertion, for what no C2PA assertion has a field for (``docs/assertions.md``)."""

TRAINING_ENTRIES = ("cawg.data_mining", "cawg.ai_inference", "cawg.ai_training", "cawg.ai_generative_training")
"""The entries of CAWG Training and Data Mining 1.1; all four are reserved together."""

MAX_STATEMENT = 64 << 10
"""Bytes of one statement (a prompt, an operation): a label is not a place for documents."""

GENERATOR = {"name": "Tanba", "version": __version__}


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What the pipeline knows beside the disclosure. All fields are facts about this one labelling."""

    moment: datetime
    """The claimed time (``when``), timezone-aware."""
    content_id: str
    """Unique number of the content (CA 22757.3.3(D), CN ``ProduceID``)."""
    title: str | None = None
    parent: bool = False
    """A parent ingredient goes with the definition, under :data:`PARENT_LABEL`."""
    parent_is_input: bool = False
    """The parent is the input itself, so that every action since is known."""
    parent_problem: tuple[str, ...] = ()
    """Codes for which the parent's label failed; the caller insisted on keeping it."""
    marks: tuple[str, ...] = ()
    """What Tanba did to the bytes before signing, in order: ``visible``, ``notice``, ``metadata``."""
    profiles: tuple[str, ...] = ()
    """Profile versions (``kz-2026.1``)."""
    articles: tuple[str, ...] = ()
    """Articles that the label is made to fulfil (``KZ 230-VIII 21(2)``)."""
    soft_bindings: tuple[Mapping[str, Any], ...] = field(default_factory=tuple)
    """``c2pa.soft-binding`` data of durable marks, made by our own codecs."""


_MARK_ACTIONS = {
    "visible": ("c2pa.addedText", "drew a visible AI notice into the picture"),
    "notice": ("c2pa.addedText", "put an AI notice at the head of the text"),
    "metadata": ("c2pa.edited.metadata", "wrote the disclosure into IPTC/XMP metadata"),
}


def build(disclosure: Disclosure, context: Context) -> dict[str, Any]:
    """The manifest definition: claim v2, one inception action, disclosure assertions, all of them ``created``.

    C2PA 2.4 sections 10 (claims), 18.14 (actions), 18.29 (``c2pa.ai-disclosure``); CAWG Training and Data Mining.
    Raises :class:`UsageError` when the source type does not belong to the involvement.
    """
    _check_source_type(disclosure)
    _check_words(disclosure)
    assertions = [_created("c2pa.actions.v2", _actions(disclosure, context))]
    if disclosure.is_ai:
        assertions.append(_created("c2pa.ai-disclosure", _ai_disclosure(disclosure)))
    if disclosure.no_training:
        entries = {entry: {"use": "notAllowed"} for entry in TRAINING_ENTRIES}
        assertions.append(_created("cawg.training-mining", {"entries": entries}))
    assertions += [_created("c2pa.soft-binding", dict(item)) for item in context.soft_bindings]
    assertions.append(_created(DISCLOSURE_LABEL, _own(disclosure, context)))
    definition: dict[str, Any] = {
        "claim_version": 2,
        "claim_generator_info": [{**GENERATOR, "specVersion": SPEC_VERSION}],
        "assertions": assertions,
    }
    title = disclosure.title or context.title
    if title:
        definition["title"] = title.encode("utf-8", "replace").decode("utf-8")
    return definition


def source_type(disclosure: Disclosure, *, parent: bool) -> DigitalSourceType:
    """The digital source type of the label.

    A human's work on an existing asset is ``humanEdits`` unless the caller chose a term: ``digitalCreation`` would
    claim the parent's content as well.
    """
    if parent and disclosure.involvement is Involvement.HUMAN and disclosure.source_type is None:
        return DigitalSourceType.HUMAN_EDITS
    return disclosure.digital_source_type


def _check_source_type(disclosure: Disclosure) -> None:
    chosen = disclosure.digital_source_type
    allowed = SOURCE_TYPES[disclosure.involvement]
    if chosen not in allowed:
        words = ", ".join(item.value for item in allowed)
        raise UsageError(
            f"the source type {chosen.value!r} does not fit 'as {disclosure.involvement.value}'",
            code="tanba.label.source_type",
            hint=f"allowed here: {words}",
        )


def _check_words(disclosure: Disclosure) -> None:
    """Every statement must be text that UTF-8 can hold (no lone surrogates), and of a bearable length."""
    for item in fields(disclosure):
        value = getattr(disclosure, item.name)
        for words in value if isinstance(value, tuple) else (value,):
            if not isinstance(words, str):
                continue
            try:
                size = len(words.encode("utf-8"))
            except UnicodeEncodeError as error:
                raise UsageError(f"{item.name} is not valid text", code="tanba.label.not_text") from error
            if size > MAX_STATEMENT:
                raise UsageError(
                    f"{item.name} has {size:,} bytes, more than {MAX_STATEMENT:,}", code="tanba.label.too_long"
                )


def _created(label: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """An assertion the signer vouches for; without the flag the engine files it under ``gathered_assertions``."""
    return {"label": label, "created": True, "data": dict(data)}


def _actions(disclosure: Disclosure, context: Context) -> dict[str, Any]:
    """One inception action first (``c2pa.created``, or ``c2pa.opened`` of the parent), then what was done since."""
    when = rfc3339(context.moment)
    made: dict[str, Any] = {
        "action": "c2pa.edited" if context.parent else "c2pa.created",
        "when": when,
        "digitalSourceType": source_type(disclosure, parent=context.parent).uri,
    }
    if disclosure.system:
        made["softwareAgent"] = _agent(disclosure)
    if disclosure.operations:
        made["description"] = "; ".join(disclosure.operations)
    actions = [made]
    if context.parent:
        opened: dict[str, Any] = {
            "action": "c2pa.opened",
            "when": when,
            "parameters": {"ingredientIds": [PARENT_LABEL]},
        }
        if context.parent_problem:
            opened["description"] = "the label of this parent failed validation: " + ", ".join(context.parent_problem)
        actions.insert(0, opened)
    for mark in context.marks:
        action, words = _MARK_ACTIONS[mark]
        actions.append({"action": action, "when": when, "softwareAgent": GENERATOR, "description": words})
    return {"actions": actions, "allActionsIncluded": _all_known(disclosure, context)}


def _all_known(disclosure: Disclosure, context: Context) -> bool:
    """Whether the list of actions is complete: only when nothing can have happened that nobody told us."""
    if context.parent:
        return context.parent_is_input
    return disclosure.involvement is Involvement.GENERATED


def _agent(disclosure: Disclosure) -> dict[str, str]:
    agent = {"name": disclosure.system or ""}
    if disclosure.system_version:
        agent["version"] = disclosure.system_version
    return agent


def _ai_disclosure(disclosure: Disclosure) -> dict[str, Any]:
    """``c2pa.ai-disclosure`` (C2PA 2.4 section 18.29): only the keys that the schema knows."""
    data: dict[str, Any] = {"modelType": disclosure.model_type}
    if disclosure.system:
        data["modelName"] = disclosure.system
    if disclosure.model:
        data["modelIdentifier"] = disclosure.model
    if disclosure.oversight:
        data["contentProfile"] = {"humanOversightLevel": disclosure.oversight.value}
    return data


def _own(disclosure: Disclosure, context: Context) -> dict[str, Any]:
    """``org.tanba.disclosure``, version 1: fields of the laws that C2PA has no place for. Empty ones are left out."""
    data: dict[str, Any] = {
        "version": 1,
        "involvement": disclosure.involvement.value,
        "content_id": context.content_id,
        "provider": _without_empty({"name": disclosure.provider, "id": disclosure.provider_id}),
        "profiles": list(context.profiles),
        "articles": list(context.articles),
        "operations": list(disclosure.operations),
        "synthetic_result": list(disclosure.synthetic_result),
        "human_contribution": disclosure.human_contribution,
        "prompt": _prompt(disclosure),
        "visible_mark": True if {"visible", "notice"}.intersection(context.marks) else None,
        "parent_problem": list(context.parent_problem),
    }
    return _without_empty(data)


def _prompt(disclosure: Disclosure) -> dict[str, str]:
    """Author and digest; the text itself only when it was given to be published."""
    digest = disclosure.prompt_sha256
    if disclosure.prompt is not None:
        digest = hashlib.sha256(disclosure.prompt.encode("utf-8", "surrogatepass")).hexdigest()
    return _without_empty({"author": disclosure.prompt_author, "sha256": digest, "text": disclosure.prompt})


def _without_empty(data: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if value not in (None, "", [], {}, ())}
