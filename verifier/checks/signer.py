"""Who signed, and which of the user's lists vouches for them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from tanba import jumbf
from tanba.engine.read import Evidence, EvidenceStatus
from tanba.errors import MalformedAsset
from tanba.report import Bucket, Finding, Layer, SignerAnswer, SignerState
from tanba.trust import URI_PREFIX, Purpose, TrustList, TrustStore

_LIST_URI = re.compile(re.escape(URI_PREFIX) + r"[a-z]+/[0-9a-f]{16}")
_TRUSTED = "signingCredential.trusted"
_BAD = ("signingCredential.invalid", "signingCredential.revoked", "signingCredential.ocsp.revoked")


def answer(evidence: Evidence) -> SignerAnswer:
    """The signer of the active manifest; names come from the certificate, identity is its fingerprint."""
    if evidence.status is not EvidenceStatus.FOUND:
        return SignerAnswer()
    certificate = crjson_signature(evidence).get("certificateInfo") or {}
    info = evidence.manifest().get("signature_info") or {}
    subject = certificate.get("subject") or {}
    issuer = certificate.get("issuer") or {}
    validity = certificate.get("validity") or {}
    # Codes of earlier versions speak of their signers, never of this one.
    failures = {item.code for item in evidence.own if item.bucket is Bucket.FAILURE}
    if any(item.code == _TRUSTED for item in evidence.own):
        state = SignerState.TRUSTED
    elif any(code in failures for code in _BAD) or "claimSignature.mismatch" in failures:
        state = SignerState.INVALID
    else:
        state = SignerState.UNKNOWN if certificate or info else SignerState.INVALID
    return SignerAnswer(
        state=state,
        name=_text(subject.get("CN") or info.get("common_name")),
        organization=_text(subject.get("O") or info.get("issuer")),
        serial=_text(certificate.get("serialNumber") or info.get("cert_serial_number")),
        fingerprint=fingerprint(evidence),
        issuer=_text(issuer.get("CN") or issuer.get("O")),
        not_before=moment(validity.get("notBefore")),
        not_after=moment(validity.get("notAfter")),
        algorithm=_text(info.get("alg")),
    )


def crjson_signature(evidence: Evidence) -> Mapping[str, Any]:
    """The ``signature`` object of the active manifest in crJSON; empty when absent."""
    for manifest in evidence.crjson.get("manifests") or ():
        if isinstance(manifest, Mapping) and manifest.get("label") == evidence.active:
            signature = manifest.get("signature")
            return signature if isinstance(signature, Mapping) else {}
    return {}


def fingerprint(evidence: Evidence, label: str | None = None) -> str | None:
    """SHA-256 of the leaf certificate in a manifest's claim signature, the active one by default; None when the store
    cannot be parsed.
    """
    if evidence.store is None:
        return None
    try:
        chain = jumbf.cose(evidence.store, label or evidence.active).x5chain
    except MalformedAsset:
        return None
    return hashlib.sha256(chain[0]).hexdigest() if chain else None


def vouching_list(evidence: Evidence, trust: TrustStore, moment: datetime) -> TrustList | None:
    """The first of the user's *signer* lists that vouches for the signer at ``moment``, or None.

    The engine pools its anchors: in c2pa-rs 0.91 a signer is ``Trusted`` through a list of kind ``tsa`` too, every list
    accepts every usage, and which of several matching lists it names is not stable. So its word is taken only where one list is configured; otherwise
    the path is looked for again, in the user's order, in lists of the right purpose alone.
    """
    named = _named_by_engine(evidence, trust)
    if named is not None and (named.purpose is not Purpose.MANIFEST or named.ekus):
        named = None  # the engine knows neither the purpose of a list nor the usages of one list alone
    if len(trust.lists) == 1 and named is not None:
        return named
    from tanba import x509

    try:
        chain = x509.load_chain(jumbf.cose(evidence.store or b"", evidence.active).x5chain)
    except MalformedAsset:
        chain = ()
    found = x509.find_path(chain, trust.of(Purpose.MANIFEST), moment, accepted_ekus=trust.ekus)
    return found.list or named


def _named_by_engine(evidence: Evidence, trust: TrustStore) -> TrustList | None:
    """The list whose internal URI stands in the success code's explanation."""
    said = [item for item in evidence.own if item.code == _TRUSTED]
    if not said:
        return None
    for item in said:
        found = _LIST_URI.search(item.text or "")
        if found and (entry := trust.by_uri(found.group())):
            return entry
    uri = (evidence.report.get("validation_results") or {}).get("trustListUri")
    return trust.by_uri(uri) if isinstance(uri, str) else None


def trusted_by(answer: SignerAnswer, entry: TrustList | None) -> SignerAnswer:
    """The answer with the list that vouches; without one nobody does, whatever the engine said."""
    if entry is not None:
        return replace(answer, list=entry.ref)
    state = SignerState.UNKNOWN if answer.state is SignerState.TRUSTED else answer.state
    return replace(answer, state=state, list=None)


def wrong_purpose(evidence: Evidence, trust: TrustStore) -> Finding:
    """Only a list for another purpose, or for another usage, leads to the signer: said aloud, and no trust follows."""
    named = _named_by_engine(evidence, trust)
    usage = named is not None and named.purpose is Purpose.MANIFEST
    return Finding(
        "tanba.trust.wrong_usage" if usage else "tanba.trust.wrong_purpose",
        Bucket.INFORMATIONAL,
        Layer.TANBA,
        text="the signer's certificate is for a usage that its list does not vouch for"
        if usage
        else "the signer chains only to a list that is not for signers",
        params={"list": named.name if named else ""},
    )


def unvouched(found: Iterable[Finding]) -> list[Finding]:
    """The findings with the engine's word that the signer is trusted turned round: no list for signers vouches."""
    return [
        replace(
            item, code="signingCredential.untrusted", bucket=Bucket.FAILURE, text="tanba: no list for signers vouches"
        )
        if item.code == _TRUSTED and "ingredient" not in item.params
        else item
        for item in found
    ]


def moment(value: object) -> datetime | None:
    """An RFC 3339 string of the engine as an aware datetime, or None."""
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found if found.tzinfo else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
