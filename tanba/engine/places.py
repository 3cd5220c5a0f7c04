"""Where a manifest store can stand in the common containers, so that the prescan need not read pixels.

Each walker yields the byte ranges ``(start, length)`` in which the engine looks for a store, by reading structure only;
it raises ValueError when the structure is not understood, and the caller then scans the whole file.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from typing import BinaryIO

Range = tuple[int, int]

_C2PA_UUID = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
"""User type of the BMFF box that holds a store (C2PA 2.4 annex A.5)."""
_MAX_PIECES = 100_000
_STANDALONE = frozenset({0x01, 0xD8, *range(0xD0, 0xD8)})


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
    raise ValueError("too many segments")


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
    raise ValueError("too many chunks")


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
    raise ValueError("too many chunks")


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
    raise ValueError("too many boxes")


WALKERS: Mapping[str, Callable[[BinaryIO, int], Iterator[Range]]] = {
    "image/jpeg": jpeg,
    "image/png": png,
    "image/webp": riff,
    "audio/wav": riff,
    "video/avi": riff,
    "image/avif": bmff,
    "image/heic": bmff,
    "image/heif": bmff,
    "video/mp4": bmff,
    "video/quicktime": bmff,
    "video/x-m4v": bmff,
    "audio/mp4": bmff,
}


def store_ranges(stream: BinaryIO, size: int, media_type: str) -> list[Range] | None:
    """The ranges that can hold a store, or None when the whole file must be scanned."""
    walker = WALKERS.get(media_type)
    if walker is None:
        return None
    try:
        return list(walker(stream, size))
    except ValueError:
        return None
