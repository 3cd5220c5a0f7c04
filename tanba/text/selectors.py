"""Bytes as Unicode variation selectors (C2PA 2.4 A.8.3): 0x00-0x0F is U+FE00-U+FE0F, 0x10-0xFF is U+E0100-U+E01EF.

Works on UTF-8 bytes throughout, so that offsets never need converting. The first sixteen byte values cost three bytes
of UTF-8, all others four.
"""

from __future__ import annotations

import re

PREFIX = b"\xef\xbb\xbf"
"""U+FEFF, which opens a wrapper (A.8.4.1)."""

_PIECE = 1 << 20
"""Bytes decoded at a time: the planes below are several times as large as the run."""
_LEADING = b"\xef\xf3"
_LOW = bytes(range(16))
_TABLE = tuple(chr(0xFE00 + byte if byte < 16 else 0xE0100 + byte - 16).encode() for byte in range(256))
_OFFSETS = bytes(16 if plane == 0x0E else 0 for plane in range(256))
_RUN = re.compile(rb"(?:\xef\xb8[\x80-\x8f]|\xf3\xa0(?:[\x84-\x86][\x80-\xbf]|\x87[\x80-\xaf])){0,65536}+")
"""Selectors in a row; bounded, because the matcher keeps a state for each repetition."""


def encode(data: bytes) -> bytes:
    """The UTF-8 bytes of the selectors for ``data``."""
    return b"".join([_TABLE[byte] for byte in data])


def decode(run: bytes) -> bytes:
    """The bytes that a run of selectors stands for. Raises :class:`ValueError` for anything but selectors."""
    if run_end(run, 0) != len(run):
        raise ValueError("not a run of variation selectors")
    return found(run, 0, len(run))


def found(raw: bytes, start: int, end: int) -> bytes:
    """The bytes that a run stands for whose ends :func:`run_end` has found; nothing is checked again."""
    out = bytearray()
    while start < end:
        stop = min(_boundary(raw, start + _PIECE), end)
        out += _decoded(raw[start:stop])
        start = stop
    return bytes(out)


def count(raw: bytes, start: int, end: int) -> int:
    """How many selectors a run has that :func:`run_end` has found."""
    return sum(raw.count(bytes([lead]), start, end) for lead in _LEADING)


def _boundary(run: bytes, near: int) -> int:
    """The next place at or after ``near`` where a selector begins, or the end; a selector has four bytes at most."""
    return next((at for at in range(near, min(near + 4, len(run))) if run[at] in _LEADING), min(near + 4, len(run)))


def _decoded(run: bytes) -> bytes:
    # Two byte planes of UTF-32: the value is the low byte, plus 16 in plane 14. No sum passes 255, so adding the planes
    # as two long integers carries nothing; that is ten times faster than a loop.
    wide = run.decode("utf-8").encode("utf-32-le")
    low, offset = wide[0::4], wide[2::4].translate(_OFFSETS)
    total = int.from_bytes(low, "little") + int.from_bytes(offset, "little")
    return total.to_bytes(len(low), "little")


def weight(data: bytes) -> int:
    """Length in UTF-8 bytes of :func:`encode`, without building it."""
    return 3 * len(data) + len(data.translate(None, _LOW))


def run_end(raw: bytes, start: int) -> int:
    """Where the contiguous run of selectors that begins at ``start`` ends (``start`` itself when there is none)."""
    while (piece := _RUN.match(raw, start)) is not None and piece.end() > start:
        start = piece.end()
    return start
