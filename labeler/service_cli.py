"""``tanba label --service URL``: files through a Tanba service, which signs with its own identity and logs the labels."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from labeler import output as out
from labeler import render_cli as render
from labeler.bulk import Outcome
from labeler.ledger import Item
from tanba import exits
from tanba.asset import Asset
from tanba.config import limits_from_environment
from tanba.errors import TanbaError, UsageError
from tanba.wire import to_json

if TYPE_CHECKING:
    from tanba.client import Client, Labelled

_STATEMENT = (
    "source_type", "system", "system_version", "model", "model_type", "provider", "provider_id", "oversight",
    "prompt_author", "human_contribution", "no_training", "synthetic_result", "operations", "content_id", "title", "lang",
    "compact", "sections", "manifest_url", "identity", "accept_tampered_parent",
)  # fmt: skip
_AT_ONCE = 4
"""Requests at the same time; a client may have eight unless its operator says otherwise."""
_ENDS = ("tanba.auth.", "tanba.service.unreachable", "tanba.label.disabled")
"""Trouble that every other file would have too."""
_ELSEWHERE = ("watermark", "dry_run", "resume")
_ITS_OWN = "service"
"""``--timestamp service``: the authorities that the service's operator chose; a request never names one."""


def one(asset: Asset, target: Path | None, options: Mapping[str, Any], name: str) -> int:
    """Label one asset there and write the result here. Raises :class:`UsageError`, :class:`tanba.client.ServiceProblem`.

    A text whose manifest travels apart gets ``OUT.c2pa`` beside it.
    """
    with _client(options) as tanba:
        if target is None:
            done = _labelled(tanba, asset, options)
            sys.stdout.buffer.write(done.content)
            sys.stdout.buffer.flush()
        else:
            done = _written(tanba, asset, target, options)
    if options["as_json"] or options["as_jsonl"]:
        document = {**done.receipt, "input": name}
        click.echo(to_json(document, indent=2 if options["as_json"] else None), err=target is None)
    elif not options["quiet"]:
        click.echo(_line(name, done, options), err=target is None)
    return exits.OK


def many(items: Sequence[Item], passed: int, options: Mapping[str, Any]) -> int:
    """Label files there, some at the same time, and write the results here; ``passed`` files were no media.

    One file's trouble never stops the rest; a service that is away or a key that may not does. Raises as :func:`one`.
    """
    codes: list[int] = []
    documents: list[Any] = []
    shown = not options["quiet"]
    with (
        _client(options) as tanba,
        ThreadPoolExecutor(options["jobs"] or _AT_ONCE) as pool,
        render.progress(len(items), shown=shown and not options["as_jsonl"]) as advance,
    ):
        waiting = [pool.submit(_item, tanba, item, options) for item in items]
        try:
            for ready in as_completed(waiting):
                outcome, done = ready.result()
                codes.append(outcome.exit_code)
                advance(outcome)
                _tell(outcome, done, options, documents)
        finally:
            pool.shutdown(cancel_futures=True)
    if options["as_json"]:
        click.echo(to_json(documents))
    if shown:
        labelled = codes.count(exits.OK)
        counts = [("labelled", labelled), ("failed", len(codes) - labelled), ("passed over (no media)", passed)]
        render.tell(f"tanba: {render.summary(counts)}")
    return exits.gravest(codes)


def _item(tanba: Client, item: Item, options: Mapping[str, Any]) -> tuple[Outcome, Labelled | None]:
    try:
        asset = Asset.from_path(item.source, limits=limits_from_environment())
        return Outcome(item), _written(tanba, asset, item.target, options)
    except TanbaError as error:
        if error.code.startswith(_ENDS):
            raise
        return Outcome(item, error=error.to_dict(), exit_code=exits.for_error(error)), None


def _tell(outcome: Outcome, done: Labelled | None, options: Mapping[str, Any], documents: list[Any]) -> None:
    name = str(outcome.item.source)
    document = {**(done.receipt if done else {"error": outcome.error}), "input": name}
    if options["as_json"]:
        documents.append(document)
    elif options["as_jsonl"]:
        click.echo(to_json(document, indent=None))
    elif done is None:
        for line in render.error_words(outcome):
            render.tell(line)
    elif not options["quiet"]:
        click.echo(_line(name, done, options))


def _line(name: str, done: Labelled, options: Mapping[str, Any]) -> str:
    return f"labelled  {name}  {done.label_id}  by {options['service']}"


def _client(options: Mapping[str, Any]) -> Client:
    from tanba.client import Client

    if wrong := [f"--{item.replace('_', '-')}" for item in _ELSEWHERE if options[item]]:
        raise UsageError(f"{', '.join(wrong)} cannot go through a service", hint="leave it out, or label here")
    if set(options["timestamp"]) - {_ITS_OWN}:
        raise UsageError(
            "a service asks the time-stamp authorities of its operator, no other",
            hint="say `--timestamp service`, or label here",
        )
    return Client(options["service"], key=options["service_key"])


def _labelled(tanba: Client, asset: Asset, options: Mapping[str, Any]) -> Labelled:
    parent = options["parent"]
    return tanba.label(asset.read(), _statement(options), name=asset.name, parent=Path(parent) if parent else None)


def _written(tanba: Client, asset: Asset, target: Path, options: Mapping[str, Any]) -> Labelled:
    """The place is made ready first: a label that could not be written would stand in the service's log for nothing."""
    with out.stage(target, overwrite=options["overwrite"], source=asset.path) as staged:
        done = _labelled(tanba, asset, options)
        store = tanba.manifest(done.label_id) if done.receipt["carrier"] == "sidecar" else None
        staged.stream.write(done.content)
        out.hand_out(staged, store, target, replaces=options["overwrite"])
    return done


def _statement(options: Mapping[str, Any]) -> dict[str, Any]:
    said = {item: options[item] for item in _STATEMENT if options[item] not in (None, (), False)}
    said |= {"as": options["involvement"], "profile": options["profiles"], "metadata": not options["no_metadata"]}
    said |= {"visible": options["visible"] is not None or options["notice"]}
    if options["visible"] not in (None, "auto"):
        said["placement"] = options["visible"]
    if options["timestamp"]:
        said["timestamp"] = True
    if options["carrier"] != "auto":
        said["carrier"] = options["carrier"]
    prompt = options["prompt"]
    if options["prompt_file"] is not None:
        prompt = Path(options["prompt_file"]).read_text("utf-8")
    return said | ({"prompt": prompt, "embed_prompt": options["embed_prompt"]} if prompt is not None else {})
