"""Reading profile files: TOML in, validated :class:`Profile` out. The file name is the id; nothing is guessed.

A wording that a profile lacks is borrowed from ``none.toml``, which words every use in every language.
"""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from importlib.resources import files
from typing import Any

from tanba.errors import InstallationError, UsageError
from tanba.formats.sniff import Kind
from tanba.model import Disclosure, Involvement
from tanba.profiles.checks import CHECKS
from tanba.profiles.schema import (
    FLAGS,
    LAYERS,
    PLACEMENTS,
    Binding,
    KeyDate,
    LabelString,
    Profile,
    Requirement,
    Severity,
    Source,
    Use,
    VisibleSpec,
    When,
    Wording,
)

BASE = "none"
"""The profile whose wordings fill the gaps of the others."""

_STATUSES = ("in_force", "provisional", "house")
_FIELDS = {item.name for item in dataclasses.fields(Disclosure)}
_AI = (Involvement.GENERATED, Involvement.MODIFIED, Involvement.COMPOSITE)


def available() -> tuple[str, ...]:
    """Ids of the profiles shipped with Tanba, sorted."""
    names = (item.name for item in files(__package__).iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))


@lru_cache(maxsize=32)
def load(id: str) -> Profile:
    """The profile of that id. Raises :class:`UsageError` with the known ids when there is none."""
    if id not in available():
        raise UsageError(
            f"there is no profile {id!r}",
            code="tanba.profile.unknown",
            hint=f"known profiles: {', '.join(available())}",
        )
    text = files(__package__).joinpath(f"{id}.toml").read_text(encoding="utf-8")
    profile = parse(id, tomllib.loads(text))
    if id == BASE:
        return profile
    own = {(item.use, item.lang, one) for item in profile.strings for one in item.involvement}
    borrowed = tuple(
        dataclasses.replace(item, involvement=rest)
        for item in load(BASE).strings
        if (rest := tuple(one for one in item.involvement if (item.use, item.lang, one) not in own))
    )
    return dataclasses.replace(profile, strings=profile.strings + borrowed)


def parse(id: str, data: Mapping[str, Any]) -> Profile:
    """A profile from parsed TOML. Raises :class:`InstallationError` that names the first fault."""
    try:
        return _profile(id, data)
    except (KeyError, TypeError, ValueError) as error:
        raise InstallationError(f"profile {id!r} is faulty: {error}", code="tanba.profile.faulty") from error


def _profile(id: str, data: Mapping[str, Any]) -> Profile:
    law = data["law"]
    sources = tuple(Source(**item) for item in data.get("sources", ()))
    requirements = tuple(_requirement(item, law) for item in data.get("requirements", ()))
    known = {item.id for item in sources}
    for item in requirements:
        _demand(item.source in known, f"{item.id}: unknown source {item.source!r}")
    _demand(len({item.id for item in requirements}) == len(requirements), "two requirements share an id")
    _demand(data["status"] in _STATUSES, f"status {data['status']!r}")
    _demand(isinstance(data["as_of"], date), "as_of must be a date")
    visible = VisibleSpec(**data.get("visible", {}))
    _demand(visible.placement in PLACEMENTS, f"placement {visible.placement!r}")
    return Profile(
        id=id,
        version=data["version"],
        title=data["title"],
        jurisdiction=data["jurisdiction"],
        status=data["status"],
        as_of=data["as_of"],
        legal_review=data["legal_review"],
        summary=data["summary"],
        languages=tuple(data["languages"]),
        visible=visible,
        sources=sources,
        dates=tuple(KeyDate(**item) for item in data.get("dates", ())),
        requirements=requirements,
        strings=tuple(_string(item) for item in data.get("strings", ())),
        options=dict(data.get("options", {})),
    )


def _requirement(data: Mapping[str, Any], law: str) -> Requirement:
    item = Requirement(
        **{
            "law": law,
            **data,
            "severity": Severity(data["severity"]),
            "binding": Binding(data["binding"]),
            "matrix": tuple(data.get("matrix", ())),
            "when": _when(data.get("when", {})),
            "fields": tuple(data.get("fields", ())),
            "layers": tuple(data.get("layers", ())),
        }
    )
    fields = {name for entry in item.fields for name in entry.split("|")}
    layers = {name for entry in item.layers for name in entry.split("|")}
    _demand(fields <= _FIELDS, f"{item.id}: unknown field in {sorted(fields)}")
    _demand(layers <= set(LAYERS), f"{item.id}: unknown layer in {sorted(layers)}")
    _demand(item.check is None or item.check in CHECKS, f"{item.id}: unknown check {item.check!r}")
    _demand(bool(fields or layers or item.check or item.question), f"{item.id}: nothing to test")
    _demand(item.enforced or bool(item.note), f"{item.id}: an unenforced requirement needs a note")
    return item


def _when(data: Mapping[str, Any]) -> When:
    when = When(
        involvement=tuple(Involvement(item) for item in data.get("involvement", ())),
        kinds=tuple(Kind(item) for item in data.get("kinds", ())),
        flags=tuple(data.get("flags", ())),
    )
    _demand(set(data) <= {"involvement", "kinds", "flags"}, f"unknown condition in {sorted(data)}")
    _demand(set(when.flags) <= set(FLAGS), f"unknown flag in {when.flags}")
    return when


def _string(data: Mapping[str, Any]) -> LabelString:
    return LabelString(
        use=Use(data["use"]),
        lang=data["lang"],
        text=data["text"],
        wording=Wording(data["wording"]),
        involvement=tuple(Involvement(item) for item in data.get("involvement", _AI)),
    )


def _demand(condition: bool, words: str) -> None:
    if not condition:
        raise ValueError(words)
