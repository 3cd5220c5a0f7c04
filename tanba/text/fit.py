"""Making a mark exactly as long as its hard binding declared it, with the unsigned COSE padding alone.

The hash excludes a byte range whose length must be known before signing, while the UTF-8 length of selectors depends
on byte values that only signing produces. C2PA provides ``pad`` and ``pad2`` in the unprotected COSE header for this
(C2PA 2.4 section 10.3.2.6); zeros in them change the length without touching the signature.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tanba import jumbf

Measure = Callable[[bytes], int]

SLACK = 128
"""UTF-8 bytes declared beyond the estimate of a wrapper: enough for every residue and for random byte values.

A zero byte is a three-byte selector, so one ``pad`` reaches every third length; ``pad`` under 24 bytes, ``pad`` from
24 bytes and ``pad2`` from 24 bytes have CBOR headers of different weight and reach the other two (up to 28 + 72).
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
        yield bytes(count), b""
