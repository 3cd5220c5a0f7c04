"""What `tanba label` shows to people: receipts, the summary, a progress bar. Never a secret, never a prompt."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import click

from labeler.bulk import Outcome
from labeler.plan import LabelPlan
from tanba.model import LabelReceipt
from tanba.wire import rfc3339


class Advance(Protocol):
    """Tells a progress display about one more file."""

    def __call__(self, outcome: Outcome) -> None: ...


def receipt_words(receipt: LabelReceipt, name: str, *, verbose: int) -> Iterator[str]:
    """One line for the file, then what supports it."""
    yield f"{name} -> {receipt.output or 'standard output'}"
    yield f"  labelled   {', '.join(receipt.layers)}  ({receipt.carrier.value}, {receipt.media_type})"
    yield f"  signed by  {receipt.identity.name}, {rfc3339(receipt.claimed_at)}{_time(receipt)}"
    if receipt.profile:
        yield f"  profiles   {', '.join(receipt.profile)}"
    for tag, text in receipt.alt_text.items():
        yield f"  alt text   {tag}: {text}"
    if verbose:
        yield f"  label      {receipt.label_id}"
        yield f"  sha256     {receipt.output_sha256}"
        yield f"  manifest   {receipt.manifest_sha256}"
    for warning in receipt.warnings:
        yield f"  note       {warning}"


def _time(receipt: LabelReceipt) -> str:
    if receipt.timestamp is None:
        return " (claimed)"
    return f" (time stamp {receipt.timestamp.get('time')})"


def plan_words(plan: LabelPlan, name: str) -> Iterator[str]:
    """The plan for people: what, in which order, for whom, and what stays undone."""
    yield f"{name}  ({plan.media_type})"
    yield f"  says       {plan.source_type}"
    for number, step in enumerate(plan.steps, 1):
        yield f"  {number}. {step.what}  [{'; '.join(step.because)}]"
    yield f"  carrier    {plan.carrier.value}: {plan.carrier_reason}"
    if plan.profiles:
        yield f"  profiles   {', '.join(plan.profiles)}"
    for item in plan.impossible:
        yield f"  not done   {item.layer}: {item.reason}"
    for words in plan.warnings:
        yield f"  note       {words}"
    for words in plan.unmet:
        yield f"  MISSING    {words}"


def summary(outcomes: Iterable[tuple[str, int]]) -> str:
    """``12 labelled, 1 failed, 3 done before``."""
    return ", ".join(f"{count} {words}" for words, count in outcomes if count) or "nothing to do"


def error_words(outcome: Outcome) -> Iterator[str]:
    """A file's failure, with what to do."""
    error = outcome.error or {}
    yield f"{outcome.item.source}: {error.get('message')}"
    if hint := error.get("hint"):
        yield f"  hint: {hint}"


@contextmanager
def progress(total: int, *, shown: bool) -> Iterator[Advance]:
    """A progress bar on standard error, only at a terminal."""
    if not shown or not sys.stderr.isatty():
        yield lambda _outcome: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns: tuple[Any, ...] = (
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[at]}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("label", total=total, at="")

        def advance(outcome: Outcome) -> None:
            bar.update(task, advance=1, at=outcome.item.source.name[:40])

        yield advance


def tell(line: str) -> None:
    """A line for people: standard error, so that standard output stays the result."""
    click.echo(line, err=True)
