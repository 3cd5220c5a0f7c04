"""Labelling with a time stamp that may fail: the seam between the pipeline and whoever fetches the stamps.

The pipeline takes one address. Who stands behind it (several authorities in order, a time limit, what to do when none
answers) is decided by the caller's :class:`Stamper`, in practice ``keys.timestamping``. A label that shall be stamped
later is made so that it can be.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from labeler.options import Labelled, LabelOptions
from labeler.pipeline import label, plan
from tanba.asset import Asset
from tanba.engine.update import LaterStamp, later_stamp
from tanba.errors import TimestampError
from tanba.model import Carrier, Disclosure
from tanba.protocols import Signer

T = TypeVar("T")


class Stamper(Protocol):
    """Runs a labelling with an address for its stamp, and again without one when its policy allows that."""

    def attempt(
        self, call: Callable[[str | None], T], *, later: Callable[[], bool] = ...
    ) -> tuple[T, TimestampError | None]:
        """``call(url)``; when no stamp could be had, raises :class:`TimestampError`, or gives ``call(None)`` and why.

        ``later`` says whether this label can be stamped later; without that, nothing is made that waits for a stamp.
        """
        ...

    @property
    def queues(self) -> bool:
        """Whether what could not be stamped shall be stamped later."""
        ...


StamperSource = Callable[[], AbstractContextManager[Stamper]]
"""Opens a stamper, once in every worker process; must be picklable."""


class RoomySigner:
    """The same signer without its key: the engine then leaves 9 KB of padding, in which a later time stamp finds room."""

    def __init__(self, signer: Signer) -> None:
        self.name, self.algorithm, self.chain_pem = signer.name, signer.algorithm, signer.chain_pem
        self.sign = signer.sign


@dataclass(frozen=True, slots=True)
class _Later:
    """How one label can be stamped after it was made."""

    asset: Asset
    disclosure: Disclosure
    options: LabelOptions

    def way(self) -> LaterStamp:
        if self.options.manifest_url is not None:
            return LaterStamp.UPDATE
        match plan(self.asset, self.disclosure, self.options).carrier:
            case Carrier.SIDECAR:
                return LaterStamp.UPDATE
            case Carrier.EMBEDDED:
                return later_stamp(self.asset.format.media_type)
            case _:
                return LaterStamp.NEVER

    def possible(self) -> bool:
        return self.way() is not LaterStamp.NEVER


def stamped(
    stamper: Stamper | None,
    asset: Asset,
    disclosure: Disclosure,
    *,
    signer: Signer,
    options: LabelOptions,
    **more: object,
) -> Labelled:
    """:func:`labeler.label` with a stamp from ``stamper``; a receipt without one says why.

    ``more`` goes to ``label``. Raises what that raises, and :class:`TimestampError`.
    """
    later = _Later(asset, disclosure, replace(options, timestamp_url=None))

    def make(url: str | None) -> Labelled:
        waits = stamper is not None and stamper.queues and url is None
        by = RoomySigner(signer) if waits and later.way() is LaterStamp.PADDING else signer
        return label(asset, disclosure, signer=by, options=replace(options, timestamp_url=url), **more)  # type: ignore[arg-type]  # label checks its own keywords

    if stamper is None:
        return make(None)
    done, missing = stamper.attempt(make, later=later.possible)
    if missing is None:
        return done
    how = "; it waits for one: `tanba keys stamp --queued`" if stamper.queues else ""
    warnings = (f"signed without a time stamp: {missing.message}{how}", *done.receipt.warnings)
    return replace(done, receipt=replace(done.receipt, warnings=warnings), unstamped=missing.code)
