"""``tanba trust``: the named lists the user chose. Updates happen only here, only when asked, only when vouched for."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from tanba import trustdir
from tanba.errors import TrustError, UsageError
from tanba.paths import trust_dir
from tanba.trust import Purpose, TrustList
from tanba.wire import rfc3339
from verifier.render.safe import clean

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


@click.group()
def trust() -> None:
    """The named trust lists you chose. None is built in, none is ever fetched in the background."""


@trust.command("add")
@click.argument("name")
@click.argument("file", type=_FILE, required=False)
@click.option("--purpose", type=click.Choice([item.value for item in Purpose]), default=Purpose.MANIFEST.value,
              show_default=True, help="What the list may vouch for.")  # fmt: skip
@click.option("--allowed", type=_FILE, help="End-entity certificates that are trusted directly.")
@click.option("--date", help="Date of the snapshot, like 2026-11-05; the day of adding by default.")
@click.option("--ekus", type=_FILE, help="A store.cfg: extended key usages that this list alone vouches for.")
@click.option("--source", help="Where you got it, in words or as a URL.")
@click.option("--sha256", help="Digest the file must have.")
@click.option("--frozen", is_flag=True, help="Its publisher no longer maintains it.")
@click.option("--update-from", help="File or https URL that `tanba trust update` may read.")
@click.option("--publisher-key", type=_FILE, help="Ed25519 or ECDSA public key (PEM) that signs updates.")
@_json
def add_list(
    name: str,
    file: Path | None,
    purpose: str,
    allowed: Path | None,
    date: str | None,
    ekus: Path | None,
    source: str | None,
    sha256: str | None,
    frozen: bool,
    update_from: str | None,
    publisher_key: Path | None,
    as_json: bool,
) -> None:
    """Add the PEM file FILE under NAME. Every certificate in it is parsed first."""
    if file is None and allowed is None:
        raise UsageError("give a PEM file with anchors, or --allowed with end-entity certificates")
    content = file.read_bytes() if file else b""
    if sha256 is not None:
        trustdir.check_pin(content or (allowed.read_bytes() if allowed else b""), sha256)
    update = None
    if update_from is not None or publisher_key is not None:
        key = publisher_key.read_text("utf-8") if publisher_key else None
        update = trustdir.UpdateSource(update_from or "", None, key)
    item = TrustList(
        name=name,
        purpose=Purpose(purpose),
        anchors_pem=trustdir.decode(content),
        source=source or (file or allowed or Path(name)).name,
        date=date,
        allowed_pem=trustdir.decode(allowed.read_bytes()) if allowed else None,
        frozen=frozen,
        ekus=trustdir.parse_ekus(trustdir.decode(ekus.read_bytes())) if ekus else None,
    )
    if item.ekus and item.purpose is not Purpose.MANIFEST:
        raise UsageError(
            "--ekus belongs to lists of signers", hint="time stamps and identities have usages of their own"
        )
    made = trustdir.add(trust_dir(), item, update=update)
    _print_one(made, as_json=as_json)
    _warn((made,))


@trust.command("list")
@click.option("--known", is_flag=True, help="Describe published lists and where to get them; adds nothing.")
@_json
def list_lists(known: bool, as_json: bool) -> None:
    """Show the configured lists, their age and digest."""
    if known:
        _print_known(as_json=as_json)
        return
    found = trustdir.entries(trust_dir())
    if as_json:
        body = {"lists": [describe(entry) for entry in found], "ekus": list(trustdir.load_ekus(trust_dir()))}
        click.echo(json.dumps(body, ensure_ascii=False, indent=2))
        return
    for entry in found:
        click.echo(_line(entry))
    _warn(found)


@trust.command("show")
@click.argument("name")
@_json
def show_list(name: str, as_json: bool) -> None:
    """Show one list with every certificate in it."""
    entry = trustdir.show(trust_dir(), name)
    certificates = _certificates(entry.list)
    if as_json:
        click.echo(json.dumps(describe(entry) | {"certificates": certificates}, ensure_ascii=False, indent=2))
        return
    click.echo(_line(entry))
    click.echo(f"  sha256     {entry.list.sha256}")
    click.echo(f"  source     {clean(entry.list.source or '—', 300)}")
    click.echo(f"  added      {rfc3339(entry.added_at)}")
    if entry.list.ekus:
        click.echo(f"  usages     {' '.join(entry.list.ekus)}")
    if entry.update:
        signed = ", signed by its publisher" if entry.update.public_key_pem else ""
        click.echo(f"  updates    {clean(entry.update.location or 'by hand', 300)}{signed}")
    for item in certificates:
        click.echo(
            f"  {item['role']:<10} {clean(item['subject'])}  until {item['not_after'][:10]}  {item['fingerprint'][:16]}"
        )
    _warn((entry,))


@trust.command("remove")
@click.argument("name")
@_json
def remove_list(name: str, as_json: bool) -> None:
    """Forget a list. Signers it vouched for become unknown."""
    trustdir.remove(trust_dir(), name)
    click.echo(json.dumps({"removed": name}) if as_json else f"removed {name}")


@trust.command("update")
@click.argument("name")
@click.argument("file", type=_FILE, required=False)
@click.option("--network", is_flag=True, help="Allow reading the https URL recorded with --update-from.")
@click.option("--sha256", help="Digest the new file must have.")
@click.option("--signature", type=_FILE, help="Detached signature over the new file by the recorded key.")
@click.option("--date", help="Date of the new snapshot.")
@_json
def update_list(
    name: str,
    file: Path | None,
    network: bool,
    sha256: str | None,
    signature: Path | None,
    date: str | None,
    as_json: bool,
) -> None:
    """Replace the list NAME by FILE, or by what its recorded source gives, if a digest or a signature vouches for it."""
    entry = trustdir.show(trust_dir(), name)
    content = file.read_bytes() if file else _from_source(entry, network=network)
    made = trustdir.update(
        trust_dir(),
        name,
        content,
        date=date,
        pin_sha256=sha256,
        signature=signature.read_bytes() if signature else None,
    )
    _print_one(made, as_json=as_json)


@trust.command("ekus")
@click.argument("file", type=_FILE, required=False)
@_json
def accepted_ekus(file: Path | None, as_json: bool) -> None:
    """Show the accepted extended key usages, or set them from FILE (a store.cfg)."""
    found = trustdir.set_ekus(trust_dir(), file.read_text("utf-8")) if file else trustdir.load_ekus(trust_dir())
    click.echo(json.dumps({"ekus": list(found)}) if as_json else "\n".join(found))


def describe(entry: trustdir.Entry, now: datetime | None = None) -> dict[str, Any]:
    """One list as JSON."""
    moment = now or datetime.now(UTC)
    return {
        "name": entry.list.name,
        "purpose": entry.list.purpose.value,
        "date": entry.snapshot.isoformat(),
        "dated": entry.list.date is not None,
        "age_days": entry.age_days(moment),
        "old": entry.old(moment),
        "frozen": entry.list.frozen,
        "sha256": entry.list.sha256,
        "source": entry.list.source,
        "added_at": rfc3339(entry.added_at),
        "allowed_end_entities": entry.list.allowed_pem is not None,
        "ekus": list(entry.list.ekus) if entry.list.ekus else None,
        "update_from": entry.update.location or None if entry.update else None,
        "update_signed": bool(entry.update and entry.update.public_key_pem),
    }


def _from_source(entry: trustdir.Entry, *, network: bool) -> bytes:
    location = entry.update.location if entry.update else ""
    if not location:
        raise UsageError(
            f"no source for updates is recorded for {entry.list.name!r}", hint="give the new file as an argument"
        )
    if not location.lower().startswith(("https:", "http:")):
        try:
            return Path(location).read_bytes()
        except OSError as error:
            raise TrustError("the recorded source cannot be read", code="tanba.trust.unreadable") from error
    if not network:
        raise UsageError("the recorded source is a URL", hint="add --network to allow this one request")
    from dataclasses import replace

    from tanba.net import PUBLIC, guarded_client

    policy = replace(PUBLIC, schemes=frozenset({"https"}), max_bytes=trustdir.MAX_LIST_BYTES)
    return guarded_client(policy).get(location).raise_for_status().body


def _certificates(item: TrustList) -> list[dict[str, str]]:
    from cryptography.hazmat.primitives.hashes import SHA256

    from tanba.x509 import load_pem

    rows: list[dict[str, str]] = []
    for role, text in (("anchor", item.anchors_pem), ("end-entity", item.allowed_pem or "")):
        if "-----BEGIN CERTIFICATE-----" not in text:
            continue
        rows += [
            {
                "role": role,
                "subject": certificate.subject.rfc4514_string(),
                "not_before": rfc3339(certificate.not_valid_before_utc),
                "not_after": rfc3339(certificate.not_valid_after_utc),
                "fingerprint": certificate.fingerprint(SHA256()).hex(),
            }
            for certificate in load_pem(text.encode())
        ]
    return rows


def _print_one(entry: trustdir.Entry, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(describe(entry), ensure_ascii=False, indent=2))
        return
    click.echo(_line(entry))


def _print_known(*, as_json: bool) -> None:
    from verifier.trust_known import KNOWN

    if as_json:
        click.echo(json.dumps({"known": [asdict(item) for item in KNOWN]}, ensure_ascii=False, indent=2))
        return
    for item in KNOWN:
        click.echo(f"{item.name} ({item.purpose.value}{', frozen' if item.frozen else ''})")
        click.echo(f"  {item.about}\n  from: {item.publisher}")
    click.echo("Download the file yourself, compare its digest with the publisher's, then `tanba trust add`.")


def _line(entry: trustdir.Entry) -> str:
    days = entry.age_days(datetime.now(UTC))
    age = f"{days} day{'' if days == 1 else 's'}{'' if entry.list.date else ' since added'}"
    return (
        f"{entry.list.name:<20} {entry.list.purpose.value:<9} {entry.snapshot.isoformat()} ({age})  "
        f"sha256 {entry.list.sha256[:16]}  {clean(entry.list.source or '')}"
    )


def _warn(found: tuple[trustdir.Entry, ...]) -> None:
    now = datetime.now(UTC)
    if not found:
        click.echo("No trust list is configured: every signer will be reported as unknown.", err=True)
        click.echo("`tanba trust list --known` says which lists exist and who publishes them.", err=True)
    for entry in found:
        if entry.list.frozen:
            click.echo(f"{entry.list.name}: frozen by its publisher; newer signers are not on it.", err=True)
        elif entry.list.date is None:
            click.echo(
                f"{entry.list.name}: added without --date, so how old the list itself is, is not known.", err=True
            )
        elif entry.old(now):
            click.echo(
                f"{entry.list.name}: {entry.age_days(now)} days old; signers added or withdrawn since are not known.",
                err=True,
            )
