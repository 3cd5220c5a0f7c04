"""``tanba log``: look into a label log, prove entries, audit a service from outside, export a period for an auditor."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tanba import exits
from tanba.errors import AssetUnreadable, InputError, UsageError

if TYPE_CHECKING:
    from service.log.audit import AuditResult, Seen
    from service.log.source import LogSource

_service = click.option("--service", metavar="URL", envvar="TANBA_SERVICE", help="A running service, from outside.")
_database = click.option("--local", is_flag=True, help="This installation's own database instead of a service.")
_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


@click.group()
def log() -> None:
    """The label log: entries, proofs, checkpoints, audits (docs/label-log.md)."""


@log.command()
@click.argument("index", required=False, type=click.IntRange(min=0))
@_service
@_database
@_json
def show(index: int | None, service: str | None, local: bool, as_json: bool) -> int:
    """Print the current checkpoint, or what is public of entry INDEX."""
    with _source(service, local=local) as source:
        if index is None:
            note = source.checkpoint()
            click.echo(json.dumps({"key": source.key(), "checkpoint": note}) if as_json else note, nl=as_json)
        else:
            found = source.proof(index)
            lines = f"entry {index} of {found['size']}\nleaf hash {found['leaf_hash']}"
            click.echo(json.dumps(found) if as_json else lines)
    return exits.OK


@log.command()
@click.argument("index", type=click.IntRange(min=0))
@click.option("--size", type=click.IntRange(min=1), help="For the log of this size; the current one by default.")
@click.option("--key", metavar="KEY", help="The log's public key. Without it the log's own word is taken.")
@_service
@_database
@_json
def prove(index: int, size: int | None, key: str | None, service: str | None, local: bool, as_json: bool) -> int:
    """Fetch the inclusion proof of entry INDEX and check it."""
    from service.log.checkpoint import Checkpoint
    from service.log.merkle import verify_inclusion
    from service.log.note import NoteVerifier
    from service.log.store import Damaged

    with _source(service, local=local) as source:
        try:
            found = source.proof(index, size)
        except Damaged as error:
            gone = {"index": index, "verified": False, "code": error.code}
            click.echo(json.dumps(gone) if as_json else f"{error.code}: {error.message}")
            return exits.LABEL_FAILS
        verifier = NoteVerifier.parse(key or source.key())
    checkpoint = Checkpoint.open(found["checkpoint"], verifier)
    path = [bytes.fromhex(value) for value in found["proof"]]
    good = verify_inclusion(index, checkpoint.size, bytes.fromhex(found["leaf_hash"]), path, checkpoint.root)
    if as_json:
        click.echo(json.dumps({**found, "verified": good}))
    else:
        click.echo(f"entry {index} is {'' if good else 'NOT '}in the log of {checkpoint.size} entries")
    return exits.OK if good else exits.LABEL_FAILS


@log.command()
@click.option("--key", metavar="KEY", help="The log's public key, from a source you trust.")
@click.option(
    "--state", type=click.Path(path_type=Path, dir_okay=False), help="Where to keep the last good checkpoint."
)
@click.option("--full", is_flag=True, help="Read every entry again, not only the new ones.")
@click.option("--receipt", "receipts", multiple=True, type=click.Path(path_type=Path), help="Receipts to look for.")
@click.option("--export", "export_file", type=click.Path(path_type=Path), help="Check an auditor's export instead.")
@_service
@_database
@_json
def check(
    key: str | None,
    state: Path | None,
    full: bool,
    receipts: tuple[Path, ...],
    export_file: Path | None,
    service: str | None,
    local: bool,
    as_json: bool,
) -> int:
    """Audit a log: signature, growth since the last audit, entries, receipts. Exit code 1 when anything is wrong."""
    if export_file is not None:
        return _check_export(export_file, key, as_json=as_json)
    from service.log.audit import audit

    seen = _load_state(state) if state is not None and state.exists() else None
    with _source(service, local=local) as source:
        result = audit(source, seen=seen, key=key, full=full, receipts=[_read_json(path) for path in receipts])
    if state is not None and result.good and result.seen is not None:
        _write_atomically(state, json.dumps(result.seen.to_dict(), indent=1) + "\n")
    _print_audit(result, pinned=bool(key or seen), as_json=as_json)
    return exits.OK if result.good else exits.LABEL_FAILS


@log.command()
@click.option("--from", "start", required=True, metavar="DATE", help="First day or moment, RFC 3339, UTC.")
@click.option("--to", "end", required=True, metavar="DATE", help="Last day (included) or moment (excluded).")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="File to write; standard output by default.")
def export(start: str, end: str, output: Path | None) -> int:
    """Export a period for an auditor: every record, counts by profile, kind and identity, and the proofs.

    Reads this installation's own database: records are not public.
    """
    from service.log.export import export as make

    with _local() as (session, label_log):
        document = make(session, label_log, _moment(start), _moment(end, last=True), now=datetime.now(UTC))
    text = json.dumps(document, indent=1) + "\n"
    if output is None:
        click.echo(text, nl=False)
    else:
        _write_atomically(output, text)
    return exits.OK


def _check_export(path: Path, key: str | None, *, as_json: bool) -> int:
    from service.log.export import verify_export

    if key is None:
        raise UsageError("an export is checked against a key you trust", hint="add --key")
    complaints = verify_export(_read_json(path), key)
    if as_json:
        click.echo(json.dumps({"complaints": [{"code": item.code, "text": item.text} for item in complaints]}))
    else:
        for item in complaints:
            click.echo(f"{item.code}: {item.text}")
        if not complaints:
            click.echo("the export is complete and belongs to the log")
    return exits.LABEL_FAILS if complaints else exits.OK


def _print_audit(result: AuditResult, *, pinned: bool, as_json: bool) -> None:
    if as_json:
        document = {
            "schema": "tanba.log.audit/1",
            "good": result.good,
            "size": result.size,
            "entries_read": result.entries_read,
            "receipts": result.receipts,
            "key_pinned": pinned,
            "complaints": [{"code": item.code, "text": item.text} for item in result.complaints],
            "checkpoint": result.note,
            "last_good_checkpoint": result.seen.checkpoint if result.seen else None,
        }
        click.echo(json.dumps(document, ensure_ascii=False))
        return
    for item in result.complaints:
        click.echo(f"{item.code}: {item.text}")
    if result.good:
        click.echo(f"the log of {result.size} entries is in order ({result.entries_read} entries read)")
    else:
        click.echo("keep both checkpoints below: together they are the evidence\n")
        click.echo(result.note or "(the log gave out no checkpoint)")
        click.echo(result.seen.checkpoint if result.seen else "(no earlier checkpoint was kept)")
    if not pinned:
        click.echo("note: the key was taken from the log itself; get it from another source and pass --key", err=True)


@contextmanager
def _source(service: str | None, *, local: bool) -> Iterator[LogSource]:
    from service.log.source import DatabaseLog, HttpLog

    if local == bool(service):
        raise UsageError("name one log", hint="--service URL for a running service, --local for this installation")
    if service:
        yield HttpLog(service, _client(service))
        return
    with _local() as (session, label_log):
        yield DatabaseLog(session, label_log)


def _client(service: str) -> Any:
    """A client for the very host that the user named, wherever it is."""
    from urllib.parse import urlsplit

    from tanba.net import NetworkPolicy, guarded_client

    parts = urlsplit(service)
    try:
        port = parts.port or {"http": 80, "https": 443}[parts.scheme]
        host = parts.hostname or ""
    except (KeyError, ValueError) as error:
        raise UsageError(f"not a service address: {service!r}", hint="like https://labels.example.org") from error
    policy = NetworkPolicy(total_seconds=30.0, read_seconds=10.0)
    return guarded_client(policy.allowing(f"[{host}]:{port}" if ":" in host else f"{host}:{port}"))


@contextmanager
def _local() -> Iterator[tuple[Any, Any]]:
    from service import log_key
    from service.config import Settings
    from service.db.session import Database
    from service.log import LabelLog, NoteSigner

    settings = Settings()
    signer = NoteSigner.load_or_create(settings.service_dir / "log.key", settings.log_origin)
    database = Database(settings.effective_database_url)
    try:
        with database.read() as session:
            label_log = LabelLog(signer)
            if not settings.accept_log_key:
                log_key.check(session, label_log)
            yield session, label_log
    finally:
        database.close()


def _moment(text: str, *, last: bool = False) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"not a date: {text!r}", hint="write it like 2026-11-01 or 2026-11-01T12:00:00Z") from error
    if len(text) == len("2026-11-01") and last:
        moment += timedelta(days=1)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _load_state(path: Path) -> Seen:
    from service.log.audit import Seen

    return Seen.from_dict(_read_json(path))


def _read_json(path: Path) -> Any:
    try:
        found = json.loads(path.read_bytes())
    except OSError as error:
        raise AssetUnreadable(f"cannot read {path.name}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path.name} is not JSON") from error
    if not isinstance(found, dict):
        raise InputError(f"{path.name} is not a JSON object")
    return found


def _write_atomically(path: Path, text: str) -> None:
    descriptor, name = tempfile.mkstemp(dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
