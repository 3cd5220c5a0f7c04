"""PNG: XMP in the iTXt chunk ``XML:com.adobe.xmp``, text chunks, eXIf (W3C PNG third edition; XMP part 3, 1.1.5)."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import BinaryIO

from tanba.errors import MalformedAsset
from tanba.formats.containers.base import MAX_BLOCKS, MAX_PACKET, MAX_TEXT, Blocks, bounded, take, too_many

SIGNATURE = b"\x89PNG\r\n\x1a\n"
XMP_KEYWORD = b"XML:com.adobe.xmp"


def read(stream: BinaryIO, blocks: Blocks) -> None:
    """Walk all chunks, reading only text and EXIF."""
    if take(stream, 8) != SIGNATURE:
        raise MalformedAsset("not a PNG")
    for _ in range(MAX_BLOCKS):
        head = stream.read(8)
        if len(head) < 8 or head[4:] == b"IEND":
            return
        length, kind = int.from_bytes(head[:4]), head[4:]
        if kind not in (b"tEXt", b"zTXt", b"iTXt", b"eXIf"):
            stream.seek(length + 4, 1)
            continue
        body = bounded(stream, length, kind.decode("ascii"), blocks)
        take(stream, 4)
        if body is None:
            continue
        if kind == b"eXIf":
            blocks.exif = blocks.exif or body
        else:
            _text(kind, body, blocks)
    raise too_many()


def write(data: bytes, packet: bytes) -> bytes:
    """Replace the XMP chunk, or insert one behind IHDR. All other chunks stay byte for byte."""
    body = XMP_KEYWORD + b"\0\0\0\0\0" + packet
    crc = zlib.crc32(body, zlib.crc32(b"iTXt"))
    chunk = len(body).to_bytes(4) + b"iTXt" + body + crc.to_bytes(4)
    view = memoryview(data)
    pieces: list[bytes | memoryview] = []
    at = 0
    for start, end, kind in spans(view):
        if kind == b"IHDR":
            pieces += [view[at:end], chunk]
            at = end
        elif kind == b"iTXt" and bytes(view[start + 8 : start + 8 + len(XMP_KEYWORD) + 1]) == XMP_KEYWORD + b"\0":
            pieces.append(view[at:start])
            at = end
    if not pieces:
        raise MalformedAsset("a PNG without IHDR")
    pieces.append(view[at:])
    return b"".join(pieces)


def spans(view: memoryview) -> Iterator[tuple[int, int, bytes]]:
    """Start, end and kind of each chunk. Raises :class:`MalformedAsset`; a cut-off last chunk is left out."""
    if bytes(view[:8]) != SIGNATURE:
        raise MalformedAsset("not a PNG")
    at = 8
    for _ in range(MAX_BLOCKS):
        if at + 12 > len(view):
            return
        end = at + 12 + int.from_bytes(view[at : at + 4])
        kind = bytes(view[at + 4 : at + 8])
        if end > len(view):
            return
        yield at, end, kind
        if kind == b"IEND":
            return
        at = end
    raise too_many()


def _text(kind: bytes, body: bytes, blocks: Blocks) -> None:
    keyword, _, rest = body.partition(b"\0")
    name = keyword.decode("latin-1")
    if kind == b"tEXt":
        blocks.add_text(name, rest.decode("latin-1"))
        return
    if kind == b"zTXt":
        raw = _inflate(rest[1:], MAX_TEXT, name, blocks)
        if raw is not None:
            blocks.add_text(name, raw.decode("latin-1"))
        return
    compressed, rest = rest[:1] == b"\x01", rest[2:]
    _language, _, rest = rest.partition(b"\0")
    _translated, _, value = rest.partition(b"\0")
    is_xmp = keyword == XMP_KEYWORD
    if compressed:
        inflated = _inflate(value, MAX_PACKET if is_xmp else MAX_TEXT, name, blocks)
        if inflated is None:
            return
        value = inflated
    if is_xmp:
        blocks.add_xmp(value)
    else:
        blocks.add_text(name, value.decode("utf-8", "replace"))


def _inflate(data: bytes, limit: int, name: str, blocks: Blocks) -> bytes | None:
    """At most ``limit`` bytes: a compressed chunk can grow a thousandfold."""
    inflater = zlib.decompressobj()
    try:
        out = inflater.decompress(data, limit)
    except zlib.error:
        blocks.problems.append(f"the text chunk {name[:40]!r} does not decompress")
        return None
    if inflater.unconsumed_tail:
        blocks.unread.append(f"the text chunk {name[:40]!r} decompresses to more than is read")
        return None
    return out
