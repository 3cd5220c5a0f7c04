"""The verification procedure, top to bottom.

    (0) facts        digest, size and sniffed format of the asset
    (1) evidence     the manifest: embedded, in a text carrier, or handed over as a sidecar
    (2) integrity    bytes and claim against what was signed
    (3) signer       who, and which named list vouches
    (4) time         what the time rests on; everything as of the moment asked for
    (5) revocation   stapled answers; the network only when asked
    (6) statements   what is said about AI, in every layer, by whom
    (7) coherence    do the layers tell one story?
    (8) history      the chain of versions
    (9) verdict      one pure function over the findings (:mod:`verifier.decide`)

Nothing here raises for what it finds; a report comes back whatever the file is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tanba import __version__
from tanba.asset import Asset
from tanba.engine.native import versions
from tanba.engine.read import Evidence, EvidenceStatus, read
from tanba.formats.metadata import MetadataEvidence, read_metadata
from tanba.formats.sniff import Kind
from tanba.i18n import sentence
from tanba.limits import DEFAULT_LIMITS, Limits
from tanba.report import (
    Answers,
    AssetFacts,
    Basis,
    Finding,
    LayerReport,
    LayerState,
    RevocationAnswer,
    SignerAnswer,
    SignerState,
    TimeState,
    VerificationReport,
)
from tanba.trust import TrustStore
from verifier import history
from verifier.checks import ai, coherence, integrity, lists, profile, revocation, signer, time
from verifier.decide import decide


def utc_now() -> datetime:
    """The current time, aware."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How to verify; picklable, so that folder workers and the service share it."""

    trust: TrustStore = field(default_factory=TrustStore.empty)
    limits: Limits = DEFAULT_LIMITS
    as_of: datetime | None = None
    """Answer as of this moment instead of now."""
    network: bool = False
    """Allow online OCSP and CRL, through the guarded client, and nothing else."""
    cache_dir: Path | None = None
    """Where answers of the network may be kept."""
    thumbnails: bool = False
    second_engine: bool = False
    isolate: bool = True
    """Use a killable worker for costly files; False when the caller is one."""
    clock: Callable[[], datetime] = utc_now


def verify_asset(asset: Asset, settings: Settings, *, manifest: bytes | None = None) -> VerificationReport:
    """Verify one asset, optionally against a detached manifest store. Performs steps (0) to (9)."""
    now = settings.clock()
    facts = AssetFacts(asset.name, asset.sha256, asset.size, asset.format.media_type)
    evidence, text_findings = _evidence(asset, settings, manifest)
    evidence = profile.correct(evidence, settings.trust, settings.as_of or now)
    found: list[Finding] = [*evidence.codes, *integrity.status_findings(evidence), *text_findings]
    found += integrity.companion_findings(evidence, asset, detached=manifest is not None)
    integrity_answer = integrity.answer(evidence, found)
    timing = time.judge(evidence, settings.trust, as_of=settings.as_of, now=now)
    found = [*timing.replace(found), *timing.findings]
    state, signer_answer, trust_findings = _signer(evidence, settings, timing, now)
    found = [*(signer.unvouched(found) if trust_findings else found), *trust_findings]
    found += lists.findings(settings.trust, signer_answer.state, timing.answer.state, now)
    revoked, revocation_findings = _revocation(evidence, settings, timing, now)
    found += revocation_findings
    metadata = read_metadata(asset, settings.limits)
    said = (*ai.statements(evidence, integrity=integrity_answer.state), *metadata.statements)
    found += [*metadata.findings, *coherence.findings(said)]
    verdict = decide(evidence.status, state, found)
    report = VerificationReport(
        asset=facts,
        verdict=verdict,
        answers=Answers(integrity_answer, signer_answer, timing.answer, revoked, ai.answer(said)),
        layers=_layers(evidence, metadata, asset, manifest),
        history=history.build(
            evidence, settings.limits, verdict, found, trusted=signer_answer.state is SignerState.TRUSTED
        ),
        findings=tuple(found[: settings.limits.findings]),
        basis=Basis(
            tanba=__version__,
            engines=dict(versions()),
            trust_lists=settings.trust.refs(),
            as_of=settings.as_of,
            network=settings.network,
            checked_at=now,
        ),
        note=sentence(f"verdict-{verdict.value}.note", "en"),
    )
    return _with_second_opinion(report, asset, settings, manifest) if settings.second_engine else report


