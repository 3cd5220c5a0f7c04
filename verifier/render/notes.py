"""Remarks of our own that belong to none of the five answers: contradictions, damage on the way, odd metadata, lists."""

from __future__ import annotations

from collections.abc import Iterator

from tanba.codes import CATALOGUE, text_key
from tanba.i18n import has, sentence
from tanba.report import Finding, SignerState, TimeState, VerificationReport
from verifier.render.safe import clean

_SAID = frozenset(
    {
        "tanba.limit.exceeded",
        "tanba.revocation.not_asked",
        "tanba.revocation.revoked",
        "tanba.text.restored",
        "tanba.time.as_of",
        "tanba.time.authority_unknown",
        "tanba.time.expired_unknown_when",
        "tanba.time.expired_without_timestamp",
        "tanba.time.future_timestamp",
        "tanba.time.not_yet_valid",
        "tanba.time.rests_on_claim",
        "tanba.time.signed_after_as_of",
        "tanba.time.signed_outside_validity",
        "tanba.trust.no_lists",
    }
)
"""Codes whose meaning the answers, the limits or the verdict's sentence already say."""
_MOST = 12


def notes(report: VerificationReport, lang: str) -> tuple[str, ...]:
    """One sentence per remark, without repetition, in the order of the findings."""
    return tuple(dict.fromkeys(_notes(report, lang)))[:_MOST]


def _notes(report: VerificationReport, lang: str) -> Iterator[str]:
    stamped = report.answers.time.source == "rfc3161"
    for item in report.findings:
        if item.code == "tanba.trust.no_tsa_list" and not stamped:
            continue
        if item.code in _LIST_STATES and not _turns_on(item, report):
            continue
        own = item.code in CATALOGUE and item.code.startswith("tanba.") and not item.code.startswith("tanba.c2pa.")
        if own and item.code not in _SAID:
            yield note(item, lang)


_LIST_STATES = ("tanba.trust.list_frozen", "tanba.trust.list_old", "tanba.trust.list_undated")


def _turns_on(item: Finding, report: VerificationReport) -> bool:
    """Whether an answer could be another one with a newer copy of the list: then its age belongs into the prose.

    The age of the list that vouches for the signer stands among the limits.
    """
    answers = report.answers
    name = item.params.get("list")
    purpose = (
        next((ref.purpose for ref in report.basis.trust_lists if ref.name == name), None) if report.basis else None
    )
    if purpose == "tsa":
        return answers.time.source == "rfc3161" and answers.time.state is not TimeState.TIMESTAMPED
    if purpose == "cawg":
        return any(node.identities for node in report.history)
    return answers.signer.state is SignerState.UNKNOWN


def note(item: Finding, lang: str) -> str:
    """The sentence for one remark, with its details where the catalogue has a place for them."""
    key = f"note-{item.code.replace('.', '-')}"
    if not has(key):
        return sentence(text_key(item.code), lang)
    params = {name: clean(value) if isinstance(value, str) else value for name, value in item.params.items()}
    try:
        return sentence(key, lang, **params)
    except TypeError:
        # A stored report of another version may lack a value that this sentence names.
        return sentence(text_key(item.code), lang)
