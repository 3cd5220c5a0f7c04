"""``keyring.toml``: names, states and pointers of all identities of one home. It never holds a secret.

The file is changed only under the directory's lock, as a whole: read, change, check, write beside, replace. A keyring
that would break "exactly one active identity per purpose and tenant" is refused before it is written.
"""

from __future__ import annotations

import contextlib
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from keys import files
from keys.states import MAY_SIGN, State, check
from tanba.errors import CredentialError, IdentityNotFound, IdentityNotUsable, StorageError, UsageError

SCHEMA = "tanba.keyring/1"
FILE = "keyring.toml"
CLAIM = "claim"
"""The purpose of identities that sign C2PA claims."""

_LINE = re.compile(r"[a-z0-9][a-z0-9._-]{0,47}")
_WORD = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_TIMES = ("not_before", "not_after", "created_at", "activated_at", "retired_at", "revoked_at")


@dataclass(frozen=True, slots=True)
class IdentityInfo:
    """One identity as the keyring knows it: public facts and pointers only."""

    name: str
    """``LINE@DATE``, unique: every re-key gets a new name, so that history stays unambiguous."""
    line: str
    """The name its successors share; ``open_identity(line)`` gives whichever of them signs today."""
    state: State
    algorithm: str
    provider: str
    created_at: datetime
    purpose: str = CLAIM
    tenant: str = ""
    """Empty for the only, or the default, tenant."""
    fingerprint: str = ""
    """SHA-256 of the leaf certificate's DER, lower-case hex; empty while no certificate is installed."""
    public_key: str = ""
    """SHA-256 of the SubjectPublicKeyInfo DER, lower-case hex; what an installed certificate must match."""
    subject: str = ""
    organization: str = ""
    serial: str = ""
    not_before: datetime | None = None
    not_after: datetime | None = None
    activated_at: datetime | None = None
    retired_at: datetime | None = None
    revoked_at: datetime | None = None
    reason: str = ""
    development: bool = False
    """Issued by this machine's own development root: trusted here, unknown elsewhere."""
    options: dict[str, str] = field(default_factory=dict)
    """Where the provider finds the key (a module, a key id, where a pass-phrase comes from). Never a secret."""

    @property
    def may_sign(self) -> bool:
        return self.state in MAY_SIGN and bool(self.fingerprint)


@dataclass(frozen=True, slots=True)
class Keyring:
    """All identities of one home, by name."""

    entries: tuple[IdentityInfo, ...] = ()

    def find(self, name: str) -> IdentityInfo:
        """By full name, or by line: then the active one, else the newest of the line. Raises IdentityNotFound."""
        exact = next((item for item in self.entries if item.name == name), None)
        if exact is not None:
            return exact
        line = [item for item in self.entries if item.line == name]
        if not line:
            raise IdentityNotFound(
                f"no identity is called {name!r}", hint="see `tanba keys list`", details={"identity": name}
            )
        order = (State.ACTIVE, State.RETIRING, State.PENDING, State.RETIRED, State.REVOKED)
        return min(reversed(line), key=lambda item: order.index(item.state))

    def upcoming(self, name: str) -> IdentityInfo:
        """As :meth:`find`, but of a line the newest that waits for its certificate or for activation, if one does."""
        waiting = [item for item in self.entries if item.line == name and item.state is State.PENDING]
        exact = any(item.name == name for item in self.entries)
        return waiting[-1] if waiting and not exact else self.find(name)

    def active(self, purpose: str = CLAIM, tenant: str = "") -> IdentityInfo | None:
        """The one identity that signs new work of a purpose and tenant."""
        return next(
            (
                item
                for item in self.entries
                if item.state is State.ACTIVE and item.purpose == purpose and item.tenant == tenant
            ),
            None,
        )

    def add(self, entry: IdentityInfo) -> Keyring:
        return Keyring((*self.entries, entry))

    def put(self, entry: IdentityInfo) -> Keyring:
        """Replace the entry of the same name, whatever changed."""
        return Keyring(tuple(entry if item.name == entry.name else item for item in self.entries))

    def move(self, name: str, state: State, now: datetime, *, reason: str = "") -> Keyring:
        """Change one state, if the life cycle allows it. Raises :class:`TransitionRefused`."""
        entry = self.find(name)
        check(entry.name, entry.state, state)
        stamp = {State.ACTIVE: "activated_at", State.RETIRED: "retired_at", State.REVOKED: "revoked_at"}.get(state)
        changes: dict[str, Any] = {"state": state}
        if stamp:
            changes[stamp] = now
        if reason:
            changes["reason"] = reason
        return self.put(replace(entry, **changes))


def check_line(line: str) -> str:
    """A line's name is part of a directory name. Raises :class:`UsageError`."""
    if not _LINE.fullmatch(line):
        raise UsageError(
            f"not a name for an identity: {line!r}",
            hint="use lower-case letters, digits, dot, hyphen and underscore, at most 48",
        )
    return line


