"""Step (8): what was written is read back, once, and compared with what was meant. Nothing is handed out before.

The engine signs with its own verify-after-sign off, because that one checks less (not the asset's hash) and would read
everything a second time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tanba import jumbf
from tanba.asset import Asset
from tanba.engine import read as engine
from tanba.engine.definition import PARENT_LABEL
from tanba.engine.prescan import Prescan
from tanba.engine.read import Evidence, EvidenceStatus
from tanba.errors import CredentialError, LabelingError, MalformedAsset, SelfCheckFailed
from tanba.limits import Limits
from tanba.report import Bucket
from tanba.trust import TrustStore

_OWN_STORE = Prescan(superboxes=0, store_marked=True, costly=False, over_limit=False)
"""Our own output needs no scan for hostile stores."""

_HARD_BINDINGS = frozenset(
    {"assertion.dataHash.match", "assertion.bmffHash.match", "assertion.boxesHash.match",
     "assertion.collectionHash.match"}
)  # fmt: skip
_UNKNOWN_SIGNER = "signingCredential.untrusted"
_CREDENTIAL = ("signingCredential.", "timeStamp.")


def check(
    output: Asset,
    definition: Mapping[str, Any],
    store: bytes,
    *,
    trust: TrustStore,
    limits: Limits,
    detached: bool = False,
) -> Evidence:
    """Read ``output`` back and prove it: state, hard binding, the very store that was signed, every planned assertion.

    Raises :class:`CredentialError` when only the signing credential is at fault, :class:`SelfCheckFailed` otherwise.
    """
    evidence = engine.read_here(
        output, trust, limits, store if detached else None, False, _OWN_STORE, certificates=False
    )
    if evidence.status is not EvidenceStatus.FOUND:
        raise SelfCheckFailed(f"the label that was written cannot be read back: {evidence.error or evidence.status}")
    _check_state(evidence)
    signed = _manifests(store)
    if not signed or evidence.active not in signed or (not detached and _manifests(evidence.store or b"") != signed):
        raise SelfCheckFailed("the label read back is not the one that was signed")
    found = {item.get("label"): item.get("data") for item in evidence.manifest().get("assertions", ())}
    for planned in definition["assertions"]:
        label = str(planned["label"])
        if label.startswith("c2pa.hash."):
            continue
        if label not in found:
            raise SelfCheckFailed(f"the assertion {label} is missing in what was written")
        _compare(label, planned["data"], found[label])
    return evidence


def _manifests(store: bytes) -> dict[str, bytes]:
    """The manifests of a store by label; the engine hands out those of ingredients in any order."""
    try:
        return {item.label: store[item.box.offset : item.box.end] for item in jumbf.manifests(store)}
    except MalformedAsset:
        return {}


def _check_state(evidence: Evidence) -> None:
    """Nothing may fail about the new manifest itself.

    What fails about its ingredients, or about the CAWG identities of earlier signers (our own manifests hold none), was
    so before and stays in the history; the engine calls the whole file invalid for some of it.
    """
    failures = [item for item in evidence.codes if item.bucket is Bucket.FAILURE and item.code != _UNKNOWN_SIGNER]
    own = [item.code for item in failures if "ingredient" not in item.params and not item.code.startswith("cawg.")]
    if own or (evidence.state == "Invalid" and not failures):
        raise _failed(own)
    if not _HARD_BINDINGS.intersection(evidence.codes_in(Bucket.SUCCESS)):
        raise SelfCheckFailed("nothing binds the label to the content that was written")


def _failed(codes: list[str]) -> LabelingError | CredentialError:
    words = ", ".join(codes) or "no code"
    if codes and all(code.startswith(_CREDENTIAL) for code in codes):
        return CredentialError(
            f"the signing certificate does not validate: {words}",
            hint="run `tanba keys check` on it; `tanba explain CODE` says what a code means",
            details={"codes": codes},
        )
    return SelfCheckFailed(f"the label that was written does not validate: {words}", details={"codes": codes})


def _compare(where: str, planned: Any, found: Any) -> None:
    """Every planned value must stand in what was read; the engine may add keys and resolves ingredient names."""
    if isinstance(planned, Mapping):
        for key, value in planned.items():
            if key == "ingredientIds":
                _check_resolved(where, planned, found)
                continue
            if not isinstance(found, Mapping) or key not in found:
                raise SelfCheckFailed(f"{where}.{key} is missing in what was written")
            _compare(f"{where}.{key}", value, found[key])
    elif isinstance(planned, list):
        if not isinstance(found, list) or len(found) != len(planned):
            raise SelfCheckFailed(f"{where} has not the entries that were planned")
        for index, value in enumerate(planned):
            _compare(f"{where}[{index}]", value, found[index])
    elif planned != found:
        raise SelfCheckFailed(f"{where} is not what was planned")


def _check_resolved(where: str, planned: Mapping[str, Any], found: Any) -> None:
    resolved = found.get("ingredients") if isinstance(found, Mapping) else None
    if not resolved or len(resolved) != len(planned["ingredientIds"]):
        raise SelfCheckFailed(f"{where}: the action does not point to its ingredient ({PARENT_LABEL})")
