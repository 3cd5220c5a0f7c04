"""Making a mark exactly as long as its hard binding declared it, with the unsigned COSE padding alone.

The hash excludes a byte range whose length must be known before signing, while the UTF-8 length of selectors depends
on byte values that only signing produces. C2PA provides ``pad`` and ``pad2`` in the unprotected COSE header for this
(C2PA 2.4 section 10.3.2.6); zeros in them change the length without touching the signature.
"""

from __future__ import annotations

from collections.abc import Callable

from tanba import jumbf
from tanba.text import compact

Measure = Callable[[bytes], int]

SLACK = 140
"""UTF-8 bytes declared beyond the estimate of a wrapper: enough for every residue and for random byte values.

A zero byte is a three-byte selector, so one header of padding reaches every third length. The headers of ``pad`` from
24 bytes on, of ``pad2`` from 24 bytes on, and of two short ones weigh 24, 28 and 44; with both, 48. Together they reach
every length from 120 to 182, also where the length field of a box happens to hold a byte under 16; above that, every
third length is out of reach. Two signatures of one definition differ by fewer than 16 in 999 of 1000 cases.
"""
STAMPED_SLACK = 151
"""The same when a time stamp is inside: its token makes the length vary to both sides (random serial numbers, DER of
ECDSA signatures), so the middle of what padding can reach is declared."""
_STAMP_BYTES = 64
"""Room for two tokens of one authority that differ, where one byte of padding is one unit of measure."""
_STEPS = 4
"""Corrections of one form of padding before the next form is tried."""


def bare(store: bytes) -> bytes:
    """The store without any COSE padding."""
    return jumbf.repad(store, None)


_FORMS: tuple[Callable[[int], tuple[bytes | None, bytes | None]], ...] = (
    lambda count: (bytes(count), None),
    lambda count: (None, bytes(count)),
    lambda count: (bytes(count - count // 2), bytes(count // 2)),
    lambda count: (bytes(count), b""),
    lambda count: (b"", bytes(count)),
)
"""Ways to spread ``count`` zero bytes over ``pad`` and ``pad2``; their CBOR headers differ in weight."""


def fit(store: bytes, target: int, measure: Measure, *, zero: int) -> bytes | None:
    """The store padded with zeros so that ``measure`` of it is exactly ``target``, or None when that cannot be.

    ``zero`` is what one zero byte of padding adds to the measure.
    """
    padder = jumbf.Repadder.of(store)
    slim = padder.build(None)
    gap = target - measure(slim)
    if gap <= 0:
        return slim if gap == 0 else None
    for form in _FORMS:
        for offset in (0, -1, 1):
            count = max(0, gap // zero - 7 + offset)
            for _ in range(_STEPS):
                candidate = padder.build(*form(count))
                missing = target - measure(candidate)
                if missing == 0:
                    return candidate
                step = missing // zero if missing > 0 else -(-missing // zero)
                if step == 0 or count + step < 0:
                    break
                count += step
    return None


COMPACT_SLACK = 80
"""Units of measure declared beyond the estimate of a compressed carrier: padding needs up to 20, the rest is for the
spread of compressed sizes (57 UTF-8 bytes between the extremes of forty signatures of one definition)."""
_COMPACT_BASE64 = 64
"""The same for base64, in characters; a multiple of four, as base64 grows."""
_LONGS, _SHORTS = 3, 640


def fit_compact(store: bytes, target: int, measure: Measure) -> bytes | None:
    """The store compressed so that ``measure`` of it is exactly ``target``, or None.

    The padding stands in the Brotli stream, as blocks that every decoder skips (:data:`tanba.text.compact.PADDING`).
    """
    packed = compact.compress(bare(store))
    short, long = compact.PADDING
    for longs in range(_LONGS):
        for shorts in range(_SHORTS):
            candidate = compact.lengthen(packed, short * shorts + long * longs)
            size = measure(candidate)
            if size == target:
                return candidate
            if size > target:
                break
    return None


def slack(*, compact: bool, zero: int, stamped: bool = False) -> int:
    """What to declare beyond the rehearsal's measure. Stores have a fixed length, selectors and compression do not."""
    room = _STAMP_BYTES if stamped else 0
    if not compact:
        wide = STAMPED_SLACK if stamped else SLACK
        return wide if zero > 1 else room
    return (COMPACT_SLACK if zero > 1 else _COMPACT_BASE64) + room
