"""The public side: what others need to verify our labels, and what must be published when a certificate is revoked."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from keys import certificates, development, files, history, keyring, opening
from keys.keyring import IdentityInfo
from keys.states import State
from tanba.errors import IdentityNotUsable
from tanba.wire import rfc3339, to_json

SCHEMA = "tanba.public-trust/1"


@dataclass(frozen=True, slots=True)
class Published:
    """Files written by :func:`export_public`."""

    directory: str
    files: tuple[str, ...]
    sha256: str
    """Digest of ``anchors.pem``, hex: what a reader pins."""
    date: str


@dataclass(frozen=True, slots=True)
class Revocation:
    """What a revocation touches and asks for."""

    identity: str
    fingerprint: str
    serial: str
    reason: str
    since: str | None
    """Labels from this moment on are in doubt; all of them when empty."""
    labels: int
    """How many labels were made with it in that time."""
    label_ids: tuple[str, ...]
    to_do: tuple[str, ...]
    """What the operator must do; nobody else can."""


def export_public(home: Path, name: str, directory: Path, *, now: datetime) -> Published:
    """Write root, chain and a list file with digest and date into a folder; nothing secret is even opened.

    Raises :class:`IdentityNotUsable` when there is no certificate, and what the keyring raises.
    """
    info = keyring.load(home).find(name)
    if not info.fingerprint:
        raise IdentityNotUsable(f"{info.name} has no certificate yet", hint="install one first")
    folder = opening.folder(home, info)
    chain = files.read(folder / opening.CHAIN)
    root = folder / opening.ROOT
    top = certificates.dump_chain(certificates.load_chain(chain)[-1:])
    anchors = files.read(root) if root.is_file() else top
    directory.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256(anchors).hexdigest()
    listed = {
        "schema": SCHEMA,
        "name": info.line,
        "date": now.date().isoformat(),
        "anchors": "anchors.pem",
        "sha256": digest,
        "development": info.development,
        "identities": [_public(item) for item in keyring.load(home).entries if item.line == info.line],
    }
    parts = {
        "anchors.pem": anchors,
        "chain.pem": chain,
        "list.json": (to_json(listed) + "\n").encode(),
        "README.txt": _readme(info, digest, now).encode(),
    }
    for file, content in parts.items():
        files.write(directory / file, content, mode=0o644)
    return Published(str(directory), tuple(parts), digest, now.date().isoformat())


def revocation(home: Path, info: IdentityInfo, *, since: datetime | None) -> Revocation:
    """What revoking this identity means for labels that exist, and what has to be published."""
    touched = tuple(item.label_id for item in history.uses(fingerprint=info.fingerprint, since=since, home=home))
    steps = []
    if info.development:
        steps.append(
            f"whoever trusts your development root still trusts this certificate: tell them, and give them no"
            f" `{development.TRUST_LIST}` list any more"
        )
    else:
        steps.append(
            f"ask the CA to revoke the certificate with serial {info.serial}: readers learn it from the CA's OCSP"
            " responder or CRL, not from us"
        )
    steps.append("publish the list again: `tanba keys export-public`; it names the revoked certificate and the date")
    if touched:
        steps.append(f"label the {len(touched)} touched items again with the active identity, or withdraw their labels")
    steps.append("labels with a trusted time stamp from before the revocation stay valid for readers who check it")
    return Revocation(
        info.name, info.fingerprint, info.serial, info.reason, rfc3339(since) if since else None,
        len(touched), touched, tuple(steps),
    )  # fmt: skip


def _public(info: IdentityInfo) -> dict[str, object]:
    body: dict[str, object] = {
        "name": info.name,
        "state": info.state.value,
        "fingerprint": info.fingerprint,
        "serial": info.serial,
        "organization": info.organization,
        "not_before": info.not_before,
        "not_after": info.not_after,
    }
    if info.state is State.REVOKED:
        body |= {"revoked_at": info.revoked_at, "reason": info.reason}
    return body


def _readme(info: IdentityInfo, digest: str, now: datetime) -> str:
    warning = (
        "This is a development root: it was made on one machine and no authority stands behind it.\n\n"
        if info.development
        else ""
    )
    return (
        f"{warning}To verify labels of {info.organization or info.line}:\n\n"
        f"    tanba trust add {info.line} anchors.pem --sha256 {digest} --date {now.date()}\n"
        "    tanba verify FILE\n\n"
        "Compare the digest with one you got another way (by telephone, from their web site).\n"
    )
