"""What a jurisdiction profile is: frozen values, read from the TOML files of this folder.

A profile says what one law, code or standard asks of a label: which fields and layers, where it says so, how sure we
are, and with which words a visible notice is written. It is an engineering reading, never legal advice, and it never
decides whether a file is lawful: :mod:`tanba.profiles.requirements` only compares what was stated with what is asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from tanba.formats.sniff import Kind
from tanba.model import Disclosure, Involvement

LAYERS = ("c2pa", "iptc", "aigc", "visible", "watermark", "fingerprint", "timestamp")
"""Layer names a requirement may ask for. ``timestamp`` is an RFC 3161 token in the C2PA signature."""

PLACEMENTS = ("top-right", "top-left", "bottom-right", "bottom-left", "top", "bottom")
"""Where a visible mark may stand; ``top`` and ``bottom`` are centred on that edge."""

FLAGS = ("synthetic_result", "deepfake", "public_interest_text", "exported")
"""Circumstances only the caller knows. ``synthetic_result`` is :attr:`Disclosure.synthetic_result` being non-empty;
the others are read from :attr:`Disclosure.extra` under the same name."""


class Severity(StrEnum):
    """How strongly the source asks."""

    REQUIRED = "required"
    RECOMMENDED = "recommended"


class Binding(StrEnum):
    """What kind of source asks."""

    LAW = "law"
    STANDARD = "standard"
    CODE = "code"
    """A voluntary code; mandatory for its signatories."""
    PRACTICE = "practice"
    """Our own or the field's recommendation."""


class Wording(StrEnum):
    """How much a label's words can rely on (regulation facts, section 10)."""

    OFFICIAL = "official"
    COMMON = "common"
    TRANSLATED = "translated"
    """Tanba's translation; wants a native speaker's and a lawyer's look."""


class Use(StrEnum):
    """What a label string is for."""

    BADGE = "badge"
    """Drawn into a picture: a few words."""
    NOTICE = "notice"
    """A sentence at the head of a text."""
    LEGAL = "legal"
    """The legal line, for a colophon or a caption."""
    SERVICE = "service"
    """Shown by a service that works with AI."""
    ALT = "alt"
    """Alternative text of the visible mark, for screen readers."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a rule stands."""

    id: str
    title: str
    url: str
    read: str
    """``primary`` (the text itself was read), ``secondary`` or ``unverified``."""


@dataclass(frozen=True, slots=True)
class KeyDate:
    date: date
    what: str


@dataclass(frozen=True, slots=True)
class LabelString:
    """One wording in one language."""

    use: Use
    lang: str
    """BCP 47 tag: ``kk``, ``ru``, ``en``, ``zh``."""
    text: str
    wording: Wording
    involvement: tuple[Involvement, ...]


@dataclass(frozen=True, slots=True)
class When:
    """When a requirement applies; an empty field means "always". All given fields must hold."""

    involvement: tuple[Involvement, ...] = ()
    kinds: tuple[Kind, ...] = ()
    flags: tuple[str, ...] = ()
    """Any one of these :data:`FLAGS` is enough."""

    def holds(self, disclosure: Disclosure, kind: Kind) -> bool:
        """Whether a label of this disclosure on an asset of this kind falls under the requirement."""
        return (
            (not self.involvement or disclosure.involvement in self.involvement)
            and (not self.kinds or kind in self.kinds)
            and (not self.flags or any(flag_is_set(disclosure, flag) for flag in self.flags))
        )


