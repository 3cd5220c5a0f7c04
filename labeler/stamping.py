"""Labelling with a time stamp that may fail: the seam between the pipeline and whoever fetches the stamps.

The pipeline takes one address. Who stands behind it (several authorities in order, a time limit, what to do when none
answers) is decided by the caller's :class:`Stamper`, in practice ``keys.timestamping``.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Protocol, TypeVar

from labeler.options import Labelled
from tanba.errors import TimestampError

T = TypeVar("T")


class Stamper(Protocol):
    """Runs a labelling with an address for its stamp, and again without one when its policy allows that."""

    def sign(self, call: Callable[[str | None], T]) -> T:
        """``call(url)``; raises :class:`TimestampError`, or ``call(None)``, when no stamp could be had."""
        ...

    @property
    def missing(self) -> tuple[TimestampError, ...]:
        """Why labels were signed without a stamp."""
        ...


StamperSource = Callable[[], AbstractContextManager[Stamper]]
"""Opens a stamper, once in every worker process; must be picklable."""


def stamped(stamper: Stamper | None, call: Callable[[str | None], Labelled]) -> Labelled:
    """Label with a stamp; a receipt without one says why. Raises what ``call`` raises, and :class:`TimestampError`."""
    if stamper is None:
        return call(None)
    known = len(stamper.missing)
    done = stamper.sign(call)
    reasons = tuple(f"signed without a time stamp: {error.message}" for error in stamper.missing[known:])
    return replace(done, receipt=replace(done.receipt, warnings=reasons + done.receipt.warnings)) if reasons else done