def check_word(word: str, what: str) -> str:
    """A purpose or a tenant. Raises :class:`UsageError`."""
    if word and not _WORD.fullmatch(word):
        raise UsageError(f"not a {what}: {word!r}", hint="use lower-case letters, digits, dot, hyphen, underscore")
    return word


def new_name(ring: Keyring, line: str, now: datetime) -> str:
    """``line@2026-11-23``, with ``.2``, ``.3`` … when that day already has one."""
    base = f"{line}@{now.date().isoformat()}"
    taken = {item.name for item in ring.entries}
    if base not in taken:
        return base
    number = 2
    while f"{base}.{number}" in taken:
        number += 1
    return f"{base}.{number}"


def load(home: Path) -> Keyring:
    """The keyring of a home; empty when there is none. Raises :class:`StorageError` when it cannot be understood."""
    path = home / FILE
    try:
        if not path.exists():
            return Keyring()
        body = tomllib.loads(files.read(path).decode("utf-8"))
        if body.get("schema") != SCHEMA:
            raise ValueError("schema")
        ring = Keyring(tuple(_entry(item) for item in body.get("identity", [])))
        _one_active_each(ring)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise StorageError(
            "the keyring cannot be read",
            code="tanba.keys.keyring_unreadable",
            hint=f"look at {FILE} in the keys folder",
        ) from error
    return ring


@contextlib.contextmanager
def changing(home: Path) -> Iterator[Callable[[Keyring], Keyring]]:
    """Hold the lock; call the yielded function with the changed keyring to store it. Use :func:`load` inside.

    Raises :class:`StorageError` when the lock or the file cannot be had.
    """

    def save(ring: Keyring) -> Keyring:
        import tomli_w

        _one_active_each(ring)
        body = {"schema": SCHEMA, "identity": [_plain(item) for item in ring.entries]}
        files.write(home / FILE, tomli_w.dumps(body).encode("utf-8"))
        return ring

    with files.locked(home):
        yield save


def usable(entry: IdentityInfo, now: datetime) -> IdentityInfo:
    """The entry, if it may sign now. Raises :class:`IdentityNotUsable` with the reason and the cure."""
    name = entry.name
    if entry.state is State.REVOKED:
        raise IdentityNotUsable(f"{name} is revoked", hint="make a new identity: `tanba keys new`")
    if entry.state is State.RETIRED:
        raise IdentityNotUsable(f"{name} is retired", hint="use the active identity, or `tanba keys rotate`")
    if not entry.fingerprint:
        raise IdentityNotUsable(
            f"{name} has no certificate yet",
            hint=f"`tanba keys csr {name}`, send it to your CA, then `tanba keys install {name} CHAIN`",
        )
    if entry.state is State.PENDING:
        raise IdentityNotUsable(f"{name} is not active yet", hint=f"`tanba keys activate {name}`")
    if entry.not_after is not None and now >= entry.not_after:
        raise IdentityNotUsable(
            f"the certificate of {name} expired on {entry.not_after.date().isoformat()}",
            code="tanba.keys.expired",
            hint=f"`tanba keys rotate {entry.line}`",
        )
    if entry.not_before is not None and now < entry.not_before:
        raise IdentityNotUsable(
            f"the certificate of {name} is not valid before {entry.not_before.isoformat()}",
            code="tanba.keys.not_yet_valid",
            hint="check this machine's clock",
        )
    return entry


def _one_active_each(ring: Keyring) -> None:
    seen: set[tuple[str, str]] = set()
    names: set[str] = set()
    for item in ring.entries:
        if item.name in names:
            raise CredentialError(f"two identities are called {item.name}", code="tanba.keys.keyring_inconsistent")
        names.add(item.name)
        if item.state is State.ACTIVE:
            place = (item.purpose, item.tenant)
            if place in seen:
                raise CredentialError(
                    f"two identities would be active for {item.purpose}", code="tanba.keys.keyring_inconsistent"
                )
            seen.add(place)


def _plain(entry: IdentityInfo) -> dict[str, Any]:
    body = {item.name: getattr(entry, item.name) for item in fields(entry)}
    body["state"] = entry.state.value
    return {key: value for key, value in body.items() if value not in (None, "", False, {})}


def _entry(body: dict[str, Any]) -> IdentityInfo:
    known = {item.name for item in fields(IdentityInfo)}
    values = {key: value for key, value in body.items() if key in known}
    values["state"] = State(values["state"])
    for key in _TIMES:
        if key in values and (not isinstance(values[key], datetime) or values[key].tzinfo is None):
            raise ValueError(key)
    values["options"] = {str(key): str(value) for key, value in values.get("options", {}).items()}
    return IdentityInfo(**values)
