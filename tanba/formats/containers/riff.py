"""WebP: chunks ``XMP `` and ``EXIF`` in the extended file format (WebP container specification)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from tanba.errors import MalformedAsset, MetadataNotWritable
from tanba.formats.containers.base import MAX_BLOCKS, Blocks, bounded, take, too_many

_XMP_FLAG, _ALPHA_FLAG = 0x04, 0x10
_VP8_START = b"\x9d\x01\x2a"


def read(stream: BinaryIO, blocks: Blocks) -> None:
    """Walk the chunks, reading XMP and EXIF."""
    head = take(stream, 12)
    if head[:4] != b"RIFF" or head[8:] != b"WEBP":
        raise MalformedAsset("not a WebP")
    for _ in range(MAX_BLOCKS):
        chunk = stream.read(8)
        if len(chunk) < 8:
            return
        length = int.from_bytes(chunk[4:], "little")
        if chunk[:4] == b"XMP ":
            packet = bounded(stream, length, "XMP", blocks)
            if packet is not None:
                blocks.add_xmp(packet)
        elif chunk[:4] == b"EXIF":
            exif = bounded(stream, length, "EXIF", blocks)
            if exif is not None and blocks.exif is None:
                blocks.exif = exif.removeprefix(b"Exif\0\0")
        else:
            stream.seek(length, 1)
        stream.seek(length & 1, 1)
    raise too_many()


def write(data: bytes, packet: bytes) -> bytes:
    """Replace the XMP chunk or add one at the end of the RIFF; a simple file gets the VP8X header it then needs."""
    view = memoryview(data)
    if bytes(view[:4]) != b"RIFF" or bytes(view[8:12]) != b"WEBP":
        raise MalformedAsset("not a WebP")
    riff_end = 8 + int.from_bytes(view[4:8], "little")
    if riff_end > len(view):
        raise MalformedAsset("the RIFF size is larger than the file")
    pieces: list[bytes | memoryview] = []
    extended = False
    for start, end, kind in _spans(view, riff_end):
        if kind == b"VP8X":
            extended = True
            pieces.append(bytes((*view[start : start + 8], view[start + 8] | _XMP_FLAG)))
            pieces.append(view[start + 9 : end])
        elif kind != b"XMP ":
            if not extended and not pieces:
                pieces.append(_vp8x(view[start:end], kind))
                extended = True
            pieces.append(view[start:end])
            if end - start & 1:
                pieces.append(b"\0")
    pieces.append(b"XMP " + len(packet).to_bytes(4, "little") + packet + b"\0" * (len(packet) & 1))
    size = 4 + sum(len(piece) for piece in pieces)
    if size > 0xFFFFFFFE:
        raise MetadataNotWritable("the file would be larger than RIFF allows")
    return b"".join((b"RIFF", size.to_bytes(4, "little"), b"WEBP", *pieces, view[riff_end + (riff_end & 1) :]))


def _spans(view: memoryview, stop: int) -> Iterator[tuple[int, int, bytes]]:
    at = 12
    for _ in range(MAX_BLOCKS):
        if at + 8 > stop:
            return
        length = int.from_bytes(view[at + 4 : at + 8], "little")
        end = at + 8 + length + (length & 1)
        if at + 8 + length > stop:
            raise MalformedAsset("a WebP chunk is longer than the file")
        yield at, min(end, len(view)), bytes(view[at : at + 4])
        at = end
    raise too_many()


def _vp8x(chunk: memoryview, kind: bytes) -> bytes:
    """The extended header for a simple file: canvas size and alpha come from the image chunk itself."""
    body = chunk[8:]
    if kind == b"VP8 " and len(body) >= 10 and bytes(body[3:6]) == _VP8_START:
        width = int.from_bytes(body[6:8], "little") & 0x3FFF
        height = int.from_bytes(body[8:10], "little") & 0x3FFF
        alpha = 0
    elif kind == b"VP8L" and len(body) >= 5 and body[0] == 0x2F:
        bits = int.from_bytes(body[1:5], "little")
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        alpha = _ALPHA_FLAG if bits >> 28 & 1 else 0
    else:
        raise MalformedAsset("the first WebP chunk is no image")
    if not (width and height):
        raise MalformedAsset("a WebP of no size")
    flags = bytes((_XMP_FLAG | alpha, 0, 0, 0))
    return b"VP8X\x0a\0\0\0" + flags + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
