"""When was it signed, what does that rest on, and does the certificate cover that moment?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from tanba.engine.read import Evidence, EvidenceStatus
from tanba.report import Bucket, Finding, SignerAnswer, TimeAnswer, TimeState
from tanba.trust import TrustStore
from verifier.checks.signer import crjson_signature, moment


@dataclass(frozen=True, slots=True)
class Timing:
    """The time answer, the validation state it leads to, and how other answers change under ``as_of``."""

    answer: TimeAnswer
    state: str | None
    """The engine's state, or our own evaluation as of another moment."""
    findings: tuple[Finding, ...] = ()
    """Findings to add."""

    def replace(self, findings: Iterable[Finding]) -> list[Finding]:
        """The engine's findings with those dropped that hold only for another moment."""
        return list(findings)

    def signer(self, answer: SignerAnswer) -> SignerAnswer:
        """The signer answer as of the moment asked for."""
        return answer


def judge(evidence: Evidence, trust: TrustStore, *, as_of: datetime | None, now: datetime) -> Timing:
    """Step (4) of the procedure."""
    if evidence.status is not EvidenceStatus.FOUND:
        return Timing(TimeAnswer(as_of=as_of), evidence.state)
    stamp = crjson_signature(evidence).get("timeStampInfo") or {}
    signed_at = moment(stamp.get("timestamp"))
    failures = evidence.codes_in(Bucket.FAILURE)
    expired = "signingCredential.expired" in failures or "claimSignature.outsideValidity" in failures
    if signed_at and "timeStamp.validated" in evidence.codes_in(Bucket.SUCCESS):
        subject = (stamp.get("certificateInfo") or {}).get("subject") or {}
        state = TimeState.EXPIRED if expired else TimeState.TIMESTAMPED
        authority = {"name": subject.get("CN"), "organization": subject.get("O")}
        return Timing(TimeAnswer(state, signed_at, "rfc3161", authority, as_of), evidence.state)
    claimed = moment((evidence.manifest().get("signature_info") or {}).get("time"))
    state = TimeState.EXPIRED if expired else TimeState.CLAIMED if claimed else TimeState.ABSENT
    return Timing(TimeAnswer(state, claimed, "claim" if claimed else None, None, as_of), evidence.state)
