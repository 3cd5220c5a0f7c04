"""``C2PATextManifestWrapper`` in unstructured text (C2PA 2.4 Annex A.8): locate and attach.

A wrapper is U+FEFF and one contiguous run of variation selectors that spell magic, version, length and the manifest
store. Stray selectors, emoji presentation and ordinary byte order marks are never taken for one.
"""

from __future__ import annotations

import struct

from tanba.model import Carrier
from tanba.text import selectors
from tanba.text.marks import Mark, Scan, Span, failure, note

MAGIC = b"C2PATXT\0"
VERSION = 1
HEADER = len(MAGIC) + 5
"""Magic, one byte version, four bytes big-endian manifest length (A.8.2.2)."""
MAX_WRAPPERS = 64
"""Wrappers located before the search stops; a second one already makes the text invalid."""

_SIGN = selectors.encode(MAGIC)
_OPENING = selectors.PREFIX + _SIGN


def frame(store: bytes) -> bytes:
    """The wrapper's bytes before they become selectors."""
    return MAGIC + struct.pack(">BI", VERSION, len(store)) + store


def attach(text: bytes, store: bytes) -> bytes:
    """The text with the wrapper as its suffix (A.8.4.1). ``text`` must be UTF-8 in NFC."""
    return text + selectors.PREFIX + selectors.encode(frame(store))


def size(store: bytes) -> int:
    """UTF-8 bytes that the wrapper of this store adds, U+FEFF included."""
    return len(selectors.PREFIX) + selectors.weight(frame(store))


def mentioned(raw: bytes) -> bool:
    """Whether a wrapper may stand in the text."""
    return _SIGN in raw


def locate(raw: bytes) -> Scan:
    """All wrappers of a text.

    Findings: ``manifest.text.corruptedWrapper`` for a magic with a bad version or length (15.12.1.3.4),
    ``manifest.text.multipleWrappers`` for more than one, ``tanba.text.mark_without_prefix`` for a run whose U+FEFF
    was lost. Linear in the size of the text.
    """
    scan = Scan()
    at = raw.find(_SIGN)
    while at >= 0 and len(scan.marks) + len(scan.findings) < MAX_WRAPPERS:
        end = selectors.run_end(raw, at)
        scan = scan.plus(_one(raw, at, end))
        at = raw.find(_SIGN, end)
    if len(scan.marks) > 1:
        found = failure("manifest.text.multipleWrappers", f"{len(scan.marks)} wrappers, at most one is allowed")
        scan = Scan(scan.marks, (*scan.findings, found))
    return scan


def _one(raw: bytes, at: int, end: int) -> Scan:
    start = at - len(selectors.PREFIX)
    if start < 0 or raw[start:at] != selectors.PREFIX:
        text = "a run of selectors that begins like a wrapper, but without the U+FEFF that opens one"
        return Scan(findings=(note("tanba.text.mark_without_prefix", text, Span(at, end - at)),))
    span = Span(start, end - start)
    opening = raw[at : min(end, at + 4 * HEADER)]
    head = selectors.found(opening, 0, selectors.run_end(opening, 0))[:HEADER]
    problem = _problem(head, selectors.count(raw, at, end))
    if problem:
        return Scan(findings=(failure("manifest.text.corruptedWrapper", problem, span),))
    payload = selectors.found(raw, at, end)
    (length,) = struct.unpack_from(">I", payload, len(MAGIC) + 1)
    store, rest = payload[HEADER : HEADER + length], payload[HEADER + length :]
    foreign = None if _is_padding(rest) else f"{len(rest)} bytes after the manifest store inside the wrapper"
    return Scan(marks=(Mark(Carrier.A8, span, store, foreign=foreign),))


def _problem(head: bytes, held: int) -> str | None:
    """What is wrong with a wrapper of ``held`` bytes that begins with ``head``; nothing else of it is decoded yet."""
    if len(head) < HEADER:
        return "the wrapper ends inside its header"
    if head[len(MAGIC)] != VERSION:
        return f"wrapper version {head[len(MAGIC)]} is not {VERSION}"
    (length,) = struct.unpack_from(">I", head, len(MAGIC) + 1)
    if length == 0 or length > held - HEADER:
        return f"the wrapper announces {length} bytes of manifest and holds {held - HEADER}"
    return None


def _is_padding(rest: bytes) -> bool:
    """Nothing, or the run padding of the draft after 2.4: zeros, then at most two bytes 0x10."""
    return not rest.rstrip(b"\x10").strip(b"\0") and len(rest) - len(rest.rstrip(b"\x10")) < 3
