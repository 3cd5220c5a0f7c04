"""The text road of the labeler: carrier, hard binding, one signature, exact length, read back.

The hash of a text excludes its mark, so the mark's length is declared before it exists. A rehearsal with the engine
and a signature made of constants gives the size; the real signature is made once; unsigned COSE padding makes up the
difference (:mod:`tanba.text.fit`). Nothing here decides what a label says.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tanba.engine.definition import DISCLOSURE_LABEL, PARENT_LABEL
from tanba.engine.read import Evidence, EvidenceStatus
from tanba.engine.write import DataHash, StoredIngredient, sign_detached
from tanba.errors import AlreadyLabelled, AssetTooLarge, LabelingError, SelfCheckFailed, UnsupportedFormat, UsageError
from tanba.limits import DEFAULT_LIMITS, Limits
from tanba.model import Carrier
from tanba.protocols import Signer
from tanba.report import Bucket, Finding
from tanba.text import compact as compression
from tanba.text import fit, html, structured, wrapper
from tanba.text.choose import Choice, choose, comment_frame
from tanba.text.evidence import TextReading, read_marked
from tanba.text.marks import Span
from tanba.text.normalize import nfc
from tanba.text.rehearse import Rehearsal
from tanba.trust import TrustStore

_NO_TRUST = TrustStore.empty()
_ATTEMPTS = 4
_TYPICAL = 1 << 13
"""A length of a carrier as good as any for a rehearsal: CBOR writes 256 to 65,535 in three bytes (RFC 8949)."""
_CREDENTIAL = ("signingCredential.", "timeStamp.", "cawg.")
_UNTRUSTED = "signingCredential.untrusted"


@dataclass(frozen=True, slots=True)
class TextParent:
    """The label that the text came with."""

    ingredient: StoredIngredient
    problem: tuple[str, ...] = ()
    """Codes for which it fails; only when the caller insisted on keeping it."""


@dataclass(frozen=True, slots=True)
class PreparedText:
    """A text without its former mark, and that mark as the parent."""

    content: bytes
    media_type: str
    parent: TextParent | None = None
    removed: Carrier | None = None
    extension: str = ""
    """Of the file's name, with its dot; tells prose from programs in a language that we do not know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextOptions:
    """How the mark travels."""

    carrier: Carrier | None = None
    """None chooses (``--carrier auto``)."""
    reference: str | None = None
    """Address of the manifest store: A.7 writes a ``link`` and A.9 a URL, and the store is handed back beside it."""
    compact: bool = False
    """Compress the manifest (C2PA 2.4 section 11.2.3)."""
    timestamp_url: str | None = None


@dataclass(frozen=True, slots=True)
class TextLabelResult:
    """A labelled text."""

    output: bytes
    store: bytes
    """The manifest store; also a ``.c2pa`` sidecar's content."""
    carrier: Carrier
    reason: str
    evidence: Evidence
    """The label as it reads back, against no trust list."""
    signatures: int
    """How often the key was used; one in the common case."""
    warnings: tuple[str, ...] = ()


def prepare(
    content: bytes,
    media_type: str,
    *,
    title: str | None = None,
    accept_tampered: bool = False,
    trust: TrustStore = _NO_TRUST,
    limits: Limits = DEFAULT_LIMITS,
) -> PreparedText:
    """Take a former mark out of a text and make it the parent of the next label; a mark is never doubled.

    Raises :class:`AlreadyLabelled` for a mark that fails, is broken or lies elsewhere, unless ``accept_tampered``;
    :class:`AssetTooLarge`.
    """
    if len(content) > limits.text_bytes:
        raise AssetTooLarge(f"{len(content):,} bytes of text are more than the limit of {limits.text_bytes:,}")
    reading = read_marked(content, media_type, trust=trust, limits=limits)
    status = reading.evidence.status
    if status is EvidenceStatus.ABSENT:
        return PreparedText(content, media_type)
    if status is not EvidenceStatus.FOUND or reading.mark is None:
        if accept_tampered and reading.mark is not None:
            return PreparedText(reading.mark.span.cut(content), media_type, removed=reading.mark.carrier)
        codes = ", ".join(item.code for item in reading.evidence.codes) or status.value
        raise AlreadyLabelled(
            f"the text carries a mark that cannot be kept as history: {codes}",
            hint="remove the mark first, or label the original",
            details={"status": status.value},
        )
    problem = _problems(reading)
    if problem and not accept_tampered:
        raise AlreadyLabelled(
            f"the text was changed after it was labelled: {', '.join(problem)}",
            hint="label the original, or accept the tampered parent; the new label then says so",
            details={"codes": list(problem)},
        )
    kept = reading.mark.span.cut(content)
    return PreparedText(
        kept, media_type, TextParent(_ingredient(reading, media_type, title), problem), reading.mark.carrier
    )


