"""How a label is made, and what labelling returns."""

from __future__ import annotations

from dataclasses import dataclass, field

from labeler.plan import LabelPlan, Wishes
from tanba.asset import Asset
from tanba.model import Carrier, LabelReceipt
from tanba.profiles import Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelOptions:
    """How a label is made; what it says is the :class:`tanba.model.Disclosure`'s."""

    profiles: tuple[Profile, ...] = ()
    """Jurisdictions to fulfil (``labeler.load_profiles``)."""
    metadata: bool = True
    """Write the IPTC/XMP fields (and the AIGC label, when a profile asks for it)."""
    visible: bool = False
    """Put a notice into the picture or at the head of the text even when no profile requires one."""
    placement: str | None = None
    """Where the notice stands (:data:`tanba.profiles.PLACEMENTS`); the profile's place otherwise."""
    carrier: Carrier | None = None
    """How the manifest travels; chosen by the format when None."""
    manifest_url: str | None = None
    """Text of A.7 and A.9: the mark refers to this address, and the manifest goes into a sidecar to publish there."""
    compact: bool = False
    """Text: the smallest manifest that still verifies."""
    sections: bool = False
    """Text: salted digests of every paragraph, so that a quoted part is recognised (``org.tanba.sections``)."""
    parent: Asset | None = None
    """The original that the input was made from; becomes the parent ingredient."""
    accept_tampered_parent: bool = False
    """Keep an existing label although it fails, is elsewhere or cannot be read; the new label says so."""
    timestamp_url: str | None = None
    """RFC 3161 authority (http or https). The only network use there is, and only when given."""
    remind_of_time: bool = True
    """Warn in the receipt when there is no time stamp, with the day on which the label stops validating."""
    overwrite: bool = False
    """Replace an existing output file."""

    @property
    def wishes(self) -> Wishes:
        """The part that the plan needs."""
        return Wishes(
            visible=self.visible,
            timestamp=self.timestamp_url is not None,
            metadata=self.metadata,
            carrier=self.carrier,
        )


@dataclass(frozen=True, slots=True)
class Labelled:
    """The result: a receipt, and the bytes when no output path was given."""

    receipt: LabelReceipt
    plan: LabelPlan
    content: bytes | None = field(repr=False)
    """The labelled bytes; None when they were written to a path."""
    store: bytes = field(repr=False)
    """The signed C2PA manifest store (JUMBF); with a sidecar carrier it is the sidecar's content."""
    unstamped: str | None = None
    """Why a time stamp that was asked for is missing: a ``tanba.timestamp.*`` code. None when none was asked for."""
