"""GIF: XMP in the application extension ``XMP DataXMP`` with its 258-byte trailer (GIF89a; XMP part 3, 1.1.2)."""

from __future__ import annotations

import io
from typing import BinaryIO

from tanba.errors import MalformedAsset, MetadataNotWritable
from tanba.formats.containers.base import MAX_BLOCKS, MAX_PACKET, Blocks, take

_EXTENSION = b"\x21\xff\x0bXMP DataXMP"
_TRAILER = bytes((1, *range(255, -1, -1), 0))
"""A descending run that brings any sub-block reader that lands in it to the block terminator."""
_MAX_SUBBLOCKS = 4_000_000
_CHUNK = 16 << 10


def read(stream: BinaryIO, blocks: Blocks) -> None:
    """Walk the blocks, reading XMP and comments."""
    stream.seek(_screen_end(take(stream, 13)))
    for _ in range(MAX_BLOCKS):
        kind = stream.read(1)
        if kind in (b"", b";"):
            return
        if kind == b",":
            _skip_image(stream)
            continue
        if kind != b"!":
            raise MalformedAsset("a GIF block of unknown kind")
        label = take(stream, 1)
        start = stream.tell()
        if label == b"\xff" and stream.read(12) == _EXTENSION[2:]:
            packet, length = _packet(stream)
            blocks.add_xmp(packet)
            stream.seek(start + 12 + length)
            continue
        stream.seek(start)
        if label == b"\xfe":
            blocks.add_text("comment", _subblocks(stream).decode("utf-8", "replace"))
        else:
            _skip(stream)
    raise MalformedAsset(f"more than {MAX_BLOCKS:,} GIF blocks")


def write(data: bytes, packet: bytes) -> bytes:
    """Replace the XMP extension, or insert one behind the colour table; a GIF87a becomes a GIF89a, as extensions ask."""
    if b"\0" in packet:
        raise MetadataNotWritable("the XMP packet holds NUL bytes, which end a GIF extension")
    stream = io.BytesIO(data)
    insert = _screen_end(take(stream, 13))
    if insert > len(data):
        raise MalformedAsset("the GIF ends in its colour table")
    view = memoryview(data)
    old = _find(stream, insert)
    block = _EXTENSION + packet + _TRAILER
    pieces: list[bytes | memoryview] = [b"GIF89a", view[6:insert], block]
    at = insert
    for start, end in old:
        pieces.append(view[at:start])
        at = end
    pieces.append(view[at:])
    return b"".join(pieces)


def _screen_end(head: bytes) -> int:
    """Position behind the header, screen descriptor and global colour table."""
    if head[:6] not in (b"GIF87a", b"GIF89a"):
        raise MalformedAsset("not a GIF")
    return 13 + (3 << ((head[10] & 7) + 1) if head[10] & 0x80 else 0)


def _find(stream: BinaryIO, start: int) -> list[tuple[int, int]]:
    """Spans of XMP extensions."""
    found: list[tuple[int, int]] = []
    stream.seek(start)
    for _ in range(MAX_BLOCKS):
        begin = stream.tell()
        kind = stream.read(1)
        if kind in (b"", b";"):
            return found
        if kind == b",":
            _skip_image(stream)
            continue
        if kind != b"!":
            raise MalformedAsset("a GIF block of unknown kind")
        take(stream, 1)
        stream.seek(begin)
        if stream.read(len(_EXTENSION)) == _EXTENSION:
            end = begin + len(_EXTENSION) + _packet(stream)[1]
            stream.seek(end)
            found.append((begin, end))
        else:
            stream.seek(begin + 2)
            _skip(stream)
    raise MalformedAsset(f"more than {MAX_BLOCKS:,} GIF blocks")


def _packet(stream: BinaryIO) -> tuple[bytes, int]:
    """The packet at the stream's position, and its length together with the trailer."""
    body = bytearray()
    while len(body) < MAX_PACKET:
        known = max(0, len(body) - len(_TRAILER))
        more = stream.read(_CHUNK)
        body += more
        end = body.find(_TRAILER, known)
        if end >= 0:
            return bytes(body[:end]), end + len(_TRAILER)
        if not more:
            break
    raise MalformedAsset("a GIF XMP extension without its trailer")


def _skip_image(stream: BinaryIO) -> None:
    descriptor = take(stream, 9)
    if descriptor[8] & 0x80:
        stream.seek(3 << ((descriptor[8] & 7) + 1), 1)
    take(stream, 1)
    _skip(stream)


def _skip(stream: BinaryIO) -> None:
    for _ in range(_MAX_SUBBLOCKS):
        size = take(stream, 1)[0]
        if not size:
            return
        stream.seek(size, 1)
    raise MalformedAsset("a GIF block does not end")


def _subblocks(stream: BinaryIO) -> bytes:
    out = b""
    for _ in range(_MAX_SUBBLOCKS):
        size = take(stream, 1)[0]
        if not size:
            return out
        body = take(stream, size)
        out += body if len(out) < 1 << 16 else b""
    raise MalformedAsset("a GIF block does not end")
