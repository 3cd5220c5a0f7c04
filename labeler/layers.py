"""Steps (4) and (5): the layers that change bytes before the signature, and the proof that they are there.

Each step takes the asset as the step before left it and makes a new one; the input is never touched.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from labeler.plan import LabelPlan
from tanba.asset import Asset
from tanba.limits import Limits
from tanba.model import Disclosure
from tanba.profiles import Profile


@dataclass(frozen=True, slots=True)
class Prepared:
    """The asset as it goes to the signature."""

    asset: Asset
    done: tuple[str, ...] = ()
    """``visible``, ``metadata``: becomes actions of the manifest."""
    alt_text: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def apply(
    asset: Asset,
    disclosure: Disclosure,
    plan: LabelPlan,
    profiles: Sequence[Profile],
    placement: str | None,
    limits: Limits,
    stack: contextlib.ExitStack,
) -> Prepared:
    """Draw and write what the plan says."""
    return Prepared(asset)


def check(made: Asset, plan: LabelPlan, limits: Limits) -> None:
    """Read the unsigned layers back."""
