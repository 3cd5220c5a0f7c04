"""A second, independent opinion: ``encypher-c2pa`` (optional extra ``second-engine``), with the same trust material.

Both opinions are shown, line by line, with the likely cause of each difference. Nothing is averaged and the verdict
stays that of the first engine. The second engine gets no network, no telemetry and none of its bundled lists. Causes
are read from the codes of both; they are the likely reason, not a proof.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tanba.asset import Asset
from tanba.report import Bucket, IntegrityState, SignerState, TimeState, Verdict, VerificationReport
from tanba.trust import Purpose, TrustStore
from tanba.wire import rfc3339

ENGINE = "encypher-c2pa"
MAX_BYTES = 128 << 20
"""The second engine holds the whole file in memory; larger files get no second opinion."""

CAUSES: Mapping[str, str] = {
    "format_support": "one engine cannot read labels in this kind of file, or in files as old as this one",
    "remote_manifest": "the label is kept elsewhere: one engine calls that invalid, the other says it could not check",
    "update_manifest": "the engines read update manifests differently",
    "binding_support": "one engine does not know the way in which this label is bound to its content",
    "cawg_identity": "an extra identity (CAWG) fails: the first engine then calls the whole label invalid",
    "ingredient_failure": "an earlier version or a part fails: only the first engine lets that reach the newest label",
    "expired_certificate": "the certificate has expired without a time stamp: the second engine still says Valid",
    "timestamp_authority": "the second engine accepts time-stamp authorities from time-stamp lists only",
    "pss_chain": "the second engine follows no certificate chain signed with RSASSA-PSS",
    "trust_path": "the engines do not find the same path from the certificate to your lists",
    "extended_key_usage": "the engines accept different extended key usages",
    "content_binding": "the engines compare the content with the label differently",
    "another_moment": "the first answer is as of another moment, by Tanba's own evaluation of certificates",
    "unexplained": "no known reason: quote neither engine alone",
}
"""Cause -> sentence. Keys are stable; readers' sentences stand in the catalogue as ``second-<cause>``."""

_CONTENT = ("assertion.dataHash.mismatch", "assertion.bmffHash.mismatch", "assertion.hashedURI.mismatch",
            "claimSignature.mismatch", "assertion.boxesHash.mismatch")  # fmt: skip
_VALIDITY = ("claimSignature.outsideValidity", "signingCredential.expired")


@dataclass(frozen=True, slots=True)
class Opinion:
    """What the second engine said, reduced to what can be compared."""

    state: str
    """``Trusted``, ``Valid``, ``Invalid``, ``absent`` or ``unreadable``."""
    failures: frozenset[str]
    notes: frozenset[str]
    successes: frozenset[str]
    integrity: str


def compare(
    report: VerificationReport, asset: Asset, trust: TrustStore, *, manifest: bytes | None = None
) -> Mapping[str, Any]:
    """The second opinion on a report: agreement, or what differs and why. Never raises for what it finds.

    ``agrees`` is None when there is no second opinion; ``error`` says why.
    """
    try:
        engine: Any = importlib.import_module("encypher_c2pa")
    except ImportError:
        return _none("encypher-c2pa is not installed: pip install 'tanba[second-engine]'")
    from importlib.metadata import version

    if asset.size > MAX_BYTES:
        return _none("the file is too large for the second engine")
    data, options = asset.read(), _options(report, trust)
    try:
        if manifest is None:
            raw = engine.verify_bytes(data, asset.format.media_type, options)
        else:
            raw = engine.verify_detached_bytes(data, manifest, asset.format.media_type, options)
        answer = json.loads(raw)
    except Exception as error:  # noqa: BLE001 -- a foreign engine may raise anything; its failure is its opinion
        return _none(f"the second engine failed: {type(error).__name__}", version(ENGINE))
    opinion = _opinion(answer)
    differences = list(_differences(report, opinion))
    return {
        "engine": ENGINE,
        "version": version(ENGINE),
        "state": opinion.state,
        "agrees": not differences,
        "differences": differences,
        "failures": sorted(opinion.failures),
        "error": None,
    }


def _options(report: VerificationReport, trust: TrustStore) -> str:
    """The same lists, nothing bundled, no network, no telemetry; the same moment when one was asked for."""

    def joined(purpose: Purpose) -> str | None:
        return "\n".join(item.anchors_pem for item in trust.of(purpose) if item.anchors_pem) or None

    as_of = report.basis.as_of if report.basis else None
    return json.dumps(
        {
            "trust_pem": joined(Purpose.MANIFEST),
            "tsa_trust_pem": joined(Purpose.TSA),
            "cawg_trust_pem": joined(Purpose.CAWG),
            "allowed_list_pem": "\n".join(item.allowed_pem for item in trust.lists if item.allowed_pem) or None,
            "no_default_trust": True,
            "validation_time": rfc3339(as_of) if as_of else None,
            "expected_seek_positions": [],
            "cawg_strict_encoding": False,
            "strict_conformance": False,
            "online": False,
            "online_allow_private_networks": False,
            "telemetry": {"enabled": False, "endpoint": None, "sdk_name": "python"},
        }
    )


