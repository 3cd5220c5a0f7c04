"""Steps (2) and (3): what will be done to an asset, in which order, for which article, and what cannot be done and why.

Pure: formats, disclosure and profiles in, a printable :class:`LabelPlan` out. It never opens the asset.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from labeler.fitting import fitted_format
from tanba.errors import RequirementUnmet, UnsupportedFormat, UsageError
from tanba.formats.sniff import Format, Kind
from tanba.formats.xmp import not_writable
from tanba.model import Carrier, Disclosure
from tanba.profiles import Profile, Severity, Unmet, combine, load, missing_fields

ORDER = ("visible", "iptc", "aigc", "c2pa", "timestamp")
"""The safe order: pixels, then metadata, then the signature, because the hard binding covers every byte before it."""

_WHAT = {
    "visible": "put a notice that people can see into the content",
    "iptc": "write IPTC 2025.1 fields into XMP metadata",
    "aigc": "write one AIGC label (GB 45438-2025) into the metadata",
    "c2pa": "sign a C2PA manifest over every byte",
    "timestamp": "have the signature time-stamped (RFC 3161)",
}
ALWAYS = ("always",)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that will be done."""

    layer: str
    what: str
    because: tuple[str, ...]
    """Who asks: citations of articles, or ``asked for`` / ``always``."""


@dataclass(frozen=True, slots=True)
class Impossible:
    """A layer that was asked for and cannot be made for this format."""

    layer: str
    reason: str
    because: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the caller asked for beside the disclosure."""

    visible: bool = False
    timestamp: bool = False
    metadata: bool = True
    carrier: Carrier | None = None


_NO_WISHES = Wishes()


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelPlan:
    """What ``--dry-run`` prints: the ordered steps, and what stays undone."""

    media_type: str
    carrier: Carrier
    carrier_reason: str
    profiles: tuple[str, ...]
    """Versions, ``kz-2026.1``."""
    articles: tuple[str, ...]
    """Articles that this label is made to fulfil."""
    source_type: str
    """The digital source type, as a full URI."""
    languages: tuple[str, ...]
    steps: tuple[Step, ...]
    impossible: tuple[Impossible, ...] = ()
    warnings: tuple[str, ...] = ()
    """Recommendations that stay unmet."""
    unmet: tuple[str, ...] = ()
    """Requirements that stay unmet, with their articles; a label is refused while there are any."""
    schema: str = "tanba.plan/1"

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers that will be written, in order."""
        return tuple(step.layer for step in self.steps)

    def require_met(self) -> None:
        """Raise :class:`RequirementUnmet` naming every unmet article at once."""
        if self.unmet:
            raise RequirementUnmet(
                "; ".join(self.unmet),
                hint="state what is missing, or leave the profile out; `--dry-run` shows the plan",
                details={"profiles": list(self.profiles), "unmet": list(self.unmet)},
            )


def load_profiles(ids: Sequence[str]) -> tuple[Profile, ...]:
    """Profiles by id, in order, each once. Raises :class:`UsageError` for an unknown one."""
    return tuple(load(name) for name in dict.fromkeys(ids))


def make_plan(
    format: Format,
    disclosure: Disclosure,
    profiles: Sequence[Profile] = (),
    wishes: Wishes = _NO_WISHES,
    *,
    carrier: tuple[Carrier, str] | None = None,
) -> LabelPlan:
    """The plan for one asset. ``carrier`` and its reason are given for text, where the content decides.

    Layers that a profile *requires* are switched on; recommended ones are switched on when they change no pixels.
    Raises :class:`UnsupportedFormat` or :class:`UsageError` for a carrier that does not fit.
    """
    how, reason = carrier or choose_carrier(format, wishes.carrier)
    profile = combine(profiles) if profiles else None
    asked = _asked_for(format, disclosure, profile, wishes)
    steps: list[Step] = []
    impossible: list[Impossible] = []
    for layer in ORDER:
        if layer not in asked:
            continue
        if why_not := _why_not(layer, format, how, wishes):
            if asked[layer] != ALWAYS:
                impossible.append(Impossible(layer, why_not, asked[layer]))
            continue
        steps.append(Step(layer, _WHAT[layer], asked[layer]))
    unmet = _unmet(profile, disclosure, [step.layer for step in steps], format.kind)
    return LabelPlan(
        media_type=format.media_type,
        carrier=how,
        carrier_reason=reason,
        profiles=tuple(item.version for item in profiles),
        articles=_articles(profile, disclosure, format.kind, unmet),
        source_type=disclosure.digital_source_type.uri,
        languages=disclosure.languages or (profile.languages if profile else ("en",)),
        steps=tuple(steps),
        impossible=tuple(impossible),
        warnings=tuple(item.message for item in unmet if not item.refuses),
        unmet=tuple(item.message for item in unmet if item.refuses),
    )


