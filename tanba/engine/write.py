"""Writing: a manifest definition and a signer in, a signed asset or a detached manifest store out.

Owns the quirks of ``c2pa``'s Builder (single use, strings for errors, lost callback causes). It signs what it is told;
what may be said is decided in :mod:`tanba.engine.definition` and the labeler, which reads every output back.
"""

from __future__ import annotations

import hashlib
import io
import json
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, BinaryIO, cast

import c2pa

from tanba.engine import native
from tanba.errors import CredentialError, EngineError, LabelingError, MalformedAsset, TanbaError, UnsupportedFormat
from tanba.protocols import LocalKeySigner, Signer
from tanba.trust import TrustStore

_NO_TRUST = TrustStore.empty()
_MAX_SIGNERS = 8

_lock = threading.Lock()
_signers: OrderedDict[bytes, c2pa.Signer] = OrderedDict()


@dataclass(frozen=True, slots=True)
class Ingredient:
    """An ingredient: a stream, what it is, and how it relates to the new asset (C2PA 2.4 section 18.16)."""

    stream: BinaryIO
    media_type: str
    title: str | None = None
    relationship: str = "parentOf"
    """``parentOf``, ``componentOf`` or ``inputTo``."""
    label: str | None = None
    """Name by which actions refer to it (``parameters.ingredientIds``)."""
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoredIngredient:
    """An ingredient that is known by its manifest store alone: a text, whose carrier the engine cannot read.

    What the validation of that store said is recorded as given (C2PA 2.4 section 18.16.4), so it must come from a
    real validation.
    """

    store: bytes
    active: str
    """Label of its active manifest."""
    validation_results: Mapping[str, Any]
    """``{"activeManifest": {"success": [...], "informational": [...], "failure": [...]}}``."""
    media_type: str
    title: str | None = None
    relationship: str = "parentOf"
    label: str | None = None


@dataclass(frozen=True, slots=True)
class DataHash:
    """A hard binding of our own: ``c2pa.hash.data`` (C2PA 2.4 section 18.5) for carriers the engine cannot embed in."""

    digest: bytes
    exclusions: tuple[tuple[int, int], ...] = ()
    """``(start, length)`` in bytes; the key is left out when empty, as the specification wants."""
    algorithm: str = "sha256"
    name: str = ""

    def assertion(self) -> dict[str, Any]:
        """The assertion as the engine takes it: bytes as a list of integers (a string would be stored as text)."""
        data: dict[str, Any] = {"alg": self.algorithm, "hash": list(self.digest), "pad": []}
        if self.name:
            data["name"] = self.name
        if self.exclusions:
            data["exclusions"] = [{"start": start, "length": length} for start, length in self.exclusions]
        return {"label": "c2pa.hash.data", "created": True, "data": data}


def sign(
    source: BinaryIO,
    media_type: str,
    definition: Mapping[str, Any],
    signer: Signer,
    destination: BinaryIO,
    *,
    ingredients: Sequence[Ingredient | StoredIngredient] = (),
    timestamp_url: str | None = None,
    compress: bool = False,
) -> bytes:
    """Embed a signed manifest into a copy of ``source`` and return the raw manifest store.

    ``source`` and ``destination`` must be different streams. Raises :class:`UnsupportedFormat`,
    :class:`MalformedAsset`, :class:`CredentialError` (with the provider's error as cause) or :class:`EngineError`.
    """
    return _run(definition, signer, media_type, source, destination, ingredients, timestamp_url, compress, embed=True)


def sign_detached(
    content: bytes,
    definition: Mapping[str, Any],
    signer: Signer,
    *,
    data_hash: DataHash | None = None,
    ingredients: Sequence[Ingredient | StoredIngredient] = (),
    timestamp_url: str | None = None,
    compress: bool = False,
) -> bytes:
    """A manifest store for ``content`` that is not embedded: a sidecar, or the inside of a text carrier.

    Without ``data_hash`` the engine hashes all bytes; with it, that binding stands in the claim instead.
    """
    if data_hash is None and not content:
        raise MalformedAsset("an empty file holds nothing that could be labelled", code="tanba.input.empty")
    if data_hash is not None:
        definition = {**definition, "assertions": [*definition.get("assertions", ()), data_hash.assertion()]}
    return _run(
        definition, signer, "text/plain", io.BytesIO(content), io.BytesIO(), ingredients, timestamp_url, compress,
        embed=False,
    )  # fmt: skip


