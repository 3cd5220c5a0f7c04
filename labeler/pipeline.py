"""Labelling one asset, top to bottom. Every step is done for every format, in this order (``docs/labelling.md``):

(1) refuse an existing label that fails, or make an intact one the parent          labeler.parent
(2) plan: which layers and fields, for which article                               labeler.plan
(3) refuse while something that a profile requires is missing                      labeler.plan
(4) visible mark, if planned                                                       labeler.visible
(5) metadata: IPTC/XMP, AIGC                                                       labeler.layers
(6) manifest definition                                                            tanba.engine.definition
(7) sign: the last change of the bytes, because the hard binding covers them all   tanba.engine.write
(8) read back and prove, then hand out                                             labeler.selfcheck, labeler.output

It takes a Signer and values (clock, limits, trust); it knows no key store, no environment and no network of its own.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from labeler import layers as marks
from labeler import output as out
from labeler import selfcheck
from labeler.parent import Parent, find_parent
from labeler.plan import LabelPlan, Wishes, make_plan
from labeler.receipt import make_receipt
from tanba.asset import Asset
from tanba.engine import definition as defs
from tanba.engine.read import Evidence
from tanba.engine.write import Ingredient, sign, sign_detached
from tanba.limits import DEFAULT_LIMITS, Limits
from tanba.model import Carrier, Disclosure, LabelReceipt
from tanba.profiles import Profile
from tanba.protocols import Clock, Signer
from tanba.trust import TrustStore

_NO_TRUST = TrustStore.empty()


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelOptions:
    """How a label is made; what it says is the :class:`Disclosure`'s."""

    profiles: tuple[Profile, ...] = ()
    """Jurisdictions to fulfil (``tanba.profiles.load``)."""
    visible: bool = False
    """Draw a notice even when no profile requires one."""
    placement: str | None = None
    """Where the notice stands (:data:`tanba.profiles.PLACEMENTS`); the profile's place otherwise."""
    carrier: Carrier | None = None
    """How the manifest travels; chosen by the format when None."""
    parent: Asset | None = None
    """The original that the input was made from; becomes the parent ingredient."""
    accept_tampered_parent: bool = False
    """Keep an existing label although it fails, is elsewhere or cannot be read; the new label says so."""
    timestamp_url: str | None = None
    """RFC 3161 authority (http or https). The only network use there is, and only when given."""
    overwrite: bool = False
    """Replace an existing output file."""

    @property
    def wishes(self) -> Wishes:
        """The part that the plan needs."""
        return Wishes(visible=self.visible, timestamp=self.timestamp_url is not None, carrier=self.carrier)


@dataclass(frozen=True, slots=True)
class Labelled:
    """The result: a receipt, and the bytes when no output path was given."""

    receipt: LabelReceipt
    plan: LabelPlan
    content: bytes | None
    """The labelled bytes; None when they were written to a path."""
    store: bytes
    """The signed C2PA manifest store (JUMBF); with a sidecar carrier it is the sidecar's content."""


_DEFAULTS = LabelOptions()


def label(
    asset: Asset,
    disclosure: Disclosure,
    *,
    signer: Signer,
    output: Path | None = None,
    options: LabelOptions = _DEFAULTS,
    trust: TrustStore = _NO_TRUST,
    limits: Limits = DEFAULT_LIMITS,
    clock: Clock = lambda: datetime.now(UTC),
) -> Labelled:
    """Label one asset. The input is never modified; ``output`` appears whole or not at all.

    ``trust`` is what the parent's signer and our own are judged by while labelling; it never decides whether to sign.
    Raises :class:`AlreadyLabelled`, :class:`RequirementUnmet`, :class:`OutputRefused`, :class:`SelfCheckFailed`,
    :class:`UnsupportedFormat`, :class:`MalformedAsset`, :class:`CredentialError`, :class:`UsageError`.
    """
    if output is not None:
        out.check(output, overwrite=options.overwrite, source=asset.path)
    plan = make_plan(asset.format, disclosure, options.profiles, options.wishes)
    plan.require_met()
    parent = find_parent(
        asset, options.parent, accept_tampered=options.accept_tampered_parent, trust=trust, limits=limits
    )
    stated = replace(disclosure, content_id=disclosure.content_id or str(uuid.uuid4()), languages=plan.languages)
    moment = clock()
    with contextlib.ExitStack() as stack:
        prepared = marks.apply(asset, stated, plan, options.profiles, options.placement, limits, stack)
        definition = defs.build(stated, _context(asset, stated, plan, parent, prepared.done, moment))
        target = stack.enter_context(_destination(asset, output, options))
        store = _sign(prepared.asset, definition, signer, plan, parent, options, target, stack)
        made = target.asset(asset.format)
        evidence = _prove(made, definition, store, plan, trust, limits)
        receipt = make_receipt(
            asset,
            made,
            store,
            evidence,
            signer,
            stated,
            plan,
            moment=moment,
            output=output,
            parent=parent,
            marks=prepared,
        )
        target.commit()
        if plan.carrier is Carrier.SIDECAR and output is not None:
            out.write_sidecar(output, store, overwrite=options.overwrite)
    return Labelled(receipt, plan, made.data, store)


def _context(
    asset: Asset,
    disclosure: Disclosure,
    plan: LabelPlan,
    parent: Parent | None,
    done: tuple[str, ...],
    moment: datetime,
) -> defs.Context:
    return defs.Context(
        moment=moment,
        content_id=disclosure.content_id or "",
        title=asset.name,
        parent=parent is not None,
        parent_is_input=parent is not None and parent.is_input,
        parent_problem=parent.problem if parent else (),
        marks=done,
        profiles=plan.profiles,
        articles=plan.articles,
    )


def _sign(
    prepared: Asset,
    definition: dict[str, object],
    signer: Signer,
    plan: LabelPlan,
    parent: Parent | None,
    options: LabelOptions,
    target: out.Staged | out.Buffer,
    stack: contextlib.ExitStack,
) -> bytes:
    """Step (7). With a sidecar the content is copied unchanged and the store goes beside it."""
    ingredients = _ingredients(parent, stack)
    if plan.carrier is Carrier.SIDECAR:
        content = prepared.read()
        target.stream.write(content)
        return sign_detached(content, definition, signer, ingredients=ingredients, timestamp_url=options.timestamp_url)
    with prepared.open() as source:
        return sign(
            source,
            prepared.format.media_type,
            definition,
            signer,
            target.stream,
            ingredients=ingredients,
            timestamp_url=options.timestamp_url,
        )


def _prove(
    made: Asset,
    definition: dict[str, object],
    store: bytes,
    plan: LabelPlan,
    trust: TrustStore,
    limits: Limits,
) -> Evidence:
    """Step (8)."""
    evidence = selfcheck.check(
        made, definition, store, trust=trust, limits=limits, detached=plan.carrier is Carrier.SIDECAR
    )
    marks.check(made, plan, limits)
    return evidence


@contextlib.contextmanager
def _destination(asset: Asset, output: Path | None, options: LabelOptions) -> Iterator[out.Staged | out.Buffer]:
    if output is None:
        yield out.Buffer(asset.name)
        return
    with out.stage(output, overwrite=options.overwrite, source=asset.path) as staged:
        yield staged


def _ingredients(parent: Parent | None, stack: contextlib.ExitStack) -> Sequence[Ingredient]:
    if parent is None:
        return ()
    stream = stack.enter_context(parent.asset.open())
    return (
        Ingredient(
            stream, parent.asset.format.media_type, parent.asset.name, relationship="parentOf", label=defs.PARENT_LABEL
        ),
    )
