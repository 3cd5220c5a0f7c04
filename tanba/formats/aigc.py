"""The AIGC metadata label of GB 45438-2025, clause 6.1 and Annex E: seven string keys, exactly one label per file.

Tanba writes it as ``TC260:AIGC`` in XMP, with the inner JSON object that the TC260 practice guides show, and only as
``Label`` "1": "possibly" and "suspected" are a platform's words, never a signer's. The reader takes the inner and the
wrapped form, from XMP, EXIF ``UserComment`` and PNG text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tanba.errors import UsageError
from tanba.formats.xmp import TC260, QName
from tanba.model import Disclosure
from tanba.report import AiState, Bucket, Finding, Layer, Statement, Strength

PROPERTY: QName = (TC260, "AIGC")
KEYWORD = "AIGC"
MAX_LABEL = 64 << 10
"""Characters of one label that are parsed."""

_CHARSET = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]*")
"""Annex E j): 0x21, 0x23-0x5B, 0x5D-0x7E (no space, quote, backslash, nothing beyond ASCII)."""


@dataclass(frozen=True, slots=True)
class AigcLabel:
    """One label. Field by field the keys of Annex E, in their order."""

    label: str
    """``1`` is, ``2`` possibly, ``3`` suspected AI-generated or synthesised content."""
    content_producer: str
    produce_id: str
    reserved_code_1: str = ""
    content_propagator: str = ""
    propagate_id: str = ""
    reserved_code_2: str = ""

    def to_json(self) -> str:
        """The inner JSON object, compact."""
        values = (getattr(self, name) for name in self.__slots__)
        return json.dumps(dict(zip(KEYS, values, strict=True)), ensure_ascii=False, separators=(",", ":"))


KEYS = (
    "Label",
    "ContentProducer",
    "ProduceID",
    "ReservedCode1",
    "ContentPropagator",
    "PropagateID",
    "ReservedCode2",
)
"""The seven keys of Annex E, in its order; :class:`AigcLabel` follows it field by field."""

_MEANING = {"1": "is", "2": "possibly", "3": "suspected"}


@dataclass(frozen=True, slots=True)
class FoundLabel:
    """A label as it stands in a file."""

    place: str
    """``xmp``, ``exif`` or ``png-text``."""
    label: AigcLabel | None
    """None when the text is no label at all."""
    problems: tuple[str, ...]
    """Departures from Annex E, in words."""


def build(disclosure: Disclosure, content_id: str) -> AigcLabel:
    """The first label of a file: the propagator is the producer (Annex E, note 1).

    Raises :class:`UsageError` when no producer is named or a value leaves the character set.
    """
    producer = disclosure.provider_id or disclosure.provider
    if not producer:
        raise UsageError(
            "the AIGC label of GB 45438-2025 Annex E needs a ContentProducer",
            code="tanba.aigc.producer",
            hint="name the provider, best with its 27-character code",
        )
    for name, value in (("ContentProducer", producer), ("ProduceID", content_id)):
        if not _CHARSET.fullmatch(value):
            raise UsageError(
                f"{name} holds characters outside those of GB 45438-2025 Annex E j)",
                code="tanba.aigc.charset",
                hint="use printable ASCII without spaces, quotes and backslashes, for instance a registered code",
            )
    return AigcLabel("1", producer, content_id, "", producer, content_id)


def renew(existing: Sequence[FoundLabel], fresh: AigcLabel) -> AigcLabel | None:
    """The label to write where a file has some: never a second one (6.1 c), never another producer's triple changed.

    None means: leave the file as it is, because its label stands where Tanba does not write.
    """
    if not existing:
        return fresh
    if any(item.place != "xmp" for item in existing):
        return None
    old = next((item.label for item in existing if item.label is not None), None)
    if old is None or old.content_producer == fresh.content_producer:
        return fresh
    return replace(old, content_propagator=fresh.content_producer, propagate_id=fresh.produce_id, reserved_code_2="")


def parse(text: str, place: str) -> FoundLabel:
    """A label from the text of a metadata field; the inner object, or one wrapped in ``{"AIGC": ...}``. Never raises."""
    problems: list[str] = []
    if len(text) > MAX_LABEL:
        return FoundLabel(place, None, ("longer than a label can be",))
    try:
        data = json.loads(text, object_pairs_hook=lambda pairs: _object(pairs, problems))
    except (ValueError, RecursionError):
        return FoundLabel(place, None, ("not JSON",))
    if isinstance(data, dict) and set(data) == {KEYWORD}:
        data = data[KEYWORD]
        if isinstance(data, str):
            return parse(data, place) if '"AIGC"' not in data else FoundLabel(place, None, ("wrapped twice",))
    if not isinstance(data, dict) or not any(key in data for key in KEYS):
        return FoundLabel(place, None, ("not an object with the keys of Annex E",))
    return FoundLabel(place, _label(data), (*problems, *_departures(data)))


def from_text(chunks: Iterable[tuple[str, str]]) -> list[FoundLabel]:
    """Labels in PNG text chunks: any keyword that contains ``AIGC``."""
    return [parse(text, "png-text") for keyword, text in chunks if KEYWORD in keyword]


def statements(found: Sequence[FoundLabel], *, degree_known: bool) -> tuple[Statement, ...]:
    """What the labels say, unsigned. ``Label`` 1 says AI but not how much, so another layer's degree goes first."""
    out = []
    for item in found:
        if item.label is None:
            continue
        sure = item.label.label == "1"
        what = f"Label {item.label.label} ({_MEANING.get(item.label.label, 'unknown')})"
        who = f", ContentProducer {item.label.content_producer}" if item.label.content_producer else ""
        involvement = AiState.GENERATED if sure and not degree_known else None
        out.append(Statement(Layer.AIGC, KEYWORD, None, Strength.UNSIGNED, what + who, involvement))
    return tuple(out)


