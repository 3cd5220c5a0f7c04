"""The receipt of one label (``tanba.receipt/1``): what was signed, by whom, when, and what the caller should know."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

from labeler.parent import Parent
from labeler.plan import ORDER, LabelPlan
from tanba.asset import Asset
from tanba.engine.read import Evidence
from tanba.model import Disclosure, IdentityRef, LabelReceipt
from tanba.protocols import Signer
from tanba.wire import rfc3339

_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", re.DOTALL)


class Marks(Protocol):
    """What the layers before the signature left behind."""

    @property
    def alt_text(self) -> Mapping[str, str]: ...
    @property
    def warnings(self) -> tuple[str, ...]: ...
    @property
    def written(self) -> tuple[str, ...]: ...


def make_receipt(
    asset: Asset,
    made: Asset,
    store: bytes,
    evidence: Evidence,
    signer: Signer,
    disclosure: Disclosure,
    plan: LabelPlan,
    *,
    moment: datetime,
    output: Path | None,
    parent: Parent | None,
    marks: Marks,
    remind_of_time: bool = True,
) -> LabelReceipt:
    """The receipt, from what was read back rather than from what was meant."""
    timestamp = _timestamp(evidence)
    warnings = [*(parent.warnings if parent else ()), *marks.warnings, *plan.warnings]
    if parent is not None and parent.declares_ai and not disclosure.is_ai:
        warnings.append("the parent's own label says that AI made or changed it; that stays in the history")
    warnings += [f"{item.layer}: {item.reason}" for item in plan.impossible]
    if timestamp is None and remind_of_time:
        warnings.append(no_timestamp_warning(signer.chain_pem))
    return LabelReceipt(
        label_id=str(evidence.active),
        input_sha256=asset.sha256,
        output_sha256=made.sha256,
        manifest_sha256=hashlib.sha256(store).hexdigest(),
        media_type=asset.format.media_type,
        carrier=plan.carrier,
        profile=plan.profiles,
        layers=_layers(marks.written, timestamp),
        identity=IdentityRef(signer.name, leaf_fingerprint(signer.chain_pem)),
        claimed_at=moment,
        timestamp=timestamp,
        output=str(output) if output else None,
        warnings=tuple(warnings),
        alt_text=dict(marks.alt_text),
    )


def _layers(written: tuple[str, ...], timestamp: Mapping[str, Any] | None) -> tuple[str, ...]:
    """What is really in the file, in the plan's order."""
    present = {*written, "c2pa", *(("timestamp",) if timestamp else ())}
    return tuple(layer for layer in ORDER if layer in present)


def _timestamp(evidence: Evidence) -> dict[str, Any] | None:
    codes = {item.code for item in evidence.codes}
    if "timeStamp.validated" not in codes:
        return None
    time = (evidence.manifest().get("signature_info") or {}).get("time")
    moment = rfc3339(datetime.fromisoformat(time)) if isinstance(time, str) else None
    return {"time": moment, "trusted": "timeStamp.trusted" in codes}


@lru_cache(maxsize=64)
def leaf_fingerprint(chain_pem: bytes) -> str:
    """SHA-256 of the first certificate of a chain, lower-case hex; empty when there is none."""
    match = _PEM.search(chain_pem)
    return hashlib.sha256(base64.b64decode(match[1])).hexdigest() if match else ""


@lru_cache(maxsize=64)
def no_timestamp_warning(chain_pem: bytes) -> str:
    """What a label without a time stamp means, with the day on which it stops validating (C2PA 2.4 section 15.8)."""
    from cryptography import x509

    try:
        end = x509.load_pem_x509_certificate(chain_pem).not_valid_after_utc
    except ValueError:
        return "no time stamp: the label stops validating when the signing certificate ends"
    return (
        f"no time stamp: the label stops validating when the signing certificate ends, {end.astimezone(UTC):%Y-%m-%d}"
    )
