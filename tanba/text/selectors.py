"""Bytes as Unicode variation selectors (C2PA 2.4 A.8.3): 0x00-0x0F is U+FE00-U+FE0F, 0x10-0xFF is U+E0100-U+E01EF.

Works on UTF-8 bytes throughout, so that offsets never need converting. The first sixteen byte values cost three bytes
of UTF-8, all others four.
"""

from __future__ import annotations

import re

PREFIX = b"\xef\xbb\xbf"
"""U+FEFF, which opens a wrapper (A.8.4.1)."""

_LOW = bytes(range(16))
_TABLE = tuple(chr(0xFE00 + byte if byte < 16 else 0xE0100 + byte - 16).encode() for byte in range(256))
_OFFSETS = bytes(16 if plane == 0x0E else 0 for plane in range(256))
_RUN = re.compile(rb"(?:\xef\xb8[\x80-\x8f]|\xf3\xa0(?:[\x84-\x86][\x80-\xbf]|\x87[\x80-\xaf]))*+")


def encode(data: bytes) -> bytes:
    """The UTF-8 bytes of the selectors for ``data``."""
    return b"".join([_TABLE[byte] for byte in data])


def decode(run: bytes) -> bytes:
    """The bytes that a run of selectors stands for. Raises :class:`ValueError` for anything but selectors."""
    if _RUN.fullmatch(run) is None:
        raise ValueError("not a run of variation selectors")
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
    found = _RUN.match(raw, start)
    return found.end() if found else start
