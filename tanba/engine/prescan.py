"""A cheap look at the bytes before the engine sees them: is a manifest likely, and could reading it be costly?

c2pa-rs is quadratic in the number of assertions and cannot be interrupted (10,000 assertions in 1.8 MB: 15 s), so the
number of JUMBF superboxes decides between reading in-process, in a killable worker, or not at all. So does the number of
parts of the container around them (:mod:`tanba.engine.places`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from tanba.asset import Asset
from tanba.engine.places import look
from tanba.formats.sniff import Kind
from tanba.limits import Limits

_CHUNK = 4 << 20
_OVERLAP = 16
_STORE_MARK = b"jumdc2pa"
"""Start of the description box of every C2PA superbox: type, then UUID ``c2pa....``."""
_BLIND = {
    "image/svg+xml": b"c2pa:manifest",
    "application/pdf": b"C2PA",
    "application/zip": b"content_credential.c2pa",
}
"""Containers that may hold the store encoded, so that its boxes cannot be counted, and what gives it away."""
_BLIND_INLINE_BYTES = 128 << 10


@dataclass(frozen=True, slots=True)
class Prescan:
    """What the scan saw."""

    superboxes: int
    store_marked: bool
    """A C2PA superbox stands somewhere in the bytes."""
    costly: bool
    """Reading may take long: use the killable worker."""
    over_limit: bool
    """More superboxes than may be read at all."""


def prescan(asset: Asset, limits: Limits, *, manifest: bytes | None = None) -> Prescan:
    """Count JUMBF superboxes where the container can hold a store (everywhere, where that is not known)."""
    count = marked = compressed = 0
    hidden = False
    mark = _blind_mark(asset)
    if manifest is not None:
        count, marked, compressed = manifest.count(b"jumb"), manifest.count(_STORE_MARK), manifest.count(b"brob")
        with asset.open() as stream:
            crowded = look(stream, asset.size, asset.format.media_type).crowded
    else:
        with asset.open() as stream:
            places = look(stream, asset.size, asset.format.media_type)
            crowded = places.crowded
            for window in _windows(stream, places.ranges):
                count += window.count(b"jumb")
                marked = marked or _STORE_MARK in window
                compressed = compressed or (marked and b"brob" in window)
                hidden = hidden or (mark is not None and mark in window)
    blind = hidden and not count and asset.size > _BLIND_INLINE_BYTES
    size = len(manifest) if manifest is not None else 0
    return Prescan(
        superboxes=count,
        store_marked=bool(marked) or hidden,
        costly=count > limits.inline_jumbf_boxes or bool(compressed) or blind or crowded,
        over_limit=count > limits.jumbf_boxes or size > limits.manifest_bytes,
    )


def _blind_mark(asset: Asset) -> bytes | None:
    if asset.format.kind is Kind.DOCUMENT and asset.format.media_type != "application/pdf":
        return _BLIND["application/zip"]
    return _BLIND.get(asset.format.media_type)


def _windows(stream: BinaryIO, ranges: list[tuple[int, int]] | None) -> Iterator[bytes]:
    """The bytes to look at: the given ranges, or everything."""
    if ranges is not None:
        for start, length in ranges:
            stream.seek(start)
            yield stream.read(length)
        return
    stream.seek(0)
    tail = b""
    while chunk := stream.read(_CHUNK):
        yield tail + chunk if tail else chunk
        # The overlap is shorter than two marks, and a mark inside it is counted twice at most: an upper bound.
        tail = chunk[-_OVERLAP:]
