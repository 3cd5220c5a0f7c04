"""JPEG: XMP in APP1, ExtendedXMP in more APP1 segments, EXIF in APP1, comments (XMP part 3, 1.1.3; ISO/IEC 10918-1)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import BinaryIO

from tanba.errors import MalformedAsset, MetadataNotWritable
from tanba.formats.containers.base import MAX_BLOCKS, MAX_PACKET, Blocks, take, too_many

XMP_ID = b"http://ns.adobe.com/xap/1.0/\0"
EXTENDED_ID = b"http://ns.adobe.com/xmp/extension/\0"
EXIF_ID = b"Exif\0"
_APP1 = 0xE1
_COM = 0xFE
_STANDALONE = {0x01, *range(0xD0, 0xD8)}
_SOS, _EOI = 0xDA, 0xD9
_MAX_SEGMENT = 65533
"""Payload bytes of one segment (its 16-bit length counts itself)."""
MAX_XMP = _MAX_SEGMENT - len(XMP_ID)
_PART = len(EXTENDED_ID) + 40


def read(stream: BinaryIO, blocks: Blocks) -> None:
    """Walk the segments before the first scan."""
    parts: dict[bytes, dict[int, bytes]] = {}
    sizes: dict[bytes, int] = {}
    held = 0
    for marker, start, length in _segments(stream):
        if marker not in (_APP1, _COM):
            continue
        stream.seek(start)
        payload = take(stream, length)
        if marker == _COM:
            blocks.add_text("comment", payload.decode("utf-8", "replace"))
        elif payload.startswith(XMP_ID):
            blocks.add_xmp(payload[len(XMP_ID) :])
        elif payload.startswith(EXTENDED_ID) and length > _PART:
            guid = payload[len(EXTENDED_ID) : len(EXTENDED_ID) + 32]
            held += length
            if held > MAX_PACKET:
                raise MalformedAsset("more ExtendedXMP than is read")
            sizes[guid] = int.from_bytes(payload[_PART - 8 : _PART - 4])
            parts.setdefault(guid, {})[int.from_bytes(payload[_PART - 4 : _PART])] = payload[_PART:]
        elif payload.startswith(EXIF_ID) and blocks.exif is None:
            blocks.exif = payload[6:]
    blocks.xmp_extended = _join(parts, sizes, blocks)


def write(data: bytes, packet: bytes) -> bytes:
    """Replace the XMP segment, or insert one behind JFIF and EXIF. All other bytes stay; ExtendedXMP stays too."""
    if len(packet) > MAX_XMP:
        raise MetadataNotWritable(f"the XMP packet of {len(packet):,} bytes does not fit a JPEG segment")
    segment = b"\xff\xe1" + (len(packet) + len(XMP_ID) + 2).to_bytes(2) + XMP_ID + packet
    view = memoryview(data)
    old: list[tuple[int, int]] = []
    insert = 2
    for start, end, marker in spans(view):
        body = view[start + 4 : end]
        if marker == _APP1 and bytes(body[: len(XMP_ID)]) == XMP_ID:
            old.append((start, end))
        elif marker == 0xE0 or (marker == _APP1 and bytes(body[: len(EXIF_ID)]) == EXIF_ID):
            insert = max(insert, end)
    pieces: list[bytes | memoryview] = []
    at = 0
    for start, end in old or [(insert, insert)]:
        pieces.append(view[at:start])
        if not pieces[1:]:
            pieces.append(segment)
        at = end
    pieces.append(view[at:])
    return b"".join(pieces)


def extended_segments(data: bytes, extended: bytes) -> bytes:
    """The file with its ExtendedXMP parts replaced by ``extended`` (none when empty). See :func:`extended_guid`."""
    view = memoryview(data)
    old = [
        (start, end)
        for start, end, marker in spans(view)
        if marker == _APP1 and bytes(view[start + 4 : start + 4 + len(EXTENDED_ID)]) == EXTENDED_ID
    ]
    pieces: list[bytes | memoryview] = []
    at = 0
    for number, (start, end) in enumerate(old):
        pieces.append(view[at:start])
        if number == 0:
            pieces.append(_extended(extended))
        at = end
    pieces.append(view[at:])
    return b"".join(pieces)


def extended_guid(extended: bytes) -> str:
    """``xmpNote:HasExtendedXMP``: the MD5 of the extended packet (XMP part 3, 1.1.3.1), upper-case hex."""
    return hashlib.md5(extended, usedforsecurity=False).hexdigest().upper()


def _extended(extended: bytes) -> bytes:
    size = _MAX_SEGMENT - _PART
    guid = extended_guid(extended).encode()
    out = []
    for at in range(0, len(extended), size):
        part = extended[at : at + size]
        head = EXTENDED_ID + guid + len(extended).to_bytes(4) + at.to_bytes(4)
        out.append(b"\xff\xe1" + (len(head) + len(part) + 2).to_bytes(2) + head + part)
    return b"".join(out)


def _join(parts: dict[bytes, dict[int, bytes]], sizes: dict[bytes, int], blocks: Blocks) -> bytes | None:
    """The one ExtendedXMP whose GUID the main packet names; others are left-overs of other editors."""
    for guid, pieces in parts.items():
        if not any(guid in packet for packet in blocks.xmp):
            continue
        whole = b"".join(pieces[at] for at in sorted(pieces))
        if len(whole) != sizes[guid] or len(whole) > MAX_PACKET:
            blocks.problems.append("the ExtendedXMP parts do not join")
            return None
        return whole
    return None


def _segments(stream: BinaryIO) -> Iterator[tuple[int, int, int]]:
    """Marker, payload position and length of each segment before the first scan."""
    if take(stream, 2) != b"\xff\xd8":
        raise MalformedAsset("not a JPEG")
    for _ in range(MAX_BLOCKS):
        first = take(stream, 1)
        if first != b"\xff":
            raise MalformedAsset("a JPEG segment does not start with a marker")
        code = take(stream, 1)[0]
        while code == 0xFF:
            code = take(stream, 1)[0]
        if code in (_SOS, _EOI):
            return
        if code in _STANDALONE:
            continue
        length = int.from_bytes(take(stream, 2))
        if length < 2:
            raise MalformedAsset("a JPEG segment is shorter than its length field")
        start = stream.tell()
        yield code, start, length - 2
        stream.seek(start + length - 2)
    raise too_many()


def spans(view: memoryview) -> Iterator[tuple[int, int, int]]:
    """Start (of the marker), end and marker of each segment before the first scan."""
    if bytes(view[:2]) != b"\xff\xd8":
        raise MalformedAsset("not a JPEG")
    at = 2
    for _ in range(MAX_BLOCKS):
        if at + 4 > len(view) or view[at] != 0xFF:
            raise MalformedAsset("a JPEG segment does not start with a marker")
        while view[at + 1] == 0xFF:
            at += 1
            if at + 4 > len(view):
                raise MalformedAsset("the file ends in fill bytes")
        code = view[at + 1]
        if code in (_SOS, _EOI):
            return
        if code in _STANDALONE:
            at += 2
            continue
        length = int.from_bytes(view[at + 2 : at + 4])
        end = at + 2 + length
        if length < 2 or end > len(view):
            raise MalformedAsset("a JPEG segment is longer than the file")
        yield at, end, code
        at = end
    raise too_many()
