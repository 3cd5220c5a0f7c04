"""Step (1): does the input carry a label already, and may it be kept as history?

An intact label becomes the parent ingredient. One that fails, that cannot be read, or that lies elsewhere is refused,
unless the caller insists; then the new label says so. A manifest is never silently replaced.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tanba.asset import Asset
from tanba.engine.read import Evidence, EvidenceStatus, read
from tanba.errors import AlreadyLabelled, MalformedAsset, UsageError
from tanba.limits import Limits
from tanba.model import DigitalSourceType
from tanba.report import Bucket
from tanba.trust import TrustStore

REMOTE = "tanba.label.parent_remote"
UNREADABLE = "tanba.label.parent_unreadable"
SIDECAR = "tanba.label.parent_in_sidecar"

_CREDENTIAL = ("signingCredential.", "timeStamp.", "cawg.")
"""Codes about who signed and when, not about the content: such a parent is intact and stays history."""

_AI_TERMS = frozenset(
    {
        DigitalSourceType.TRAINED_ALGORITHMIC_MEDIA.uri,
        DigitalSourceType.COMPOSITE_WITH_TRAINED_ALGORITHMIC_MEDIA.uri,
        DigitalSourceType.COMPOSITE_SYNTHETIC.uri,
        DigitalSourceType.TRAINED_ALGORITHMIC_DATA.uri,
    }
)
"""The four terms of the C2PA "Perceptible GenAI Transformations" signal."""

_INSIST = "--accept-tampered-parent (accept_tampered_parent=True) labels it all the same, and the new label says so"


@dataclass(frozen=True, slots=True)
class Parent:
    """The asset that becomes the parent ingredient."""

    asset: Asset
    is_input: bool
    labelled: bool
    problem: tuple[str, ...] = ()
    """Codes for which its label fails; only when the caller insisted."""
    declares_ai: bool = False
    """Its active label says that AI made or changed it."""
    warnings: tuple[str, ...] = ()


def find_parent(
    asset: Asset,
    original: Asset | None,
    *,
    accept_tampered: bool,
    trust: TrustStore,
    limits: Limits,
) -> Parent | None:
    """The parent of the new label, or None when nothing came before.

    Raises :class:`AlreadyLabelled` for a label that cannot be kept, :class:`UsageError` when the input is labelled and
    another original is named too, :class:`MalformedAsset` for an unreadable file.
    """
    found = _examine(asset, is_input=True, accept=accept_tampered, trust=trust, limits=limits)
    if original is None:
        return found
    if found is not None:
        raise UsageError(
            "the input carries a label already, and that becomes the parent",
            hint="leave out --parent, or label the unlabelled file",
        )
    kept = _examine(original, is_input=False, accept=accept_tampered, trust=trust, limits=limits)
    return kept or Parent(original, is_input=False, labelled=False)


def _examine(asset: Asset, *, is_input: bool, accept: bool, trust: TrustStore, limits: Limits) -> Parent | None:
    evidence = read(asset, trust=trust, limits=limits)
    match evidence.status:
        case EvidenceStatus.FOUND:
            return _labelled(asset, evidence, is_input=is_input, accept=accept)
        case EvidenceStatus.REMOTE_ONLY:
            return _refuse_or_note(
                asset,
                REMOTE,
                f"the label of {_name(asset)} is not in the file but at {evidence.remote_url}",
                is_input=is_input,
                accept=accept,
            )
        case EvidenceStatus.MALFORMED:
            return _refuse_or_note(
                asset,
                UNREADABLE,
                f"{_name(asset)} carries a label that cannot be read: {evidence.error}",
                is_input=is_input,
                accept=accept,
            )
        case EvidenceStatus.OVER_LIMIT:
            raise AlreadyLabelled(
                f"{_name(asset)} carries a label that is over the limits: {evidence.error}",
                code="tanba.label.parent_over_limit",
            )
        case EvidenceStatus.UNREADABLE:
            raise MalformedAsset(
                f"{_name(asset)} cannot be read: {evidence.error}", hint="is it complete, and of the type it claims?"
            )
        case EvidenceStatus.UNSUPPORTED if asset.format.readable:
            raise AlreadyLabelled(
                f"{_name(asset)} carries a label of a kind that cannot be kept as history: {evidence.error}",
                code="tanba.label.parent_unsupported",
                hint="label the original that has no such label",
            )
    if _sidecar(asset) is not None:
        return _refuse_or_note(
            asset,
            SIDECAR,
            f"{_name(asset)} has its label in a sidecar file beside it",
            is_input=is_input,
            accept=accept,
        )
    return None


def _labelled(asset: Asset, evidence: Evidence, *, is_input: bool, accept: bool) -> Parent:
    failures = tuple(
        dict.fromkeys(
            item.code for item in evidence.codes if item.bucket is Bucket.FAILURE and "ingredient" not in item.params
        )
    )
    broken = tuple(code for code in failures if not code.startswith(_CREDENTIAL))
    if evidence.state == "Invalid" and not failures:
        broken = ("general.error",)
    warnings: tuple[str, ...] = ()
    if broken and not accept:
        raise AlreadyLabelled(
            f"the label of {_name(asset)} fails: {', '.join(broken)}",
            hint=f"the file was changed after it was labelled; {_INSIST}",
            details={"codes": list(broken)},
        )
    if broken:
        warnings = (f"the label of the parent fails ({', '.join(broken)}); the new label says so",)
    expired = [code for code in failures if code.startswith(_CREDENTIAL) and code != "signingCredential.untrusted"]
    if expired:
        warnings += (f"the label of the parent is intact, but its credential fails: {', '.join(expired)}",)
    return Parent(asset, is_input, labelled=True, problem=broken, declares_ai=_declares_ai(evidence), warnings=warnings)


def _refuse_or_note(asset: Asset, code: str, words: str, *, is_input: bool, accept: bool) -> Parent:
    if not accept:
        raise AlreadyLabelled(words, code=code, hint=_INSIST)
    return Parent(asset, is_input, labelled=True, problem=(code,), warnings=(f"{words}; the new label says so",))


def _declares_ai(evidence: Evidence) -> bool:
    for assertion in evidence.manifest().get("assertions", ()):
        if str(assertion.get("label", "")).startswith("c2pa.actions"):
            actions = (assertion.get("data") or {}).get("actions") or ()
            if any(isinstance(item, dict) and item.get("digitalSourceType") in _AI_TERMS for item in actions):
                return True
    return False


def _sidecar(asset: Asset) -> Path | None:
    if asset.path is None:
        return None
    beside = asset.path.with_name(asset.path.name + ".c2pa")
    return beside if beside.is_file() else None


def _name(asset: Asset) -> str:
    return asset.name or "the input"
