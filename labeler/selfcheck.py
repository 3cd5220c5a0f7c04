"""Step (8): what was written is read back, once, and compared with what was meant. Nothing is handed out before.

The engine signs with its own verify-after-sign off, because that one checks less (not the asset's hash) and would read
everything a second time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tanba.asset import Asset
from tanba.engine import read as engine
from tanba.engine.definition import PARENT_LABEL
from tanba.engine.prescan import Prescan
from tanba.engine.read import Evidence, EvidenceStatus
from tanba.errors import CredentialError, LabelingError, SelfCheckFailed
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
    if not detached and evidence.store != store:
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


def _check_state(evidence: Evidence) -> None:
    failures = [code for code in evidence.codes_in(Bucket.FAILURE) if code != _UNKNOWN_SIGNER]
    own = [item.code for item in evidence.codes if item.bucket is Bucket.FAILURE and "ingredient" not in item.params]
    own = [code for code in own if code != _UNKNOWN_SIGNER]
    if own:
        raise _failed(own)
    if evidence.state == "Invalid":
        raise _failed(failures)
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