def flag_is_set(disclosure: Disclosure, flag: str) -> bool:
    """Whether the caller stated the circumstance. Silence is "no", never inferred from the content."""
    if flag == "synthetic_result":
        return bool(disclosure.synthetic_result)
    return disclosure.extra.get(flag) is True


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One demand of one article."""

    id: str
    """Stable, unique over all profiles: ``kz.21-2.machine-readable``."""
    law: str
    """Short name of the instrument: ``KZ 230-VIII``."""
    article: str
    """Article, clause or measure: ``Art. 21(2)``."""
    text: str
    """What is asked, in one English sentence."""
    source: str
    """A :attr:`Source.id`."""
    severity: Severity
    binding: Binding
    matrix: tuple[str, ...] = ()
    """Rows ``T01``-``T42`` of the requirement matrix that test it."""
    when: When = field(default_factory=When)
    fields: tuple[str, ...] = ()
    """Disclosure fields that must be stated; ``a|b`` means one of them is enough."""
    layers: tuple[str, ...] = ()
    """Layers that must be written; ``a|b`` means one of them is enough."""
    check: str | None = None
    """Name of a function in :mod:`tanba.profiles.checks`, where fields and layers cannot say it."""
    question: str | None = None
    """What only a person can answer (``tanba check --answers``): the file cannot show it."""
    enforced: bool = True
    """False: labelling goes on with a warning although the source says "required"; :attr:`note` gives the reason."""
    note: str | None = None

    @property
    def citation(self) -> str:
        """``KZ 230-VIII Art. 21(2)``."""
        return f"{self.law} {self.article}"


@dataclass(frozen=True, slots=True, kw_only=True)
class VisibleSpec:
    """How a visible mark looks under a profile."""

    placement: str = "top-right"
    min_height: float = 0.05
    """Text height as a share of the shortest side (GB 45438-2025, 5.2 e)."""
    min_contrast: float = 4.5
    """WCAG 2.1 contrast ratio of text on its plate (1.4.3 AA)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One jurisdiction's demands, versioned."""

    id: str
    version: str
    title: str
    jurisdiction: str
    status: str
    """``in_force``, ``provisional`` (an act that fixes details is not known) or ``house`` (not a law)."""
    as_of: date
    legal_review: str
    summary: str
    languages: tuple[str, ...]
    """Languages of visible marks, in order, when the caller names none."""
    visible: VisibleSpec
    sources: tuple[Source, ...] = ()
    dates: tuple[KeyDate, ...] = ()
    requirements: tuple[Requirement, ...] = ()
    strings: tuple[LabelString, ...] = ()
    options: Mapping[str, bool] = field(default_factory=dict)
    """``training_opt_out``: the profile suggests ``--no-training``; ``one_visible_label``: parts join in one mark."""

    def layers(self, disclosure: Disclosure, kind: Kind) -> dict[str, Severity]:
        """Layers asked for by the requirements that apply, the strongest severity each; what a plan switches on.

        Of alternatives (``a|b``) the first counts. Requirements with ``enforced = false`` count as recommended.
        """
        found: dict[str, Severity] = {}
        for item in self.requirements:
            if not item.when.holds(disclosure, kind):
                continue
            severity = item.severity if item.enforced else Severity.RECOMMENDED
            for layer in (entry.partition("|")[0] for entry in item.layers):
                if found.get(layer) is not Severity.REQUIRED:
                    found[layer] = severity
        return found

    def string(self, use: Use, involvement: Involvement, lang: str) -> LabelString | None:
        """The wording for one use and language (``kk-KZ`` finds ``kk``), or None when the profile has none."""
        language = lang.partition("-")[0].lower()
        for item in self.strings:
            if item.use is use and item.lang == language and involvement in item.involvement:
                return item
        return None

    def source(self, id: str) -> Source | None:
        """The source of a requirement."""
        return next((item for item in self.sources if item.id == id), None)


@dataclass(frozen=True, slots=True)
class Unmet:
    """A requirement that the disclosure and the planned layers do not meet."""

    requirement: Requirement
    missing: tuple[str, ...]
    """Field names, layer names, or a check's words."""
    message: str
    """One sentence that names the article: what is missing and who asks."""

    @property
    def refuses(self) -> bool:
        """Whether labelling must stop here (required and enforced); otherwise it is a warning."""
        return self.requirement.severity is Severity.REQUIRED and self.requirement.enforced