def label_text(
    prepared: PreparedText,
    definition: Mapping[str, Any],
    signer: Signer,
    options: TextOptions = TextOptions(),
    *,
    limits: Limits = DEFAULT_LIMITS,
) -> TextLabelResult:
    """Sign a text and put the mark into it (or beside it), then read it back.

    Raises :class:`UsageError` for a carrier that does not fit, :class:`UnsupportedFormat`, :class:`CredentialError`,
    :class:`SelfCheckFailed`.
    """
    choice = choose(prepared.content, prepared.media_type, options.carrier, extension=prepared.extension)
    if choice.carrier is Carrier.A8:
        definition = _lean(definition)
    job = _Job(definition, signer, options, (prepared.parent.ingredient,) if prepared.parent else ())
    output, store = _ROADS[choice.carrier](job, prepared)
    beside = choice.carrier is Carrier.SIDECAR or options.reference is not None
    reading = read_marked(
        output,
        prepared.media_type,
        trust=_NO_TRUST,
        limits=limits,
        manifest=store if beside else None,
        certificates=False,
    )
    _prove(reading, store)
    return TextLabelResult(
        output,
        store,
        choice.carrier,
        choice.reason,
        reading.evidence,
        job.signatures,
        _warnings(prepared, output, choice),
    )


_REDUNDANT = frozenset({"version", "involvement", "content_id"})


def _lean(definition: Mapping[str, Any]) -> dict[str, Any]:
    """Without our own assertion when it says nothing that the action and the manifest's label do not say.

    In A.8 every byte of the manifest costs four bytes of the text. What a profile or the caller added always stays.
    """
    kept = [
        item
        for item in definition["assertions"]
        if item["label"] != DISCLOSURE_LABEL or not _REDUNDANT.issuperset(item["data"])
    ]
    return {**definition, "assertions": kept}


@dataclass(slots=True)
class _Job:
    """One labelling; counts how often the key is used."""

    definition: Mapping[str, Any]
    signer: Signer
    options: TextOptions
    ingredients: Sequence[StoredIngredient]
    signatures: int = 0

    def sign(self, binding: DataHash) -> bytes:
        self.signatures += 1
        return self._store(binding, self.signer, self.options.timestamp_url)

    def rehearse(self, binding: DataHash) -> bytes:
        return self._store(binding, Rehearsal.of(self.signer), None)

    def _store(self, binding: DataHash, signer: Signer, timestamp_url: str | None) -> bytes:
        made = sign_detached(
            b"", self.definition, signer, data_hash=binding, ingredients=self.ingredients, timestamp_url=timestamp_url
        )
        return fit.bare(made)

    def exact(self, binding: Callable[[int], DataHash], size: Callable[[bytes], int], *, zero: int) -> bytes:
        """A store whose carrier is exactly as long as its own binding says. ``size`` measures a store's carrier."""
        packed = self.options.compact
        slack = fit.slack(compact=packed, zero=zero, stamped=self.options.timestamp_url is not None)
        trial = self.rehearse(binding(_TYPICAL))
        target = size(compression.compress(trial) if packed else trial) + slack
        for _ in range(_ATTEMPTS):
            real = self.sign(binding(target))
            fitted = fit.fit_compact(real, target, size) if packed else fit.fit(real, target, size, zero=zero)
            if fitted is not None:
                return fitted
            # Compressed chains fall into classes some 200 bytes apart: the second try leaves room for that.
            target = size(compression.compress(real) if packed else real) + (5 * slack if packed else slack)
        raise LabelingError("the mark could not be made to fit its declared length", hint="try again, or use a sidecar")


def _a8(job: _Job, prepared: PreparedText) -> tuple[bytes, bytes]:
    if job.options.reference is not None:
        raise UsageError("A.8 has no reference form", hint="use a7, a9 or sidecar")
    text = nfc(prepared.content)
    digest = hashlib.sha256(text).digest()
    store = job.exact(lambda size: DataHash(digest, ((len(text), size),)), wrapper.size, zero=3)
    return wrapper.attach(text, store), store