def findings(found: Sequence[FoundLabel]) -> tuple[Finding, ...]:
    """Departures from Annex E, and more than one label in a file (6.1 c)."""
    out = [
        Finding(
            "tanba.aigc.malformed" if item.label is None else "tanba.aigc.departs",
            Bucket.INFORMATIONAL,
            Layer.AIGC,
            subject=item.place,
            text="; ".join(item.problems),
        )
        for item in found
        if item.problems
    ]
    if len(found) > 1:
        places = ", ".join(item.place for item in found)
        out.append(
            Finding(
                "tanba.aigc.duplicate",
                Bucket.INFORMATIONAL,
                Layer.AIGC,
                subject=places,
                text=f"{len(found)} AIGC labels in one file; GB 45438-2025 6.1 c) allows one",
            )
        )
    return tuple(out)


def _object(pairs: list[tuple[str, Any]], problems: list[str]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) != len(pairs):
        problems.append("a key stands twice")
    return dict(pairs)


def _label(data: Mapping[str, Any]) -> AigcLabel:
    values = [data.get(key, "") for key in KEYS]
    return AigcLabel(*(value if isinstance(value, str) else json.dumps(value)[:256] for value in values))


def _departures(data: Mapping[str, Any]) -> list[str]:
    out = []
    missing = [key for key in KEYS if key not in data]
    extra = [str(key)[:40] for key in data if key not in KEYS]
    if missing:
        out.append(f"without {', '.join(missing)}")
    if extra:
        out.append(f"unknown keys {', '.join(sorted(extra)[:10])}")
    wrong = [key for key in KEYS if key in data and not isinstance(data[key], str)]
    if wrong:
        out.append(f"not a string: {', '.join(wrong)}")
    if "Label" in data and data["Label"] not in _MEANING:
        out.append("Label is not 1, 2 or 3")
    outside = [key for key in KEYS if isinstance(data.get(key), str) and not _CHARSET.fullmatch(data[key])]
    if outside:
        out.append(f"characters outside Annex E j) in {', '.join(outside)}")
    return out
