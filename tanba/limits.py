"""Resource limits for input from outside: one frozen object, passed in, never global."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may cost. Every field is an upper bound that is refused, with a typed error, when passed."""

    asset_bytes: int = 1024 * MIB
    """Size of one media asset in bytes."""
    text_bytes: int = 128 * MIB
    """Size of one text asset in bytes (text is held in memory whole)."""
    pixels: int = 200_000_000
    """Width x height that may be decoded (only for a visible mark)."""
    manifest_bytes: int = 16 * MIB
    """Size of one C2PA manifest store."""
    jumbf_boxes: int = 20_000
    """JUMBF superboxes in an asset; more is refused unread. c2pa-rs is quadratic in the number of assertions."""
    inline_jumbf_boxes: int = 600
    """Up to this many superboxes an asset is read in-process; above it a killable worker does it."""
    seconds: float = 10.0
    """Wall-clock seconds a killable worker may take for one asset."""
    worker_memory_bytes: int = 3072 * MIB
    """Address-space growth a killable worker may use."""
    strings: int = 4096
    """Characters of one string taken out of a manifest for display."""
    nesting: int = 32
    """Depth of ingredients shown in a history, and of nested containers."""
    findings: int = 2_000
    """Findings kept in one report; the rest is counted."""


DEFAULT_LIMITS = Limits()
