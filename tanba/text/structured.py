"""The manifest block of structured text (C2PA 2.4 Annex A.9): locate and attach.

The block is ASCII armour inside a comment of the host format. Nothing is normalised; bytes and line ends outside the
block stay as they were. Locating is form-agnostic (one comment line, or several lines in front matter).
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

from tanba.model import Carrier
from tanba.report import Finding
from tanba.text.comments import KNOWN, Comment
from tanba.text.marks import Mark, Scan, Span, failure, note

BEGIN = b"-----BEGIN C2PA MANIFEST-----"
END = b"-----END C2PA MANIFEST-----"
DATA_URI = b"data:application/c2pa;base64,"
MAX_REFERENCE = 8192
"""Bytes of a URL reference; longer is malformed."""

_URL = re.compile(rb"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):)?[!-;=?-~]+")
_CODE = "manifest.structuredText."


def data_uri(store: bytes) -> bytes:
    """The inline reference (RFC 2397, standard base64 with padding)."""
    return DATA_URI + base64.b64encode(store)


def uri_size(store_size: int) -> int:
    """Length of :func:`data_uri` for a store of that many bytes."""
    return len(DATA_URI) + 4 * -(-store_size // 3)


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a block will stand and what surrounds its reference; lengths are known before the manifest is."""

    at: int
    before: bytes
    after: bytes

    @property
    def overhead(self) -> int:
        return len(self.before) + len(self.after)

    def attach(self, text: bytes, reference: bytes) -> bytes:
        """The text with the block in place."""
        return text[: self.at] + self.before + reference + self.after + text[self.at :]


def frame(text: bytes, comment: Comment, *, last: bool) -> Frame:
    """The block's surroundings as first line, or as last line after a line feed of its own (A.9.3.1)."""
    opening = comment.prefix.encode() + b" " + BEGIN + b" "
    closing = b" " + END + (b" " + comment.suffix.encode() if comment.suffix else b"")
    if last:
        return Frame(len(text), b"\n" + opening, closing)
    return Frame(0, opening, closing + newline(text))


def newline(text: bytes) -> bytes:
    """The line end that the file uses: CRLF when its first line ends so, else LF."""
    at = text.find(b"\n")
    return b"\r\n" if at > 0 and text[at - 1 : at] == b"\r" else b"\n"


def locate(raw: bytes) -> Scan:
    """The manifest block of a text, or the code that says why there is none (A.9.5).

    Text without any delimiter is simply unmarked. Prose that mentions one delimiter gets an informational finding.
    """
    begins, ends = raw.count(BEGIN), raw.count(END)
    if not begins and not ends:
        return Scan()
    if begins > 1 or ends > 1:
        text = f"{begins} opening and {ends} closing delimiters; a text has one manifest block at most"
        return Scan(findings=(failure(_CODE + "multipleReferences", text),))
    at, stop = raw.find(BEGIN), raw.find(END)
    if at < 0 or stop < at:
        return Scan(findings=(_half(raw, at),))
    reference = raw[at + len(BEGIN) : stop].strip()
    span = Span(at, stop + len(END) - at)
    if not reference:
        return Scan(findings=(failure(_CODE + "emptyReference", "nothing stands between the delimiters", span),))
    return _resolve(raw, at, stop + len(END), reference, span)


def _half(raw: bytes, at: int) -> Finding:
    """One delimiter alone: a damaged block when a manifest or a comment's first line is beside it, else prose."""
    damaged = DATA_URI in raw or (0 <= at < 8)
    report = failure if damaged else note
    return report(_CODE + "noManifest", "a manifest block has one of its two delimiters only")


def _resolve(raw: bytes, at: int, stop: int, reference: bytes, span: Span) -> Scan:
    block, also, foreign = _block(raw, at, stop)
    if reference[:5].lower() == b"data:":
        store = _inline(reference)
        if store is None:
            text = "the data URI is not base64 of type application/c2pa"
            return Scan(findings=(failure(_CODE + "malformedReference", text, span),))
        if data_uri(store) != reference:
            foreign = foreign or "the base64 of the manifest is not the canonical one"
        return Scan(marks=(Mark(Carrier.A9, block, store, also=also, foreign=foreign),))
    match = _URL.fullmatch(reference) if len(reference) <= MAX_REFERENCE else None
    if match is None:
        return Scan(findings=(failure(_CODE + "malformedReference", "neither a URL nor a data URI", span),))
    scheme = (match["scheme"] or b"https").lower()
    url = reference.decode("ascii")
    mark = Mark(Carrier.A9, block, None, url, also=also, foreign=foreign)
    if scheme not in (b"https", b"http"):
        text = f"the scheme {scheme.decode()!r} cannot be resolved"
        return Scan(marks=(mark,), findings=(failure(_CODE + "noResolutionPath", text, span),))
    return Scan(marks=(mark,))


def _inline(reference: bytes) -> bytes | None:
    if not reference.startswith(DATA_URI):
        return None
    try:
        return base64.b64decode(reference[len(DATA_URI) :], validate=True) or None
    except (binascii.Error, ValueError):
        return None


def _block(raw: bytes, at: int, stop: int) -> tuple[Span, tuple[Span, ...], str | None]:
    """The block's exclusion, other admissible readings of it, and what does not belong on its lines (A.9.4)."""
    start = raw.rfind(b"\n", 0, at) + 1
    end_of_line = raw.find(b"\n", stop)
    line_end = len(raw) if end_of_line < 0 else end_of_line
    end = len(raw) if end_of_line < 0 else end_of_line + 1
    prefix = raw[start:at].strip(b" \t")
    suffix = raw[stop:line_end].strip(b" \t\r")
    foreign = None
    try:
        known = (prefix.decode("ascii"), suffix.decode("ascii")) in KNOWN
    except UnicodeDecodeError:
        known = False
    if not known or (b"\n" in raw[at:stop].strip() and not _multiline(raw, at, stop)):
        foreign = "the block's lines hold something besides a comment and the reference"
    if start == 0 or end_of_line >= 0:
        spans = [Span(start, end - start)]
        if start and end == len(raw):
            spans += [Span(start - 1, end - start + 1), Span(start - 1, line_end - start + 1)]
        return spans[0], tuple(spans[1:]), foreign
    spans = [Span(start - 1, end - start + 1), Span(start, end - start)]
    if raw[start - 2 : start] == b"\r\n":
        spans.insert(1, Span(start - 2, end - start + 2))
    return spans[0], tuple(spans[1:]), foreign


def _multiline(raw: bytes, at: int, stop: int) -> bool:
    """Whether delimiters and reference stand on three lines of their own, as in front matter (A.9.3.2)."""
    return len(raw[at:stop].split()) <= 7
