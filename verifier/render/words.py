"""A report in a reader's words: one sentence of verdict, five answers, what they do not tell, what to do next.

Every renderer and the service's page take their sentences from here, so that a newsroom reads the same words everywhere.
Nothing is decided here: each sentence follows from states and codes that the report already holds. Strings out of the
file pass :mod:`verifier.render.safe` before they enter a sentence; escaping for a medium is the renderer's work.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from tanba.i18n import has, sentence
from tanba.report import (
    AiState,
    Bucket,
    IntegrityState,
    Layer,
    RevocationState,
    SignerState,
    Strength,
    TimeState,
    Verdict,
    VerificationReport,
)
from verifier.render.advice import limits, next_steps
from verifier.render.notes import notes
from verifier.render.safe import MAX_TEXT, clean, clean_or

Tone = Literal["good", "caution", "bad", "neutral"]
"""How an answer is set off. Colour is never the only sign: the words always say it (WCAG 2.1, 1.4.1)."""

TONES: dict[Verdict, Tone] = {
    Verdict.TRUSTED: "good",
    Verdict.VALID: "caution",
    Verdict.INVALID: "bad",
    Verdict.RECOVERED: "caution",
    Verdict.UNMARKED: "neutral",
    Verdict.UNCHECKED: "neutral",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """One of the five answers."""

    name: str
    """``integrity``, ``signer``, ``time``, ``revocation`` or ``ai``."""
    question: str
    state: str
    """The machine's word, as in the JSON."""
    text: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class Words:
    """Everything a reader is told, in one language."""

    lang: str
    tone: Tone
    headline: str
    word: str
    """The verdict in one word of the reader's language."""
    sentence: str
    who: str | None
    """The signer's name as shown; None when there is none, or when the content is not what was signed."""
    when: str | None
    """The time of signing as shown; None in the same cases."""
    answers: tuple[Answer, ...]
    limits: tuple[str, ...]
    """What this does not tell; the verdict's own note first."""
    next: tuple[str, ...]
    notes: tuple[str, ...]
    """Remarks that belong to no single answer."""


def words(report: VerificationReport, lang: str) -> Words:
    """The words for one report."""
    verdict = report.verdict.value
    kind = headline_kind(report)
    attributed = report.answers.integrity.state is not IntegrityState.BROKEN
    return Words(
        lang=lang,
        tone="caution" if kind in (".expired", ".alone") else TONES[report.verdict],
        headline=sentence(f"verdict-{verdict}{kind}", lang),
        word=sentence(f"verdict-{verdict}.word", lang),
        sentence=verdict_sentence(report, lang),
        who=signer_name(report) if attributed else None,
        when=moment(report.answers.time.signed_at) if attributed else None,
        answers=(
            _integrity(report, lang),
            _signer(report, lang),
            _time(report, lang),
            _revocation(report, lang),
            _ai(report, lang),
        ),
        limits=(
            sentence(f"verdict-{verdict}.{'partly-note' if kind == '.partly' else 'note'}", lang),
            *limits(report, lang),
        ),
        next=next_steps(report, lang, reason(report)),
        notes=notes(report, lang),
    )


def headline_kind(report: VerificationReport) -> str:
    """Which headline a label gets: what merely ran out, or is intact otherwise, is not called broken, and a signer whom a
    list vouches for is not called unknown because of something else in the label.
    """
    if reason(report).startswith("valid-partly"):
        return ".partly"
    if report.verdict is not Verdict.INVALID or report.answers.integrity.state is IntegrityState.BROKEN:
        return ""
    if report.answers.integrity.state is not IntegrityState.INTACT:
        return ".alone" if reason(report) in ("invalid-alone", "invalid-fragments") else ""
    return ".expired" if reason(report) == "invalid-expired" else ".intact"


def moment(value: datetime | None) -> str | None:
    """A time for readers of every language: ``2026-11-23 10:00:05 UTC``."""
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if value else None


def day(value: datetime | None) -> str:
    """The UTC day of a time, ISO 8601; a dash when there is none."""
    return value.astimezone(UTC).strftime("%Y-%m-%d") if value else "—"


def signer_name(report: VerificationReport) -> str | None:
    """Organisation first, because the common name is often a product; both when they differ; None when absent."""
    signer = report.answers.signer
    names = [clean(name) for name in (signer.organization, signer.name) if name and name.strip()]
    unique = list(dict.fromkeys(names))
    return f"{unique[0]} ({unique[1]})" if len(unique) == 2 else unique[0] if unique else None


def reason(report: VerificationReport) -> str:
    """Which of the verdict's sentences fits: the last part of a ``verdict-say-…`` key."""
    match report.verdict:
        case Verdict.VALID if report.answers.signer.state is SignerState.TRUSTED:
            return _why_partly(report)
        case Verdict.VALID:
            listed = report.basis.trust_lists if report.basis else ()
            return "valid" if any(item.purpose in (None, "manifest") for item in listed) else "valid-nolist"
        case Verdict.INVALID:
            kind = _why_invalid(report)
        case Verdict.UNCHECKED:
            kind = _why_unchecked(report)
        case Verdict.UNMARKED:
            kind = "note" if report.answers.ai.strength is Strength.UNSIGNED else ""
        case _:
            kind = ""
    return f"{report.verdict.value}-{kind}" if kind else report.verdict.value


