"""What the pre-flight finds: a stable code, a weight, words and a cure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Weight(StrEnum):
    """How grave a fault is."""

    ERROR = "error"
    """Signing is refused, or what is signed is invalid everywhere."""
    WARNING = "warning"
    """It works today and here, but not always or everywhere."""
    NOTE = "note"
    """Worth knowing."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, or about to be."""

    code: str
    """``tanba.keys.check.<what>``, stable."""
    weight: Weight
    message: str
    cure: str


def fault(what: str, weight: Weight, message: str, cure: str) -> Fault:
    return Fault(f"tanba.keys.check.{what}", weight, message, cure)
