"""Trust lists on disk: what the user configured, one TOML description and one PEM file per list.

A directory holds ``NAME.toml`` (description), ``NAME.pem`` (anchors), perhaps ``NAME.allowed.pem`` (end entities) and
``ekus.cfg`` (accepted extended key usages). The digest in the description pins the content: a list that was changed
behind our back is refused, never half believed. Nothing here opens a network, and nothing is built in.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from tanba.errors import TrustError, UsageError
from tanba.trust import DEFAULT_EKUS, Purpose, TrustList, TrustStore

SCHEMA = "tanba.trust-list/1"
EKU_FILE = "ekus.cfg"
MAX_LIST_BYTES = 8 << 20
"""Largest PEM file accepted; the published lists are below 100 KiB."""
OLD_AFTER_DAYS = 90
"""A snapshot older than this is called old, loudly. The C2PA programme changes its list about every month."""

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_OID = re.compile(r"[0-2](?:\.(?:0|[1-9][0-9]*)){2,}")


@dataclass(frozen=True, slots=True)
class UpdateSource:
    """Where the user said that updates come from, and what makes one acceptable.

    ``sha256`` is the digest a new file must have; ``public_key_pem`` an Ed25519 or ECDSA key whose detached signature
    (over the file's bytes; ECDSA with SHA-256, DER) must verify. With neither, every update must name its digest.
    """

    location: str
    """A ``https`` URL or a file path, never followed in the background."""
    sha256: str | None = None
    public_key_pem: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One configured list with what is known about its origin."""

    list: TrustList
    added_at: datetime
    update: UpdateSource | None = None

    @property
    def snapshot(self) -> date:
        """The snapshot's date: the one the user gave, or the day it was added."""
        return date.fromisoformat(self.list.date) if self.list.date else self.added_at.date()

    def age_days(self, now: datetime) -> int:
        """Whole days between the snapshot and ``now``; negative for a date in the future."""
        return (now.date() - self.snapshot).days

    def old(self, now: datetime) -> bool:
        """Whether the snapshot is older than :data:`OLD_AFTER_DAYS`, or its publisher gave it up."""
        return self.list.frozen or self.age_days(now) > OLD_AFTER_DAYS


def load(directory: Path) -> TrustStore:
    """All configured lists, each with its snapshot's date; the empty store when the directory does not exist.

    Raises :class:`TrustError` when a list is unreadable or does not match the digest recorded when it was added.
    """
    lists = (
        replace(entry.list, date=entry.snapshot.isoformat(), dated=entry.list.date is not None)
        for entry in entries(directory)
    )
    return TrustStore(tuple(lists), load_ekus(directory))


def entries(directory: Path) -> tuple[Entry, ...]:
    """Every configured list, by name. Raises :class:`TrustError`."""
    try:
        paths = sorted(directory.glob("*.toml"))
    except OSError as error:
        raise TrustError("the trust directory cannot be read", code="tanba.trust.unreadable") from error
    return tuple(_read(path) for path in paths)


def show(directory: Path, name: str) -> Entry:
    """One configured list. Raises :class:`TrustError` when there is none of that name."""
    path = directory / f"{check_name(name)}.toml"
    if not path.is_file():
        raise TrustError(
            f"no trust list is called {name!r}", code="tanba.trust.not_found", hint="see `tanba trust list`"
        )
    return _read(path)


def add(
    directory: Path,
    item: TrustList,
    *,
    pin_sha256: str | None = None,
    update: UpdateSource | None = None,
    now: datetime | None = None,
    overwrite: bool = False,
) -> Entry:
    """Store a list. ``pin_sha256`` is the SHA-256 (hex) that the anchors file must have.

    Raises :class:`TrustError` when the pin does not match, a certificate does not parse or the name is taken.
    """
    check_name(item.name)
    check_content(item)
    if pin_sha256 is not None:
        check_pin((item.anchors_pem or item.allowed_pem or "").encode(), pin_sha256)
    entry = Entry(item, (now or datetime.now(UTC)).replace(microsecond=0), update)
    with _locked(directory):
        if not overwrite and (directory / f"{item.name}.toml").exists():
            raise TrustError(
                f"a trust list called {item.name!r} exists",
                code="tanba.trust.exists",
                hint="remove it first, or use `tanba trust update`",
            )
        _write_entry(directory, entry)
    return entry


def remove(directory: Path, name: str) -> None:
    """Forget a list. Raises :class:`TrustError` when there is none of that name."""
    path = directory / f"{check_name(name)}.toml"
    with _locked(directory):
        if not path.is_file():
            raise TrustError(
                f"no trust list is called {name!r}", code="tanba.trust.not_found", hint="see `tanba trust list`"
            )
        path.unlink()
        for suffix in (".pem", ".allowed.pem"):
            (directory / f"{name}{suffix}").unlink(missing_ok=True)


def update(
    directory: Path,
    name: str,
    content: bytes,
    *,
    date: str | None = None,
    pin_sha256: str | None = None,
    signature: bytes | None = None,
    now: datetime | None = None,
) -> Entry:
    """Replace the anchors of a list by bytes that the caller obtained, when a pin or a signature vouches for them.

    A digest given with the call, or recorded at ``add``, or a signature by the recorded key: one of them must be there
    and match. Raises :class:`TrustError` otherwise; the old list then stays as it was.
    """
    old = show(directory, name)
    _vouched(content, old.update, pin_sha256, signature)
    text = decode(content)
    if old.list.anchors_pem:
        item = replace(old.list, anchors_pem=text, date=date)
    else:
        item = replace(old.list, allowed_pem=text, date=date)
    return add(directory, item, update=old.update, now=now, overwrite=True)


def load_ekus(directory: Path) -> tuple[str, ...]:
    """The accepted extended key usages: ``ekus.cfg`` when the user set one, the published six otherwise."""
    try:
        text = (directory / EKU_FILE).read_text("utf-8")
    except FileNotFoundError:
        return DEFAULT_EKUS
    except (OSError, UnicodeDecodeError) as error:
        raise TrustError("the list of extended key usages cannot be read", code="tanba.trust.unreadable") from error
    return parse_ekus(text)


def set_ekus(directory: Path, text: str) -> tuple[str, ...]:
    """Store a ``store.cfg`` (object identifiers, one a line, ``//`` comments). Raises :class:`TrustError`."""
    found = parse_ekus(text)
    with _locked(directory):
        _write(directory / EKU_FILE, "\n".join(found) + "\n")
    return found


def parse_ekus(text: str) -> tuple[str, ...]:
    """Read a ``store.cfg`` of the C2PA programme. Raises :class:`TrustError` when a line is no object identifier."""
    lines = [line.strip() for line in text.splitlines()]
    found = tuple(dict.fromkeys(line for line in lines if line and not line.startswith(("//", "#"))))
    wrong = next((line for line in found if not _OID.fullmatch(line)), None)
    if wrong is not None or not found:
        raise TrustError(
            "the list of extended key usages holds something that is no object identifier",
            code="tanba.trust.bad_eku_list",
            hint="give a store.cfg: one OID a line, comments start with //",
        )
    return found


def decode(content: bytes) -> str:
    """PEM bytes as text, within :data:`MAX_LIST_BYTES`. Raises :class:`TrustError`."""
    if len(content) > MAX_LIST_BYTES:
        raise TrustError("the trust list is too large", code="tanba.trust.too_large")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise TrustError("the trust list is not text", hint="give a PEM file") from error


def check_name(name: str) -> str:
    """A list's name is also its file name. Raises :class:`UsageError`."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"not a name for a trust list: {name!r}",
            hint="use lower-case letters, digits, dot, hyphen and underscore, at most 64",
        )
    return name


def check_pin(content: bytes, sha256: str) -> None:
    """Compare content with a pinned SHA-256 in hex. Raises :class:`TrustError`."""
    found = hashlib.sha256(content).hexdigest()
    if found != sha256.strip().lower():
        raise TrustError(
            "the trust list does not have the pinned SHA-256",
            code="tanba.trust.pin_mismatch",
            hint="ask the publisher of the list which digest is right before you change the pin",
            details={"expected": sha256.strip().lower(), "found": found},
        )


def check_content(item: TrustList) -> int:
    """Parse every certificate of a list; returns how many there are. Raises :class:`TrustError` on the first bad one."""
    from tanba.x509 import load_pem

    count = 0
    for text in (item.anchors_pem, item.allowed_pem or ""):
        if "-----BEGIN CERTIFICATE-----" not in text:
            continue
        try:
            count += len(load_pem(text.encode()))
        except ValueError as error:
            raise TrustError(
                f"the trust list {item.name!r} holds a certificate that cannot be read",
                code="tanba.trust.bad_certificate",
                hint="give a PEM file as its publisher made it",
            ) from error
    if not count:
        raise TrustError(f"the trust list {item.name!r} holds no certificate", hint="give a PEM file")
    if item.date is not None:
        try:
            date.fromisoformat(item.date)
        except ValueError as error:
            raise UsageError(f"not a date: {item.date!r}", hint="write it like 2026-11-05") from error
    return count


def _vouched(content: bytes, source: UpdateSource | None, pin: str | None, signature: bytes | None) -> None:
    if pin is not None:
        check_pin(content, pin)
    if source is not None and source.public_key_pem is not None:
        if signature is None:
            raise TrustError(
                "this list only takes updates signed by its publisher's key",
                code="tanba.trust.signature_missing",
                hint="give the detached signature with --signature",
            )
        _check_signature(content, signature, source.public_key_pem)
    elif pin is None and source is not None and source.sha256 is not None:
        check_pin(content, source.sha256)
    elif pin is None:
        raise TrustError(
            "nothing vouches for this update",
            code="tanba.trust.unpinned",
            hint="give the expected digest with --sha256, or record the publisher's key when you add the list",
        )


def _check_signature(content: bytes, signature: bytes, public_key_pem: str) -> None:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(public_key_pem.encode())
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, content)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, content, ec.ECDSA(hashes.SHA256()))
        else:
            raise TrustError("the publisher's key is neither Ed25519 nor ECDSA", code="tanba.trust.bad_key")
    except InvalidSignature as error:
        raise TrustError(
            "the signature over the trust list does not verify", code="tanba.trust.signature_mismatch"
        ) from error
    except ValueError as error:
        raise TrustError("the publisher's key cannot be read", code="tanba.trust.bad_key") from error


def _read(path: Path) -> Entry:
    name = path.stem
    try:
        body = tomllib.loads(path.read_text("utf-8"))
        entry = _entry(name, body, path.parent)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, ValueError, TypeError) as error:
        raise TrustError(
            f"the trust list {name!r} cannot be read",
            code="tanba.trust.unreadable",
            hint=f"add it again, or `tanba trust remove {name}`",
        ) from error
    if entry.list.sha256 != body["sha256"]:
        raise TrustError(
            f"the trust list {name!r} was changed since it was added",
            code="tanba.trust.changed",
            hint=f"its files do not match the recorded digest: `tanba trust remove {name}`, then add its publisher's file",
        )
    return entry


def _entry(name: str, body: Mapping[str, Any], directory: Path) -> Entry:
    anchors, allowed = directory / f"{name}.pem", directory / f"{name}.allowed.pem"
    source = body.get("update")
    added = body["added_at"]
    if not isinstance(added, datetime) or added.tzinfo is None:
        raise ValueError("added_at")
    return Entry(
        TrustList(
            name=name,
            purpose=Purpose(body["purpose"]),
            anchors_pem=_pem(anchors) if body.get("anchors", True) else "",
            source=body.get("source"),
            date=body.get("date"),
            allowed_pem=_pem(allowed) if body.get("allowed", False) else None,
            frozen=bool(body.get("frozen", False)),
            ekus=parse_ekus("\n".join(body["ekus"])) if "ekus" in body else None,
        ),
        added,
        UpdateSource(source["location"], source.get("sha256"), source.get("public_key")) if source else None,
    )


def _pem(path: Path) -> str:
    with path.open("rb") as stream:
        return decode(stream.read(MAX_LIST_BYTES + 1))


def _write_entry(directory: Path, entry: Entry) -> None:
    """PEM files first, the description with their digest last: a crash between leaves a list that is refused."""
    import tomli_w

    item, source = entry.list, entry.update
    if item.anchors_pem:
        _write(directory / f"{item.name}.pem", item.anchors_pem)
    if item.allowed_pem is not None:
        _write(directory / f"{item.name}.allowed.pem", item.allowed_pem)
    body: dict[str, Any] = {
        "schema": SCHEMA,
        "purpose": item.purpose.value,
        "sha256": item.sha256,
        "added_at": entry.added_at,
        "anchors": bool(item.anchors_pem),
        "allowed": item.allowed_pem is not None,
        "frozen": item.frozen,
    }
    body |= {key: value for key, value in (("source", item.source), ("date", item.date)) if value}
    if item.ekus:
        body["ekus"] = list(item.ekus)
    if source is not None:
        fields = (("location", source.location), ("sha256", source.sha256), ("public_key", source.public_key_pem))
        body["update"] = {key: value for key, value in fields if value}
    _write(directory / f"{item.name}.toml", tomli_w.dumps(body))


def _write(path: Path, text: str) -> None:
    """Write beside, flush to disk, then replace: readers see the old file or the new one."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(text.encode("utf-8"))
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def _locked(directory: Path) -> Iterator[None]:
    from filelock import FileLock, Timeout

    try:
        directory.mkdir(parents=True, exist_ok=True)
        with FileLock(directory / ".lock", timeout=10):
            yield
    except Timeout as error:
        raise TrustError("another process is changing the trust lists", code="tanba.trust.locked") from error
    except OSError as error:
        raise TrustError("the trust directory cannot be written", code="tanba.trust.unwritable") from error
