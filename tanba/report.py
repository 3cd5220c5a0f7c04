"""The verification report: five separate answers, findings, and one verdict word. Never a boolean.

Shape and words are fixed in ``docs/contracts.md``; :mod:`tanba.wire` turns a report into that JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NoReturn

from tanba.errors import PolicyNotMet


class Verdict(StrEnum):
    """One word for the whole file. ``UNMARKED`` says nothing about origin."""

    UNMARKED = "unmarked"
    UNCHECKED = "unchecked"
    INVALID = "invalid"
    RECOVERED = "recovered"
    VALID = "valid"
    TRUSTED = "trusted"

    def __bool__(self) -> NoReturn:
        raise TypeError("a verdict is not a boolean: compare it with a Verdict, or use report.at_least(...)")


class Bucket(StrEnum):
    """The three buckets of C2PA validation results."""

    SUCCESS = "success"
    INFORMATIONAL = "informational"
    FAILURE = "failure"


class Layer(StrEnum):
    """Where a statement or a finding comes from."""

    C2PA = "c2pa"
    CAWG = "cawg"
    IPTC = "iptc"
    AIGC = "aigc"
    VENDOR = "vendor"
    WATERMARK = "watermark"
    FINGERPRINT = "fingerprint"
    VISIBLE = "visible"
    SIDECAR = "sidecar"
    TEXT = "text"
    TANBA = "tanba"


class LayerState(StrEnum):
    FOUND = "found"
    ABSENT = "absent"
    CONTRADICTS = "contradicts"
    NOT_CHECKED = "not_checked"


class IntegrityState(StrEnum):
    INTACT = "intact"
    BROKEN = "broken"
    ABSENT = "absent"
    NOT_EVALUATED = "not_evaluated"


class SignerState(StrEnum):
    TRUSTED = "trusted"
    UNKNOWN = "unknown"
    INVALID = "invalid"
    ABSENT = "absent"


class TimeState(StrEnum):
    TIMESTAMPED = "timestamped"
    CLAIMED = "claimed"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    ABSENT = "absent"


class RevocationState(StrEnum):
    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"
    NOT_CHECKED = "not_checked"


class AiState(StrEnum):
    GENERATED = "generated"
    MODIFIED = "modified"
    COMPOSITE = "composite"
    ASSISTED = "assisted"
    NONE_DECLARED = "none_declared"
    HUMAN_DECLARED = "human_declared"


class Strength(StrEnum):
    """How much a statement about AI rests on. A heuristic alone never says "AI"."""

    SIGNED = "signed"
    UNSIGNED = "unsigned"
    HEURISTIC = "heuristic"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact that a check recorded. C2PA codes are verbatim and keep the bucket the engine gave them."""

    code: str
    bucket: Bucket
    layer: Layer
    subject: str | None = None
    """What it is about: a JUMBF URI, a field name, a byte range in words."""
    text: str | None = None
    """The engine's or our explanation, English; readers' sentences come from the catalogue by code."""
    params: Mapping[str, Any] = field(default_factory=dict)
    """Values for the catalogue's sentence."""


@dataclass(frozen=True, slots=True)
class TrustListRef:
    """A named trust list as it was used."""

    name: str
    date: str | None
    sha256: str
    source: str | None = None
    purpose: str | None = None
    dated: bool = True
    """False when the day of adding stands in for a date that nobody gave."""


@dataclass(frozen=True, slots=True)
class IntegrityAnswer:
    state: IntegrityState = IntegrityState.NOT_EVALUATED
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SignerAnswer:
    state: SignerState = SignerState.ABSENT
    name: str | None = None
    organization: str | None = None
    serial: str | None = None
    fingerprint: str | None = None
    """SHA-256 of the leaf certificate, lower-case hex."""
    issuer: str | None = None
    not_before: datetime | None = None
    not_after: datetime | None = None
    algorithm: str | None = None
    list: TrustListRef | None = None
    """The named list that vouches, or None."""


@dataclass(frozen=True, slots=True)
class TimeAnswer:
    state: TimeState = TimeState.ABSENT
    signed_at: datetime | None = None
    source: str | None = None
    """``rfc3161`` or ``claim``."""
    authority: Mapping[str, Any] | None = None
    """Who issued the time stamp: name, organization, and the list that vouches for it, or None."""
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class RevocationAnswer:
    state: RevocationState = RevocationState.NOT_CHECKED
    since: datetime | None = None
    reason: str | None = None
    source: str | None = None
    """``stapled``, ``ocsp``, ``crl`` or None."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing that one layer says about AI."""

    layer: Layer
    what: str
    """Code of what is said: a :class:`tanba.model.DigitalSourceType` term, an assertion label, a field name."""
    who: str | None
    """The signer for signed statements, None for unsigned ones."""
    strength: Strength
    value: str | None = None
    involvement: AiState | None = None
    """What the statement amounts to, or None when it says nothing about the degree."""
    scope: str = "asset"
    """``asset`` or ``ingredient`` (said about a part, or an earlier version)."""


