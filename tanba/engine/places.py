"""Where a manifest store can stand in the common containers, so that the prescan need not read pixels; and whether a
container has so many parts that the engine would be long about it.

Each walker yields the byte ranges ``(start, length)`` in which the engine looks for a store, by reading structure only;
it raises ValueError when the structure is not understood, and the caller then scans the whole file. The engine asks for
every part through callbacks (15 to 40 microseconds each), and in ISO BMFF its cost grows with the square of their number:
20,000 empty boxes in 160 kB take 4 seconds. In a ZIP it hashes every part of the directory, even those that overlap: forty
entries for one part of 8 MB cost as much as 320 MB.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from tanba.formats.sniff import ZIPPED

Range = tuple[int, int]

_C2PA_UUID = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
"""User type of the BMFF box that holds a store (C2PA 2.4 annex A.5)."""
_MAX_PIECES = 20_000
_MAX_BOXES = 4_000
_MAX_GIF_BLOCKS = 50_000
_MAX_GIF_BYTES = 64 << 20
_MAX_ZIP_PARTS = 2_000
"""Parts (and bytes of a GIF, whose parts are counted in memory) above which a container is crowded."""
_NESTING = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl", b"dinf", b"edts", b"udta", b"moof", b"traf", b"mvex",
                      b"mfra", b"meta", b"iprp", b"ipco", b"iref", b"tref", b"sinf", b"schi", b"ilst"})  # fmt: skip
"""Boxes that hold boxes (ISO/IEC 14496-12)."""
_ZIP_ENTRY, _ZIP_ENTRY_BYTES = b"PK\x01\x02", 46
"""Signature and fixed length of a central directory header (APPNOTE.TXT 4.3.12)."""
_WINDOW = 4 << 20
_STANDALONE = frozenset({0x01, 0xD8, *range(0xD0, 0xD8)})


class Crowded(ValueError):
    """More parts than are walked."""


@dataclass(frozen=True, slots=True)
class Places:
    """What a look at the structure of a container gives."""

    ranges: list[Range] | None
    """Where a store can stand; None when the whole file must be scanned."""
    crowded: bool
    """Reading it could take the engine seconds, because of the number of its parts."""


def jpeg(stream: BinaryIO, size: int) -> Iterator[Range]:
    """APP11 segments before the first scan (C2PA 2.4 annex A.3.1); the engine looks no further."""
    if stream.read(2) != b"\xff\xd8":
        raise ValueError("no SOI marker")
    at = 2
    for _ in range(_MAX_PIECES):
        stream.seek(at)
        head = stream.read(4)
        if len(head) < 4 or head[0] != 0xFF:
            raise ValueError("no marker where one must be")
        if head[1] == 0xFF:  # fill byte
            at += 1
            continue
        if head[1] in (0xDA, 0xD9):
            return
        length = 2 if head[1] in _STANDALONE else 2 + int.from_bytes(head[2:4])
        if length < 2 or at + length > size:
            raise ValueError("a segment leaves the file")
        if head[1] == 0xEB:
            yield at, length
        at += length
    raise Crowded("too many segments")


def png(stream: BinaryIO, size: int) -> Iterator[Range]:
    """``caBX`` chunks (C2PA 2.4 annex A.3.2)."""
    at = 8
    for _ in range(_MAX_PIECES):
        stream.seek(at)
        head = stream.read(8)
        if len(head) < 8:
            if at == size:
                return
            raise ValueError("a chunk is cut off")
        length = 12 + int.from_bytes(head[:4])
        if head[4:] == b"caBX":
            yield at, min(length, size - at)
        if head[4:] == b"IEND" and at + length >= size:
            return
        at += length
    raise Crowded("too many chunks")


def riff(stream: BinaryIO, size: int) -> Iterator[Range]:
    """``C2PA`` chunks (C2PA 2.4 annex A.3.4)."""
    at = 12
    for _ in range(_MAX_PIECES):
        stream.seek(at)
        head = stream.read(8)
        if len(head) < 8:
            if at >= size:
                return
            raise ValueError("a chunk is cut off")
        length = struct.unpack_from("<I", head, 4)[0]
        if head[:4] == b"C2PA":
            yield at, min(8 + length, size - at)
        at += 8 + length + (length & 1)
    raise Crowded("too many chunks")


def bmff(stream: BinaryIO, size: int) -> Iterator[Range]:
    """Top-level ``uuid`` boxes of the C2PA user type (C2PA 2.4 annex A.5)."""
    at = 0
    for _ in range(_MAX_PIECES):
        stream.seek(at)
        head = stream.read(32)
        if len(head) < 8:
            if at == size:
                return
            raise ValueError("a box is cut off")
        length, header = int.from_bytes(head[:4]), 8
        if length == 1:
            length, header = int.from_bytes(head[8:16]), 16
        length = length or size - at
        if length < header or at + length > size:
            raise ValueError("a box leaves the file")
        if head[4:8] == b"uuid" and head[header : header + 16] == _C2PA_UUID:
            yield at, length
        at += length
    raise Crowded("too many boxes")


_BMFF = ("image/avif", "image/heic", "image/heif", "video/mp4", "video/quicktime", "video/x-m4v", "audio/mp4")
WALKERS: Mapping[str, Callable[[BinaryIO, int], Iterator[Range]]] = {
    "image/jpeg": jpeg,
    "image/png": png,
    "image/webp": riff,
    "audio/wav": riff,
    "video/avi": riff,
    **dict.fromkeys(_BMFF, bmff),
}


def boxes(stream: BinaryIO, size: int) -> int:
    """How many ISO BMFF boxes there are, nested ones included; counting ends above the limit."""
    open_, count = [(0, size)], 0
    while open_ and count <= _MAX_BOXES:
        at, end = open_.pop()
        while at + 8 <= end and count <= _MAX_BOXES:
            stream.seek(at)
            head = stream.read(16)
            length, header = int.from_bytes(head[:4]), 8
            if length == 1:
                length, header = int.from_bytes(head[8:16]), 16
            length = length or end - at
            if length < header:
                break
            count += 1
            if head[4:8] in _NESTING:
                # Full boxes have four more bytes before the first box in them.
                full = 4 if head[4:8] == b"meta" and head[8:12] == bytes(4) else 0
                open_.append((at + header + full, min(at + length, end)))
            at += length
    return count


def gif_blocks(stream: BinaryIO, size: int) -> int:
    """How many blocks and sub-blocks a GIF has; counting ends above the limit (GIF89a specification, appendix A)."""
    if size > _MAX_GIF_BYTES:
        return _MAX_GIF_BLOCKS + 1
    stream.seek(0)
    data = stream.read(size)
    at, count = 13 + _colours(data, 10), 0
    while at < len(data) and count <= _MAX_GIF_BLOCKS:
        if data[at] == 0x2C:
            at += 11 + _colours(data, at + 9)
        elif data[at] == 0x21:
            at += 2
        else:
            break
        count += 1
        while at < len(data) and data[at] and count <= _MAX_GIF_BLOCKS:
            at += 1 + data[at]
            count += 1
        at += 1
    return count


def _colours(data: bytes, at: int) -> int:
    """Bytes of the colour table that a packed field announces."""
    return 3 << (data[at] & 7) + 1 if at < len(data) and data[at] & 0x80 else 0


def zip_parts(stream: BinaryIO, size: int) -> int:
    """How many parts a ZIP names; above the limit when together they are longer than the file, so that parts overlap.

    Every signature counts, wherever it stands: which of them are the directory is a question readers disagree about.
    """
    count = packed = 0
    tail = b""
    stream.seek(0)
    while count <= _MAX_ZIP_PARTS and packed <= size and (chunk := stream.read(_WINDOW)):
        window, last = tail + chunk, len(tail) + len(chunk) - _ZIP_ENTRY_BYTES
        at = window.find(_ZIP_ENTRY)
        while 0 <= at <= last:
            count += 1
            packed += int.from_bytes(window[at + 20 : at + 24], "little")
            at = window.find(_ZIP_ENTRY, at + 4)
        tail = window[max(0, last + 1) :]
    return count if packed <= size else _MAX_ZIP_PARTS + 1


_COUNTERS: Mapping[str, tuple[Callable[[BinaryIO, int], int], int]] = {
    **dict.fromkeys(_BMFF, (boxes, _MAX_BOXES)),
    "image/gif": (gif_blocks, _MAX_GIF_BLOCKS),
    **dict.fromkeys(ZIPPED, (zip_parts, _MAX_ZIP_PARTS)),
}


def look(stream: BinaryIO, size: int, media_type: str) -> Places:
    """The places for a store in a container, and whether it is crowded."""
    walker = WALKERS.get(media_type)
    ranges: list[Range] | None = None
    if walker is not None:
        try:
            ranges = list(walker(stream, size))
        except Crowded:
            return Places(None, crowded=True)
        except ValueError:
            pass
    counter, most = _COUNTERS.get(media_type, (None, 0))
    return Places(ranges, crowded=counter is not None and counter(stream, size) > most)


def store_ranges(stream: BinaryIO, size: int, media_type: str) -> list[Range] | None:
    """The ranges that can hold a store, or None when the whole file must be scanned."""
    return look(stream, size, media_type).ranges
