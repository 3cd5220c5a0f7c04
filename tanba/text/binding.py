"""The strict hard-binding check of text (C2PA 2.4 sections 15.12.1.1, 15.12.1.3.1, A.7.1.3, A.9.4).

c2pa-rs 0.91 cannot locate text carriers and reports a mismatch for each of them, so the digest is compared here; the
signature, the chain and the hashed URIs (which cover the assertion read here) stay with the engine. Excluded bytes
must be exactly one carrier that was located, and that carrier must hold the manifest store and padding only:
otherwise markup could hide in space freed inside the exclusion (c2pa-rs PR 2653).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tanba import jumbf
from tanba.errors import TanbaError, TextNotEncodable
from tanba.model import Carrier
from tanba.report import Bucket, Finding, Layer
from tanba.text.marks import Mark, Span
from tanba.text.normalize import nfc

MATCH = "assertion.dataHash.match"
MISMATCH = "assertion.dataHash.mismatch"
MALFORMED = "assertion.dataHash.malformed"
ALGORITHMS = ("sha256", "sha384", "sha512")
"""Section 13.1: the hash algorithms of C2PA 2.4."""
_LABEL = "c2pa.hash.data"


@dataclass(frozen=True, slots=True)
class DataHashAssertion:
    """``c2pa.hash.data`` as it stands in the claim."""

    algorithm: str
    digest: bytes
    exclusions: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Binding:
    """Outcome of the check."""

    code: str
    explanation: str
    assertion: DataHashAssertion | None = None
    normalised: bool = False
    """Whether the digest is over NFC (A.8 and nothing else)."""

    @property
    def intact(self) -> bool:
        return self.code == MATCH

    def finding(self, manifest: str | None) -> Finding:
        """The C2PA finding, with the assertion's JUMBF URI as its subject."""
        bucket = Bucket.SUCCESS if self.intact else Bucket.FAILURE
        url = f"self#jumbf=/c2pa/{manifest}/c2pa.assertions/{_LABEL}" if manifest else None
        return Finding(self.code, bucket, Layer.C2PA, url, self.explanation)


def check(
    raw: bytes,
    assertions: Mapping[str, Any],
    *,
    mark: Mark | None,
    store: bytes,
    claim_algorithm: str | None = None,
) -> Binding | None:
    """Compare the hard binding of a manifest with the bytes.

    ``assertions`` are the manifest's decoded assertions by label (the engine has compared their hashes); ``mark`` is
    the carrier the store came from, or None for a sidecar. None is returned when the manifest has no data hash at all (the engine
    then reports what it has, or that a hard binding is missing).
    """
    held = [value for label, value in assertions.items() if label == _LABEL or label.startswith(_LABEL + "__")]
    if not held:
        return None
    if len(held) > 1:
        return Binding(MALFORMED, "more than one data hash")
    assertion = read_assertion(held[0], claim_algorithm)
    if isinstance(assertion, Binding):
        return assertion
    problem = _exclusion_problem(raw, assertion, mark) or _foreign(store, mark)
    if problem is not None:
        return Binding(problem[0], problem[1], assertion)
    normalised = mark is not None and mark.carrier is Carrier.A8
    try:
        actual = digest(raw, assertion.exclusions, assertion.algorithm, normalise=normalised)
    except TextNotEncodable as error:
        return Binding(MALFORMED, error.message, assertion, normalised)
    if hmac.compare_digest(actual, assertion.digest):
        return Binding(MATCH, "data hash valid", assertion, normalised)
    return Binding(MISMATCH, "the text is not the text that was signed", assertion, normalised)


