"""The verdict over all combinations of its inputs; expected words follow from the definitions in contracts.md."""

from __future__ import annotations

import itertools

import pytest

from tanba.engine.read import EvidenceStatus
from tanba.report import Bucket, Finding, Layer, Verdict
from verifier.decide import decide

OURS = Finding("tanba.time.future_timestamp", Bucket.FAILURE, Layer.TANBA)
INFORMED = Finding("tanba.coherence.layers_disagree", Bucket.INFORMATIONAL, Layer.IPTC)
ENGINES = Finding("signingCredential.untrusted", Bucket.FAILURE, Layer.C2PA)


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (EvidenceStatus.ABSENT, Verdict.UNMARKED),
        (EvidenceStatus.REMOTE_ONLY, Verdict.UNCHECKED),
        (EvidenceStatus.UNSUPPORTED, Verdict.UNCHECKED),
        (EvidenceStatus.UNREADABLE, Verdict.UNCHECKED),
        (EvidenceStatus.OVER_LIMIT, Verdict.UNCHECKED),
        (EvidenceStatus.MALFORMED, Verdict.INVALID),
    ],
)
def test_without_a_readable_manifest_findings_and_state_change_nothing(status: EvidenceStatus, word: Verdict) -> None:
    for state, found in itertools.product(("Trusted", "Valid", "Invalid", None), ((), (OURS,), (INFORMED, ENGINES))):
        assert decide(status, state, found) is word


@pytest.mark.parametrize(
    ("state", "word"),
    [
        ("Trusted", Verdict.TRUSTED),
        ("Valid", Verdict.VALID),
        ("Invalid", Verdict.INVALID),
        (None, Verdict.INVALID),
        ("SomethingNew", Verdict.INVALID),
    ],
)
def test_with_a_manifest_the_validation_state_of_the_specification_decides(state: str | None, word: Verdict) -> None:
    for found in ((), (INFORMED,), (ENGINES,), (INFORMED, ENGINES)):
        assert decide(EvidenceStatus.FOUND, state, found) is word


@pytest.mark.parametrize("state", ["Trusted", "Valid", "Invalid", None])
def test_a_failure_of_our_own_makes_a_present_label_invalid(state: str | None) -> None:
    assert decide(EvidenceStatus.FOUND, state, (INFORMED, OURS)) is Verdict.INVALID


def test_a_verdict_and_a_report_refuse_to_be_booleans() -> None:
    with pytest.raises(TypeError, match="not a boolean"):
        bool(Verdict.TRUSTED)
