"""What a request for a label is answered with: an issued label, or that its Idempotency-Key is being worked on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from service.db.models import Label
from service.problems import InFlight
from tanba.wire import to_compact


@dataclass(frozen=True, slots=True)
class Issued:
    """An issued label as it is answered."""

    label_id: str
    receipt: dict[str, Any]
    body: bytes
    """The receipt as JSON."""
    media_type: str
    content: bytes | None = field(default=None, repr=False)
    """The labelled bytes, when they are at hand."""
    replayed: bool = False


def replayed(row: Label) -> Issued:
    """The answer that a repeat gets, out of the label's row."""
    return Issued(row.id, row.receipt, to_compact(row.receipt), row.media_type, replayed=True)


def in_flight(seconds: float) -> InFlight:
    """The answer to a request whose key is being worked on."""
    return InFlight(
        "a request with this Idempotency-Key is being worked on",
        hint="send the same request again after Retry-After",
        details={"retry_after": seconds},
    )
