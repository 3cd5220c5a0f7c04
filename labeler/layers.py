"""Steps (4) and (5): the layers that change bytes before the signature, and the proof that they are there.

Each step takes the asset as the step before left it and makes a new one; the input is never touched. Text has no such
layers: its notice is part of the text road.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from labeler.fitting import fit
from labeler.options import LabelOptions
from labeler.plan import ALWAYS, LabelPlan
from tanba.asset import Asset
from tanba.errors import MetadataNotWritable, SelfCheckFailed
from tanba.formats.metadata import read_metadata, write_metadata
from tanba.limits import Limits
from tanba.model import C2PA_DST, IPTC_DST, Carrier, Disclosure, Involvement
from tanba.profiles import combine, load
from tanba.report import Layer

_BASES = (IPTC_DST, C2PA_DST)


@dataclass(frozen=True, slots=True)
class Prepared:
    """The asset as it goes to the signature."""

    asset: Asset
    written: tuple[str, ...] = ()
    """Layers that were really written: ``visible``, ``iptc``, ``aigc``."""
    alt_text: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def marks(self) -> tuple[str, ...]:
        """What was done to the bytes, as the manifest's actions name it, in order."""
        metadata = ("metadata",) if {"iptc", "aigc"}.intersection(self.written) else ()
        return (("visible",) if "visible" in self.written else ()) + metadata


def apply(
    asset: Asset, disclosure: Disclosure, plan: LabelPlan, options: LabelOptions, limits: Limits, moment: datetime
) -> Prepared:
    """Make room for the label where there is none, then draw and write what the plan says, in the plan's order.

    Raises :class:`VisibleRefused`, :class:`MetadataNotWritable`, :class:`MalformedAsset`, :class:`UsageError`,
    :class:`UnsupportedFormat`, :class:`AssetTooLarge`.
    """
    prepared = Prepared(asset)
    if plan.carrier is Carrier.EMBEDDED:
        fitting, notes = fit(asset, limits)
        prepared = Prepared(fitting, warnings=notes)
    if "visible" in plan.layers:
        prepared = _with_notice(prepared, disclosure, plan, options, limits)
    if {"iptc", "aigc"}.intersection(plan.layers):
        prepared = _with_metadata(prepared, disclosure, plan, moment)
    return prepared


def _with_notice(
    prepared: Prepared, disclosure: Disclosure, plan: LabelPlan, options: LabelOptions, limits: Limits
) -> Prepared:
    """Step (4). Words and place come from the profiles; without any, from the base profile ``none``."""
    from labeler import visible

    profile = combine(options.profiles) if options.profiles else load("none")
    notice = visible.from_profile(profile, disclosure, languages=plan.languages, placement=options.placement)
    asset = prepared.asset
    drawn = visible.draw(asset.read(), asset.format, notice, limits)
    return Prepared(
        Asset(name=asset.name, format=asset.format, size=len(drawn.data), data=drawn.data),
        ("visible",),
        drawn.alt_text,
        prepared.warnings + drawn.notes,
    )


def _with_metadata(prepared: Prepared, disclosure: Disclosure, plan: LabelPlan, moment: datetime) -> Prepared:
    """Step (5). A file whose own XMP cannot be kept is left alone; that only stops a label that a profile asks for."""
    asset = prepared.asset
    try:
        made = write_metadata(
            asset.read(),
            asset.format,
            disclosure,
            content_id=disclosure.content_id,
            moment=moment,
            with_iptc="iptc" in plan.layers,
            with_aigc="aigc" in plan.layers,
        )
    except MetadataNotWritable as error:
        if any(step.because != ALWAYS for step in plan.steps if step.layer in ("iptc", "aigc")):
            raise
        note = f"no IPTC/XMP fields were written: {error.message}"
        return Prepared(asset, prepared.written, prepared.alt_text, (*prepared.warnings, note))
    return Prepared(
        Asset(name=asset.name, format=asset.format, size=len(made.data), data=made.data),
        prepared.written + made.layers,
        prepared.alt_text,
        prepared.warnings + made.notes,
    )


def check(made: Asset, disclosure: Disclosure, written: tuple[str, ...], limits: Limits) -> tuple[str, ...]:
    """Part of step (8): read the unsigned layers back; returns warnings. Raises :class:`SelfCheckFailed`.

    A human's or an assisting edit keeps an earlier AI source type in the metadata (EU Code 1.2): marks are never
    weakened, so the layers may then contradict each other, and the caller is told.
    """
    if not {"iptc", "aigc"}.intersection(written):
        return ()
    found = read_metadata(made, limits).statements
    if "aigc" in written and sum(item.layer is Layer.AIGC for item in found) != 1:
        raise SelfCheckFailed("the file does not hold exactly one AIGC label (GB 45438-2025 6.1 c)")
    if "iptc" not in written:
        return ()
    terms = [item.value for item in found if item.layer is Layer.IPTC and (item.value or "").startswith(_BASES)]
    if len(terms) != 1:
        raise SelfCheckFailed("the IPTC source type that was written does not read back as one value")
    if terms[0] == disclosure.digital_source_type.uri:
        return ()
    if disclosure.involvement not in (Involvement.HUMAN, Involvement.ASSISTED):
        raise SelfCheckFailed("the IPTC source type that was written is not the one that was stated")
    return (f"the file's own metadata says {str(terms[0]).rpartition('/')[2]}; that was kept, beside what you state",)
