"""TIFF and DNG: XMP in tag 700 of the first IFD (TIFF 6.0; BigTIFF; XMP part 3, 1.1.6).

Writing only appends: the packet and a new first directory go to the end, the header points to it, and every other byte
keeps its place, so that no offset anywhere (strips, SubIFDs, maker notes) changes its meaning.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import BinaryIO, Literal

from tanba.errors import MalformedAsset, MetadataNotWritable
from tanba.formats.containers.base import MAX_PACKET, Blocks, take

_XMP_TAG = 700
_TEXT_TAGS = (0x010E, 0x010F, 0x0131, 0x013B)
_MAX_ENTRIES = 4096
_BYTE = 1


@dataclass(frozen=True, slots=True)
class _Layout:
    """Field widths of classic TIFF and BigTIFF."""

    order: Literal["little", "big"]
    word: int
    """Bytes of an offset: 4 or 8."""
    count: int
    """Bytes of a directory's entry count: 2 or 8."""
    header: int
    """Position of the first directory's offset."""

    @property
    def entry(self) -> int:
        return 4 + 2 * self.word

    def number(self, data: bytes) -> int:
        return int.from_bytes(data, self.order)

    def encode(self, value: int, size: int) -> bytes:
        return value.to_bytes(size, self.order)


@dataclass(frozen=True, slots=True)
class _Directory:
    entries: list[bytes]
    following: bytes
    """The offset of the next directory, as it stands."""


def read(stream: BinaryIO, blocks: Blocks) -> None:
    """XMP and the text tags of the first directory."""
    layout, directory = _first(stream)
    for entry in directory.entries:
        if layout.number(entry[:2]) == _XMP_TAG:
            packet = _value(stream, layout, entry, blocks)
            if packet is not None:
                blocks.add_xmp(packet)
    blocks.exif = _texts(stream, layout, directory, blocks)


def write(data: bytes, packet: bytes) -> bytes:
    """Append the packet and a new first directory."""
    stream = io.BytesIO(data)
    layout, directory = _first(stream)
    at = len(data) + (len(data) & 1)
    new = (
        layout.encode(_XMP_TAG, 2)
        + layout.encode(_BYTE, 2)
        + layout.encode(len(packet), layout.word)
        + layout.encode(at, layout.word)
    )
    kept = [entry for entry in directory.entries if layout.number(entry[:2]) != _XMP_TAG]
    entries = sorted([*kept, new], key=lambda entry: layout.number(entry[:2]))
    body = packet + b"\0" * (len(packet) & 1)
    table = layout.encode(len(entries), layout.count) + b"".join(entries) + directory.following
    offset = at + len(body)
    if offset + len(table) >= 1 << (8 * layout.word):
        raise MetadataNotWritable("the file would be larger than classic TIFF allows")
    pointer = layout.encode(offset, layout.word)
    view = memoryview(data)
    end = layout.header + layout.word
    return b"".join((view[: layout.header], pointer, view[end:], b"\0" * (len(data) & 1), body, table))


def _first(stream: BinaryIO) -> tuple[_Layout, _Directory]:
    head = take(stream, 8)
    if head[:2] not in (b"II", b"MM"):
        raise MalformedAsset("not a TIFF")
    order: Literal["little", "big"] = "little" if head[:2] == b"II" else "big"
    version = int.from_bytes(head[2:4], order)
    if version == 43:
        layout = _Layout(order, 8, 8, 8)
        offset = layout.number(take(stream, 8))
    elif version == 42:
        layout = _Layout(order, 4, 2, 4)
        offset = layout.number(head[4:8])
    else:
        raise MalformedAsset("not a TIFF")
    if offset >= 1 << 62:
        raise MalformedAsset("the first TIFF directory lies outside the file")
    stream.seek(offset)
    count = layout.number(take(stream, layout.count))
    if not 0 < count <= _MAX_ENTRIES:
        raise MalformedAsset(f"a TIFF directory of {count} entries")
    entries = [take(stream, layout.entry) for _ in range(count)]
    return layout, _Directory(entries, take(stream, layout.word))


def _value(stream: BinaryIO, layout: _Layout, entry: bytes, blocks: Blocks) -> bytes | None:
    kind, length = layout.number(entry[2:4]), layout.number(entry[4 : 4 + layout.word])
    if kind not in (1, 2, 7, 129):
        blocks.problems.append("a text tag of the TIFF has no byte type")
        return None
    if length > MAX_PACKET:
        blocks.unread.append(f"a TIFF tag of {length:,} bytes is more than is read")
        return None
    if length <= layout.word:
        return entry[4 + layout.word : 4 + layout.word + length]
    offset = layout.number(entry[4 + layout.word :])
    if offset >= 1 << 62:
        raise MalformedAsset("a TIFF tag lies outside the file")
    stream.seek(offset)
    return take(stream, length)


def _texts(stream: BinaryIO, layout: _Layout, directory: _Directory, blocks: Blocks) -> bytes | None:
    """A small EXIF block with the directory's own text tags, since a TIFF's first IFD is its EXIF IFD0."""
    values = [
        (layout.number(entry[:2]), _value(stream, layout, entry, blocks))
        for entry in directory.entries
        if layout.number(entry[:2]) in _TEXT_TAGS
    ]
    kept = [(tag, value) for tag, value in values if value]
    if not kept:
        return None
    at = 8 + 2 + 12 * len(kept) + 4
    table, body = len(kept).to_bytes(2), b""
    for tag, value in kept:
        padded = value.ljust(5, b"\0")
        table += tag.to_bytes(2) + b"\0\x02" + len(padded).to_bytes(4) + (at + len(body)).to_bytes(4)
        body += padded
    return b"MM\0*\0\0\0\x08" + table + b"\0\0\0\0" + body
