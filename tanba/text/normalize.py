"""Unicode normalisation for the hard binding of A.8, with the cost of hostile input bounded.

``unicodedata.normalize`` is quadratic in the length of a run of combining marks; such runs do not occur in any
language (UAX #15, Stream-Safe Text Format, allows 30).
"""

from __future__ import annotations

import unicodedata

from tanba.errors import TextNotEncodable

MAX_COMBINING = 128
"""Combining marks in a row; more is refused. Stream-safe text has at most 30."""
_STRIDE = MAX_COMBINING // 2


def decode(raw: bytes) -> str:
    """The text of UTF-8 bytes. Raises :class:`TextNotEncodable`, with the byte offset in ``details``."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise TextNotEncodable(
            f"not UTF-8: byte {error.start} ({error.reason})",
            hint="convert the file to UTF-8, or use --carrier sidecar",
            details={"offset": error.start},
        ) from error


def nfc(raw: bytes) -> bytes:
    """The same text in Unicode Normalization Form C (A.8.7.2); the same object when nothing changes.

    Raises :class:`TextNotEncodable` for invalid UTF-8 and for runs of more than :data:`MAX_COMBINING` marks.
    """
    if raw.isascii():
        return raw
    text = decode(raw)
    if _has_long_run(text):
        raise TextNotEncodable(
            f"more than {MAX_COMBINING} combining marks in a row", hint="no language needs them; use --carrier sidecar"
        )
    return raw if unicodedata.is_normalized("NFC", text) else unicodedata.normalize("NFC", text).encode("utf-8")


def _has_long_run(text: str) -> bool:
    """Whether more than :data:`MAX_COMBINING` marks stand in a row: looks at every 64th character and around it.

    A run of that length covers at least two of the points looked at, so none is missed.
    """
    at = 0
    while at < len(text):
        if unicodedata.combining(text[at]):
            end = _edge(text, at, 1)
            if end - _edge(text, at, -1) - 1 > MAX_COMBINING:
                return True
            at = end
        at += _STRIDE
    return False


def _edge(text: str, at: int, step: int) -> int:
    """The first index in one direction that holds no combining mark, looking no further than the limit."""
    stop = at + step * (MAX_COMBINING + 1)
    while 0 <= at < len(text) and at != stop and unicodedata.combining(text[at]):
        at += step
    return at