def choose_carrier(format: Format, wish: Carrier | None) -> tuple[Carrier, str]:
    """How the manifest travels, and why."""
    if format.kind is Kind.STORE:
        raise UnsupportedFormat("a .c2pa file is a label itself", hint="label the file it belongs to")
    if wish in (Carrier.A7, Carrier.A8, Carrier.A9) and format.kind is not Kind.TEXT:
        raise UsageError(f"the carrier {wish.value} is for text", hint="leave --carrier out, or use sidecar")
    if wish is Carrier.SIDECAR:
        return Carrier.SIDECAR, "asked for: the file's bytes stay as they are"
    if format.signable:
        return Carrier.EMBEDDED, f"{format.media_type} has a place for a manifest"
    return Carrier.SIDECAR, f"no manifest can be embedded in {format.media_type}: it goes into a file beside it"


def _asked_for(
    format: Format, disclosure: Disclosure, profile: Profile | None, wishes: Wishes
) -> dict[str, tuple[str, ...]]:
    """Layer -> who asks for it."""
    wanted = profile.layers(disclosure, format.kind) if profile else {}
    asked: dict[str, tuple[str, ...]] = {}
    for layer in ORDER:
        because = _citations(profile, disclosure, format.kind, layer)
        required = wanted.get(layer) is Severity.REQUIRED
        if layer in ("c2pa", "iptc"):
            asked[layer] = because or ALWAYS
        elif (layer == "visible" and wishes.visible) or (layer == "timestamp" and wishes.timestamp):
            asked[layer] = (*because, "asked for")
        elif (layer == "aigc" and layer in wanted) or (layer == "visible" and required):
            asked[layer] = because
    return asked


def _citations(profile: Profile | None, disclosure: Disclosure, kind: Kind, layer: str) -> tuple[str, ...]:
    if profile is None:
        return ()
    return _unique(
        item.citation
        for item in profile.requirements
        if item.when.holds(disclosure, kind) and any(layer in entry.split("|") for entry in item.layers)
    )


def _why_not(layer: str, format: Format, carrier: Carrier, wishes: Wishes) -> str | None:
    """Why a layer will not be made, or None when it will."""
    if layer in ("iptc", "aigc"):
        if not wishes.metadata:
            return "the metadata was asked to be left alone"
        if carrier is Carrier.SIDECAR and format.signable:
            return "a sidecar was asked for, and the file's bytes stay as they are"
        return not_writable(fitted_format(format) if carrier is Carrier.EMBEDDED else format)
    if layer != "visible":
        return None
    if format.kind is Kind.TEXT:
        from labeler.text_notice import not_placeable

        return not_placeable(format.media_type)
    from labeler.visible import not_drawable

    return not_drawable(format)


def _unmet(profile: Profile | None, disclosure: Disclosure, layers: list[str], kind: Kind) -> tuple[Unmet, ...]:
    return missing_fields(profile, disclosure, layers, kind=kind) if profile else ()


def _articles(profile: Profile | None, disclosure: Disclosure, kind: Kind, unmet: Sequence[Unmet]) -> tuple[str, ...]:
    """Articles whose demands on the label hold and are met; a question to a person is not the label's to answer."""
    if profile is None:
        return ()
    open_ = {item.requirement.citation for item in unmet}
    return _unique(
        item.citation
        for item in profile.requirements
        if item.when.holds(disclosure, kind)
        and item.citation not in open_
        and (item.fields or item.layers or item.check)
    )


def _unique(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))