def _opinion(answer: Mapping[str, Any]) -> Opinion:
    results = answer.get("validation_results") or {}
    state = answer.get("validation_state")
    return Opinion(
        state=state
        if state in ("Trusted", "Valid", "Invalid")
        else ("unreadable" if answer.get("present") else "absent"),
        failures=frozenset(str(item.get("code")) for item in results.get("failure") or ()),
        notes=frozenset(str(item.get("code")) for item in results.get("informational") or ()),
        successes=frozenset(str(item.get("code")) for item in results.get("success") or ()),
        integrity=str(answer.get("integrity", "")),
    )


_OURS: Mapping[Verdict, str] = {
    Verdict.TRUSTED: "Trusted",
    Verdict.VALID: "Valid",
    Verdict.INVALID: "Invalid",
    Verdict.UNMARKED: "absent",
    Verdict.RECOVERED: "absent",
}


def _differences(report: VerificationReport, opinion: Opinion) -> tuple[dict[str, str], ...]:
    """One row per question on which the engines differ; the overall state always comes first."""
    ours = _OURS.get(report.verdict, "unchecked")
    if ours == opinion.state or (ours == "unchecked" and opinion.state in ("absent", "unreadable")):
        return ()
    cause = _cause(report, opinion, ours)
    rows = [_row("state", ours, opinion.state, cause)]
    if ours in ("absent", "unchecked") or opinion.state in ("absent", "unreadable"):
        return tuple(rows)
    answers = report.answers
    intact = "intact" if opinion.integrity == "valid" else "broken"
    if answers.integrity.state in (IntegrityState.INTACT, IntegrityState.BROKEN) and answers.integrity.state != intact:
        rows.append(_row("integrity", answers.integrity.state.value, intact, cause))
    known = "unknown" if "signingCredential.untrusted" in opinion.failures else "trusted"
    if answers.signer.state in (SignerState.TRUSTED, SignerState.UNKNOWN) and answers.signer.state != known:
        rows.append(_row("signer", answers.signer.state.value, known, cause))
    expired = "claimSignature.outsideValidity" in opinion.failures
    if (answers.time.state is TimeState.EXPIRED) != expired:
        stamped = "timestamped" if "timeStamp.trusted" in opinion.successes else "claimed"
        said = "expired" if expired else stamped
        rows.append(_row("time", answers.time.state.value, said, cause))
    return tuple(rows)


def _cause(report: VerificationReport, opinion: Opinion, ours: str) -> str:
    """The likely cause, most specific first."""
    own = [item for item in report.findings if item.bucket is Bucket.FAILURE]
    failures = {item.code for item in own if "ingredient" not in item.params}
    theirs = opinion.failures
    moved = "tanba.time.as_of" in _codes(report)
    rules = (
        ("remote_manifest", "manifest.inaccessible" in theirs or "tanba.c2pa.remote_only" in _codes(report)),
        ("format_support", ours in ("absent", "unchecked") or opinion.state in ("absent", "unreadable")),
        ("update_manifest", any(code.startswith("manifest.update.") for code in theirs ^ failures)),
        ("binding_support", "claim.hardBindings.missing" in theirs ^ failures),
        ("cawg_identity", any(code.startswith("cawg.") for code in failures | theirs)),
        ("content_binding", bool({*_CONTENT} & (theirs ^ failures))),
        ("ingredient_failure", any("ingredient" in item.params for item in own) and ours != "Trusted"),
        ("expired_certificate", "signingCredential.expired" in failures),
        ("extended_key_usage", "signingCredential.invalid" in theirs ^ failures),
        ("timestamp_authority", "timeStamp.untrusted" in opinion.notes and "claimSignature.outsideValidity" in theirs),
        ("another_moment", moved and bool({*_VALIDITY} & (theirs ^ failures))),
        ("pss_chain", _signer_only(ours, opinion) and (report.answers.signer.algorithm or "").lower().startswith("ps")),
        ("trust_path", _signer_only(ours, opinion)),
        ("another_moment", moved),
    )  # fmt: skip
    return next((cause for cause, holds in rules if holds), "unexplained")


def _signer_only(ours: str, opinion: Opinion) -> bool:
    return {ours, opinion.state} == {"Trusted", "Valid"}


def _codes(report: VerificationReport) -> frozenset[str]:
    return frozenset(item.code for item in report.findings)


def _row(question: str, ours: str, theirs: str, cause: str) -> dict[str, str]:
    return {"question": question, "ours": ours, "theirs": theirs, "cause": CAUSES[cause], "cause_code": cause}


def _none(why: str, version: str | None = None) -> Mapping[str, Any]:
    return {
        "engine": ENGINE, "version": version, "state": None, "agrees": None, "differences": [], "failures": [],
        "error": why,
    }  # fmt: skip
