"""What a report does not tell, and what a journalist can do next. Follows from the report's states, adds no judgement."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

from tanba.i18n import sentence
from tanba.report import (
    AiState,
    HistoryNode,
    LayerState,
    RevocationState,
    SignerState,
    Strength,
    TimeAnswer,
    TimeState,
    TrustListRef,
    Verdict,
    VerificationReport,
)
from tanba.trustdir import OLD_AFTER_DAYS
from verifier.render.safe import clean, suspicions


def limits(report: VerificationReport, lang: str) -> tuple[str, ...]:
    """What this report does not tell, most important first."""
    return tuple(_limits(report, lang))


def _limits(report: VerificationReport, lang: str) -> Iterator[str]:
    answers = report.answers
    signed = answers.signer.state is not SignerState.ABSENT
    yield sentence("advice-limit-truth", lang)
    if answers.ai.state is AiState.NONE_DECLARED:
        yield sentence("advice-limit-ai", lang)
    else:
        yield sentence("advice-limit-ai-trust", lang)
    if answers.ai.state in (AiState.GENERATED, AiState.MODIFIED, AiState.COMPOSITE):
        yield sentence("advice-limit-ai-law", lang)
    unvouched = answers.time.state is TimeState.TIMESTAMPED and not (answers.time.authority or {}).get("list")
    if unvouched or answers.time.state in (TimeState.CLAIMED, TimeState.EXPIRED):
        yield sentence(_time_limit(answers.time), lang)
    if signed and answers.revocation.state in (RevocationState.NOT_CHECKED, RevocationState.UNKNOWN):
        yield sentence("advice-limit-revocation", lang)
    if answers.signer.list:
        yield from _list_age(report, answers.signer.list, lang)
    nodes = list(walk(report.history))
    if len(nodes) > 1:
        yield sentence("advice-limit-history", lang)
    if any(node.redacted for node in nodes):
        yield sentence("advice-limit-redacted", lang)
    if any(node.identities for node in nodes):
        yield sentence("advice-limit-identity", lang)
    if report.verdict is Verdict.UNMARKED and any(
        layer.kind in ("watermark", "fingerprint") and layer.state is LayerState.NOT_CHECKED for layer in report.layers
    ):
        yield sentence("advice-limit-marks", lang)


def _time_limit(time: TimeAnswer) -> str:
    """Whose word the time of signing is, when no list vouches for it."""
    if time.signed_at is None:
        return "advice-limit-time-none"
    return "advice-limit-time-stamp" if time.source == "rfc3161" else "advice-limit-time"


def _list_age(report: VerificationReport, used: TrustListRef, lang: str) -> Iterator[str]:
    days = list_age(report, used)
    said = {item.code for item in report.findings if item.params.get("list") == used.name}
    if "tanba.trust.list_frozen" in said:
        yield sentence("advice-limit-list-frozen", lang, list=clean(used.name))
    elif days is None or not used.dated:
        yield sentence("advice-limit-list-undated", lang, list=clean(used.name))
    elif days > OLD_AFTER_DAYS:
        yield sentence("advice-limit-list-old", lang, list=clean(used.name), days=days)


def list_age(report: VerificationReport, used: TrustListRef) -> int | None:
    """Days between the list's date and the check; None when either is unknown or is no ISO date."""
    return age_days(used, report.basis.checked_at if report.basis else None)


def age_days(used: TrustListRef, checked: datetime | None) -> int | None:
    """Days between the list's date and ``checked``; None when either is unknown or is no ISO date."""
    try:
        made = date.fromisoformat((used.date or "")[:10])
    except ValueError:
        return None
    return max(0, (checked.astimezone(UTC).date() - made).days) if isinstance(checked, datetime) else None


def next_steps(report: VerificationReport, lang: str, reason: str) -> tuple[str, ...]:
    """What to do next. ``reason`` is :func:`verifier.render.words.reason`."""
    return tuple(_next(report, lang, reason))


_STEPS: dict[str, tuple[str, ...]] = {
    "trusted": ("trusted",),
    "valid": ("valid",),
    "valid-nolist": ("valid-nolist", "valid"),
    "valid-partly": ("valid-partly",),
    "valid-partly-identity": ("invalid-identity",),
    "valid-partly-history": ("invalid-history",),
    "invalid": ("invalid",),
    "invalid-expired": ("invalid-expired", "invalid"),
    "invalid-revoked": ("invalid-revoked",),
    "invalid-history": ("invalid-history", "invalid"),
    "invalid-fragments": ("unchecked-fragments",),
    "invalid-alone": ("invalid-alone",),
    "invalid-restored": ("invalid-restored",),
    "invalid-identity": ("invalid-identity",),
    "unmarked": ("unmarked", "unmarked-search"),
    "unchecked": ("unchecked",),
    "unchecked-remote": ("unchecked-remote", "unchecked"),
    "unchecked-fragments": ("unchecked-fragments",),
    "recovered": ("recovered",),
}


def _next(report: VerificationReport, lang: str, reason: str) -> Iterator[str]:
    for step in _STEPS.get(reason) or _STEPS[report.verdict.value]:
        yield sentence(f"advice-do-{step}", lang)
    if any(item.code == "tanba.coherence.layers_disagree" for item in report.findings):
        yield sentence("advice-do-disagree", lang)
    if report.second_opinion and report.second_opinion.get("agrees") is False:
        yield sentence("advice-do-engines", lang)
    for name in _old_lists(report):
        yield sentence("advice-do-list-old", lang, list=clean(name))
    if any(suspicions(name) for name in names_shown(report)):
        yield sentence("advice-do-names", lang)


def _old_lists(report: VerificationReport) -> Iterator[str]:
    """Old lists on which this answer turns: the one that vouches, or all that might have known an unknown signer.

    Nobody can update a list that its publisher gave up.
    """
    used = report.answers.signer.list
    if used:
        frozen = any(
            item.code == "tanba.trust.list_frozen" and item.params.get("list") == used.name for item in report.findings
        )
        yield from [used.name] if (list_age(report, used) or 0) > OLD_AFTER_DAYS and not frozen else ()
        return
    old = [str(item.params["list"]) for item in report.findings if item.code == "tanba.trust.list_old"]
    purposes = {item.name: item.purpose for item in report.basis.trust_lists} if report.basis else {}
    if report.answers.signer.state is SignerState.UNKNOWN:
        yield from (name for name in old if purposes.get(name) in (None, "manifest"))


def names_shown(report: VerificationReport) -> Iterator[str]:
    """Names out of the file that a reader will rely on."""
    signer = report.answers.signer
    yield from (name for name in (report.asset.name, signer.name, signer.organization, signer.issuer) if name)
    for node in walk(report.history):
        yield from (name for name in (node.title, node.software, node.signer) if name)


def walk(nodes: tuple[HistoryNode, ...]) -> Iterator[HistoryNode]:
    """Every node of a history, depth first, without recursion (histories come from files)."""
    stack = list(reversed(nodes))
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(node.ingredients))


def is_signed_ai(report: VerificationReport) -> bool:
    """Whether a signed statement says that AI made or changed the content."""
    ai = report.answers.ai
    return ai.strength is Strength.SIGNED and ai.state in (AiState.GENERATED, AiState.MODIFIED, AiState.COMPOSITE)
