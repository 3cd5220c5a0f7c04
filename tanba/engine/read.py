"""Reading: asset (and sidecar) in, :class:`Evidence` out. Facts only; no verdict is made here.

Whatever the engine raises becomes a status; nothing of ``c2pa`` leaves this module. The read is done in-process when
the prescan finds it cheap, in a killable worker otherwise, and not at all over the limits.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import c2pa

from tanba.asset import Asset
from tanba.engine import native
from tanba.engine.prescan import Prescan, prescan
from tanba.errors import Deadline
from tanba.formats.sniff import JXL_BARE, Kind
from tanba.limits import DEFAULT_LIMITS, Limits
from tanba.report import Bucket, Finding, Layer
from tanba.trust import TrustStore

_REMOTE = "Remote: must fetch remote manifests from url "
_MAX_THUMBNAIL = 512 << 10


class EvidenceStatus(StrEnum):
    """What became of the attempt to read a manifest."""

    FOUND = "found"
    ABSENT = "absent"
    REMOTE_ONLY = "remote_only"
    UNSUPPORTED = "unsupported"
    UNREADABLE = "unreadable"
    MALFORMED = "malformed"
    """A manifest store is there, and cannot be parsed."""
    OVER_LIMIT = "over_limit"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the engine read, with unknown fields kept."""

    status: EvidenceStatus
    state: str | None = None
    """The engine's ``validation_state``: ``Invalid``, ``Valid`` or ``Trusted``."""
    active: str | None = None
    """Label of the active manifest."""
    report: Mapping[str, Any] = field(default_factory=dict)
    """The engine's reader JSON."""
    crjson: Mapping[str, Any] = field(default_factory=dict)
    """The engine's crJSON: certificates and per-manifest results."""
    codes: tuple[Finding, ...] = ()
    """Validation codes of the active manifest and its ingredient deltas, verbatim, in the engine's buckets."""
    store: bytes | None = field(default=None, repr=False)
    """The raw JUMBF manifest store."""
    remote_url: str | None = None
    embedded: bool = True
    error: str | None = None
    thumbnails: Mapping[str, tuple[str, bytes]] = field(default_factory=dict, repr=False)
    """JUMBF identifier -> (media type, bytes), bounded; only when asked for."""

    def manifest(self, label: str | None = None) -> Mapping[str, Any]:
        """One manifest of the reader JSON; the active one by default; empty when absent."""
        found = self.report.get("manifests", {}).get(label or self.active)
        return found if isinstance(found, Mapping) else {}

    @property
    def own(self) -> tuple[Finding, ...]:
        """The findings about the active manifest itself; what is said of earlier versions proves nothing for it."""
        return tuple(item for item in self.codes if "ingredient" not in item.params)

    def codes_in(self, bucket: Bucket) -> tuple[str, ...]:
        """The codes of one bucket, in order."""
        return tuple(item.code for item in self.codes if item.bucket is bucket)


def read(
    asset: Asset,
    *,
    trust: TrustStore,
    limits: Limits = DEFAULT_LIMITS,
    manifest: bytes | None = None,
    thumbnails: bool = False,
    isolate: bool = True,
) -> Evidence:
    """Read and validate the manifest of an asset, or a detached ``manifest`` against it.

    Never raises for what it finds. ``isolate=False`` is for callers that already run in a killable process.
    """
    if asset.size == 0 and manifest is None:
        return Evidence(EvidenceStatus.UNREADABLE, error="the file is empty")
    if manifest is None and asset.format == JXL_BARE:
        return Evidence(EvidenceStatus.ABSENT)  # a codestream without container has no place for a store
    if manifest is None and not asset.format.readable:
        return Evidence(EvidenceStatus.UNSUPPORTED, error=f"no C2PA reader for {asset.format.media_type}")
    scan = prescan(asset, limits, manifest=manifest)
    if scan.over_limit:
        return Evidence(
            EvidenceStatus.OVER_LIMIT,
            error=f"{scan.superboxes:,} JUMBF boxes or too many manifest bytes: over the limit, not read",
        )
    if scan.costly and isolate:
        from tanba.engine.isolate import in_worker

        try:
            return in_worker(read_here, asset, trust, limits, manifest, thumbnails, limits=limits)
        except Deadline as error:
            return Evidence(EvidenceStatus.OVER_LIMIT, error=error.message)
    return read_here(asset, trust, limits, manifest, thumbnails, scan)


def read_here(
    asset: Asset,
    trust: TrustStore,
    limits: Limits,
    manifest: bytes | None,
    thumbnails: bool,
    scan: Prescan | None = None,
    *,
    certificates: bool = True,
) -> Evidence:
    """The read itself, in this process. ``certificates=False`` leaves :attr:`Evidence.crjson` empty, for speed."""
    scan = scan or prescan(asset, limits, manifest=manifest)
    media_type = asset.format.media_type if manifest is None else "application/c2pa"
    try:
        with (
            asset.open() as stream,
            c2pa.Reader(media_type, stream, manifest_data=manifest, context=native.context(trust)) as reader,
        ):
            return _evidence(reader, limits, thumbnails=thumbnails, given=manifest, certificates=certificates)
    except c2pa.C2paError as error:
        return _from_error(error, asset, scan, detached=manifest is not None)