@dataclass(frozen=True, slots=True)
class AiAnswer:
    state: AiState = AiState.NONE_DECLARED
    strength: Strength = Strength.NONE
    statements: tuple[Statement, ...] = ()


@dataclass(frozen=True, slots=True)
class Answers:
    """Five questions, each with its own state."""

    integrity: IntegrityAnswer = field(default_factory=IntegrityAnswer)
    signer: SignerAnswer = field(default_factory=SignerAnswer)
    time: TimeAnswer = field(default_factory=TimeAnswer)
    revocation: RevocationAnswer = field(default_factory=RevocationAnswer)
    ai: AiAnswer = field(default_factory=AiAnswer)


@dataclass(frozen=True, slots=True)
class LayerReport:
    kind: str
    state: LayerState
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class HistoryNode:
    """One version in the chain: the active manifest first, its ingredients below it."""

    title: str | None
    state: str
    """``trusted``, ``valid``, ``invalid``, ``unlabelled`` or ``unknown`` (as recorded or re-validated)."""
    relationship: str | None = None
    """``parentOf``, ``componentOf``, ``inputTo`` or None for the asset itself."""
    label: str | None = None
    format: str | None = None
    software: str | None = None
    signer: str | None = None
    fingerprint: str | None = None
    """SHA-256 of the certificate that signed this version; the newest one's stands in the signer answer."""
    signed_at: datetime | None = None
    digital_source_type: str | None = None
    actions: tuple[Mapping[str, Any], ...] = ()
    codes: tuple[str, ...] = ()
    redacted: tuple[str, ...] = ()
    identities: tuple[Mapping[str, Any], ...] = ()
    """CAWG identities, shown beside the signer, never mixed into its trust."""
    thumbnail: str | None = None
    """``data:`` URI (PNG or JPEG, bounded) when thumbnails were asked for."""
    ingredients: tuple[HistoryNode, ...] = ()


@dataclass(frozen=True, slots=True)
class AssetFacts:
    """Digest, format and size; never the path."""

    name: str | None
    sha256: str
    size: int
    media_type: str


@dataclass(frozen=True, slots=True)
class Basis:
    """What the report rests on; enough to repeat the check."""

    tanba: str
    engines: Mapping[str, str]
    trust_lists: tuple[TrustListRef, ...] = ()
    as_of: datetime | None = None
    network: bool = False
    checked_at: datetime | None = None
    command: str | None = None
    """The command that repeats this check, when there was one."""


@dataclass(frozen=True, slots=True)
class PolicyOutcome:
    """What was demanded and whether it is met. Applied after the verdict, never part of it."""

    name: str
    met: bool
    findings: tuple[Finding, ...] = ()


_ORDER = (Verdict.VALID, Verdict.TRUSTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationReport:
    """The one result of verification (CLI ``--json``, HTTP body and stored row are this)."""

    schema: str = "tanba.report/1"
    asset: AssetFacts
    verdict: Verdict
    answers: Answers
    layers: tuple[LayerReport, ...] = ()
    history: tuple[HistoryNode, ...] = ()
    findings: tuple[Finding, ...] = ()
    recoveries: tuple[Mapping[str, Any], ...] = ()
    policy: PolicyOutcome | None = None
    basis: Basis | None = None
    note: str = ""
    """What the verdict does not tell, in English; readers of other languages get it from the verdict's word."""
    second_opinion: Mapping[str, Any] | None = None

    def at_least(self, level: Verdict) -> bool:
        """Whether the verdict reaches ``valid`` or ``trusted``. Other levels are not ordered: ValueError."""
        if level not in _ORDER:
            raise ValueError("only 'valid' and 'trusted' are levels")
        return self.verdict in _ORDER and _ORDER.index(self.verdict) >= _ORDER.index(level)

    def require(self, level: Verdict) -> None:
        """Raise :class:`PolicyNotMet` unless the report reaches ``level``."""
        if not self.at_least(level):
            raise PolicyNotMet(f"the verdict is {self.verdict.value}, {level.value} was required")

    def __bool__(self) -> NoReturn:
        raise TypeError("a report is not a boolean: read report.verdict and report.answers")
