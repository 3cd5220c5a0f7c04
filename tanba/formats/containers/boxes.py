"""ISO base media file format boxes: walking them (ISO/IEC 14496-12, 4.2). Shared by AVIF, HEIF and JPEG XL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from tanba.errors import MalformedAsset, MetadataNotWritable
from tanba.formats.containers.base import MAX_BLOCKS, Blocks, bounded, too_many


@dataclass(frozen=True, slots=True)
class Box:
    """One box: where it starts, where its body starts, where it ends."""

    kind: bytes
    start: int
    body: int
    end: int
    open: bool = False
    """Its size field is 0: it goes on to the end of the file."""


def walk(view: memoryview, start: int, end: int) -> Iterator[Box]:
    """The boxes between two positions. Raises :class:`MalformedAsset` for one that leaves them."""
    at = start
    for _ in range(MAX_BLOCKS):
        if at == end:
            return
        if at + 8 > end:
            raise MalformedAsset("a box header is cut off")
        box = _box(bytes(view[at : at + 16]), at, end)
        yield box
        at = box.end
    raise too_many()


def top_level(stream: BinaryIO) -> Iterator[Box]:
    """The boxes of a file, read by their headers only."""
    size = stream.seek(0, 2)
    at = 0
    for _ in range(MAX_BLOCKS):
        if at + 8 > size:
            return
        stream.seek(at)
        box = _box(stream.read(16), at, size)
        yield box
        at = box.end
    raise too_many()


def payload(stream: BinaryIO, box: Box, blocks: Blocks) -> bytes | None:
    """A box's body, or None, noted as unread, when it is too large."""
    stream.seek(box.body)
    return bounded(stream, box.end - box.body, box.kind.decode("latin-1"), blocks)


def closed(view: memoryview, box: Box) -> bytes | memoryview:
    """A box whose size field says its real size, so that another box can follow it."""
    if not box.open:
        return view[box.start : box.end]
    size = box.end - box.start
    if size >= 1 << 32:
        raise MetadataNotWritable("the last box is open-ended and larger than 4 GiB")
    return b"".join((size.to_bytes(4), view[box.start + 4 : box.end]))


def _box(head: bytes, at: int, limit: int) -> Box:
    size, kind, header = int.from_bytes(head[:4]), head[4:8], 8
    if size == 1:
        if len(head) < 16:
            raise MalformedAsset("a box header is cut off")
        size, header = int.from_bytes(head[8:16]), 16
    to_end = size == 0
    end = limit if to_end else at + size
    if end > limit or end < at + header:
        raise MalformedAsset(f"the box {kind.decode('latin-1')!r} leaves its container")
    return Box(kind, at, at + header, end, to_end)
