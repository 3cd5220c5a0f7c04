"""The three ways `tanba label` runs: one file, standard input, many. Prints per ``docs/contracts.md``."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click

from labeler import render_cli as render
from labeler import request_cli as request
from labeler.bulk import Outcome, Recipe, collect, run
from labeler.ledger import Ledger
from labeler.options import Labelled
from labeler.pipeline import plan
from labeler.stamping import stamped
from tanba import exits
from tanba.asset import Asset
from tanba.config import limits_from_environment
from tanba.errors import UsageError
from tanba.model import Carrier
from tanba.wire import to_json, to_plain

_DASH = Path("-")


def one_file(path: Path, options: Mapping[str, Any]) -> int:
    """Label one file into ``-o`` (a file, a folder, or - for standard output)."""
    limits = limits_from_environment()
    asset = Asset.from_path(path, limits=limits)
    if options["dry_run"] and not options["service"]:
        return _show_plans([asset], options)
    target = _target(path, options)
    return _label_one(asset, target, options, str(path))


def one_from_stdin(options: Mapping[str, Any]) -> int:
    """Label standard input; the result goes to ``-o``, or to standard output."""
    target = options["output"]
    named = None if target in (None, _DASH) else target.name
    asset = request.read_stdin(limits_from_environment(), options["title"], like=named)
    if options["dry_run"]:
        return _show_plans([asset], options)
    if target is not None and (target == _DASH or target.is_dir()):
        if target != _DASH:
            raise UsageError("standard input needs a file name for -o", hint="for example -o labelled.jpg")
        target = None
    return _label_one(asset, target, options, "standard input")


def _label_one(asset: Asset, target: Path | None, options: Mapping[str, Any], name: str) -> int:
    limits = limits_from_environment()
    if target is None and (options["as_json"] or options["as_jsonl"]):
        raise UsageError("--json and the labelled bytes cannot share standard output", hint="give -o OUT")
    if target is None and sys.stdout.isatty():
        raise UsageError("labelled bytes are not written to a terminal", hint="give -o OUT, or use a pipe")
    if options["service"]:
        from labeler import service_cli

        return service_cli.one(asset, target, options, name)
    if target is None and options["timestamp_policy"] == "queue":
        raise UsageError("what is written to standard output cannot be stamped later", hint="give -o OUT")
    disclosure = request.disclosure_from(options)
    how = request.label_options(options, limits)
    planned = plan(asset, disclosure, how)
    planned.require_met()
    if target is None and (planned.carrier is Carrier.SIDECAR or how.manifest_url is not None):
        raise UsageError(
            f"{asset.format.media_type} gets its label in a file beside it, and standard output holds one file only",
            hint="give -o OUT; the label is then OUT.c2pa",
        )
    trust, stamps = request.trust_store(), request.timestamp_source(options)
    with request.identity_source(options)() as signer, stamps() if stamps else nullcontext() as stamper:
        done = stamped(
            stamper, asset, disclosure, signer=signer, options=how, output=target, trust=trust, limits=limits
        )
    request.recorder(options)(done)
    _show(done, name, options)
    return exits.OK


def _show(done: Labelled, name: str, options: Mapping[str, Any]) -> None:
    if done.content is not None:
        sys.stdout.buffer.write(done.content)
        sys.stdout.buffer.flush()
    if options["as_json"] or options["as_jsonl"]:
        click.echo(to_json({**to_plain(done.receipt), "input": name}, indent=2 if options["as_json"] else None))
    elif not options["quiet"]:
        for line in render.receipt_words(done.receipt, name, verbose=options["verbose"]):
            click.echo(line, err=done.content is not None)


def _target(source: Path, options: Mapping[str, Any]) -> Path | None:
    output: Path | None = options["output"]
    if output is None:
        raise UsageError(
            "where should the labelled copy go?",
            hint=f"add -o OUT; -o {source.name} would label in place, -o - writes to standard output",
        )
    if output == _DASH:
        return None
    return output / source.name if options["into_folder"] or output.is_dir() else output


def many(paths: list[Path], options: Mapping[str, Any]) -> int:
    """Label files and folders into the folder ``-o``."""
    if options["output"] is None or options["output"] == _DASH:
        raise UsageError("several files need a folder", hint="add -o DIR")
    if options["content_id"]:
        raise UsageError("--content-id is the number of one content", hint="leave it out: each file gets its own")
    limits = limits_from_environment()
    items, passed = collect(paths, options["output"], recursive=options["recursive"])
    if options["service"]:
        from labeler import service_cli

        return service_cli.many(items, len(passed), options)
    if options["resume"]:  # a ledger kept in the folder is not one of its files
        ledgers = {options["resume"].resolve(), options["resume"].with_name(options["resume"].name + ".lock").resolve()}
        items = [item for item in items if item.source.resolve() not in ledgers]
    if options["dry_run"]:
        return _show_plans((Asset.from_path(item.source, limits=limits) for item in items), options)
    source = request.identity_source(options)
    recipe = Recipe(
        disclosure=request.disclosure_from(options),
        options=request.label_options(options, limits),
        trust=request.trust_store(),
        limits=limits,
        identity=source.name,
        stamper=request.timestamp_source(options),
        on_label=request.recorder(options),
    )
    jobs = options["jobs"] or request.default_jobs(len(items))
    counts = dict.fromkeys(("labelled", "failed", "done before"), 0)
    codes: list[int] = []
    documents: list[Any] = []
    shown = not options["quiet"]
    with (
        Ledger(options["resume"], recipe.digest) if options["resume"] else nullcontext() as ledger,
        render.progress(len(items), shown=shown and not options["as_jsonl"]) as advance,
    ):
        for outcome in run(items, recipe, source, jobs=jobs, ledger=ledger):
            codes.append(outcome.exit_code)
            counts[_column(outcome)] += 1
            advance(outcome)
            _show_outcome(outcome, options, documents)
    if options["as_json"]:
        one = len(paths) == len(documents) == 1 and not paths[0].is_dir()
        click.echo(to_json(documents[0] if one else documents))
    if shown:
        words = render.summary([*counts.items(), ("passed over (no media)", len(passed))])
        render.tell(f"tanba: {words}")
    return exits.gravest(codes)


def _show_plans(assets: Iterable[Asset], options: Mapping[str, Any]) -> int:
    """``--dry-run``: the plan of every asset; exit code 2 when one could not be carried out as asked."""
    disclosure = request.disclosure_from(options)
    how = request.label_options(options, limits_from_environment())
    found = [(asset.name or "standard input", plan(asset, disclosure, how)) for asset in assets]
    if options["as_json"] or options["as_jsonl"]:
        documents = [{**to_plain(made), "input": name} for name, made in found]
        if options["as_jsonl"]:
            for document in documents:
                click.echo(to_json(document, indent=None))
        else:
            click.echo(to_json(documents if len(documents) > 1 else documents[0]))
    elif not options["quiet"]:
        for name, made in found:
            for line in render.plan_words(made, name):
                click.echo(line)
    return exits.USAGE if any(made.unmet for _, made in found) else exits.OK


def _column(outcome: Outcome) -> str:
    if outcome.done_before:
        return "done before"
    return "failed" if outcome.error else "labelled"


def _show_outcome(outcome: Outcome, options: Mapping[str, Any], documents: list[Any]) -> None:
    if options["as_json"]:
        documents.append(_document(outcome))
    elif options["as_jsonl"]:
        click.echo(to_json(_document(outcome), indent=None))
    elif outcome.error:
        for line in render.error_words(outcome):
            render.tell(line)
    elif outcome.receipt and options["verbose"] and not options["quiet"]:
        for line in render.receipt_words(outcome.receipt, str(outcome.item.source), verbose=options["verbose"]):
            click.echo(line)


def _document(outcome: Outcome) -> dict[str, Any]:
    head = {"input": str(outcome.item.source)}
    if outcome.error:
        return {**head, "error": outcome.error}
    if outcome.done_before:
        return {**head, "output": str(outcome.item.target), "done_before": True}
    return {**to_plain(outcome.receipt), **head}