def _a9(job: _Job, prepared: PreparedText) -> tuple[bytes, bytes]:
    frame = comment_frame(prepared.content, prepared.media_type)
    digest = hashlib.sha256(prepared.content).digest()

    def binding(size: int) -> DataHash:
        return DataHash(digest, ((frame.at, frame.overhead + size),))

    if job.options.reference is not None:
        reference = _url(job.options.reference).encode("ascii")
        return frame.attach(prepared.content, reference), job.sign(binding(len(reference)))
    store = job.exact(binding, lambda made: structured.uri_size(len(made)), zero=1)
    return frame.attach(prepared.content, structured.data_uri(store)), store


def _a7(job: _Job, prepared: PreparedText) -> tuple[bytes, bytes]:
    content = prepared.content
    if job.options.reference is not None:
        element = html.link(_url(job.options.reference))
        at = _place(content, element)
        output = content[:at] + element + content[at:]
        return output, job.sign(DataHash(hashlib.sha256(output).digest()))
    at = _place(content, html.script(b"\0"))
    digest = hashlib.sha256(content).digest()
    store = job.exact(lambda size: DataHash(digest, ((at, size),)), lambda made: html.script_size(len(made)), zero=1)
    return content[:at] + html.script(store) + content[at:], store


def _sidecar(job: _Job, prepared: PreparedText) -> tuple[bytes, bytes]:
    if job.options.reference is not None:
        raise UsageError("a sidecar lies beside the file and needs no address", hint="leave out --manifest-url")
    store = job.sign(DataHash(hashlib.sha256(prepared.content).digest()))
    return prepared.content, compression.compress(store) if job.options.compact else store


_ROADS: Mapping[Carrier, Callable[[_Job, PreparedText], tuple[bytes, bytes]]] = {
    Carrier.A7: _a7,
    Carrier.A8: _a8,
    Carrier.A9: _a9,
    Carrier.SIDECAR: _sidecar,
}


def _place(content: bytes, element: bytes) -> int:
    """The first place at which a browser's parser finds the element in ``head``, exactly as written."""
    for place in html.places(content):
        made = content[: place.at] + element + content[place.at :]
        if html.in_head(made, Span(place.at, len(element))):
            return place.at
    raise UnsupportedFormat("no place in this document makes the manifest part of head", hint="use --carrier sidecar")


def _url(reference: str) -> str:
    if not reference.isascii() or not reference.isprintable() or " " in reference or '"' in reference:
        raise UsageError("the manifest's address must be an ASCII URL without spaces")
    return reference


def _problems(reading: TextReading) -> tuple[str, ...]:
    """What fails about the content itself; who signed and when stays the reader's question."""
    codes = [item.code for item in _own(reading.evidence.codes, Bucket.FAILURE)]
    return tuple(dict.fromkeys(code for code in codes if not code.startswith(_CREDENTIAL)))


def _own(codes: Sequence[Finding], bucket: Bucket) -> list[Finding]:
    return [item for item in codes if item.bucket is bucket and "ingredient" not in item.params]


def _ingredient(reading: TextReading, media_type: str, title: str | None) -> StoredIngredient:
    """The former label with what its validation really said, our binding check included."""
    evidence = reading.evidence
    results = {
        bucket.value: [
            {"code": item.code, "url": item.subject or "", "explanation": item.text or ""}
            for item in _own(evidence.codes, bucket)
        ]
        for bucket in Bucket
    }
    return StoredIngredient(
        store=evidence.store or b"",
        active=evidence.active or "",
        validation_results={"activeManifest": results},
        media_type=media_type,
        title=title or evidence.manifest().get("title"),
        label=PARENT_LABEL,
    )


def _prove(reading: TextReading, store: bytes) -> None:
    """Step (8) for text: the store that was signed, bound to the bytes that go out, with nothing failing."""
    plain = compression.expand(store, DEFAULT_LIMITS.manifest_bytes)
    failures = [item.code for item in _own(reading.evidence.codes, Bucket.FAILURE) if item.code != _UNTRUSTED]
    if reading.evidence.status is not EvidenceStatus.FOUND or reading.evidence.store != plain:
        raise SelfCheckFailed(f"the mark that was written cannot be read back: {reading.evidence.status}")
    if failures or reading.binding is None or not reading.binding.intact:
        raise SelfCheckFailed(
            f"the mark that was written does not validate: {', '.join(failures) or 'nothing binds it'}",
            details={"codes": failures},
        )


def _warnings(prepared: PreparedText, output: bytes, choice: Choice) -> tuple[str, ...]:
    found: list[str] = []
    if choice.carrier is Carrier.A8:
        if not output.startswith(prepared.content):
            found.append("the text was normalised to NFC, as C2PA 2.4 A.8 hashes it")
        found.append(
            "any change of the text, and any tool that drops invisible characters, breaks or removes this mark"
        )
    return tuple(found)
