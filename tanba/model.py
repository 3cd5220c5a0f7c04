"""What is claimed by a label: frozen values in the words of C2PA 2.4 and IPTC Photo Metadata 2025.1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

IPTC_DST = "http://cv.iptc.org/newscodes/digitalsourcetype/"
C2PA_DST = "http://c2pa.org/digitalsourcetype/"


class DigitalSourceType(StrEnum):
    """The closed list that Tanba writes and understands (IPTC NewsCodes and two C2PA terms).

    Values are the bare terms; :attr:`uri` is what stands in files.
    """

    TRAINED_ALGORITHMIC_MEDIA = "trainedAlgorithmicMedia"
    COMPOSITE_WITH_TRAINED_ALGORITHMIC_MEDIA = "compositeWithTrainedAlgorithmicMedia"
    COMPOSITE_SYNTHETIC = "compositeSynthetic"
    ALGORITHMIC_MEDIA = "algorithmicMedia"
    ALGORITHMICALLY_ENHANCED = "algorithmicallyEnhanced"
    COMPOSITE = "composite"
    COMPOSITE_CAPTURE = "compositeCapture"
    COMPUTATIONAL_CAPTURE = "computationalCapture"
    DATA_DRIVEN_MEDIA = "dataDrivenMedia"
    DIGITAL_CAPTURE = "digitalCapture"
    DIGITAL_CREATION = "digitalCreation"
    HUMAN_EDITS = "humanEdits"
    NEGATIVE_FILM = "negativeFilm"
    POSITIVE_FILM = "positiveFilm"
    PRINT = "print"
    SCREEN_CAPTURE = "screenCapture"
    VIRTUAL_RECORDING = "virtualRecording"
    TRAINED_ALGORITHMIC_DATA = "trainedAlgorithmicData"
    EMPTY = "empty"

    @property
    def uri(self) -> str:
        """The full URI as IPTC and C2PA want it in files; the bare code is the typical error."""
        base = C2PA_DST if self in (DigitalSourceType.TRAINED_ALGORITHMIC_DATA, DigitalSourceType.EMPTY) else IPTC_DST
        return base + self.value


class Involvement(StrEnum):
    """What the caller says is true about AI and this content, in plain terms (``--as``)."""

    GENERATED = "generated"
    """Made by a trained model."""
    MODIFIED = "modified"
    """Human or captured content that AI changed in substance."""
    COMPOSITE = "composite"
    """A mix with at least one AI-made element."""
    ASSISTED = "assisted"
    """Standard editing with AI help (sharpening, grammar): no change of meaning."""
    HUMAN = "human"
    """The issuer declares human-made content. A declaration, never a detection."""


SOURCE_TYPES: Mapping[Involvement, tuple[DigitalSourceType, ...]] = {
    Involvement.GENERATED: (
        DigitalSourceType.TRAINED_ALGORITHMIC_MEDIA,
        DigitalSourceType.TRAINED_ALGORITHMIC_DATA,
        DigitalSourceType.VIRTUAL_RECORDING,
    ),
    Involvement.MODIFIED: (DigitalSourceType.COMPOSITE_WITH_TRAINED_ALGORITHMIC_MEDIA,),
    Involvement.COMPOSITE: (DigitalSourceType.COMPOSITE_SYNTHETIC, DigitalSourceType.COMPOSITE),
    Involvement.ASSISTED: (DigitalSourceType.ALGORITHMICALLY_ENHANCED,),
    Involvement.HUMAN: (
        DigitalSourceType.DIGITAL_CREATION,
        DigitalSourceType.DIGITAL_CAPTURE,
        DigitalSourceType.COMPUTATIONAL_CAPTURE,
        DigitalSourceType.COMPOSITE_CAPTURE,
        DigitalSourceType.HUMAN_EDITS,
        DigitalSourceType.SCREEN_CAPTURE,
        DigitalSourceType.NEGATIVE_FILM,
        DigitalSourceType.POSITIVE_FILM,
        DigitalSourceType.PRINT,
        DigitalSourceType.DATA_DRIVEN_MEDIA,
        DigitalSourceType.ALGORITHMIC_MEDIA,
    ),
}
"""Allowed digital source types per involvement; the first is the default."""


class Oversight(StrEnum):
    """``contentProfile.humanOversightLevel`` of ``c2pa.ai-disclosure`` (C2PA 2.4 section 18.29)."""

    FULLY_AUTONOMOUS = "fully_autonomous"
    PROMPT_GUIDED = "prompt_guided"
    HUMAN_VALIDATED = "human_validated"


class Carrier(StrEnum):
    """How the manifest travels."""

    EMBEDDED = "embedded"
    SIDECAR = "sidecar"
    A7 = "a7"
    A8 = "a8"
    A9 = "a9"


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """Everything the caller states about one asset. Nothing here is inferred from the content."""

    involvement: Involvement
    source_type: DigitalSourceType | None = None
    """Overrides the default of ``involvement``; must be in :data:`SOURCE_TYPES`."""
    system: str | None = None
    """Name of the AI system (IPTC ``AISystemUsed``, C2PA ``softwareAgent.name``)."""
    system_version: str | None = None
    model: str | None = None
    """Model identifier, for instance a package URL (``modelIdentifier``)."""
    model_type: str = "c2pa.types.model"
    provider: str | None = None
    """The organisation that provides the system (owner or holder in Kazakhstan's law)."""
    provider_id: str | None = None
    """Registered code of the provider (27-character code of TC260 for China)."""
    oversight: Oversight | None = None
    prompt_author: str | None = None
    prompt: str | None = None
    """The raw prompt. Enters a file only when the caller gave it by name (privacy; KZ 23(2))."""
    prompt_sha256: str | None = None
    """SHA-256 of a prompt that is not published, lower-case hex: its author can prove it later. A prompt that can be
    guessed can be found from its digest."""
    human_contribution: str | None = None
    """Statement of the human creative contribution (KZ 23(1))."""
    no_training: bool = False
    """Reserve text-and-data-mining and AI training (``cawg.training-mining``, ``plus:DataMining``)."""
    operations: tuple[str, ...] = ()
    """What was done, in words (EU Code 1.3)."""
    synthetic_result: tuple[str, ...] = ()
    """Basis on which the caller says this is a *synthetic result* (KZ Art. 1(4)): any of ``person_appearance``,
    ``person_voice``, ``person_behaviour``, ``non_event``."""
    languages: tuple[str, ...] = ("en",)
    """BCP 47 tags of the readers' languages for visible marks, in order."""
    content_id: str | None = None
    """Unique number of this content given by the producer; a UUID is made when absent."""
    title: str | None = None
    created_at: datetime | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Fields that a profile added; never interpreted by the kernel."""

    @property
    def digital_source_type(self) -> DigitalSourceType:
        """The IPTC term that stands in every layer."""
        return self.source_type or SOURCE_TYPES[self.involvement][0]

    @property
    def is_ai(self) -> bool:
        """Whether the caller states that AI made or changed the content (``assisted`` counts; ``human`` does not)."""
        return self.involvement is not Involvement.HUMAN


@dataclass(frozen=True, slots=True)
class IdentityRef:
    """The public side of who signed."""

    name: str
    fingerprint: str
    """SHA-256 of the leaf certificate, lower-case hex."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelReceipt:
    """Proof of one label, ``tanba.receipt/1`` (contracts.md)."""

    schema: str = "tanba.receipt/1"
    label_id: str
    """The active manifest's label, ``urn:c2pa:<uuid>``."""
    input_sha256: str
    output_sha256: str
    manifest_sha256: str
    media_type: str
    carrier: Carrier
    profile: tuple[str, ...]
    layers: tuple[str, ...]
    identity: IdentityRef
    claimed_at: datetime
    timestamp: Mapping[str, Any] | None = None
    bindings: tuple[Mapping[str, str], ...] = ()
    log: Mapping[str, Any] | None = None
    output: str | None = None
    warnings: tuple[str, ...] = ()
    alt_text: Mapping[str, str] = field(default_factory=dict)
    """Alternative text of a visible mark by language tag."""
