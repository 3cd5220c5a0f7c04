"""``tanba report verify``: is a filed report what its author signed, who was it, and when?"""

from __future__ import annotations

import hashlib
import json
import os
from functools import partial
from pathlib import Path
from typing import Any

import click

from tanba import exits, statement, trustdir
from tanba.errors import AssetUnreadable
from tanba.i18n import has, pick_language, sentence
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
@click.option("--lang", help="en, ru or kk; your locale by default.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def verify(file: Path, asset: Path | None, require: str, lang: str | None, as_json: bool) -> int:
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
        _print(body, pick_language(lang, os.environ))
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
        "note": sentence("filed-note", "en"),
    }


def _print(body: dict[str, Any], lang: str) -> None:
    from verifier.render.safe import clean

    say = partial(sentence, lang=lang)
    signer, time, subject = body["signer"], body["time"], body["subject"]
    vouched = say("filed-vouched", list=signer["list"]) if signer["list"] else say("filed-unvouched")
    rows = [
        ("report", say(f"filed-{body['integrity']}")),
        ("about", f"{subject['name']}  sha256 {subject['sha256']}"),
        ("verdict", _verdict(body["verdict"], lang)),
        ("reporter", f"{signer['name'] or '?'}, {signer['organization'] or '?'} ({vouched})"),
        ("time", f"{time['at']} ({_rests(time, lang)})"),
    ]
    if isinstance(detector := body["detector"], dict):
        rows.append(("detector", f"{detector.get('name')} {detector.get('version')}"))
    if not time["certificate_valid_then"]:
        rows.append(("certificate", say("filed-not-valid-then")))
    if "same_file" in body:
        rows.append(("file", say("filed-same" if body["same_file"] else "filed-other")))
    for name, text in rows:
        click.echo(f"{say(f'filed-row-{name}'):<12} {clean(text, 300)}")
    click.echo(say("filed-note"))


def _verdict(word: object, lang: str) -> str:
    """The verdict in the reader's word and, for scripts and colleagues, the machine's; a newer version's word as it is."""
    key = f"verdict-{word}.word"
    said = sentence(key, lang) if isinstance(word, str) and has(key, lang) else str(word)
    return said if said == word else f"{said} ({word})"


def _rests(time: dict[str, Any], lang: str) -> str:
    if time["source"] == "rfc3161":
        return sentence("filed-time-stamp", lang, authority=time["authority"], list=time["list"])
    if time["authority"]:
        return sentence("filed-time-stamp-unvouched", lang, authority=time["authority"])
    return sentence("filed-time-claim", lang)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(statement.MAX_BYTES + 1)
    except OSError as error:
        raise AssetUnreadable(f"cannot read {path.name}") from error


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