def verdict_sentence(report: VerificationReport, lang: str) -> str:
    """The verdict in one sentence (or two short ones)."""
    listed = report.answers.signer.list
    url = next((item.subject for item in report.findings if item.code == "tanba.c2pa.remote_only"), None)
    return sentence(
        f"verdict-say-{reason(report)}",
        lang,
        signer=signer_name(report) or sentence("answer-signer-nobody", lang),
        list=clean(listed.name) if listed else "—",
        until=day(report.answers.signer.not_after),
        url=clean_or(url, "—", MAX_TEXT),
    )


_CONTENT = ("assertion.dataHash.", "assertion.bmffHash.", "assertion.boxesHash.", "assertion.collectionHash.",
            "assertion.multiAssetHash.", "assertion.hashedURI.", "hashedURI.", "manifest.text.")  # fmt: skip


_SPECIAL = (
    ("tanba.c2pa.store_unreadable", "store"),
    ("tanba.c2pa.needs_fragments", "fragments"),
    ("tanba.c2pa.manifest_alone", "alone"),
    ("tanba.text.restored", "restored"),
    ("tanba.time.future_timestamp", "future"),
)
"""Findings that explain a broken label better than its failure codes do."""


def _why_invalid(report: VerificationReport) -> str:
    failures = [item for item in report.findings if item.bucket is Bucket.FAILURE]
    codes = [item.code for item in failures]
    answers = report.answers
    said = {item.code for item in report.findings}
    if special := next((kind for code, kind in _SPECIAL if code in said), None):
        return special
    if answers.integrity.state is IntegrityState.BROKEN:
        own = [item.code for item in failures if "ingredient" not in item.params]
        if any(code.startswith(_CONTENT) for code in own):
            return "content"
        if any(code.startswith("claimSignature.") and not code.endswith("Validity") for code in own):
            return "signature"
        past = any(code.startswith("ingredient.") for code in codes) or len(own) < len(failures)
        return "history" if past else ""
    if answers.revocation.state is RevocationState.REVOKED:
        return "revoked"
    if answers.time.state is TimeState.EXPIRED:
        return "outside" if "tanba.time.signed_outside_validity" in said else "expired"
    if answers.time.state is TimeState.NOT_YET_VALID:
        return "after" if "tanba.time.signed_after_as_of" in said else "notyet"
    if answers.signer.state is SignerState.INVALID:
        return "signer"
    serious = [item for item in failures if item.code != "signingCredential.untrusted"]
    if serious and all("ingredient" in item.params for item in serious):
        return "history"
    return "identity" if serious and all(item.layer is Layer.CAWG for item in serious) else ""


def _why_partly(report: VerificationReport) -> str:
    """The signer is vouched for and the whole is not: an identity, or an earlier version, stands in the way."""
    failures = [item for item in report.findings if item.bucket is Bucket.FAILURE]
    if any(item.layer is Layer.CAWG and "ingredient" not in item.params for item in failures):
        return "valid-partly-identity"
    return "valid-partly-history" if any("ingredient" in item.params for item in failures) else "valid-partly"


_UNCHECKED = {
    "tanba.c2pa.remote_only": "remote",
    "tanba.c2pa.needs_fragments": "fragments",
    "tanba.c2pa.unsupported": "unsupported",
    "tanba.c2pa.unreadable": "unreadable",
    "tanba.limit.exceeded": "limit",
}


def _why_unchecked(report: VerificationReport) -> str:
    return next((_UNCHECKED[item.code] for item in report.findings if item.code in _UNCHECKED), "")


def _answer(name: str, state: str, text: str, lang: str, tone: Tone) -> Answer:
    return Answer(name, sentence(f"answer-{name}", lang), state, text, tone)


def _integrity(report: VerificationReport, lang: str) -> Answer:
    state = report.answers.integrity.state
    tones: dict[IntegrityState, Tone] = {IntegrityState.INTACT: "good", IntegrityState.BROKEN: "bad"}
    text = sentence(f"answer-integrity-{state.value}", lang)
    return _answer("integrity", state.value, text, lang, tones.get(state, "neutral"))


def signer_sentence(report: VerificationReport, lang: str) -> str:
    """Who signed, and whether a list of the reader's vouches for that name."""
    signer = report.answers.signer
    key = f"answer-signer-{signer.state.value}"
    if signer.state is SignerState.TRUSTED and signer.list and signer.list.date:
        key += "-dated"
    return sentence(
        key,
        lang,
        signer=signer_name(report) or sentence("answer-signer-nobody", lang),
        list=clean(signer.list.name) if signer.list else "—",
        date=clean(signer.list.date) if signer.list else "—",
    )


