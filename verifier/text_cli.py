"""``tanba text``: which roads a text mark survives, and bringing a text back to what was signed."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import click

from tanba import exits
from tanba.asset import Asset
from tanba.errors import OutputRefused, UsageError
from tanba.formats.sniff import Kind
from tanba.limits import Limits
from tanba.wire import to_json

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
BROWSER = "browser"
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@click.group()
def text() -> None:
    """Marks in text: what they survive, and how to undo what transport did to them."""


@text.command()
@click.argument("file", type=_FILE)
@click.option("--through", default="all", show_default=True, metavar="ROAD,…|all", help="Journeys, by name.")
@click.option("--manifest", type=_FILE, help="The sidecar that travels beside the file, untouched.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_context
def survives(context: click.Context, file: Path, through: str, manifest: Path | None, *, as_json: bool) -> None:
    """Send the labelled FILE down roads and show where its mark survives, is recoverable, or is lost.

    Exit 0 when it survives every road, 1 when not, 3 when FILE carries no intact mark to begin with.
    """
    from verifier.text_survival import Survival, outcome

    asset = _text(file)
    raw, media_type = asset.read(), asset.format.media_type
    beside = manifest.read_bytes() if manifest else None
    start = outcome(raw, media_type, manifest=beside)
    if start.survival is not Survival.SURVIVES:
        click.echo(f"{file.name}: there is no intact mark to send anywhere ({start.detail})", err=True)
        context.exit(exits.NO_LABEL)
    results = {name: outcome(go(raw, media_type), media_type, manifest=beside) for name, go in _roads(through).items()}
    if as_json:
        rows = [
            {"road": name, "survival": item.survival.value, "detail": item.detail} for name, item in results.items()
        ]
        click.echo(
            json.dumps({"schema": "tanba.survival/1", "file": file.name, "media_type": media_type, "roads": rows})
        )
    else:
        width = max(map(len, results))
        for name, item in results.items():
            click.echo(f"{name:<{width}}  {item.survival.value:<11}  {item.detail}")
    lost = any(item.survival is not Survival.SURVIVES for item in results.values())
    context.exit(exits.LABEL_FAILS if lost else exits.OK)


@text.command()
@click.argument("file", type=_FILE)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="Where to write the restored text."
)
@click.option("--force", is_flag=True, help="Replace an existing output file.")
def restore(file: Path, output: Path, *, force: bool) -> None:
    """Undo what transport did to the labelled FILE and write the text that was signed, with its mark.

    Refuses when the words themselves were changed: only what the signed hash confirms is written.
    """
    from tanba.text.evidence import read_marked
    from tanba.trust import TrustStore
    from verifier.output import write_atomically
    from verifier.text_damage import repaired

    asset = _text(file)
    raw = asset.read()
    reading = read_marked(raw, asset.format.media_type, trust=TrustStore.empty())
    fixed = repaired(raw, asset.format.media_type, reading)
    if fixed is None:
        raise UsageError(
            "the text cannot be brought back to what was signed",
            code="tanba.text.not_restorable",
            hint="`tanba verify` says what is known about the damage; ask for the original",
        )
    if output.exists() and not force:
        raise OutputRefused(f"{output.name} exists already", hint="choose another name, or add --force")
    write_atomically(output, fixed)


@text.command()
@click.argument("quote", metavar="QUOTE|-")
@click.option("--from", "source", type=_FILE, required=True, help="The labelled text, or its .c2pa manifest.")
@click.option("--trust", "trust_options", multiple=True, metavar="NAME=PEM", help="A list of signers you trust.")
@click.option("--no-configured-trust", is_flag=True, help="Ignore the lists of `tanba trust`.")
@click.option("--lang", help="en, ru or kk; your locale by default.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_context
def quoted(
    context: click.Context, quote: str, source: Path, trust_options: tuple[str, ...], *, no_configured_trust: bool,
    lang: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Check which paragraphs of QUOTE stand unchanged in a text that was labelled with --sections.

    Exit 0 when all do, 1 when some or none do or the label proves nothing, 3 when there is no label or it lists none.
    """
    from tanba.i18n import pick_language
    from verifier import quotes
    from verifier.cli import limits_from_environment, trust_store
    from verifier.procedure import Settings

    trust = {"trust_options": trust_options, "tsa_options": (), "no_configured_trust": no_configured_trust}
    settings = Settings(trust=trust_store(trust), limits=limits_from_environment())
    text = _pasted(settings.limits) if quote == "-" else _text(Path(quote))
    found = quotes.examine(text, Asset.from_path(source, limits=settings.limits), settings)
    if found is None:
        click.echo(f"{source.name}: there is no label to hold the quote against", err=True)
        context.exit(exits.NO_LABEL)
    if as_json:
        click.echo(to_json({**quotes.document(found), "quote": quote, "from": source.name}, indent=2))
    else:
        for line in quotes.words(found, pick_language(lang, os.environ)):
            click.echo(line)
    context.exit(_QUOTED[found.quotation.value])


_QUOTED = {
    "whole": exits.OK, "unchanged": exits.OK, "mixed": exits.LABEL_FAILS, "none": exits.LABEL_FAILS,
    "unproven": exits.LABEL_FAILS, "not_listed": exits.NO_LABEL,
}  # fmt: skip


def _pasted(limits: Limits) -> Asset:
    """Standard input as text, whatever it begins with, bounded."""
    data = sys.stdin.buffer.read(limits.text_bytes + 1)
    return Asset.from_bytes(data, name="quote.txt", limits=limits)


def _text(file: Path) -> Asset:
    asset = Asset.from_path(file)
    if asset.format.kind is not Kind.TEXT:
        raise UsageError(f"{file.name} is no text", hint="text marks travel in text files only")
    return asset


def _roads(through: str) -> dict[str, Callable[[bytes, str], bytes]]:
    """The chosen journeys; those of ``all`` that need a package that is not installed are left out."""
    from tanba.text.journeys import JOURNEYS

    browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if through == "all":
        return {name: item.go for name, item in JOURNEYS.items() if item.available}
    chosen: dict[str, Callable[[bytes, str], bytes]] = {}
    for name in filter(None, (part.strip() for part in through.split(","))):
        journey = JOURNEYS.get(name)
        if name == BROWSER and browser is not None:
            chosen[name] = _through_browser(browser)
        elif journey is None:
            raise UsageError(f"there is no road {name!r}", hint=f"known: {', '.join([*JOURNEYS, BROWSER])}")
        elif not journey.available:
            raise UsageError(
                f"the road {name!r} needs the package {journey.needs}", hint=f"pip install {journey.needs}"
            )
        else:
            chosen[name] = journey.go
    if not chosen:
        raise UsageError("no road was named", hint="--through crlf,trim,… or --through all")
    return chosen


def _through_browser(chromium: str) -> Callable[[bytes, str], bytes]:
    from tanba.text.browser import copy

    return lambda raw, media_type: copy(raw, media_type, chromium)
