"""The metadata layers beside C2PA, in one call each way: what a file says about AI, and writing a disclosure into it.

Reading is cheap and bounded, never decodes pixels and never raises on hostile input: what cannot be read becomes a
``tanba.metadata.malformed`` (or ``unread``) finding. Writing is lossless, or refused with a reason.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import datetime

from tanba.asset import Asset
from tanba.errors import InputError, MetadataNotWritable
from tanba.formats import aigc, exif, iptc, signals
from tanba.formats import xmp as packets
from tanba.formats.containers import Blocks, container_for
from tanba.formats.sniff import Format
from tanba.formats.xmp import Xmp
from tanba.limits import DEFAULT_LIMITS, Limits
from tanba.model import Disclosure, Involvement
from tanba.report import Bucket, Finding, Layer, LayerReport, LayerState, Statement

_MAX_STATEMENTS = 200


@dataclass(frozen=True, slots=True)
class MetadataEvidence:
    """Statements of the unsigned layers, the state of each layer, and findings."""

    statements: tuple[Statement, ...] = ()
    layers: tuple[LayerReport, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Written:
    """A file with its disclosure in the metadata."""

    data: bytes
    layers: tuple[str, ...]
    """What was written: ``iptc``, ``aigc``."""
    notes: tuple[str, ...] = ()
    """What was left out and why, in words for the receipt's warnings."""


def read_metadata(asset: Asset, limits: Limits = DEFAULT_LIMITS) -> MetadataEvidence:
    """Read IPTC/XMP, the GB 45438 AIGC label and generator traces. Raises nothing but an unreadable file's error."""
    container = container_for(asset.format)
    if container is None:
        return MetadataEvidence(layers=_layers(LayerState.NOT_CHECKED, LayerState.NOT_CHECKED))
    blocks = _blocks(asset)
    problems = blocks.problems
    xmp: Xmp | None = None
    try:
        xmp = packets.from_blocks(blocks, limits)
    except InputError as error:
        problems.append(error.message)
    tags = exif.read(blocks.exif, problems) if blocks.exif else exif.Tags()
    labels = _aigc_labels(xmp, blocks, tags)
    said = list(iptc.statements(xmp)) if xmp else []
    degree_known = any(item.involvement is not None for item in said)
    said += aigc.statements(labels, degree_known=degree_known)
    said += signals.statements(blocks, tags, xmp, limits)
    found = [*(iptc.findings(xmp) if xmp else ()), *aigc.findings(labels)]
    if len(blocks.xmp) > 1:
        problems.append(f"{len(blocks.xmp)} XMP packets in one file")
    for code, texts in (("tanba.metadata.malformed", problems), ("tanba.metadata.unread", blocks.unread)):
        found += [Finding(code, Bucket.INFORMATIONAL, Layer.IPTC, text=text) for text in texts]
    return MetadataEvidence(
        tuple(said[:_MAX_STATEMENTS]),
        _layers(_iptc_state(said, found), _aigc_state(labels, found)),
        tuple(found[: limits.findings]),
    )


def read_aigc(asset: Asset, limits: Limits = DEFAULT_LIMITS) -> tuple[aigc.AigcLabel, ...]:
    """Every readable GB 45438 label of a file, field by field, for the check against the standard."""
    if container_for(asset.format) is None:
        return ()
    blocks = _blocks(asset)
    try:
        xmp = packets.from_blocks(blocks, limits)
    except InputError:
        xmp = None
    tags = exif.read(blocks.exif, blocks.problems) if blocks.exif else exif.Tags()
    return tuple(item.label for item in _aigc_labels(xmp, blocks, tags) if item.label is not None)


def write_metadata(
    data: bytes,
    format: Format,
    disclosure: Disclosure,
    *,
    content_id: str | None = None,
    moment: datetime | None = None,
    with_iptc: bool = True,
    with_aigc: bool = False,
) -> Written:
    """The file with IPTC properties and, if asked, the one AIGC label; must run before signing (any later write breaks
    the hard binding).

    Raises :class:`MetadataNotWritable`, :class:`MalformedAsset` or :class:`UsageError`.
    """
    reason = packets.not_writable(format)
    container = container_for(format)
    if reason is not None or container is None:
        raise MetadataNotWritable(reason or "no XMP here")
    blocks = Blocks()
    container.read(io.BytesIO(data), blocks)
    existing = packets.from_blocks(blocks)
    properties: dict[packets.QName, str | None] = {}
    layers: list[str] = []
    notes: list[str] = []
    if with_iptc:
        properties |= iptc.properties(disclosure, existing=existing, content_id=content_id, moment=moment)
        layers.append("iptc")
    if with_aigc and disclosure.involvement in (Involvement.GENERATED, Involvement.MODIFIED, Involvement.COMPOSITE):
        tags = exif.read(blocks.exif, []) if blocks.exif else exif.Tags()
        fresh = aigc.build(disclosure, content_id or disclosure.content_id or "")
        label = aigc.renew(_aigc_labels(existing, blocks, tags), fresh)
        layers.append("aigc")
        if label is None:
            notes.append("the file already has an AIGC label outside XMP; it stays the only one (GB 45438-2025 6.1 c)")
        else:
            properties[aigc.PROPERTY] = label.to_json()
    if not properties:
        return Written(data, tuple(layers), tuple(notes))
    return Written(packets.write_xmp(data, format, properties, blocks), tuple(layers), tuple(notes))


def _blocks(asset: Asset) -> Blocks:
    """What the container yields, also when it breaks off in the middle."""
    container = container_for(asset.format)
    assert container is not None
    blocks = Blocks()
    with asset.open() as stream:
        try:
            container.read(stream, blocks)
        except InputError as error:
            blocks.problems.append(error.message)
        except (ValueError, IndexError, OverflowError, RecursionError, OSError) as error:
            blocks.problems.append(f"the container does not parse ({type(error).__name__})")
    return blocks


def _aigc_labels(xmp: Xmp | None, blocks: Blocks, tags: exif.Tags) -> list[aigc.FoundLabel]:
    found = [aigc.parse(text, "xmp") for text in (xmp.values(*aigc.PROPERTY) if xmp else ())]
    found += aigc.from_text(blocks.text)
    if tags.user_comment and '"AIGC"' in tags.user_comment:
        found.append(aigc.parse(tags.user_comment, "exif"))
    return found


def _layers(iptc_state: LayerState, aigc_state: LayerState) -> tuple[LayerReport, ...]:
    return LayerReport("iptc", iptc_state), LayerReport("aigc", aigc_state)


def _iptc_state(said: list[Statement], found: list[Finding]) -> LayerState:
    if any(item.code == "tanba.iptc.several_values" for item in found):
        return LayerState.CONTRADICTS
    return LayerState.FOUND if any(item.layer is Layer.IPTC for item in said) else LayerState.ABSENT


def _aigc_state(labels: list[aigc.FoundLabel], found: list[Finding]) -> LayerState:
    if any(item.code == "tanba.aigc.duplicate" for item in found):
        return LayerState.CONTRADICTS
    return LayerState.FOUND if any(item.label is not None for item in labels) else LayerState.ABSENT
