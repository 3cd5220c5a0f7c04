"""Which carrier a text gets when the caller leaves it to us, and why. The reason is shown by ``--dry-run``."""

from __future__ import annotations

import json
from dataclasses import dataclass

from tanba.errors import TextNotEncodable, UsageError
from tanba.formats.textual import PROSE_EXTENSIONS
from tanba.model import Carrier
from tanba.text import comments, structured
from tanba.text.locate import HTML_TYPES
from tanba.text.normalize import nfc

A8_TYPES = frozenset({"text/plain"})
"""Prose without a syntax of its own: the only place where invisible selectors do no harm."""
_ENCODINGS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Choice:
    """A carrier and the reason for it, in one English sentence."""

    carrier: Carrier
    reason: str


def choose(content: bytes, media_type: str, wish: Carrier | None = None, *, extension: str = "") -> Choice:
    """The carrier for this text; ``wish`` None means automatic.

    ``extension`` is the file name's, with its dot: plain text under a name that we do not know may be a program.

    Raises :class:`UsageError` when the wished carrier cannot hold this text, with the reason and the alternative.
    """
    if wish is None:
        return _automatic(content, media_type, extension)
    if wish is Carrier.EMBEDDED:
        raise UsageError("a text is not an embeddable asset", hint="use a7, a8, a9, sidecar or auto")
    problem = _PROBLEMS[wish](content, media_type) if wish in _PROBLEMS else None
    if problem:
        raise UsageError(
            f"the carrier {wish.value} does not fit: {problem}",
            code="tanba.label.carrier_refused",
            hint=f"--carrier {_automatic(content, media_type, extension).carrier.value} does",
        )
    return Choice(wish, "asked for")


def _automatic(content: bytes, media_type: str, extension: str) -> Choice:
    if media_type in HTML_TYPES:
        problem = _no_a7(content, media_type)
        return _sidecar(problem) if problem else Choice(Carrier.A7, "HTML carries its manifest in head (A.7)")
    if media_type in comments.BY_TYPE:
        problem = _no_a9(content, media_type)
        return _sidecar(problem) if problem else Choice(Carrier.A9, f"{media_type} has comments (A.9)")
    if media_type in A8_TYPES:
        problem = _no_a8(content, media_type) or _not_prose(content, extension)
        return _sidecar(problem) if problem else Choice(Carrier.A8, "plain text has no other place for a mark (A.8)")
    return _sidecar(
        f"{media_type} has no comment that a mark fits into, and invisible characters could break its readers"
    )


def _sidecar(problem: str) -> Choice:
    return Choice(Carrier.SIDECAR, f"{problem}; a manifest beside the file leaves it as it is")


def _no_a7(content: bytes, media_type: str) -> str | None:
    if media_type not in HTML_TYPES:
        return "only text/html has a head for the manifest"
    return _wide(content)


def _no_a8(content: bytes, media_type: str) -> str | None:
    del media_type
    if wide := _wide(content):
        return wide
    try:
        nfc(content)
    except TextNotEncodable as error:
        return f"the text is {error.message}" if error.message.startswith("not ") else error.message
    return None


def _not_prose(content: bytes, extension: str) -> str | None:
    """Why invisible characters at the end could break a reader of this plain text."""
    if extension not in PROSE_EXTENSIONS:
        return f"we do not know what reads {extension} files, and invisible characters could break it"
    if content.startswith(b"#!"):
        return "the text is a program of an interpreter that we do not know"
    if _is_json(content):
        return "the text is JSON, which has no comments and allows nothing after its end"
    return None


def _is_json(content: bytes) -> bool:
    """One JSON object or array, or one a line. A text that only looks like it costs one failed parse."""
    plain = content.strip()
    if not plain.startswith((b"{", b"[")) or not plain.endswith((b"}", b"]")):
        return False
    for pieces in ([plain], plain.splitlines()):
        try:
            for piece in pieces:
                json.loads(piece)
        except (ValueError, RecursionError):
            continue
        return True
    return False


def _no_a9(content: bytes, media_type: str) -> str | None:
    if media_type not in comments.BY_TYPE:
        return f"{media_type} has no comment syntax that we know"
    if wide := _wide(content):
        return wide
    if structured.BEGIN in content or structured.END in content:
        return "the text mentions the delimiters of A.9, and a second pair would be ambiguous"
    if b"\r" in content and b"\n" not in content:
        return "bare CR line ends are not supported by A.9"
    if comments.first_line_reserved(content, media_type):
        return comments.last_line_refused(content, media_type)
    return None


def _wide(content: bytes) -> str | None:
    if content.startswith(_ENCODINGS) or b"\0" in content[:4096]:
        return "the text is not UTF-8 but UTF-16 or UTF-32"
    return None


_PROBLEMS = {Carrier.A7: _no_a7, Carrier.A8: _no_a8, Carrier.A9: _no_a9}


def comment_frame(content: bytes, media_type: str) -> structured.Frame:
    """Where the A.9 block of this text goes: first line, or last line when the first one is reserved (A.9.3.1)."""
    comment = comments.BY_TYPE[media_type]
    last = comments.first_line_reserved(content, media_type) is not None
    if comment is comments.PHP and last and content.rfind(b"<?") > content.rfind(b"?>"):
        comment = comments.BLOCK
    return structured.frame(content, comment, last=last)