def _run(
    definition: Mapping[str, Any],
    signer: Signer,
    media_type: str,
    source: BinaryIO,
    destination: BinaryIO,
    ingredients: Sequence[Ingredient | StoredIngredient],
    timestamp_url: str | None,
    compress: bool,
    *,
    embed: bool,
) -> bytes:
    causes: list[BaseException] = []
    stored = [item for item in ingredients if isinstance(item, StoredIngredient)]
    if stored:
        definition = {**definition, "ingredients": [_stored(item, index) for index, item in enumerate(stored)]}
    try:
        with (
            engine_signer(signer, timestamp_url, causes) as native_signer,
            c2pa.Builder(
                json.dumps(definition, ensure_ascii=False),
                context=native.context(_NO_TRUST, signing=True, compress=compress),
            ) as builder,
        ):
            for index, kept in enumerate(stored):
                builder.add_resource(_resource(index), io.BytesIO(kept.store))
            for item in ingredients:
                if isinstance(item, Ingredient):
                    builder.add_ingredient(json.dumps(_ingredient(item)), item.media_type, item.stream)
            if not embed:
                builder.set_no_embed()
            return bytes(builder.sign(native_signer, media_type, source, destination))
    except c2pa.C2paError as error:
        mapped = typed_error(error, causes, media_type)
        # A typed error of the signer keeps its own cause (the provider's error) instead of becoming its own cause.
        raise mapped from (mapped.__cause__ if mapped in causes else causes[0] if causes else error)


def _ingredient(item: Ingredient) -> dict[str, Any]:
    described: dict[str, Any] = {"relationship": item.relationship, **item.fields}
    if item.title:
        described["title"] = item.title
    if item.label:
        described["label"] = item.label
    return described


def _resource(index: int) -> str:
    return f"ingredient-{index}.c2pa"


def _stored(item: StoredIngredient, index: int) -> dict[str, Any]:
    described: dict[str, Any] = {
        "format": item.media_type,
        "relationship": item.relationship,
        "active_manifest": item.active,
        "validation_results": item.validation_results,
        "manifest_data": {"format": "application/c2pa", "identifier": _resource(index)},
    }
    if item.title:
        described["title"] = item.title
    if item.label:
        described["label"] = item.label
    return described


@contextmanager
def engine_signer(signer: Signer, timestamp_url: str | None, causes: list[BaseException]) -> Iterator[c2pa.Signer]:
    """The engine's view of a signer: shared for local keys (creation costs 0.3 ms), per call for callbacks."""
    algorithm = getattr(c2pa.C2paSigningAlg, signer.algorithm.upper(), None)
    if algorithm is None:
        raise CredentialError(f"unknown signing algorithm {signer.algorithm!r}", code="tanba.keys.algorithm")
    # isinstance() with a runtime protocol walks its members and costs a tenth of a small signature.
    if hasattr(signer, "pkcs8_pem"):
        yield _local(cast("LocalKeySigner", signer), algorithm, timestamp_url)
        return

    def callback(data: bytes) -> bytes:
        try:
            return signer.sign(data)
        except BaseException as error:
            causes.append(error)
            raise

    made = c2pa.Signer.from_callback(callback, algorithm, signer.chain_pem.decode("ascii"), timestamp_url)
    try:
        yield made
    finally:
        made.close()


def _local(signer: LocalKeySigner, algorithm: Any, timestamp_url: str | None) -> c2pa.Signer:
    import os

    private = signer.pkcs8_pem()
    parts = (str(os.getpid()).encode(), private, signer.chain_pem, (timestamp_url or "").encode())
    key = hashlib.sha256(b"\0".join(parts)).digest()
    with _lock:
        if key in _signers:
            _signers.move_to_end(key)
            return _signers[key]
    try:
        made = c2pa.Signer.from_info(
            c2pa.C2paSignerInfo(
                alg=algorithm,
                sign_cert=signer.chain_pem,
                private_key=private,
                ta_url=timestamp_url.encode() if timestamp_url else None,
            )
        )
    except c2pa.C2paError as error:
        raise CredentialError(
            f"the engine refused the signing credential: {native.message(error)}",
            hint="run `tanba keys check` on the certificate and key",
        ) from error
    with _lock:
        _signers[key] = made
        while len(_signers) > _MAX_SIGNERS:
            _signers.popitem(last=False)
    return made


def forget_signers() -> None:
    """Drop cached signers (after a rotation, or before a process ends its use of a key)."""
    with _lock:
        _signers.clear()


def typed_error(error: c2pa.C2paError, causes: Sequence[BaseException], media_type: str) -> TanbaError:
    words = native.message(error)
    if causes:
        cause = causes[0]
        return (
            cause
            if isinstance(cause, TanbaError)
            else CredentialError(f"the signer failed: {type(cause).__name__}", code="tanba.keys.signer_failed")
        )
    if native.is_kind(error, "NotSupported"):
        return UnsupportedFormat(f"no manifest can be embedded in {media_type}", hint="use --carrier sidecar")
    if "compression method not supported" in words:
        return UnsupportedFormat(
            "the parts of this document are compressed, and the engine embeds labels only into ZIP files with stored parts",
            hint="use --carrier sidecar: the label goes into a file beside it",
        )
    if native.is_kind(error, "Signature", "Verify") or "certificate" in words:
        return CredentialError(
            f"the engine refused to sign: {words}", hint="run `tanba keys check` on the certificate and key"
        )
    if native.is_kind(error, "Io", "Other", "Decoding"):
        return MalformedAsset(f"the file cannot be signed: {words}", hint="is it complete, and of the type it claims?")
    if native.is_kind(error, "Assertion", "Json", "Manifest", "Encoding"):
        return EngineError(f"the engine refused the manifest: {words}")
    return LabelingError(f"signing failed: {words}")
