"""Reports made by hand, one for each thing a reader can be told. Values follow the types of :mod:`tanba.report`."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from tanba.report import (
    AiAnswer,
    AiState,
    Answers,
    AssetFacts,
    Basis,
    Bucket,
    Finding,
    HistoryNode,
    IntegrityAnswer,
    IntegrityState,
    Layer,
    LayerReport,
    LayerState,
    RevocationAnswer,
    RevocationState,
    SignerAnswer,
    SignerState,
    Statement,
    Strength,
    TimeAnswer,
    TimeState,
    TrustListRef,
    Verdict,
    VerificationReport,
)

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SIGNED = datetime(2026, 3, 1, 10, 0, 5, tzinfo=UTC)
UNTIL = datetime(2026, 5, 1, tzinfo=UTC)
LIST = TrustListRef("newsroom", "2026-11-01", "ab" * 32, "newsroom-root.pem", "manifest")
OLD = TrustListRef("interim", "2025-12-31", "cd" * 32, None, "manifest")


def report(verdict: Verdict = Verdict.TRUSTED, **changes: Any) -> VerificationReport:
    """A trusted, time-stamped, AI-made picture with one parent, unless told otherwise."""
    signer = SignerAnswer(
        SignerState.TRUSTED, "Newsroom Signer", "Newsroom", "1f", "ef" * 32, "Newsroom CA",
        datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC), "es256", LIST,
    )  # fmt: skip
    said = Statement(
        Layer.C2PA, "trainedAlgorithmicMedia", "Newsroom", Strength.SIGNED, "c2pa.created", AiState.GENERATED
    )
    answers = Answers(
        IntegrityAnswer(IntegrityState.INTACT, ("assertion.dataHash.match",)),
        signer,
        TimeAnswer(TimeState.TIMESTAMPED, SIGNED, "rfc3161", {"name": "TSA 1", "organization": "Stamps", "list": {"name": "tsa"}}),
        RevocationAnswer(RevocationState.GOOD, source="stapled"),
        AiAnswer(AiState.GENERATED, Strength.SIGNED, (said,)),
    )  # fmt: skip
    made = VerificationReport(
        asset=AssetFacts("photo.jpg", "12" * 32, 166_864, "image/jpeg"),
        verdict=verdict,
        answers=answers,
        layers=(LayerReport("c2pa", LayerState.FOUND), LayerReport("watermark", LayerState.NOT_CHECKED)),
        history=(
            HistoryNode(
                "photo.jpg", "trusted", label="urn:c2pa:1", software="Camera 1.0", signer="Newsroom", signed_at=SIGNED,
                actions=({"action": "c2pa.created", "digital_source_type": "trainedAlgorithmicMedia"},),
                ingredients=(HistoryNode("draft.png", "unlabelled", relationship="parentOf"),),
            ),
        ),
        findings=(Finding("claimSignature.validated", Bucket.SUCCESS, Layer.C2PA, "self#jumbf=/c2pa/x"),),
        basis=Basis("0.1.0", {"c2pa-python": "0.38.1"}, (LIST,), None, False, NOW, "tanba verify photo.jpg"),
    )  # fmt: skip
    return replace(made, **changes)


def with_answers(base: VerificationReport, **answers: Any) -> VerificationReport:
    return replace(base, answers=replace(base.answers, **answers))


def fails(base: VerificationReport, *codes: str, layer: Layer = Layer.C2PA, **params: str) -> VerificationReport:
    extra = tuple(Finding(code, Bucket.FAILURE, layer, params=params) for code in codes)
    return replace(base, verdict=Verdict.INVALID, findings=(*base.findings, *extra))


def remarks(base: VerificationReport, *codes: str, **params: Any) -> VerificationReport:
    extra = tuple(Finding(code, Bucket.INFORMATIONAL, Layer.TANBA, params=params) for code in codes)
    return replace(base, findings=(*base.findings, *extra))


def unknown_signer(**changes: Any) -> VerificationReport:
    base = report(Verdict.VALID, **changes)
    return with_answers(
        base,
        signer=replace(base.answers.signer, state=SignerState.UNKNOWN, list=None),
        time=TimeAnswer(TimeState.CLAIMED, SIGNED, "claim"),
        revocation=RevocationAnswer(),
    )


def unmarked(**changes: Any) -> VerificationReport:
    base = report(Verdict.UNMARKED, answers=Answers(IntegrityAnswer(IntegrityState.ABSENT)), history=(), findings=())
    return replace(base, **changes)


def unchecked(code: str, subject: str | None = None) -> VerificationReport:
    finding = Finding(code, Bucket.INFORMATIONAL, Layer.TANBA, subject)
    return unmarked(verdict=Verdict.UNCHECKED, answers=Answers(), findings=(finding,))


def broken(**changes: Any) -> VerificationReport:
    base = with_answers(report(), integrity=IntegrityAnswer(IntegrityState.BROKEN, ("assertion.dataHash.mismatch",)))
    return replace(fails(base, "assertion.dataHash.mismatch"), **changes)


def expired() -> VerificationReport:
    base = unknown_signer()
    late = replace(base.answers.signer, not_after=UNTIL)
    made = with_answers(base, signer=late, time=TimeAnswer(TimeState.EXPIRED, SIGNED, "claim"))
    return fails(made, "signingCredential.expired")


SAMPLES = {
    "trusted": report,
    "valid": unknown_signer,
    "expired": expired,
    "broken": broken,
    "unmarked": unmarked,
    "unchecked": lambda: unchecked("tanba.c2pa.remote_only", "https://example.org/m.c2pa"),
    "recovered": lambda: unmarked(
        verdict=Verdict.RECOVERED, recoveries=({"manifest_id": "urn:c2pa:9", "method": "watermark"},)
    ),
}
"""Name -> maker, one for each card and for the expired case."""
