"""``tanba report verify``: is a filed report what its author signed, who was it, and when?"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import click

from tanba import exits, statement, trustdir
from tanba.errors import AssetUnreadable
from tanba.paths import trust_dir
from tanba.wire import rfc3339
from verifier.signing import issued_at

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def report() -> None:
    """Filed reports."""


@report.command("verify")
@click.argument("file", type=_FILE)
@click.option("--asset", type=_FILE, help="Also compare the report with this file by SHA-256.")
@click.option("--require", type=click.Choice(["valid", "trusted"]), default="valid", show_default=True,
              help="trusted: one of your lists must vouch for the reporter.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def verify(file: Path, asset: Path | None, require: str, as_json: bool) -> int:
    """Check a report made by `tanba verify --sign`. Needs no network and no key.

    Exit codes: 0 holds, 1 does not (or nobody vouches, with --require trusted), 5 cannot be read.
    """
    checked = statement.check(_read(file), trustdir.load(trust_dir()), claimed_at=issued_at)
    body = describe(checked)
    if asset is not None:
        body["same_file"] = _sha256(asset) == (checked.payload.get("subject") or {}).get("sha256")
    holds = checked.intact and checked.inside_validity and body.get("same_file", True)
    body["holds"] = holds
    if as_json:
        click.echo(json.dumps(body, ensure_ascii=False, indent=2))
    else:
        _print(body)
    return exits.OK if holds and (require == "valid" or checked.list is not None) else exits.LABEL_FAILS


def describe(checked: statement.Checked) -> dict[str, Any]:
    """The result as JSON (``tanba.report-check/1``)."""
    subject = checked.payload.get("subject") or {}
    return {
        "schema": "tanba.report-check/1",
        "integrity": "intact" if checked.intact else "broken",
        "verdict": checked.payload.get("verdict"),
        "subject": {key: subject.get(key) for key in ("name", "sha256", "size", "media_type")},
        "detector": checked.payload.get("detector"),
        "signer": {
            "state": "trusted" if checked.list else "unknown",
            "name": checked.signer,
            "organization": checked.organization,
            "fingerprint": checked.fingerprint,
            "not_after": rfc3339(checked.not_after),
            "list": checked.list.name if checked.list else None,
        },
        "time": {
            "state": "timestamped" if checked.time_source == "rfc3161" else "claimed",
            "at": rfc3339(checked.at),
            "source": checked.time_source,
            "authority": checked.authority,
            "list": checked.authority_list.name if checked.authority_list else None,
            "certificate_valid_then": checked.inside_validity,
        },
        "note": "A report that holds was signed by this key and not changed since. It does not make the content true.",
    }


def _print(body: dict[str, Any]) -> None:
    from verifier.render.safe import clean

    signer, time, subject = body["signer"], body["time"], body["subject"]
    vouched = f"the list {signer['list']!r} vouches" if signer["list"] else "none of your lists vouches"
    rows = [
        (
            "report",
            "unchanged since it was signed" if body["integrity"] == "intact" else "CHANGED or not signed by this key",
        ),
        ("about", f"{subject['name']}  sha256 {subject['sha256']}"),
        ("verdict", str(body["verdict"])),
        ("reporter", f"{signer['name'] or '?'}, {signer['organization'] or '?'} ({vouched})"),
        ("time", f"{time['at']} ({_rests(time)})"),
    ]
    if not time["certificate_valid_then"]:
        rows.append(("certificate", "was not valid at that time"))
    if "same_file" in body:
        rows.append(("file", "the same bytes" if body["same_file"] else "ANOTHER FILE than the report is about"))
    for name, text in rows:
        click.echo(f"{name:<12} {clean(text)}")
    click.echo(body["note"])


def _rests(time: dict[str, Any]) -> str:
    if time["source"] == "rfc3161":
        return f"RFC 3161 time stamp of {time['authority']}, vouched for by the list {time['list']!r}"
    if time["authority"]:
        return f"the reporter's claim; nobody vouches for the time stamp of {time['authority']}"
    return "the reporter's claim"


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(statement.MAX_BYTES + 1)
    except OSError as error:
        raise AssetUnreadable(f"cannot read {path.name}") from error


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
