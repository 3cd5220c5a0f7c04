"""Digests of the paragraphs of a text, so that a quoted part is recognised (``org.tanba.sections``, docs/text.md).

Each leaf is SHA-256 over a zero byte, a salt of the document and the paragraph, cut to 16 bytes; a Merkle root over
them (RFC 9162 section 2.1.1 hashing) lets one leaf be shown without the others. The salt keeps equal paragraphs of
different documents apart; it does not hide text from someone who holds the manifest and can guess the words.
"""

from __future__ import annotations

import base64
import binascii
import bisect
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tanba.errors import UsageError
from tanba.text.locate import HTML_TYPES
from tanba.text.normalize import decode, nfc

LABEL = "org.tanba.sections"
VERSION = 1
LEAF_BYTES = 16
SALT_BYTES = 16
MAX_SECTIONS = 4096
"""More paragraphs are refused: 4096 leaves are 88 KB of manifest."""

_BLANK = re.compile(r"(?:\r\n|\r|\n)[ \t]*(?:\r\n|\r|\n)\s*")
_HTML_BLOCKS = "p, h1, h2, h3, h4, h5, h6, li, blockquote, pre, figcaption, td, th, dt, dd"


@dataclass(frozen=True, slots=True)
class Match:
    """Which sections of a labelled text stand in another text, unchanged."""

    numbers: tuple[int, ...]
    """Positions in the labelled text, from 1."""
    total: int
    """Sections of the labelled text."""
    foreign: tuple[int, ...]
    """Positions in the text at hand, from 1, of sections that are not in the labelled one."""
    in_order: bool = True
    """Whether the unchanged sections stand in the order of the labelled text."""

    @property
    def words(self) -> str:
        """The positions in the labelled text as ranges: ``2-4, 7``."""
        return ranges(self.numbers)


def ranges(numbers: Sequence[int]) -> str:
    """Ascending numbers in short: ``2-4, 7``."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][-1] + 1:
            parts[-1] = [parts[-1][0], number]
        else:
            parts.append([number])
    return ", ".join("-".join(map(str, part)) for part in parts)


def split(raw: bytes, media_type: str) -> tuple[str, ...]:
    """The sections of a text: paragraphs between blank lines, or the block elements of HTML.

    White space inside a section counts as one space, so that re-wrapped lines stay the same section. Raises
    :class:`tanba.errors.TextNotEncodable`.
    """
    if media_type in HTML_TYPES:
        import turbohtml

        document = turbohtml.parse(decode(raw), positions=False)
        found = [node.text for node in document.select(_HTML_BLOCKS) if not node.select(_HTML_BLOCKS)]
    else:
        found = _BLANK.split(decode(raw))
    plain = (" ".join(nfc(item.encode()).decode().replace("\ufeff", "").split()) for item in found)
    return tuple(item for item in plain if item)


def assertion(raw: bytes, media_type: str, salt: bytes) -> dict[str, Any]:
    """``org.tanba.sections`` for a text; ``salt`` is :data:`SALT_BYTES` random bytes.

    Raises :class:`UsageError` for a text of more than :data:`MAX_SECTIONS` sections.
    """
    texts = split(raw, media_type)
    if len(texts) > MAX_SECTIONS:
        raise UsageError(f"{len(texts):,} paragraphs are more than {MAX_SECTIONS:,}", hint="leave out --sections")
    leaves = [leaf(salt, text) for text in texts]
    data = {
        "version": VERSION,
        "alg": "sha256",
        "unit": "paragraph",
        "count": len(leaves),
        "salt": base64.b64encode(salt).decode(),
        "leaves": base64.b64encode(b"".join(leaves)).decode(),
        "root": base64.b64encode(root(leaves)).decode(),
    }
    return {"label": LABEL, "created": True, "data": data}


def leaf(salt: bytes, text: str) -> bytes:
    """The digest of one section."""
    return hashlib.sha256(b"\0" + salt + text.encode()).digest()[:LEAF_BYTES]


def root(leaves: Sequence[bytes]) -> bytes:
    """Merkle tree hash of the leaves (RFC 9162 section 2.1.1, with the leaves above); SHA-256 of nothing if empty."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    level = list(leaves)
    while len(level) > 1:
        # Pairing neighbours and carrying an odd last node up is the same tree as splitting at powers of two.
        pairs = [hashlib.sha256(b"\1" + a + b).digest() for a, b in zip(level[::2], level[1::2], strict=False)]
        level = pairs + ([level[-1]] if len(level) % 2 else [])
    return level[0]


def compare(data: object, raw: bytes, media_type: str) -> Match | None:
    """Which sections of the labelled text stand in ``raw``; None when the assertion is not one of ours, or broken."""
    if not isinstance(data, Mapping) or data.get("version") != VERSION or data.get("alg") != "sha256":
        return None
    salt, packed, top = (_decoded(data.get(key)) for key in ("salt", "leaves", "root"))
    if salt is None or packed is None or top is None or len(packed) % LEAF_BYTES:
        return None
    leaves = [packed[at : at + LEAF_BYTES] for at in range(0, len(packed), LEAF_BYTES)]
    if len(leaves) > MAX_SECTIONS or len(leaves) != data.get("count") or root(leaves) != top:
        return None
    here = [leaf(salt, text) for text in split(raw, media_type)]
    present = set(here)
    places: dict[bytes, list[int]] = {}
    for index, item in enumerate(leaves, 1):
        places.setdefault(item, []).append(index)
    numbers = tuple(index for index, item in enumerate(leaves, 1) if item in present)
    foreign = tuple(index for index, item in enumerate(here, 1) if item not in places)
    return Match(numbers, len(leaves), foreign, _in_order(places[item] for item in here if item in places))


def _in_order(options: Iterable[Sequence[int]]) -> bool:
    """Whether one can go through the choices of places without ever going back; equal sections have several places."""
    last = 0
    for places in options:
        at = bisect.bisect_right(places, last)
        if at == len(places):
            return False
        last = places[at]
    return True


def _decoded(value: object) -> bytes | None:
    try:
        return base64.b64decode(value, validate=True) if isinstance(value, str) else None
    except (binascii.Error, ValueError):
        return None
