"""The values that every text carrier speaks: byte spans, located marks, and what was wrong on the way.

Offsets are bytes of the asset as stored, never characters.
"""

from __future__ import annotations

from dataclasses import dataclass

from tanba.model import Carrier
from tanba.report import Bucket, Finding, Layer


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open byte range."""

    start: int
    length: int

    @property
    def end(self) -> int:
        return self.start + self.length

    def cut(self, raw: bytes) -> bytes:
        """The bytes without this range."""
        return raw[: self.start] + raw[self.end :]


@dataclass(frozen=True, slots=True)
class Mark:
    """One carrier found in a text."""

    carrier: Carrier
    span: Span
    """Exactly the bytes that a hard binding must exclude (and that removing the mark removes)."""
    store: bytes | None = None
    """The manifest store inside, or None for a reference."""
    reference: str | None = None
    """URL of an external manifest store (A.7 ``link``, A.9 URL)."""
    also: tuple[Span, ...] = ()
    """Other spans that the wording of the specification admits for the same mark."""
    foreign: str | None = None
    """Why the span holds something besides the manifest and its padding; None when it does not."""

    @property
    def excluded(self) -> bool:
        """Whether the hard binding excludes the mark; an HTML ``link`` is hashed like everything else (A.7.1.3)."""
        return not (self.carrier is Carrier.A7 and self.store is None)


@dataclass(frozen=True, slots=True)
class Scan:
    """All carriers of one text, and the codes of those that could not be read."""

    marks: tuple[Mark, ...] = ()
    findings: tuple[Finding, ...] = ()

    def plus(self, other: Scan) -> Scan:
        return Scan(self.marks + other.marks, self.findings + other.findings)


def failure(code: str, text: str, span: Span | None = None) -> Finding:
    """A finding of the failure bucket, with its place in words."""
    return _finding(Bucket.FAILURE, code, text, span)


def note(code: str, text: str, span: Span | None = None) -> Finding:
    """A finding of the informational bucket."""
    return _finding(Bucket.INFORMATIONAL, code, text, span)


def _finding(bucket: Bucket, code: str, text: str, span: Span | None) -> Finding:
    layer = Layer.TEXT if code.startswith("tanba.") else Layer.C2PA
    where = f"bytes {span.start}-{span.end}" if span is not None else None
    return Finding(code=code, bucket=bucket, layer=layer, subject=where, text=text)
