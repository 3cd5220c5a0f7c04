"""Making a mark exactly as long as its hard binding declared it, with the unsigned COSE padding alone.

The hash excludes a byte range whose length must be known before signing, while the UTF-8 length of selectors depends
on byte values that only signing produces. C2PA provides ``pad`` and ``pad2`` in the unprotected COSE header for this
(C2PA 2.4 section 10.3.2.6); zeros in them change the length without touching the signature.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tanba import jumbf
from tanba.text import compact

Measure = Callable[[bytes], int]

SLACK = 116
"""UTF-8 bytes declared beyond the estimate of a wrapper: enough for every residue and for random byte values.

A zero byte is a three-byte selector, so one header of padding reaches every third length. The headers of ``pad`` from
24 bytes on, of ``pad2`` from 24 bytes on, and of two short ones weigh 24, 28 and 44: together they reach every length
from 100 to 182. Two signatures of one definition differ by fewer than 16 in 999 of 1000 cases.
"""
_WINDOW = 8
_HEADER_LIMIT = 24
"""CBOR byte strings from this length on need a longer header (RFC 8949 section 3)."""


def bare(store: bytes) -> bytes:
    """The store without any COSE padding."""
    return jumbf.repad(store, None)


def fit(store: bytes, target: int, measure: Measure, *, zero: int) -> bytes | None:
    """The store padded with zeros so that ``measure`` of it is exactly ``target``, or None when that cannot be.

    ``zero`` is what one zero byte of padding adds to the measure.
    """
    slim = bare(store)
    gap = target - measure(slim)
    if gap == 0:
        return slim
    if gap < 0:
        return None
    for pad, pad2 in _paddings(gap // zero):
        candidate = jumbf.repad(slim, pad, pad2)
        if measure(candidate) == target:
            return candidate
    return None


def _paddings(most: int) -> Iterator[tuple[bytes | None, bytes | None]]:
    """Padding pairs near a total of ``most`` bytes, from one header to two."""
    longest = min(most + 1, 1 << 16)
    shortest = max(0, longest - 3 * _WINDOW)
    for count in range(longest, shortest - 1, -1):
        yield bytes(count), None
        yield None, bytes(count)
    for count in range(longest, shortest - 1, -1):
        if count >= _HEADER_LIMIT:
            yield bytes(count - _HEADER_LIMIT), bytes(_HEADER_LIMIT)
        half = count // 2
        yield bytes(count - half), bytes(half)


COMPACT_SLACK = 80
"""Units of measure declared beyond the estimate of a compressed carrier: padding needs up to 20, the rest is for the
spread of compressed sizes (57 UTF-8 bytes between the extremes of forty signatures of one definition)."""
_COMPACT_BASE64 = 20
"""The same for base64, where thirteen bytes of spread are eighteen characters."""
_LONGS, _SHORTS = 3, 96


def fit_compact(store: bytes, target: int, measure: Measure) -> bytes | None:
    """The store compressed so that ``measure`` of it is exactly ``target``, or None.

    The padding stands in the Brotli stream, as blocks that every decoder skips (:data:`tanba.text.compact.PADDING`).
    """
    packed = compact.compress(bare(store))
    short, long = compact.PADDING
    for longs in range(_LONGS):
        for shorts in range(_SHORTS):
            candidate = compact.lengthen(packed, short * shorts + long * longs)
            if measure(candidate) == target:
                return candidate
    return None


def slack(*, compact: bool, zero: int) -> int:
    """What to declare beyond the rehearsal's measure. Stores have a fixed length, selectors and compression do not."""
    if not compact:
        return SLACK if zero > 1 else 0
    return COMPACT_SLACK if zero > 1 else _COMPACT_BASE64
