"""``tanba verify``: files, folders and pipes in; one report each, in words or JSON, and an honest exit code."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from tanba import exits
from tanba.asset import Asset
from tanba.errors import AssetTooLarge, UsageError
from tanba.formats.sniff import Kind
from tanba.limits import DEFAULT_LIMITS
from tanba.paths import cache_dir, trust_dir
from tanba.report import Verdict, VerificationReport
from tanba.trust import Purpose, TrustList, TrustStore
from verifier import procedure
from verifier import verify as verify_path

Complete = Callable[[VerificationReport], VerificationReport]


class MomentType(click.ParamType[datetime]):
    """An ISO 8601 date or date-time; a bare date means its end, UTC."""

    name = "DATE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no date: write 2026-11-23 or 2026-11-23T10:00:00Z", param, ctx)
        if len(value) == 10:
            found = found.replace(hour=23, minute=59, second=59)
        return found if found.tzinfo else found.replace(tzinfo=UTC)


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE|DIR|-...")
@click.option("--manifest", type=click.Path(path_type=Path), help="A detached .c2pa manifest for FILE.")
@click.option("--trust", "trust_options", multiple=True, metavar="NAME=PEM", help="A list of signers you trust.")
@click.option(
    "--trust-tsa", "tsa_options", multiple=True, metavar="NAME=PEM", help="A list of time-stamp authorities you trust."
)
@click.option("--no-configured-trust", is_flag=True, help="Ignore the lists of `tanba trust`.")
@click.option("--require", type=click.Choice(["valid", "trusted"]), default="valid", show_default=True)
@click.option("--as-of", type=MomentType(), help="Answer as of this moment instead of now.")
@click.option("--second-engine", is_flag=True, help="Ask encypher-c2pa too and show what differs.")
@click.option("--recover", is_flag=True, help="Look for stored labels of stripped copies (a later release).")
@click.option("--network", is_flag=True, help="Allow online revocation checks. Nothing else is ever fetched.")
@click.option("--service", metavar="URL", help="Ask this Tanba service whether a label it issued still stands.")
@click.option("--lang", help="en, ru or kk; your locale by default.")
@click.option("--report", "html_path", type=click.Path(path_type=Path), help="Write an HTML report.")
@click.option("--pdf", "pdf_path", type=click.Path(path_type=Path), help="Write a PDF report.")
@click.option("--csv", "csv_path", type=click.Path(path_type=Path), help="Write one line per file.")
@click.option(
    "--sign", "sign_path", is_flag=False, flag_value="-", metavar="[FILE]", help="Sign the report with your identity."
)
@click.option("--identity", help="Which identity signs the report.")
@click.option("-r", "--recursive", is_flag=True, help="Go into folders.")
@click.option("--watch", is_flag=True, help="Keep checking what arrives in DIR.")
@click.option("--jobs", type=click.IntRange(1, 64), help="Worker processes for several files.")
@click.option("--resume", type=click.Path(path_type=Path), help="A ledger: what it holds is not checked again.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.option("--jsonl", "as_jsonl", is_flag=True, help="One JSON object a line, as results arrive.")
@click.option("-q", "--quiet", is_flag=True, help="No output, only the exit code.")
@click.option("-v", "--verbose", count=True, help="Codes for experts; twice for subjects too.")
def verify(files: tuple[str, ...], **options: Any) -> int:
    """Check marks: five answers and one verdict per file.

    Exit codes: 0 every file reaches --require, 1 a label fails, 3 no label found, 5 could not check.
    """
    if options["recover"]:
        raise UsageError(
            "recovery of stripped labels needs watermarks, which come with a later release",
            hint="run without --recover; `unmarked` never means made by a human",
        )
    from verifier import outputs

    outputs.check(files, options)
    settings = _settings(options)
    wanted = Verdict(options["require"])
    with ExitStack() as stack:
        complete = _completion(options["service"], stack)
        if _is_batch(files, options):
            from verifier.batch_cli import run_batch

            return run_batch(files, settings, wanted, options, complete)
        report = complete(_one(files[0], settings, options["manifest"]))
    report = replace(report, basis=replace(report.basis, command=_command()) if report.basis else None)
    from verifier.output import write_outputs

    write_outputs(report, files[0], options)
    return exits.for_report(report, wanted)


def _completion(url: str | None, stack: ExitStack) -> Complete:
    """What is added to every report: nothing, or what the service at ``url`` says about a label of its own."""
    if url is None:
        return lambda report: report
    if not url.startswith(("http://", "https://")):
        raise UsageError("--service needs an http or https address", hint="for example https://labels.example")
    from tanba.client import Client
    from verifier.issuer import Issuer

    return Issuer(stack.enter_context(Client(url, seconds=10.0, tries=2))).complete


def _is_batch(files: tuple[str, ...], options: dict[str, Any]) -> bool:
    several = len(files) > 1 or options["watch"] or any(name != "-" and Path(name).is_dir() for name in files)
    if several and options["manifest"]:
        raise UsageError("--manifest belongs to one file", hint="put FILE.c2pa beside each FILE instead")
    return several


def _one(name: str, settings: procedure.Settings, manifest: Path | None) -> VerificationReport:
    if manifest is not None and manifest.suffix.lower() != ".c2pa" and manifest.is_file():
        kind = Asset.from_path(manifest, limits=settings.limits).format.kind
        if kind not in (Kind.STORE, Kind.UNKNOWN):
            raise UsageError(
                f"{manifest.name} is no manifest store",
                hint=f"a quote is held against a labelled text by `tanba text quoted FILE --from {manifest.name}`",
            )
    if name != "-":
        return verify_path(name, settings, manifest=manifest)
    if sys.stdin.isatty():
        click.echo(
            "tanba: reading from the terminal; many terminals drop invisible characters, and with them a text's mark."
            " Use a file or a pipe to be sure.",
            err=True,
        )
    data = sys.stdin.buffer.read(settings.limits.asset_bytes + 1)
    if len(data) > settings.limits.asset_bytes:
        raise AssetTooLarge("standard input is over the limit", hint="raise TANBA_LIMITS__ASSET_BYTES")
    asset = Asset.from_bytes(data, limits=settings.limits)
    if manifest is None:
        return procedure.verify_asset(asset, settings)
    from verifier.sidecar import read_sidecar

    return procedure.verify_asset(asset, settings, manifest=read_sidecar(manifest, settings.limits))


def _settings(options: dict[str, Any]) -> procedure.Settings:
    return procedure.Settings(
        trust=trust_store(options),
        limits=limits_from_environment(),
        as_of=options["as_of"],
        network=options["network"],
        cache_dir=cache_dir() if options["network"] else None,
        thumbnails=bool(options["html_path"] or options["pdf_path"]),
        second_engine=options["second_engine"],
    )


def limits_from_environment() -> Any:
    """The default limits, each overridable as ``TANBA_LIMITS__<FIELD>``. Raises :class:`UsageError`."""
    changed: dict[str, Any] = {}
    for name in DEFAULT_LIMITS.__slots__:
        if raw := os.environ.get(f"TANBA_LIMITS__{name.upper()}"):
            kind = type(getattr(DEFAULT_LIMITS, name))
            try:
                changed[name] = kind(raw)
            except ValueError as error:
                raise UsageError(f"TANBA_LIMITS__{name.upper()} must be a number") from error
    return replace(DEFAULT_LIMITS, **changed) if changed else DEFAULT_LIMITS


def trust_store(options: dict[str, Any]) -> TrustStore:
    """The configured lists, unless ``no_configured_trust``, and those that ``trust_options`` and ``tsa_options`` name."""
    from tanba import trustdir

    store = TrustStore.empty() if options["no_configured_trust"] else trustdir.load(trust_dir())
    named = [_named(item, Purpose.MANIFEST) for item in options["trust_options"]]
    named += [_named(item, Purpose.TSA) for item in options["tsa_options"]]
    return store.plus(*named) if named else store


def _named(option: str, purpose: Purpose) -> TrustList:
    name, sign, path = option.partition("=")
    if not sign or not name or not path:
        raise UsageError(f"{option!r} is not NAME=PEM", hint="for example --trust newsroom=newsroom-root.pem")
    return TrustList.from_file(name, Path(path), purpose=purpose)


def _command() -> str:
    return shlex.join(["tanba", *sys.argv[1:]])
