"""Reading a text: locate its carriers, let the engine validate the store, check the hard binding, join the results.

The outcome is the engine's own :class:`Evidence` type, so that everything after it treats a text like any other
asset. Never raises for what it finds.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from tanba import jumbf
from tanba.asset import Asset
from tanba.engine.read import Evidence, EvidenceStatus, read, read_here
from tanba.errors import AssetTooLarge, MalformedAsset
from tanba.limits import DEFAULT_LIMITS, Limits
from tanba.report import Bucket, Finding
from tanba.text import compact
from tanba.text.binding import MALFORMED, Binding, check
from tanba.text.locate import locate
from tanba.text.marks import Mark, Scan
from tanba.trust import TrustStore

_MANIFEST_CODES = ("manifest.", "tanba.text.several_carriers", "claim.missing")
_UNTRUSTED = "signingCredential.untrusted"


@dataclass(frozen=True, slots=True)
class TextReading:
    """What a text carries and whether it is bound."""

    evidence: Evidence
    scan: Scan
    mark: Mark | None = None
    """The carrier whose manifest was read; None for a sidecar or when there is none."""
    binding: Binding | None = None


def read_marked(
    raw: bytes,
    media_type: str,
    *,
    trust: TrustStore,
    limits: Limits = DEFAULT_LIMITS,
    manifest: bytes | None = None,
    certificates: bool = True,
) -> TextReading:
    """Read the label of a text; ``manifest`` is a manifest store that came beside it and then counts alone.

    ``certificates=False`` leaves the engine's certificate view out, for a quick look at our own output.
    """
    if len(raw) > limits.text_bytes:
        words = f"{len(raw):,} bytes of text are more than the limit of {limits.text_bytes:,}"
        return TextReading(Evidence(EvidenceStatus.OVER_LIMIT, error=words), Scan())
    scan = locate(raw, media_type)
    mark = _chosen(scan, manifest)
    store = manifest if manifest is not None else (mark.store if mark else None)
    if store is None:
        return TextReading(_without_store(scan), scan, mark)
    try:
        # A store with compressed manifests is expanded here, bounded, so that boxes can be counted and located.
        plain = compact.expand(store, limits.manifest_bytes)
    except AssetTooLarge as error:
        return TextReading(Evidence(EvidenceStatus.OVER_LIMIT, error=error.message), scan, mark)
    except MalformedAsset:
        plain = store
    # The engine would hash the content only to report a mismatch for every carrier; it gets none.
    nothing = Asset.from_bytes(b"")
    if certificates:
        evidence = read(nothing, trust=trust, limits=limits, manifest=plain)
    else:
        evidence = read_here(nothing, trust, limits, plain, thumbnails=False, certificates=False)
    if evidence.status is not EvidenceStatus.FOUND:
        failures = tuple(item for item in scan.findings if item.bucket is Bucket.FAILURE)
        return TextReading(dataclasses.replace(evidence, store=store, codes=failures), scan, mark)
    binding = _binding(raw, evidence, mark, plain)
    return TextReading(_joined(evidence, binding, scan, plain, embedded=manifest is None), scan, mark, binding)


def _chosen(scan: Scan, manifest: bytes | None) -> Mark | None:
    """The mark that a store belongs to: the first embedded one, or the reference that a given store answers."""
    if manifest is None:
        return next((mark for mark in scan.marks if mark.store is not None), next(iter(scan.marks), None))
    return next((mark for mark in scan.marks if mark.store in (None, manifest)), None)


def _without_store(scan: Scan) -> Evidence:
    failures = tuple(item for item in scan.findings if item.bucket is Bucket.FAILURE)
    reference = next((mark.reference for mark in scan.marks if mark.reference), None)
    if failures:
        return Evidence(EvidenceStatus.MALFORMED, state="Invalid", codes=failures, remote_url=reference)
    if reference:
        return Evidence(EvidenceStatus.REMOTE_ONLY, remote_url=reference, embedded=False)
    return Evidence(EvidenceStatus.ABSENT)


def _binding(raw: bytes, evidence: Evidence, mark: Mark | None, store: bytes) -> Binding | None:
    try:
        bound = jumbf.hashed_manifest(store, evidence.active)
        assertions = jumbf.assertions(store, bound, "c2pa.hash.data")
    except MalformedAsset as error:
        return Binding(MALFORMED, error.message)
    return check(raw, assertions, mark=mark, store=store, claim_algorithm=jumbf.claim_algorithm(store, bound))


def _joined(evidence: Evidence, binding: Binding | None, scan: Scan, store: bytes, *, embedded: bool) -> Evidence:
    """The engine's evidence with our binding in place of its data-hash codes, and the state that follows.

    ``store`` is the expanded one, so that the later steps find certificates and time stamps in it.
    """
    codes = list(evidence.codes)
    if binding is not None:
        codes = [item for item in codes if not _is_own_data_hash(item)]
        codes.append(binding.finding(evidence.active))
    codes += [item for item in scan.findings if item.code.startswith(_MANIFEST_CODES)]
    return dataclasses.replace(evidence, codes=tuple(codes), state=state(codes), store=store, embedded=embedded)


def _is_own_data_hash(item: Finding) -> bool:
    return item.code.startswith("assertion.dataHash.") and "ingredient" not in item.params


def state(codes: Sequence[Finding]) -> str:
    """``Invalid``, ``Valid`` or ``Trusted`` from the codes, by the rules of section 15.3 as c2pa-rs applies them."""
    own = [item for item in codes if "ingredient" not in item.params]
    failures = {item.code for item in own if item.bucket is Bucket.FAILURE}
    if failures - {_UNTRUSTED}:
        return "Invalid"
    trusted = any(item.code == "signingCredential.trusted" and item.bucket is Bucket.SUCCESS for item in own)
    broken = any(item.bucket is Bucket.FAILURE for item in codes if "ingredient" in item.params)
    return "Trusted" if trusted and not failures and not broken else "Valid"
