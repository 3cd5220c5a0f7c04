"""From options on the command line to a :class:`Disclosure`, options, an identity and trust. Words only; no labelling.

The one labeler module that may open the key store and ask at the terminal.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from labeler.options import Labelled, LabelOptions
from labeler.output import sidecar_of
from labeler.plan import load_profiles
from labeler.stamping import Stamper
from tanba.asset import Asset
from tanba.errors import UsageError
from tanba.limits import Limits
from tanba.model import SOURCE_TYPES, Carrier, DigitalSourceType, Disclosure, Involvement, Oversight
from tanba.paths import keys_dir, trust_dir
from tanba.protocols import Signer
from tanba.trust import TrustStore

_AI_ONLY = ("model", "oversight", "prompt_author", "prompt", "prompt_file")


def disclosure_from(options: Mapping[str, Any]) -> Disclosure:
    """What the caller states. Raises :class:`UsageError` for statements that contradict each other."""
    involvement = Involvement(options["involvement"])
    if involvement is Involvement.HUMAN:
        wrong = [f"--{name.replace('_', '-')}" for name in _AI_ONLY if options.get(name)]
        if wrong:
            raise UsageError(f"--as human contradicts {', '.join(wrong)}", hint="say --as assisted if AI helped")
    prompt, digest = _prompt(options)
    return Disclosure(
        involvement=involvement,
        source_type=_source_type(options["source_type"], involvement),
        system=options["system"],
        system_version=options["system_version"],
        model=options["model"],
        model_type=options["model_type"],
        provider=options["provider"],
        provider_id=options["provider_id"],
        oversight=Oversight(options["oversight"]) if options["oversight"] else None,
        prompt_author=options["prompt_author"],
        prompt=prompt,
        prompt_sha256=digest,
        human_contribution=options["human_contribution"],
        no_training=options["no_training"],
        operations=options["operations"],
        synthetic_result=options["synthetic_result"],
        languages=languages(options["lang"]),
        content_id=options["content_id"],
        title=options["title"],
    )


def languages(given: tuple[str, ...]) -> tuple[str, ...]:
    """``--lang kk,ru`` and ``--lang kk --lang ru`` are the same; empty (the profile decides) when nothing is given."""
    found = [part.strip() for item in given for part in item.split(",") if part.strip()]
    return tuple(dict.fromkeys(found))


def _source_type(given: str | None, involvement: Involvement) -> DigitalSourceType | None:
    if given is None:
        return None
    term = given.rsplit("/", 1)[-1]
    allowed = SOURCE_TYPES[involvement]
    if term not in [item.value for item in allowed]:
        raise UsageError(
            f"--source-type {given} does not fit --as {involvement.value}",
            code="tanba.label.source_type",
            hint=f"allowed here: {', '.join(item.value for item in allowed)}",
        )
    return DigitalSourceType(term)


def _prompt(options: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """The prompt as it enters the file: its text only with --embed-prompt, otherwise its digest."""
    text: str | None = options["prompt"]
    if options["prompt_file"] is not None:
        if text is not None:
            raise UsageError("give --prompt or --prompt-file, not both")
        try:
            text = Path(options["prompt_file"]).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError("the prompt file cannot be read as UTF-8 text") from error
    if text is None:
        if options["embed_prompt"]:
            raise UsageError("--embed-prompt needs a prompt", hint="add --prompt TEXT or --prompt-file FILE")
        return None, None
    if options["embed_prompt"]:
        return text, None
    return None, hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def label_options(options: Mapping[str, Any], limits: Limits) -> LabelOptions:
    """How the label is made."""
    parent = options["parent"]
    place = options["visible"]
    return LabelOptions(
        profiles=load_profiles(options["profiles"]),
        metadata=not options["no_metadata"],
        visible=place is not None or options["notice"],
        placement=place if place not in (None, "auto") else None,
        carrier=Carrier(options["carrier"]) if options["carrier"] != "auto" else None,
        compact=options["compact"],
        manifest_url=options["manifest_url"],
        sections=options["sections"],
        parent=Asset.from_path(parent, limits=limits) if parent else None,
        accept_tampered_parent=options["accept_tampered_parent"],
        timestamp_url=options["timestamp"][0] if options["timestamp"] else None,
        remind_of_time=not options["no_timestamp"],
        overwrite=options["overwrite"],
    )


class IdentitySource:
    """Opens the chosen identity; picklable, so that worker processes open it themselves."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self) -> AbstractContextManager[Signer]:
        import keys

        return keys.open_identity(self.name)


def identity_source(options: Mapping[str, Any]) -> IdentitySource:
    """The identity that signs: ``--identity``, or the active one; a development identity is made on first use."""
    import keys

    if options["identity"]:
        return IdentitySource(options["identity"])
    info, made = keys.ensure_development_identity()
    if made and not options["quiet"]:
        click.echo(
            f"tanba: first use: made the development identity {info.name} in {keys_dir()}\n"
            "  Its labels read `trusted` on this machine and `valid` elsewhere, where nobody knows it. For real use,"
            " see docs/keys.md.",
            err=True,
        )
    return IdentitySource(info.name)


@dataclass(frozen=True, slots=True)
class TimestampSource:
    """Opens the relay to the authorities of ``--timestamp``; picklable."""

    urls: tuple[str, ...]
    policy: str

    def __call__(self) -> AbstractContextManager[Stamper]:
        import keys

        return keys.timestamping(self.urls, policy=self.policy)


def timestamp_source(options: Mapping[str, Any]) -> TimestampSource | None:
    """Who stamps the time, or None when nobody was named. Nothing is contacted unless the user named it."""
    urls = options["timestamp"]
    return TimestampSource(urls, options["timestamp_policy"]) if urls else None


@dataclass(frozen=True, slots=True)
class Recorder:
    """Notes every label made: which certificate made it, so that a revocation can name it, and, under the policy
    ``queue``, that it waits for its time stamp. Picklable.
    """

    queue: bool

    def __call__(self, done: Labelled) -> None:
        import keys

        receipt = done.receipt
        keys.record_use(receipt.identity.fingerprint, receipt.label_id, receipt.claimed_at)
        if self.queue and done.unstamped is not None and receipt.output is not None:
            output = Path(receipt.output)
            carried_apart = receipt.carrier is not Carrier.EMBEDDED
            keys.queue_stamp(
                sidecar_of(output) if carried_apart else output,
                identity=receipt.identity.name,
                label_id=receipt.label_id,
                reason=done.unstamped,
            )


def recorder(options: Mapping[str, Any]) -> Recorder:
    """Who notes the labels of this command."""
    return Recorder(queue=options["timestamp_policy"] == "queue")


def default_jobs(files: int) -> int:
    """One process per core, but no process without work; starting one costs half a second."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    return max(1, min(cores, files // 4))


def trust_store() -> TrustStore:
    """The lists the user configured, so that a parent's signer is recorded as what it is to this user."""
    from tanba import trustdir

    return trustdir.load(trust_dir())


def read_stdin(limits: Limits, name: str | None, *, like: str | None = None) -> Asset:
    """Standard input as an asset, bounded. The output's name ``like`` tells apart what bytes cannot: YAML from prose."""
    if sys.stdin.isatty():
        click.echo("tanba: reading from the terminal; end with Ctrl-D", err=True)
    data = sys.stdin.buffer.read(limits.asset_bytes + 1)
    return replace(Asset.from_bytes(data, name=like, limits=limits), name=name)
