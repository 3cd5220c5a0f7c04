"""Metadata across a re-encoding: segments and chunks of the source, byte for byte, into what the encoder wrote."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

from PIL import Image

from tanba.errors import VisibleRefused
from tanba.formats.containers import png as png_container
from tanba.formats.containers.jpeg import spans
from tanba.formats.sniff import Format

_JPEG_STRUCTURE = {0xE0, 0xEB, 0xEE}
"""APP0 (JFIF) and APP14 (Adobe) belong to the encoder; APP11 holds the C2PA store of the old pixels."""
_JPEG_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]")
"""Markers with a segment, and EOI; restart markers and stuffed bytes belong to the scan before them."""
_PNG_CARRIED = {
    b"gAMA",
    b"cHRM",
    b"sRGB",
    b"iCCP",
    b"cICP",
    b"mDCV",
    b"cLLI",
    b"pHYs",
    b"tEXt",
    b"zTXt",
    b"iTXt",
    b"eXIf",
    b"tIME",
}
_TIFF_STRUCTURE = {
    254, 256, 257, 258, 259, 262, 266, 273, 277, 278, 279, 284, 292, 293, 317, 320, 322, 323, 324, 325, 330, 338, 339,
    347, 512, 513, 514, 515, 519, 520, 521, 529, 530, 531, 532, 34675, 52545,
}  # fmt: skip
"""Tags of TIFF 6.0 that describe how the pixels lie in the file, and C2PA's own (52545): the encoder writes its own."""


def refuse_what_would_be_lost(data: bytes, format: Format) -> None:
    """Raise for files whose other content a re-encoding would drop silently."""
    if format.media_type != "image/png":
        return
    order = [kind for kind, _ in _chunks(data) if kind in (b"acTL", b"fcTL", b"IDAT")]
    if b"acTL" in order and order.index(b"fcTL" if b"fcTL" in order else b"acTL") > order.index(b"IDAT"):
        raise VisibleRefused("an animated PNG whose first picture is no frame gets no visible mark")


def jpeg(source: bytes, encoded: bytes, notes: list[str]) -> bytes:
    """The encoded file with the source's EXIF, XMP, ICC, IPTC and comment segments."""
    view = memoryview(source)
    kept: list[memoryview] = []
    several = False
    for start, end, marker in spans(view):
        if marker == 0xE2 and bytes(view[start + 4 : start + 8]) == b"MPF\0":
            several = True
        elif (0xE0 <= marker <= 0xEF or marker == 0xFE) and marker not in _JPEG_STRUCTURE:
            kept.append(view[start:end])
    behind = len(source) - _end_of_image(source)
    if several:
        notes.append("the further pictures in the file (MPF) carry no notice and are dropped")
    elif behind:
        notes.append(f"the {behind:,} bytes behind the picture, such as a motion photo's video, are dropped")
    new = memoryview(encoded)
    insert = 2
    for _, end, marker in spans(new):
        if marker == 0xE0:
            insert = end
        else:
            break
    return b"".join((new[:insert], *kept, new[insert:]))


def _end_of_image(data: bytes) -> int:
    """The offset behind EOI; the length of the data when there is none (ISO/IEC 10918-1 annex B)."""
    at = 2
    for marker in _JPEG_MARKER.finditer(data, 2):
        if marker.start() < at:
            continue  # inside a segment
        if marker[0] == b"\xff\xd9":
            return marker.end()
        at = marker.end() + int.from_bytes(data[marker.end() : marker.end() + 2])
    return len(data)


def png(source: bytes, encoded: bytes, notes: list[str]) -> bytes:
    """The encoded file with the source's colour, text, EXIF and resolution chunks."""
    kept = []
    for kind, body in _chunks(source):
        if kind == b"IHDR" and body[8] == 16 and body[9] != 0:
            notes.append("16 bits a channel become 8")
        if kind in _PNG_CARRIED:
            kept.append(len(body).to_bytes(4) + kind + body + zlib.crc32(body, zlib.crc32(kind)).to_bytes(4))
    end_of_header = 8 + 25
    return b"".join((encoded[:end_of_header], *kept, encoded[end_of_header:]))


def tiff_tags(tags: Image.Exif) -> Image.Exif:
    """The descriptive tags of a TIFF's directories (text, EXIF, GPS, XMP, IPTC), without those of its layout."""
    for pointer in (0x8769, 0x8825):
        tags.get_ifd(pointer)  # read now: the encoder copies what is loaded
    for tag in [tag for tag in tags if tag in _TIFF_STRUCTURE]:
        del tags[tag]
    return tags


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    view = memoryview(data)
    for start, end, kind in png_container.spans(view):
        yield kind, b"" if kind in (b"IDAT", b"fdAT") else bytes(view[start + 8 : end - 4])