def digest(raw: bytes, exclusions: Sequence[Span], algorithm: str, *, normalise: bool) -> bytes:
    """Remove the exclusions, then normalise if asked, then hash (15.12.1.3.1 steps 5 to 8).

    Raises :class:`TextNotEncodable` when the rest has to be normalised and is not UTF-8.
    """
    hasher = hashlib.new(algorithm)
    if not normalise:
        at = 0
        for span in exclusions:
            hasher.update(memoryview(raw)[at : span.start])
            at = span.end
        hasher.update(memoryview(raw)[at:])
        return hasher.digest()
    rest = raw
    for span in reversed(exclusions):
        rest = span.cut(rest)
    hasher.update(nfc(rest))
    return hasher.digest()


def read_assertion(data: object, claim_algorithm: str | None = None) -> DataHashAssertion | Binding:
    """Check the shape of a decoded ``c2pa.hash.data``, or say why it is malformed (15.12.1.1)."""
    if not isinstance(data, Mapping):
        return Binding(MALFORMED, "the data hash is not a map")
    algorithm = data.get("alg", claim_algorithm)
    if algorithm not in ALGORITHMS:
        return Binding("algorithm.unsupported", f"hash algorithm {str(algorithm)[:40]!r}")
    value = data.get("hash")
    if not isinstance(value, bytes) or len(value) != hashlib.new(algorithm).digest_size:
        return Binding(MALFORMED, "the digest has the wrong type or length")
    exclusions = _spans(data["exclusions"]) if "exclusions" in data else ()
    if exclusions is None:
        return Binding(MALFORMED, "exclusions must be a non-empty, ordered list of ranges that do not overlap")
    return DataHashAssertion(algorithm, value, exclusions)


def _spans(value: object) -> tuple[Span, ...] | None:
    if not isinstance(value, list) or not value:
        return None
    found: list[Span] = []
    for item in value:
        start, length = (item.get("start"), item.get("length")) if isinstance(item, Mapping) else (None, None)
        if type(start) is not int or type(length) is not int or start < 0 or length <= 0:
            return None
        if found and start < found[-1].end:
            return None
        found.append(Span(start, length))
    return tuple(found)


def _exclusion_problem(raw: bytes, assertion: DataHashAssertion, mark: Mark | None) -> tuple[str, str] | None:
    exclusions = assertion.exclusions
    if exclusions and exclusions[-1].end > len(raw):
        return MALFORMED, "an exclusion ends beyond the text"
    if mark is None or not mark.excluded:
        return (MALFORMED, "an external manifest must not exclude anything") if exclusions else None
    if len(exclusions) == 1 and exclusions[0] in (mark.span, *mark.also):
        return None
    if mark.carrier is Carrier.A8:
        return MALFORMED, "the exclusion is not exactly the wrapper that stands in the text"
    inside = any(item.start <= mark.span.start and item.end >= mark.span.end for item in exclusions)
    code = MISMATCH if inside else MALFORMED
    return code, "the excluded bytes are not exactly the manifest's carrier"


def _foreign(store: bytes, mark: Mark | None) -> tuple[str, str] | None:
    """Anything in the excluded carrier besides the manifest store and its padding (section 15.12)."""
    if mark is None or not mark.excluded:
        return None
    if mark.foreign:
        return MISMATCH, mark.foreign
    try:
        top = jumbf.root(store)
        headers = jumbf.cose(store).unprotected
    except TanbaError:
        return None
    if top.end != len(store):
        return MISMATCH, f"{len(store) - top.end} bytes stand after the manifest store"
    for key in ("pad", "pad2"):
        value = headers.get(key)
        if isinstance(value, bytes) and not _is_filling(value, mark.carrier):
            return MISMATCH, f"the signature's {key} holds data instead of zeros"
    return None


def _is_filling(padding: bytes, carrier: Carrier) -> bool:
    """Zeros; in A.8 also one run of 0x10, whose selector is a byte longer: signers tune the wrapper's length with it.

    Two runs carry their lengths and nothing else, so there is no room for a message.
    """
    runs = [padding.strip(b"\0")]
    if carrier is Carrier.A8:
        runs += [padding.lstrip(b"\x10").strip(b"\0"), padding.lstrip(b"\0").strip(b"\x10")]
    return not all(runs)
