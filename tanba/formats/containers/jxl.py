"""JPEG XL in its ISO BMFF container: XMP in the ``xml `` box, EXIF in ``Exif`` (ISO/IEC 18181-2)."""

from __future__ import annotations

from typing import BinaryIO

from tanba.errors import MalformedAsset, MetadataNotWritable
from tanba.formats.containers.base import Blocks
from tanba.formats.containers.boxes import closed, payload, top_level, walk

_XMP_MARK = b"adobe:ns:meta/"
_RDF_MARK = b"www.w3.org/1999/02/22-rdf-syntax-ns#"
_HEAD = 4096


_SIGNATURE = b"\0\0\0\x0cJXL \r\n\x87\n"
_FILE_TYPE = b"\0\0\0\x14ftypjxl \0\0\0\0jxl "


def wrapped(codestream: bytes) -> bytes:
    """A bare codestream in the container: signature, file type and ``jxlc`` box (ISO/IEC 18181-2, annex on the file format).

    No ``jxll`` box is needed: without one the codestream is of level 5, and so is every bare codestream.
    """
    # Size 1 announces a 64-bit size behind the type (ISO/IEC 14496-12, 4.2).
    size = len(codestream) + 8
    head = size.to_bytes(4) + b"jxlc" if size < 1 << 32 else (1).to_bytes(4) + b"jxlc" + (size + 8).to_bytes(8)
    return b"".join((_SIGNATURE, _FILE_TYPE, head, codestream))


def read(stream: BinaryIO, blocks: Blocks) -> None:
    """XMP and EXIF boxes; Brotli-compressed ones (``brob``) are named as unread."""
    for box in top_level(stream):
        if box.kind == b"xml ":
            packet = payload(stream, box, blocks)
            if packet is not None and _is_xmp(packet):
                blocks.add_xmp(packet)
        elif box.kind == b"Exif":
            exif = payload(stream, box, blocks)
            if exif is not None and blocks.exif is None:
                blocks.exif = exif[4 + int.from_bytes(exif[:4]) :]
        elif box.kind == b"brob":
            stream.seek(box.body)
            if stream.read(4) == b"xml ":
                blocks.unread.append("the XMP is Brotli-compressed and not read")


def write(data: bytes, packet: bytes) -> bytes:
    """Append the XMP box at the end, without the old one."""
    view = memoryview(data)
    boxes = list(walk(view, 0, len(view)))
    if any(box.kind == b"brob" and bytes(view[box.body : box.body + 4]) == b"xml " for box in boxes):
        raise MetadataNotWritable("the file's own XMP is Brotli-compressed; it is left alone")
    if not boxes:
        raise MalformedAsset("a JPEG XL without boxes")
    kept = [
        closed(view, box)
        for box in boxes
        if box.kind != b"xml " or not _is_xmp(bytes(view[box.body : min(box.end, box.body + _HEAD)]))
    ]
    return b"".join((*kept, (len(packet) + 8).to_bytes(4), b"xml ", packet))


def _is_xmp(packet: bytes) -> bool:
    return _XMP_MARK in packet[:_HEAD] or _RDF_MARK in packet[:_HEAD]
