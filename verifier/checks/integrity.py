"""Are the bytes and the claim what was signed? Told apart from who signed, when, and what CAWG identities say."""

from __future__ import annotations

from collections.abc import Iterable

from tanba.asset import Asset
from tanba.engine.read import Evidence, EvidenceStatus
from tanba.formats.sniff import Kind
from tanba.report import Bucket, Finding, IntegrityAnswer, IntegrityState, Layer

_OTHER_QUESTIONS = ("signingCredential.", "timeStamp.", "cawg.", "claimSignature.outsideValidity")
"""Failure codes that answer other questions (signer, time, identity): C2PA 2.4 section 15.2, tables of codes."""
_BINDING_MATCH = ("assertion.dataHash.match", "assertion.bmffHash.match", "assertion.boxesHash.match",
                  "assertion.collectionHash.match", "assertion.multiAssetHash.match")  # fmt: skip
_NEEDS_MORE = ("tanba.c2pa.needs_fragments", "tanba.c2pa.manifest_alone")
"""A label is there, and what it labels is elsewhere: neither intact nor broken."""
_FRAGMENT_BOXES = (b"mvex", b"moof", b"mdat")


def answer(evidence: Evidence, findings: Iterable[Finding]) -> IntegrityAnswer:
    """Intact, broken, absent or not evaluated, with the codes it rests on."""
    match evidence.status:
        case EvidenceStatus.ABSENT:
            return IntegrityAnswer(IntegrityState.ABSENT)
        case EvidenceStatus.MALFORMED:
            return IntegrityAnswer(IntegrityState.BROKEN, _failures(findings))
        case EvidenceStatus.FOUND:
            pass
        case _:
            return IntegrityAnswer(IntegrityState.NOT_EVALUATED)
    kept = tuple(findings)
    broken = _failures(kept)
    if any(item.code in _NEEDS_MORE for item in kept):
        return IntegrityAnswer(IntegrityState.NOT_EVALUATED, broken)
    if broken:
        return IntegrityAnswer(IntegrityState.BROKEN, broken)
    return IntegrityAnswer(
        IntegrityState.INTACT, tuple(dict.fromkeys(c.code for c in kept if c.code in _BINDING_MATCH))
    )


def _failures(findings: Iterable[Finding]) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(
            item.code
            for item in findings
            if item.bucket is Bucket.FAILURE
            and not item.code.startswith(_OTHER_QUESTIONS)
            and (item.layer in (Layer.C2PA, Layer.TEXT) or item.code.startswith("tanba.c2pa."))
        )
    )


def status_findings(evidence: Evidence) -> tuple[Finding, ...]:
    """What the status of the read means, as findings of our own."""
    text = evidence.error
    match evidence.status:
        case EvidenceStatus.REMOTE_ONLY:
            return (
                Finding("manifest.inaccessible", Bucket.INFORMATIONAL, Layer.C2PA, subject=evidence.remote_url, text=text),
                Finding("tanba.c2pa.remote_only", Bucket.INFORMATIONAL, Layer.TANBA, subject=evidence.remote_url,
                        params={"url": evidence.remote_url or ""}),
            )  # fmt: skip
        case EvidenceStatus.UNSUPPORTED:
            return (Finding("tanba.c2pa.unsupported", Bucket.INFORMATIONAL, Layer.TANBA, text=text),)
        case EvidenceStatus.UNREADABLE:
            return (Finding("tanba.c2pa.unreadable", Bucket.INFORMATIONAL, Layer.TANBA, text=text),)
        case EvidenceStatus.OVER_LIMIT:
            return (Finding("tanba.limit.exceeded", Bucket.INFORMATIONAL, Layer.TANBA, text=text),)
        case EvidenceStatus.MALFORMED:
            return (Finding("tanba.c2pa.store_unreadable", Bucket.FAILURE, Layer.TANBA, text=text),)
        case _:
            return ()


def companion_findings(evidence: Evidence, asset: Asset, *, detached: bool) -> tuple[Finding, ...]:
    """A manifest file without its content, or an initialisation segment of fragmented MP4 without its fragments
    (ISO/IEC 14496-12), cannot be judged. ``detached``: the manifest was handed over beside the asset.
    """
    if asset.format.kind is Kind.STORE and not detached and evidence.status is EvidenceStatus.FOUND:
        return (Finding("tanba.c2pa.manifest_alone", Bucket.INFORMATIONAL, Layer.TANBA),)
    mismatch = "assertion.bmffHash.mismatch" in evidence.codes_in(Bucket.FAILURE)
    if not mismatch or asset.size > 4 << 20:
        return ()
    data = asset.read()
    has = [data.find(kind) >= 0 for kind in _FRAGMENT_BOXES]
    if has != [True, False, False]:
        return ()
    return (Finding("tanba.c2pa.needs_fragments", Bucket.INFORMATIONAL, Layer.TANBA),)
