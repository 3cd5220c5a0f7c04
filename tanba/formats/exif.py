"""The few EXIF tags that can speak of AI: a bounded look into a TIFF structure (Exif 3.0; TIFF 6.0).

Not a general EXIF reader: it follows IFD0 and the Exif IFD only, keeps six strings, and never raises.
"""

from __future__ import annotations

from dataclasses import dataclass

_IMAGE_DESCRIPTION, _MAKE, _SOFTWARE, _ARTIST, _EXIF_IFD, _USER_COMMENT = 0x010E, 0x010F, 0x0131, 0x013B, 0x8769, 0x9286
_NAMES = {
    _IMAGE_DESCRIPTION: "image_description",
    _MAKE: "make",
    _SOFTWARE: "software",
    _ARTIST: "artist",
    _USER_COMMENT: "user_comment",
}
_SIZES = {1: 1, 2: 1, 7: 1, 129: 1}
_MAX_ENTRIES = 512
_MAX_STRING = 64 << 10
_COMMENT_CODES = {b"ASCII\0\0\0": "ascii", b"UNICODE\0": "utf-16", b"JIS\0\0\0\0\0": "iso2022_jp", b"\0" * 8: "utf-8"}


@dataclass(frozen=True, slots=True)
class Tags:
    """Texts of the tags; empty when absent."""

    image_description: str = ""
    make: str = ""
    software: str = ""
    artist: str = ""
    user_comment: str = ""


def read(block: bytes, problems: list[str]) -> Tags:
    """The tags of an EXIF block; faults are appended to ``problems``."""
    order = {b"II": "little", b"MM": "big"}.get(block[:2])
    if order is None or len(block) < 8:
        problems.append("the EXIF block has no TIFF header")
        return Tags()
    big = order == "big"
    found: dict[str, str] = {}
    pending, seen = [_number(block, 4, 4, big=big)], set[int]()
    while pending:
        at = pending.pop()
        if at in seen or at <= 0 or at + 2 > len(block):
            if at:
                problems.append("an EXIF directory lies outside the block")
            continue
        seen.add(at)
        _directory(block, at, found, pending, big=big)
    return Tags(**found)


def _directory(block: bytes, at: int, found: dict[str, str], pending: list[int], *, big: bool) -> None:
    count = min(_number(block, at, 2, big=big), _MAX_ENTRIES)
    for index in range(count):
        entry = at + 2 + 12 * index
        if entry + 12 > len(block):
            return
        tag, kind = _number(block, entry, 2, big=big), _number(block, entry + 2, 2, big=big)
        if tag == _EXIF_IFD and len(pending) < 4:
            pending.append(_number(block, entry + 8, 4, big=big))
        if tag not in _NAMES or kind not in _SIZES or _NAMES[tag] in found:
            continue
        length = _number(block, entry + 4, 4, big=big)
        start = entry + 8 if length <= 4 else _number(block, entry + 8, 4, big=big)
        raw = block[start : start + min(length, _MAX_STRING)]
        found[_NAMES[tag]] = (
            _comment(raw, big=big) if tag == _USER_COMMENT else raw.decode("utf-8", "replace").strip("\0 ")
        )


def _comment(raw: bytes, *, big: bool) -> str:
    """``UserComment``: eight bytes of character code, then the text; UNICODE without a mark is in the file's order."""
    encoding = _COMMENT_CODES.get(raw[:8])
    if encoding is None:
        return raw.decode("utf-8", "replace").strip("\0 ")
    body = raw[8:]
    if encoding == "utf-16" and body[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        encoding = "utf-16-be" if big else "utf-16-le"
    return body.decode(encoding, "replace").strip("\0 ")


def _number(block: bytes, at: int, size: int, *, big: bool) -> int:
    return int.from_bytes(block[at : at + size], "big" if big else "little")
