"""The text side of the pipeline: the same steps, with :mod:`labeler.text` doing the carrier, the binding and the proof."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from labeler import output as out
from labeler import text, text_notice
from labeler.options import Labelled, LabelOptions
from labeler.parent import Finder, Parent
from labeler.plan import LabelPlan
from labeler.receipt import make_receipt
from tanba.asset import Asset
from tanba.engine import definition as defs
from tanba.errors import UsageError
from tanba.limits import Limits
from tanba.model import Carrier, Disclosure
from tanba.profiles import combine, load
from tanba.protocols import Signer
from tanba.text import sections
from tanba.text.choose import choose
from tanba.trust import TrustStore


@dataclass(frozen=True, slots=True)
class _Marks:
    alt_text: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    written: tuple[str, ...] = ()


def carrier(asset: Asset, options: LabelOptions) -> tuple[Carrier, str]:
    """How the mark of this text travels, and why. Raises :class:`UsageError` for a wish that does not fit."""
    choice = choose(asset.read(), asset.format.media_type, options.carrier, extension=asset.format.extension)
    return choice.carrier, choice.reason


def label(
    asset: Asset,
    said: Disclosure,
    plan: LabelPlan,
    signer: Signer,
    options: LabelOptions,
    trust: TrustStore,
    limits: Limits,
    moment: datetime,
    output: Path | None,
) -> Labelled:
    """Label one text; the arguments are those of the pipeline, settled."""
    prepared = _prepared(asset, options, trust, limits)
    kept = prepared.parent
    marks = _Marks()
    if "visible" in plan.layers:
        prepared, marks = _with_notice(prepared, said, plan, options)
    said = replace(said, source_type=defs.source_type(said, parent=kept is not None))
    context = defs.Context(
        moment=moment,
        content_id=said.content_id or "",
        title=asset.name,
        parent=kept is not None,
        parent_is_input=kept is not None and options.parent is None,
        parent_problem=kept.problem if kept else (),
        marks=("notice",) if marks.written else (),
        profiles=plan.profiles,
        articles=plan.articles,
    )
    how = text.TextOptions(
        carrier=plan.carrier,
        reference=options.manifest_url,
        compact=options.compact,
        timestamp_url=options.timestamp_url,
    )
    definition = defs.build(said, context)
    if options.sections:
        salt = secrets.token_bytes(sections.SALT_BYTES)
        definition["assertions"].append(sections.assertion(prepared.content, asset.format.media_type, salt))
    done = text.label_text(prepared, definition, signer, how, limits=limits)
    made = Asset(name=asset.name, format=asset.format, size=len(done.output), data=done.output)
    receipt = make_receipt(
        asset, made, done.store, done.evidence, signer, said, plan,
        moment=moment, output=output, parent=None, marks=replace(marks, warnings=done.warnings),
        remind_of_time=options.remind_of_time,
    )  # fmt: skip
    if output is not None:
        beside = done.carrier is Carrier.SIDECAR or options.manifest_url is not None
        _write(made, done.store if beside else None, asset, output, options, kept is not None)
    return Labelled(receipt, plan, done.output if output is None else None, done.store)


def _with_notice(
    prepared: text.PreparedText, said: Disclosure, plan: LabelPlan, options: LabelOptions
) -> tuple[text.PreparedText, _Marks]:
    """Step (4) for text: the notice is part of what is signed."""
    profile = combine(options.profiles) if options.profiles else load("none")
    words = text_notice.lines(profile, said, plan.languages)
    content = text_notice.place(prepared.content, prepared.media_type, words, said)
    alt_text = {line.lang: line.text for line in words}
    return replace(prepared, content=content), _Marks(alt_text=alt_text, written=("visible",))


def _prepared(asset: Asset, options: LabelOptions, trust: TrustStore, limits: Limits) -> text.PreparedText:
    """Step (1) for text: the former mark, a sidecar, or the mark of the named original becomes the parent."""
    accept = options.accept_tampered_parent
    media_type = asset.format.media_type
    prepared = text.prepare(
        asset.read(), media_type, title=asset.name, accept_tampered=accept, trust=trust, limits=limits
    )
    prepared = replace(prepared, extension=asset.format.extension)
    if prepared.parent is None and (beside := Finder(trust, limits, accept).beside(asset)) is not None:
        prepared = replace(prepared, parent=_text_parent(beside))
    if options.parent is None:
        return prepared
    if prepared.parent is not None:
        raise UsageError(
            "the input carries a label already, and that becomes the parent",
            hint="leave out --parent, or label the unlabelled text",
        )
    original = text.prepare(
        options.parent.read(), options.parent.format.media_type, title=options.parent.name, accept_tampered=accept,
        trust=trust, limits=limits,
    )  # fmt: skip
    if original.parent is None:
        raise UsageError(
            "the original text carries no label that could become the parent",
            hint="label the original first, or leave out --parent",
        )
    return replace(prepared, parent=original.parent)


def _text_parent(found: Parent) -> text.TextParent | None:
    return text.TextParent(found.stored, found.problem) if found.stored is not None else None


def _write(
    made: Asset, sidecar: bytes | None, asset: Asset, output: Path, options: LabelOptions, chained: bool
) -> None:
    with out.stage(output, overwrite=options.overwrite, source=asset.path) as target:
        target.stream.write(made.read())
        out.hand_out(target, sidecar, output, replaces=options.overwrite or chained)
