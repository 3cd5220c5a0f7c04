"""Everything a file says about AI outside C2PA, in one cheap, bounded read that never raises on hostile input."""

from __future__ import annotations

from dataclasses import dataclass

from tanba.asset import Asset
from tanba.limits import Limits
from tanba.report import Finding, LayerReport, LayerState, Statement


@dataclass(frozen=True, slots=True)
class MetadataEvidence:
    """Statements of the unsigned layers, the state of each layer, and findings."""

    statements: tuple[Statement, ...] = ()
    layers: tuple[LayerReport, ...] = ()
    findings: tuple[Finding, ...] = ()


def read_metadata(asset: Asset, limits: Limits) -> MetadataEvidence:
    """Read IPTC/XMP, the GB 45438 AIGC label and generator traces. Never decodes pixels."""
    return MetadataEvidence(layers=(LayerReport("iptc", LayerState.NOT_CHECKED), LayerReport("aigc", LayerState.NOT_CHECKED)))