def read_store(store: bytes, content: bytes, *, trust: TrustStore, limits: Limits = DEFAULT_LIMITS) -> Evidence:
    """Validate a detached store against raw content bytes (text carriers, sidecars of anything)."""
    return read(Asset.from_bytes(content, limits=limits), trust=trust, limits=limits, manifest=store)


def _evidence(
    reader: c2pa.Reader, limits: Limits, *, thumbnails: bool, given: bytes | None, certificates: bool
) -> Evidence:
    report = json.loads(reader.json())
    active = report.get("active_manifest")
    return Evidence(
        status=EvidenceStatus.FOUND,
        state=str(reader.get_validation_state() or report.get("validation_state") or "Invalid"),
        active=active if isinstance(active, str) else None,
        report=report,
        crjson=json.loads(reader.crjson()) if certificates else {},
        codes=_codes(report, limits),
        store=given if given is not None else _store(reader, active),
        remote_url=reader.get_remote_url(),
        embedded=given is None and bool(reader.is_embedded()),
        thumbnails=_thumbnails(reader, report) if thumbnails else {},
    )


def _store(reader: c2pa.Reader, active: object) -> bytes | None:
    """The raw store. The reader resolves any JUMBF URI that is no resource of its own to the whole store."""
    if not isinstance(active, str):
        return None
    out = io.BytesIO()
    try:
        reader.resource_to_stream(f"self#jumbf=/c2pa/{active}/c2pa.signature", out)
    except c2pa.C2paError:
        return None
    store = out.getvalue()
    return store if store[4:8] == b"jumb" else None


def _codes(report: Mapping[str, Any], limits: Limits) -> tuple[Finding, ...]:
    results = report.get("validation_results") or {}
    found: list[Finding] = []
    for bucket in Bucket:
        found += [_finding(item, bucket) for item in (results.get("activeManifest") or {}).get(bucket.value, ())]
    for delta in results.get("ingredientDeltas") or ():
        for bucket in Bucket:
            found += [
                _finding(item, bucket, ingredient=str(delta.get("ingredientAssertionURI", "")))
                for item in (delta.get("validationDeltas") or {}).get(bucket.value, ())
            ]
    return tuple(found[: limits.findings])


def _finding(item: Mapping[str, Any], bucket: Bucket, *, ingredient: str | None = None) -> Finding:
    code = str(item.get("code", "general.error"))
    return Finding(
        code=code,
        bucket=bucket,
        layer=Layer.CAWG if code.startswith("cawg.") else Layer.C2PA,
        subject=item.get("url"),
        text=item.get("explanation"),
        params={
            **({"ingredient": ingredient} if ingredient else {}),
            **({"trust_list": item["trustListUri"]} if item.get("trustListUri") else {}),
        },
    )


def _thumbnails(reader: c2pa.Reader, report: Mapping[str, Any]) -> dict[str, tuple[str, bytes]]:
    found: dict[str, tuple[str, bytes]] = {}
    for manifest in (report.get("manifests") or {}).values():
        for holder in (manifest, *(manifest.get("ingredients") or ())):
            thumbnail = holder.get("thumbnail") or {}
            identifier, media_type = thumbnail.get("identifier"), thumbnail.get("format")
            if not isinstance(identifier, str) or media_type not in ("image/jpeg", "image/png") or len(found) >= 32:
                continue
            out = io.BytesIO()
            try:
                reader.resource_to_stream(identifier, out)
            except c2pa.C2paError:
                continue
            if 0 < len(out.getvalue()) <= _MAX_THUMBNAIL:
                found[identifier] = (media_type, out.getvalue())
    return found


def _from_error(error: c2pa.C2paError, asset: Asset, scan: Prescan, *, detached: bool) -> Evidence:
    """Map what the engine raised. Corruption is mostly exceptions, so an exception must become a status."""
    words = native.message(error)
    if _REMOTE in words:
        return Evidence(EvidenceStatus.REMOTE_ONLY, remote_url=words.split(_REMOTE, 1)[1][:2048], error=words)
    # A manifest of a pre-1.0 draft is no damage: the engine knows it and has no reader for it.
    if "prerelease content" in words:
        return Evidence(EvidenceStatus.UNSUPPORTED, error=words)
    present = detached or (scan.store_marked and asset.format.kind is Kind.IMAGE)
    if native.is_kind(error, "ManifestNotFound"):
        return Evidence(
            EvidenceStatus.MALFORMED if present else EvidenceStatus.ABSENT, error=words if present else None
        )
    if native.is_kind(error, "NotSupported"):
        return Evidence(EvidenceStatus.UNSUPPORTED, error=words)
    return Evidence(
        EvidenceStatus.MALFORMED if present or scan.store_marked else EvidenceStatus.UNREADABLE, error=words
    )
