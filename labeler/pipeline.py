"""Labelling one asset, top to bottom. Every step is done for every format, in this order (``docs/labelling.md``):

(1) refuse an existing label that fails, or make an intact one the parent          labeler.parent
(2) plan: which layers and fields, for which article                               labeler.plan
(3) refuse while something that a profile requires is missing                      labeler.plan
(4) visible mark, if planned                                                       labeler.layers
(5) metadata: IPTC/XMP, AIGC                                                       labeler.layers
(6) manifest definition                                                            tanba.engine.definition
(7) sign: the last change of the bytes, because the hard binding covers them all   tanba.engine.write
(8) read back and prove, then hand out                                             labeler.selfcheck, labeler.output

It takes a Signer and values (clock, limits, trust); it knows no key store, no environment and no network of its own.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from labeler import layers, selfcheck
from labeler import output as out
from labeler.options import Labelled, LabelOptions
from labeler.parent import Finder, Parent
from labeler.plan import LabelPlan, make_plan
from labeler.receipt import make_receipt
from tanba.asset import Asset
from tanba.engine import definition as defs
from tanba.engine.embed import sign
from tanba.engine.write import sign_detached
from tanba.formats.sniff import Kind
from tanba.limits import DEFAULT_LIMITS, Limits
from tanba.model import Carrier, Disclosure
from tanba.protocols import Clock, Signer
from tanba.trust import TrustStore

_NO_TRUST = TrustStore.empty()
_DEFAULTS = LabelOptions()


@dataclass(frozen=True, slots=True)
class _Job:
    """What the steps share."""

    asset: Asset
    said: Disclosure
    """The disclosure with content id, languages and source type settled."""
    plan: LabelPlan
    parent: Parent | None
    signer: Signer
    options: LabelOptions
    trust: TrustStore
    limits: Limits
    moment: datetime
    output: Path | None


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
    made = plan(asset, disclosure, options)
    made.require_met()
    said = replace(disclosure, content_id=disclosure.content_id or str(uuid.uuid4()), languages=made.languages)
    moment = clock()
    if asset.format.kind is Kind.TEXT:
        from labeler import text_road

        return text_road.label(asset, said, made, signer, options, trust, limits, moment, output)
    parent = Finder(trust, limits, options.accept_tampered_parent).find(asset, options.parent)
    said = replace(said, source_type=defs.source_type(said, parent=parent is not None))
    return _run(_Job(asset, said, made, parent, signer, options, trust, limits, moment, output))


def plan(asset: Asset, disclosure: Disclosure, options: LabelOptions = _DEFAULTS) -> LabelPlan:
    """Step (2) alone: what :func:`label` would do, without doing it (``--dry-run``)."""
    carrier = None
    if asset.format.kind is Kind.TEXT:
        from labeler import text_road

        carrier = text_road.carrier(asset, options)
    return make_plan(asset.format, disclosure, options.profiles, options.wishes, carrier=carrier)


def _run(job: _Job) -> Labelled:
    """Steps (4) to (8)."""
    beside = job.plan.carrier is Carrier.SIDECAR
    with contextlib.ExitStack() as stack:
        prepared = layers.apply(job.asset, job.said, job.plan, job.options, job.limits, job.moment)
        definition = defs.build(job.said, _context(job, prepared))
        target = stack.enter_context(_destination(job.asset, job.output, job.options))
        store = _sign(job, prepared.asset, definition, target, stack)
        made = target.asset(prepared.asset.format)
        evidence = selfcheck.check(made, definition, store, trust=job.trust, limits=job.limits, detached=beside)
        notes = layers.check(made, job.said, prepared.written, job.limits)
        prepared = replace(prepared, warnings=prepared.warnings + notes)
        receipt = make_receipt(
            job.asset, made, store, evidence, job.signer, job.said, job.plan,
            moment=job.moment, output=job.output, parent=job.parent, marks=prepared,
            remind_of_time=job.options.remind_of_time,
        )  # fmt: skip
        out.hand_out(target, store if beside else None, job.output, replaces=_replaces(job))
    return Labelled(receipt, job.plan, made.data, store)


def _context(job: _Job, prepared: layers.Prepared) -> defs.Context:
    return defs.Context(
        moment=job.moment,
        content_id=job.said.content_id or "",
        title=job.asset.name,
        parent=job.parent is not None,
        parent_is_input=job.parent is not None and job.parent.is_input,
        parent_problem=job.parent.problem if job.parent else (),
        marks=prepared.marks,
        profiles=job.plan.profiles,
        articles=job.plan.articles,
    )


def _sign(
    job: _Job,
    prepared: Asset,
    definition: dict[str, object],
    target: out.Staged | out.Buffer,
    stack: contextlib.ExitStack,
) -> bytes:
    """Step (7). With a sidecar the content goes out as prepared and the store goes beside it."""
    ingredients = job.parent.ingredients(stack) if job.parent else ()
    url = job.options.timestamp_url
    if job.plan.carrier is Carrier.SIDECAR:
        content = prepared.read()
        target.stream.write(content)
        return sign_detached(content, definition, job.signer, ingredients=ingredients, timestamp_url=url)
    media_type = prepared.format.media_type
    with prepared.open() as source:
        return sign(
            source,
            media_type,
            definition,
            job.signer,
            target.stream,
            ingredients=ingredients,
            timestamp_url=url,
            digest=bytes.fromhex(job.asset.sha256) if prepared is job.asset else None,
        )


def _replaces(job: _Job) -> bool:
    """An older sidecar may go when the caller said so, or when its label lives on as the parent of the new one."""
    kept = job.parent is not None and job.parent.stored is not None and job.parent.asset.path == job.output
    return job.options.overwrite or kept


@contextlib.contextmanager
def _destination(asset: Asset, output: Path | None, options: LabelOptions) -> Iterator[out.Staged | out.Buffer]:
    """Where the labelled bytes are collected: a hidden file beside the output, or memory."""
    if output is None:
        yield out.Buffer(asset.name)
        return
    with out.stage(output, overwrite=options.overwrite, source=asset.path) as staged:
        yield staged