def _signer(report: VerificationReport, lang: str) -> Answer:
    signer = report.answers.signer
    tones: dict[SignerState, Tone] = {
        SignerState.TRUSTED: "good",
        SignerState.UNKNOWN: "caution",
        SignerState.INVALID: "bad",
        SignerState.ABSENT: "neutral",
    }
    text = signer_sentence(report, lang)
    tone = tones[signer.state]
    if report.answers.integrity.state is IntegrityState.BROKEN and signer.state is not SignerState.ABSENT:
        # C2PA 2.4 section 15.3: content that fails must not be attributed to the signer.
        text += " " + sentence("answer-signer-otherwise", lang)
        tone = "caution" if tone == "good" else tone
    if signer.issuer and signer.state is SignerState.UNKNOWN:
        text += " " + sentence("answer-signer-issuer", lang, issuer=clean(signer.issuer))
    return _answer("signer", signer.state.value, text, lang, tone)


def _time(report: VerificationReport, lang: str) -> Answer:
    time, signer = report.answers.time, report.answers.signer
    key = f"answer-time-{time.state.value}"
    tone: Tone = "neutral"
    authority = time.authority or {}
    vouching = authority.get("list") or {}
    match time.state:
        case TimeState.TIMESTAMPED:
            vouched = bool(vouching)
            key += "-by" if vouching.get("name") else "" if vouched else "-unvouched"
            tone = "good" if vouched else "caution"
        case TimeState.CLAIMED:
            stamped = time.source == "rfc3161" and time.signed_at is not None
            key = "answer-time-timestamped-unvouched" if stamped else key + ("" if time.signed_at else "-unknown")
            tone = "caution"
        case TimeState.EXPIRED:
            key += _expired(report)
            tone = "bad"
        case TimeState.NOT_YET_VALID:
            after = any(item.code == "tanba.time.signed_after_as_of" for item in report.findings)
            key, tone = ("answer-time-after" if after and time.signed_at else key), "bad"
        case TimeState.ABSENT:
            key += ""
    names = [clean(name) for name in (authority.get("organization"), authority.get("name")) if name]
    text = sentence(
        key,
        lang,
        when=moment(time.signed_at) or "—",
        authority=" — ".join(dict.fromkeys(names)) or sentence("answer-time-nobody", lang),
        list=clean_or(vouching.get("name"), "—"),
        until=day(signer.not_after),
        **{"from": day(signer.not_before)},
    )
    if time.as_of:
        text += " " + sentence("answer-time-asof", lang, when=moment(time.as_of))
    return _answer("time", time.state.value, text, lang, tone)


def _expired(report: VerificationReport) -> str:
    """What is known about the moment when an expired certificate was used."""
    time = report.answers.time
    if not time.signed_at:
        return ""
    if time.source == "rfc3161":
        return "-stamped"
    outside = any(item.code == "tanba.time.signed_outside_validity" for item in report.findings)
    return "-outside" if outside else "-claimed"


def _revocation(report: VerificationReport, lang: str) -> Answer:
    found = report.answers.revocation
    tones: dict[RevocationState, Tone] = {RevocationState.GOOD: "good", RevocationState.REVOKED: "bad"}
    key = f"answer-revocation-{found.state.value}"
    if found.state is RevocationState.NOT_CHECKED and report.answers.signer.state is SignerState.ABSENT:
        key = "answer-revocation-nothing"
    elif found.state is RevocationState.REVOKED and found.since:
        key += "-since"
    source = f"answer-revocation-source-{found.source}"
    text = sentence(
        key,
        lang,
        source=sentence(source if has(source) else "answer-revocation-source-none", lang),
        since=moment(found.since) or "—",
        reason=clean_or(found.reason, sentence("answer-revocation-reason-none", lang)),
    )
    return _answer("revocation", found.state.value, text, lang, tones.get(found.state, "neutral"))


def _ai(report: VerificationReport, lang: str) -> Answer:
    found = report.answers.ai
    who = signer_name(report) or sentence("answer-ai-somebody", lang)
    what = sentence(f"answer-ai-{found.state.value}", lang)
    if found.strength is Strength.HEURISTIC and found.state is AiState.NONE_DECLARED:
        key = "answer-ai-heuristic"
    elif found.state is AiState.NONE_DECLARED or found.strength is Strength.NONE:
        signed = report.answers.integrity.state is IntegrityState.INTACT
        key = "answer-ai-silent-signed" if signed else "answer-ai-silent"
    elif found.strength is Strength.SIGNED:
        key = "answer-ai-signed"
    else:
        in_label = any(item.layer is Layer.C2PA and item.involvement is found.state for item in found.statements)
        key = "answer-ai-broken" if in_label else "answer-ai-unsigned"
    text = sentence(key, lang, who=who, what=what)
    return _answer("ai", found.state.value, text, lang, "neutral")
