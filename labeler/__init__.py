"""Writes labels: marks files as made by AI, changed by AI, or not. Takes a signer; holds no key and opens no network.

>>> import keys, labeler                                                    # doctest: +SKIP
>>> from pathlib import Path                                                # doctest: +SKIP
>>> from tanba.model import Disclosure, Involvement                         # doctest: +SKIP
>>> said = Disclosure(involvement=Involvement.GENERATED, system="ExampleGen", system_version="1.2")   # doctest: +SKIP
>>> with keys.open_identity() as signer:                                    # doctest: +SKIP
...     done = labeler.label(Path("photo.jpg"), said, signer=signer, output=Path("labelled.jpg"))
>>> done.receipt.label_id                                                   # doctest: +SKIP
'urn:c2pa:...'
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from labeler.options import Labelled, LabelOptions
from labeler.pipeline import label as _label
from labeler.pipeline import plan
from labeler.plan import LabelPlan, load_profiles
from labeler.stamping import stamped
from tanba.asset import Asset
from tanba.limits import DEFAULT_LIMITS, Limits
from tanba.model import Disclosure
from tanba.protocols import Clock, Signer
from tanba.trust import TrustStore

__all__ = ["LabelOptions", "LabelPlan", "Labelled", "label", "load_profiles", "plan", "stamped"]

_DEFAULTS = LabelOptions()
_NO_TRUST = TrustStore.empty()


def label(
    source: str | Path | bytes | Asset,
    disclosure: Disclosure,
    *,
    signer: Signer,
    output: str | Path | None = None,
    name: str | None = None,
    options: LabelOptions = _DEFAULTS,
    trust: TrustStore = _NO_TRUST,
    limits: Limits = DEFAULT_LIMITS,
    clock: Clock = lambda: datetime.now(UTC),
) -> Labelled:
    """Label a file, bytes or an asset; write to ``output``, or return the bytes in :attr:`Labelled.content`.

    ``name`` is the file name of ``bytes``; it only tells kinds of text apart and stands as title in the label. The
    input is never modified. Errors are those of :func:`labeler.pipeline.label`, and
    :class:`tanba.errors.AssetUnreadable` and :class:`tanba.errors.AssetTooLarge` for the input.
    """
    if isinstance(source, bytes):
        asset = Asset.from_bytes(source, name=name, limits=limits)
    elif isinstance(source, Asset):
        asset = source
    else:
        asset = Asset.from_path(Path(source), limits=limits)
    return _label(
        asset,
        disclosure,
        signer=signer,
        output=Path(output) if output is not None else None,
        options=options,
        trust=trust,
        limits=limits,
        clock=clock,
    )