def _evidence(asset: Asset, settings: Settings, manifest: bytes | None) -> tuple[Evidence, tuple[Finding, ...]]:
    """Step (1). Text has carriers of its own and a hard binding that we check ourselves (facts 4.4)."""
    if asset.format.kind is Kind.TEXT:
        from verifier.text import read_text

        return read_text(
            asset, trust=settings.trust, limits=settings.limits, manifest=manifest, isolate=settings.isolate
        )
    evidence = read(
        asset,
        trust=settings.trust,
        limits=settings.limits,
        manifest=manifest,
        thumbnails=settings.thumbnails,
        isolate=settings.isolate,
    )
    return evidence, ()


def _signer(
    evidence: Evidence, settings: Settings, timing: time.Timing, now: datetime
) -> tuple[str | None, SignerAnswer, tuple[Finding, ...]]:
    """Step (3): the signer, and the list that vouches at the moment the time answer rests on."""
    answer = timing.signer(signer.answer(evidence))
    if timing.state != "Trusted" and answer.state is not SignerState.TRUSTED:
        return timing.state, answer, ()
    stamped = timing.answer.state is TimeState.TIMESTAMPED and timing.answer.signed_at
    moment = stamped or settings.as_of or now
    entry = signer.vouching_list(evidence, settings.trust, moment)
    if entry is not None:
        return timing.state, signer.trusted_by(answer, entry), ()
    state = "Valid" if timing.state == "Trusted" else timing.state
    return state, signer.trusted_by(answer, None), (signer.wrong_purpose(evidence, settings.trust),)


def _revocation(
    evidence: Evidence, settings: Settings, timing: time.Timing, now: datetime
) -> tuple[RevocationAnswer, tuple[Finding, ...]]:
    if evidence.status is not EvidenceStatus.FOUND:
        return RevocationAnswer(), ()
    return revocation.judge(
        evidence,
        settings.trust,
        as_of=settings.as_of or now,
        network=settings.network,
        cache_dir=settings.cache_dir,
        signed_at=timing.answer.signed_at if timing.answer.state is TimeState.TIMESTAMPED else None,
        now=now,
    )


def _layers(
    evidence: Evidence, metadata: MetadataEvidence, asset: Asset, manifest: bytes | None
) -> tuple[LayerReport, ...]:
    states = {
        EvidenceStatus.FOUND: LayerState.FOUND,
        EvidenceStatus.MALFORMED: LayerState.FOUND,
        EvidenceStatus.REMOTE_ONLY: LayerState.FOUND,
        EvidenceStatus.ABSENT: LayerState.ABSENT,
    }
    c2pa = LayerReport("c2pa", states.get(evidence.status, LayerState.NOT_CHECKED), evidence.status.value)
    extra = [LayerReport("sidecar", LayerState.FOUND)] if manifest is not None else []
    if asset.format.kind is Kind.TEXT:
        extra.append(LayerReport("text", c2pa.state))
    later = [LayerReport(kind, LayerState.NOT_CHECKED) for kind in ("watermark", "fingerprint", "visible")]
    return (c2pa, *extra, *metadata.layers, *later)


def _with_second_opinion(
    report: VerificationReport, asset: Asset, settings: Settings, manifest: bytes | None
) -> VerificationReport:
    from dataclasses import replace

    from verifier.second import compare

    return replace(report, second_opinion=compare(report, asset, settings.trust, manifest=manifest))
