"""Was the signing certificate revoked? Stapled answers first; the network only when the user asked."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from tanba.engine.read import Evidence
from tanba.report import Bucket, Finding, RevocationAnswer, RevocationState
from tanba.trust import TrustStore


def judge(
    evidence: Evidence, trust: TrustStore, *, as_of: datetime, network: bool, cache_dir: Path | None
) -> tuple[RevocationAnswer, tuple[Finding, ...]]:
    """Step (5) of the procedure."""
    if any("revoked" in code for code in evidence.codes_in(Bucket.FAILURE)):
        return RevocationAnswer(RevocationState.REVOKED, source="stapled"), ()
    if "signingCredential.ocsp.notRevoked" in evidence.codes_in(Bucket.SUCCESS):
        return RevocationAnswer(RevocationState.GOOD, source="stapled"), ()
    return RevocationAnswer(), ()
