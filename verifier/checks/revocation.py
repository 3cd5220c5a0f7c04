"""Has the signer's certificate been withdrawn? Four answers: good, revoked, unknown (asked in vain), not checked.

Answers stapled into the label are used first: COSE ``rVals`` and the ``c2pa.certificate-status`` assertion (C2PA 2.4
sections 14.6 and 18.21). The network is asked only when the caller allows it, and only about what no staple settles.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tanba import jumbf
from tanba.engine.read import Evidence
from tanba.errors import MalformedAsset
from tanba.report import Bucket, Finding, Layer, RevocationAnswer, RevocationState
from tanba.trust import Purpose, TrustStore
from tanba.wire import rfc3339

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from tanba.net import GuardedClient
    from tanba.revocation import Answer

STATUS_ASSERTION = "c2pa.certificate-status"
_ENGINE_SAYS_REVOKED = ("signingCredential.ocsp.revoked", "signingCredential.revoked")
_MAX_STAPLES = 16


@dataclass(frozen=True, slots=True)
class Clients:
    """HTTP clients for tests and for operators with a proxy of their own; the guarded defaults otherwise."""

    ocsp: GuardedClient | None = None
    crl: GuardedClient | None = None


def judge(
    evidence: Evidence,
    trust: TrustStore,
    *,
    as_of: datetime,
    network: bool = False,
    cache_dir: Path | None = None,
    signed_at: datetime | None = None,
    now: datetime | None = None,
    clients: Clients | None = None,
) -> tuple[RevocationAnswer, tuple[Finding, ...]]:
    """Answer for the signer of the active manifest.

    ``as_of`` is the moment asked about. ``signed_at`` is the time of signing when a time stamp that counts proves it:
    then a later revocation does not reach back (C2PA 2.4 section 15.8.2). ``now`` (default ``as_of``) dates requests.
    """
    staples = stapled(evidence)
    if not staples and not network and not _codes_that_say_revoked(evidence):
        return RevocationAnswer(), (_note("not_asked"),)
    pair = _leaf_and_issuer(evidence, trust)
    if pair is None:
        return RevocationAnswer(), (_note("no_issuer"),)
    leaf, issuer = pair
    moment = min(signed_at, as_of) if signed_at else as_of
    from tanba.revocation import read_ocsp

    answers = [read_ocsp(item, leaf, issuer, moment) for item in staples]
    best = _best(answers)
    if best is not None:
        return _report(best, "stapled", moment)
    if _codes_that_say_revoked(evidence):
        return RevocationAnswer(RevocationState.REVOKED, source="stapled"), (_failure(None, None),)
    if not network:
        return RevocationAnswer(RevocationState.UNKNOWN), (_note("staple_unusable", problem=answers[-1].problem or ""),)
    from verifier.revocation_fetch import ask

    chosen = clients or Clients()
    online = ask(leaf, issuer, now=now or as_of, cache_dir=cache_dir, ocsp_client=chosen.ocsp, crl_client=chosen.crl)
    if online.source is None:
        code = "no_address" if online.problem == "no_address" else "unreachable"
        return RevocationAnswer(RevocationState.UNKNOWN), (_note(code, problem=online.problem or ""),)
    return _report(online.answer, online.source, moment)


def stapled(evidence: Evidence) -> tuple[bytes, ...]:
    """OCSP responses inside the label, bounded. Unreadable places hold none."""
    if evidence.store is None:
        return ()
    found: list[bytes] = []
    try:
        values = jumbf.cose(evidence.store, evidence.active).unprotected.get("rVals")
    except MalformedAsset:
        return ()
    found += _ocsp_values(values)
    for assertion in evidence.manifest().get("assertions") or ():
        if str(assertion.get("label", "")).startswith(STATUS_ASSERTION):
            found += _ocsp_values(assertion.get("data"))
    return tuple(found[:_MAX_STAPLES])


def _ocsp_values(value: Any) -> list[bytes]:
    """The ``ocspVals`` byte strings; reader JSON shows them as base64 text or lists of numbers."""
    items = value.get("ocspVals") if isinstance(value, Mapping) else None
    found: list[bytes] = []
    for item in items or ():
        if isinstance(item, bytes):
            found.append(item)
        elif isinstance(item, str):
            found += _from_base64(item)
        elif isinstance(item, list) and all(isinstance(part, int) and 0 <= part < 256 for part in item):
            found.append(bytes(item))
    return found


def _from_base64(text: str) -> list[bytes]:
    import base64
    import binascii

    try:
        return [base64.b64decode(text, validate=True)]
    except (binascii.Error, ValueError):
        return []


def _leaf_and_issuer(evidence: Evidence, trust: TrustStore) -> tuple[Certificate, Certificate] | None:
    """The signer's certificate and the one that issued it, from the label or from the lists."""
    if evidence.store is None:
        return None
    from tanba import x509

    try:
        chain = x509.load_chain(jumbf.cose(evidence.store, evidence.active).x5chain)
    except MalformedAsset:
        return None
    if not chain:
        return None
    known = [*chain[1:], *(anchor for item in trust.of(Purpose.MANIFEST) for anchor in x509.anchors(item))]
    issuer = next((item for item in known if x509.issued_by(chain[0], item)), None)
    return (chain[0], issuer) if issuer is not None else None


def _best(answers: Iterable[Answer]) -> Answer | None:
    """A revocation outweighs everything; else the newest good answer; unusable ones settle nothing."""
    kept = list(answers)
    for wanted in (RevocationState.REVOKED, RevocationState.GOOD):
        usable = [(item.this_update, item) for item in kept if item.state is wanted and item.this_update is not None]
        if usable:
            return max(usable, key=lambda pair: pair[0])[1]
    return None


def _report(answer: Answer, source: str, moment: datetime) -> tuple[RevocationAnswer, tuple[Finding, ...]]:
    said = RevocationAnswer(answer.state, since=answer.since, reason=answer.reason, source=source)
    if answer.state is RevocationState.GOOD:
        good = Finding(
            "signingCredential.ocsp.notRevoked" if source != "crl" else "tanba.revocation.not_on_crl",
            Bucket.SUCCESS, Layer.C2PA if source != "crl" else Layer.TANBA,
            text=f"tanba: {source}, this update {rfc3339(answer.this_update)}" if answer.this_update else None,
        )  # fmt: skip
        return said, (good,)
    if answer.state is RevocationState.REVOKED and answer.since is not None and answer.since > moment:
        return said, (_note("revoked_later", since=rfc3339(answer.since), reason=answer.reason or ""),)
    return said, (_failure(answer.since, answer.reason),)


def _codes_that_say_revoked(evidence: Evidence) -> tuple[str, ...]:
    return tuple(
        item.code for item in evidence.codes if item.code in _ENGINE_SAYS_REVOKED and "ingredient" not in item.params
    )


def _failure(since: datetime | None, reason: str | None) -> Finding:
    params = {"since": rfc3339(since) if since else "", "reason": reason or ""}
    return Finding("tanba.revocation.revoked", Bucket.FAILURE, Layer.TANBA, params=params)


def _note(what: str, **params: str) -> Finding:
    return Finding(f"tanba.revocation.{what}", Bucket.INFORMATIONAL, Layer.TANBA, params=params)
