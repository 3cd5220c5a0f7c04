"""``tanba keys``: what can be done with signing identities. Making them is in :mod:`keys.making_cli`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from keys import making_cli, ocsp_cli, remote_cli, stamp_cli
from keys.options_cli import (
    FILE,
    json_option,
    passphrase_options,
    secrets,
    show_faults,
    show_identity,
    show_json,
    show_list,
)


@click.group()
def keys() -> None:
    """Signing identities: create, check, rotate, revoke. Secrets never stand on the command line."""


for _command in (
    making_cli.new,
    making_cli.import_,
    making_cli.csr,
    making_cli.install,
    ocsp_cli.staple,
    ocsp_cli.ocsp_serve,
    stamp_cli.stamp,
    remote_cli.serve,
):
    keys.add_command(_command)


@keys.command("list")
@click.option("--tenant", help="Only this tenant's.")
@json_option
def list_(tenant: str | None, as_json: bool) -> None:
    """All identities with their states."""
    from keys import list_identities

    found = list_identities(tenant=tenant)
    if as_json:
        show_json(found)
    else:
        show_list(found)


@keys.command()
@click.argument("name", required=False)
@json_option
def show(name: str | None, as_json: bool) -> None:
    """One identity: NAME, or the active one. Also counts the labels made with it."""
    from keys import history, keyring
    from tanba.errors import IdentityNotFound
    from tanba.paths import keys_dir
    from tanba.wire import to_plain

    ring = keyring.load(keys_dir())
    info = ring.find(name) if name else ring.active()
    if info is None:
        raise IdentityNotFound("there is no active signing identity", hint="`tanba keys new` makes one")
    labels = sum(1 for _ in history.uses(fingerprint=info.fingerprint)) if info.fingerprint else 0
    if as_json:
        show_json({**to_plain(info), "labels": labels})
        return
    show_identity(info)
    click.echo(f"{'labels:':13}{labels} made on this machine")


@keys.command()
@click.argument("name")
@json_option
def activate(name: str, as_json: bool) -> None:
    """Let a pending identity sign; whoever signed before starts retiring. A probe label is made and read back first."""
    from keys import lifecycle
    from keys.development import utc_now
    from keys.probe import probe
    from tanba.paths import keys_dir

    home, lookup = keys_dir(), secrets()
    info = lifecycle.activate(home, name, clock=utc_now, probe=lambda item: probe(home, item, secrets=lookup))
    if as_json:
        show_json(info)
    else:
        click.echo(f"{info.name} signs from now on")
        if not info.development:
            click.echo(
                f"  for readers: tanba keys export-public {info.line} FOLDER (also for your own `trusted`, see there)"
            )


@keys.command()
@click.argument("name")
@json_option
def rotate(name: str, as_json: bool) -> None:
    """Make the next key of a line. With a real CA: send the CSR, install the answer, activate."""
    from keys import development, lifecycle
    from tanba.paths import keys_dir, trust_dir

    info = lifecycle.rotate(keys_dir(), name, clock=development.utc_now, secrets=secrets())
    if info.development:
        development.trust(keys_dir(), trust_dir(), development.utc_now())
    if as_json:
        show_json(info)
    elif info.fingerprint:
        click.echo(f"{info.name} is {info.state.value}")
    else:
        click.echo(f"{info.name} waits for its certificate: tanba keys csr {info.name} -o request.pem")


@keys.command()
@click.argument("name")
@json_option
def retire(name: str, as_json: bool) -> None:
    """End the grace period of a retiring identity: it signs nothing any more. Its labels stay what they are."""
    from keys import lifecycle
    from keys.development import utc_now
    from keys.states import State
    from tanba.paths import keys_dir

    info = lifecycle.move(keys_dir(), name, State.RETIRED, clock=utc_now)
    if as_json:
        show_json(info)
    else:
        click.echo(f"{info.name} is retired")


@keys.command()
@click.argument("name")
@click.option("--reason", required=True, help="Why, in words or as an RFC 5280 reason: keyCompromise, superseded, …")
@click.option("--since", help="Labels from this moment on are in doubt (RFC 3339); all of them by default.")
@json_option
def revoke(name: str, reason: str, since: str | None, as_json: bool) -> None:
    """Never sign with this identity again; says which labels are touched and what must be published."""
    from keys import lifecycle, publish
    from keys.development import utc_now
    from keys.states import State
    from tanba.errors import UsageError
    from tanba.paths import keys_dir

    try:
        moment = datetime.fromisoformat(since) if since else None
    except ValueError as error:
        raise UsageError(f"not a time: {since!r}", hint="write it like 2026-11-05T10:00:00Z") from error
    if moment is not None and moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    info = lifecycle.move(keys_dir(), name, State.REVOKED, clock=utc_now, reason=reason)
    told = publish.revocation(keys_dir(), info, since=moment)
    if as_json:
        show_json(told)
        return
    click.echo(f"{info.name} is revoked ({reason}); {told.labels} labels made with it are in doubt")
    for label in told.label_ids[:20]:
        click.echo(f"  {label}")
    if told.labels > 20:
        click.echo(f"  … {told.labels - 20} more: --json lists all")
    for step in told.to_do:
        click.echo(f"- {step}")


@keys.command()
@click.argument("files", nargs=-1, type=FILE)
@click.option("--identity", help="Check this identity of the keyring, and that its key really signs.")
@click.option("--algorithm", help="The algorithm it shall sign with.")
@passphrase_options
@json_option
def check(
    files: tuple[Path, ...], identity: str | None, algorithm: str | None, passphrase: str | None, as_json: bool
) -> int:
    """Name every fault of a key or chain, and its cure. Exit code 1 when it cannot sign."""
    from keys import files as private
    from keys import keyring, opening
    from keys.check import check as judge
    from keys.development import utc_now
    from keys.probe import probe
    from tanba.errors import UsageError
    from tanba.paths import keys_dir, trust_dir
    from tanba.trustdir import load_ekus

    lookup = secrets()
    home = keys_dir()
    if bool(files) == bool(identity):
        raise UsageError("give files, or --identity NAME")
    contents = [private.read(path) for path in files]
    info = keyring.load(home).find(identity) if identity else None
    if info is not None:
        contents = [private.read(opening.folder(home, info) / opening.CHAIN)]
        algorithm = algorithm or info.algorithm
    result = judge(
        contents, now=utc_now(), algorithm=algorithm, accepted_ekus=load_ekus(trust_dir()),
        passphrase=lookup(passphrase) if passphrase else None,
    )  # fmt: skip
    if info is not None and result.usable:
        probe(home, info, secrets=lookup)
    if as_json:
        show_json({"usable": result.usable, "probe": "passed" if info is not None and result.usable else None,
                   "subject": result.subject, "organization": result.organization, "fingerprint": result.fingerprint,
                   "not_after": result.not_after, "algorithm": result.algorithm, "faults": result.faults})  # fmt: skip
    else:
        show_faults(result.faults)
        verdict = f"it can sign with {result.algorithm}" if result.usable else "it cannot sign"
        click.echo(verdict + (": a probe label was made and reads as trusted" if info and result.usable else ""))
    return 0 if result.usable else 1


@keys.command("export-public")
@click.argument("name")
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@json_option
def export_public(name: str, directory: Path, as_json: bool) -> None:
    """Write what others need to verify: root, chain, and a list with digest and date. Nothing secret."""
    from keys import publish
    from keys.development import utc_now
    from tanba.paths import keys_dir

    done = publish.export_public(keys_dir(), name, directory, now=utc_now())
    if as_json:
        show_json(done)
    else:
        click.echo(f"wrote {', '.join(done.files)} to {done.directory}\nanchors.pem sha256 {done.sha256}")
