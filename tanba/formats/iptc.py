"""IPTC Photo Metadata 2025.1 in XMP: what a disclosure becomes, and what a file's properties say about AI.

Names and values are exact (facts/regulation 6.1): the full NewsCodes URI, never the bare term; ``AISystemUsed``, never
the names of the draft. The raw prompt is written only when the disclosure holds it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from tanba.formats.xmp import IPTC_EXT, PLUS, XMP, XMP_MM, QName, Xmp
from tanba.model import C2PA_DST, IPTC_DST, DigitalSourceType, Disclosure, Involvement
from tanba.report import AiState, Bucket, Finding, Layer, Statement, Strength
from tanba.wire import rfc3339

DIGITAL_SOURCE_TYPE: QName = (IPTC_EXT, "DigitalSourceType")
AI_SYSTEM_USED: QName = (IPTC_EXT, "AISystemUsed")
AI_SYSTEM_VERSION_USED: QName = (IPTC_EXT, "AISystemVersionUsed")
AI_PROMPT_INFORMATION: QName = (IPTC_EXT, "AIPromptInformation")
AI_PROMPT_WRITER_NAME: QName = (IPTC_EXT, "AIPromptWriterName")
DATA_MINING: QName = (PLUS, "DataMining")
CREATE_DATE: QName = (XMP, "CreateDate")
METADATA_DATE: QName = (XMP, "MetadataDate")
INSTANCE_ID: QName = (XMP_MM, "InstanceID")

DMI_PROHIBITED = "http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED"
"""PLUS LDF: no data mining of any kind; agrees with ``notAllowed`` in all four CAWG training-mining entries."""

_DMI = "http://ns.useplus.org/ldf/vocab/DMI-"
_BASES = (IPTC_DST, C2PA_DST)

MEANING: Mapping[str, AiState] = {
    "trainedAlgorithmicMedia": AiState.GENERATED,
    "trainedAlgorithmicData": AiState.GENERATED,
    "compositeWithTrainedAlgorithmicMedia": AiState.MODIFIED,
    "compositeSynthetic": AiState.COMPOSITE,
    "algorithmicallyEnhanced": AiState.ASSISTED,
    **dict.fromkeys(
        (
            "humanEdits",
            "minorHumanEdits",
            "digitalCreation",
            "digitalArt",
            "softwareImage",
            "digitalCapture",
            "computationalCapture",
            "compositeCapture",
            "negativeFilm",
            "positiveFilm",
            "print",
            "screenCapture",
        ),
        AiState.HUMAN_DECLARED,
    ),
}
"""IPTC term -> what it amounts to (facts/regulation 6.1). Terms that say neither (``composite``) are left out."""

_KNOWN = {item.value for item in DigitalSourceType} | set(MEANING)
_TEXT_FIELDS = (AI_SYSTEM_USED, AI_SYSTEM_VERSION_USED, AI_PROMPT_INFORMATION, AI_PROMPT_WRITER_NAME)
_STRONG = (AiState.GENERATED, AiState.MODIFIED, AiState.COMPOSITE)


def properties(
    disclosure: Disclosure,
    *,
    existing: Xmp | None = None,
    content_id: str | None = None,
    moment: datetime | None = None,
) -> dict[QName, str | None]:
    """The XMP properties of a disclosure; None removes a stale one of an earlier label.

    A human or standard edit keeps the AI source type that ``existing`` holds (EU Code 1.2: marks are never weakened).
    ``created_at`` becomes ``xmp:CreateDate`` only when stated, because a photograph's own date must survive.
    """
    found: dict[QName, str | None] = {DIGITAL_SOURCE_TYPE: _source_type(disclosure, existing)}
    if disclosure.involvement in (Involvement.GENERATED, Involvement.MODIFIED, Involvement.COMPOSITE):
        found[AI_SYSTEM_USED] = disclosure.system or disclosure.model
        found[AI_SYSTEM_VERSION_USED] = disclosure.system_version
        found[AI_PROMPT_INFORMATION] = disclosure.prompt
        found[AI_PROMPT_WRITER_NAME] = disclosure.prompt_author
    elif disclosure.system:
        found[AI_SYSTEM_USED] = disclosure.system
        found[AI_SYSTEM_VERSION_USED] = disclosure.system_version
    if disclosure.no_training:
        found[DATA_MINING] = DMI_PROHIBITED
    if disclosure.created_at is not None:
        found[CREATE_DATE] = rfc3339(disclosure.created_at)
    if moment is not None:
        found[METADATA_DATE] = rfc3339(moment)
    if content_id is not None:
        found[INSTANCE_ID] = content_id
    return found


def statements(xmp: Xmp) -> tuple[Statement, ...]:
    """What the properties say about AI, in file order of the standard; all of it unsigned."""
    return tuple(_statements(xmp))


def findings(xmp: Xmp) -> tuple[Finding, ...]:
    """Faults of the IPTC layer: a bare or unknown source type, or several that contradict each other."""
    return tuple(_findings(xmp))


def term(value: str) -> str:
    """The bare term of a source type value, whether it is the URI (http or https) or, wrongly, the term alone."""
    for base in _BASES:
        rest = value.removeprefix("https://").removeprefix("http://")
        if rest.startswith(base.removeprefix("http://")):
            return rest[len(base) - len("http://") :]
    return value


def _source_type(disclosure: Disclosure, existing: Xmp | None) -> str:
    if existing is not None and disclosure.involvement in (Involvement.HUMAN, Involvement.ASSISTED):
        for value in existing.values(*DIGITAL_SOURCE_TYPE):
            if MEANING.get(term(value)) in _STRONG:
                return value if term(value) != value else IPTC_DST + value
    return disclosure.digital_source_type.uri


def _statements(xmp: Xmp) -> Iterator[Statement]:
    for value in xmp.values(*DIGITAL_SOURCE_TYPE):
        name = term(value)
        yield Statement(Layer.IPTC, name, None, Strength.UNSIGNED, value, MEANING.get(name))
    for field in _TEXT_FIELDS:
        for value in xmp.values(*field):
            if value:
                yield Statement(Layer.IPTC, field[1], None, Strength.UNSIGNED, value)
    for value in xmp.values(*DATA_MINING):
        yield Statement(Layer.IPTC, "DataMining", None, Strength.UNSIGNED, value.removeprefix(_DMI))


def _findings(xmp: Xmp) -> Iterator[Finding]:
    values = xmp.values(*DIGITAL_SOURCE_TYPE)
    for value in values:
        if term(value) == value:
            yield _finding("tanba.iptc.bare_term", f"the source type {value[:80]!r} is not a URI of IPTC or C2PA")
        elif term(value) not in _KNOWN:
            yield _finding("tanba.iptc.unknown_term", f"the source type {term(value)[:80]!r} is not in the vocabulary")
    if len({term(value) for value in values}) > 1:
        yield _finding("tanba.iptc.several_values", "the file gives several digital source types")


def _finding(code: str, text: str) -> Finding:
    return Finding(code, Bucket.INFORMATIONAL, Layer.IPTC, subject="Iptc4xmpExt:DigitalSourceType", text=text)
