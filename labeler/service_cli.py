"""``tanba label --service URL``: one file through a Tanba service, which signs with its own identity and logs the label."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from labeler import output as out
from tanba import exits
from tanba.asset import Asset
from tanba.errors import UsageError
from tanba.wire import to_json

_STATEMENT = (
    "source_type", "system", "system_version", "model", "model_type", "provider", "provider_id", "oversight",
    "prompt_author", "human_contribution", "no_training", "synthetic_result", "operations", "content_id", "title", "lang",
    "compact", "sections", "manifest_url", "identity", "accept_tampered_parent",
)  # fmt: skip
_ELSEWHERE = ("watermark", "dry_run", "timestamp", "resume")


def one(asset: Asset, target: Path | None, options: Mapping[str, Any], name: str) -> int:
    """Label one asset there and write the result here. Raises :class:`UsageError`, :class:`tanba.client.ServiceProblem`.

    A text whose manifest travels apart gets ``OUT.c2pa`` beside it.
    """
    from tanba.client import Client

    if wrong := [f"--{item.replace('_', '-')}" for item in _ELSEWHERE if options[item]]:
        raise UsageError(f"{', '.join(wrong)} cannot go through a service", hint="leave it out, or label here")
    parent = options["parent"]
    with Client(options["service"], key=options["service_key"]) as tanba:
        done = tanba.label(asset.read(), _statement(options), name=asset.name, parent=Path(parent) if parent else None)
        store = tanba.manifest(done.label_id) if done.receipt["carrier"] == "sidecar" and target is not None else None
    if target is None:
        sys.stdout.buffer.write(done.content)
        sys.stdout.buffer.flush()
    else:
        with out.stage(target, overwrite=options["overwrite"], source=asset.path) as staged:
            staged.stream.write(done.content)
            out.hand_out(staged, store, target, replaces=options["overwrite"])
    if options["as_json"] or options["as_jsonl"]:
        document = {**done.receipt, "input": name}
        click.echo(to_json(document, indent=2 if options["as_json"] else None), err=target is None)
    elif not options["quiet"]:
        click.echo(f"labelled  {name}  {done.label_id}  by {options['service']}", err=target is None)
    return exits.OK


def _statement(options: Mapping[str, Any]) -> dict[str, Any]:
    said = {item: options[item] for item in _STATEMENT if options[item] not in (None, (), False)}
    said |= {"as": options["involvement"], "profile": options["profiles"], "metadata": not options["no_metadata"]}
    said |= {"visible": options["visible"] is not None or options["notice"]}
    if options["visible"] not in (None, "auto"):
        said["placement"] = options["visible"]
    if options["carrier"] != "auto":
        said["carrier"] = options["carrier"]
    prompt = options["prompt"]
    if options["prompt_file"] is not None:
        prompt = Path(options["prompt_file"]).read_text("utf-8")
    return said | ({"prompt": prompt, "embed_prompt": options["embed_prompt"]} if prompt is not None else {})
