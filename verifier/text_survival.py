"""Does a mark survive a journey? Asked of the verifier itself, so that the answer is what a reader would get."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tanba.engine.read import EvidenceStatus
from tanba.limits import DEFAULT_LIMITS, Limits
from tanba.text.evidence import read_marked
from tanba.trust import TrustStore
from verifier.text_damage import examine

_NO_TRUST = TrustStore.empty()


class Survival(StrEnum):
    """What is left of a mark at the other end."""

    SURVIVES = "survives"
    """The label is intact."""
    RECOVERABLE = "recoverable"
    """The label is invalid as it stands; undoing the transport damage makes it intact."""
    LOST = "lost"
    """The mark is gone, or the text cannot be brought back to what was signed."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer for one journey."""

    survival: Survival
    detail: str
    """Codes or status in a few words."""


def outcome(
    arrived: bytes, media_type: str, *, manifest: bytes | None = None, limits: Limits = DEFAULT_LIMITS
) -> Outcome:
    """Judge what arrived; ``manifest`` is the sidecar that travelled beside it."""
    reading = read_marked(arrived, media_type, trust=_NO_TRUST, limits=limits, manifest=manifest)
    if reading.evidence.status is not EvidenceStatus.FOUND:
        return Outcome(Survival.LOST, "no mark" if reading.evidence.status is EvidenceStatus.ABSENT else "mark broken")
    if reading.evidence.state != "Invalid":
        return Outcome(Survival.SURVIVES, "intact")
    damage = examine(arrived, reading)
    if damage.restored is not None:
        return Outcome(Survival.RECOVERABLE, ", ".join(step.removeprefix("tanba.text.") for step in damage.steps))
    return Outcome(Survival.LOST, "text changed")
