"""Named API clients and their keys: make, rotate, revoke, and recognise one in a request.

The database holds digests only. A recognised key is remembered for a few seconds, so a revocation is seen within
:data:`REMEMBER_SECONDS`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from limits import parse as parse_rate

from service import audit
from service.db import repositories
from service.db.models import Client, ClientKey
from service.db.session import Database
from service.problems import Unauthenticated
from service.security import Caller, Scope, new_id, new_key, parse_key, same_secret
from tanba.errors import UsageError
from tanba.protocols import Clock

REMEMBER_SECONDS = 5.0
_MOST_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSpec:
    """What an operator says about a client."""

    name: str
    scopes: tuple[Scope, ...]
    profiles: tuple[str, ...] | None = None
    identities: tuple[str, ...] | None = None
    label_rate: str = "600/minute"
    verify_rate: str = "3000/minute"
    label_concurrency: int = 8
    verify_concurrency: int = 16
    lifetime: timedelta | None = None
    """How long its first key lives; None means until it is revoked."""


class Accounts:
    """All of it, over one database. Every method blocks except a remembered :meth:`recognise`."""

    def __init__(self, db: Database, *, clock: Clock, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._db = db
        self._clock = clock
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], tuple[float, Caller]] = {}

    def remembered(self, text: str) -> Caller | None:
        """The caller of a key that was recognised a moment ago; never blocks."""
        parsed = parse_key(text)
        if parsed is None:
            return None
        found = self._known.get((parsed.key_id, parsed.secret_sha256))
        return found[1] if found is not None and found[0] > self._monotonic() else None

    def recognise(self, text: str) -> Caller:
        """The caller behind a key. Raises :class:`Unauthenticated`, the same for every reason."""
        parsed = parse_key(text)
        found = None
        if parsed is not None:
            with self._db.read() as session:
                found = repositories.client_by_key(session, parsed.key_id)
        if parsed is None or found is None or not same_secret(found[1].secret_sha256, parsed.secret_sha256):
            raise _refused()
        client, key = found
        now = self._clock()
        if client.disabled_at or key.revoked_at or (key.expires_at and key.expires_at <= now):
            raise _refused()
        caller = _caller(client, key)
        left = (key.expires_at - now).total_seconds() if key.expires_at else REMEMBER_SECONDS
        with self._lock:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            until = self._monotonic() + min(REMEMBER_SECONDS, left)
            self._known[parsed.key_id, parsed.secret_sha256] = (until, caller)
        return caller

    def create(self, spec: ClientSpec, *, live: bool, actor: str) -> str:
        """Make a client and its first key; returns the key's text, which is never shown again.

        Raises :class:`UsageError` for a taken name or a rate that does not parse.
        """
        for rate in (spec.label_rate, spec.verify_rate):
            try:
                parse_rate(rate)
            except ValueError as error:
                raise UsageError(f"{rate!r} is not a rate", hint="write it like 600/minute") from error
        now = self._clock()
        with self._db.write() as session:
            if repositories.client_by_name(session, spec.name) is not None:
                raise UsageError(f"a client called {spec.name!r} exists", hint="rotate its key, or choose another name")
            client = Client(
                id=new_id(),
                name=spec.name,
                created_at=now,
                scopes=[scope.value for scope in spec.scopes],
                profiles=list(spec.profiles) if spec.profiles is not None else None,
                identities=list(spec.identities) if spec.identities is not None else None,
                label_rate=spec.label_rate,
                verify_rate=spec.verify_rate,
                label_concurrency=spec.label_concurrency,
                verify_concurrency=spec.verify_concurrency,
            )
            session.add(client)
            session.flush()
            text, row = _key(client.id, now, spec.lifetime, live=live)
            session.add(row)
            audit.record(session, at=now, actor=actor, action="client.created", subject=spec.name)
        return text

    def development_key(self, spec: ClientSpec, *, lifetime: timedelta) -> str:
        """A short-lived key for the development client, which is made when it does not exist yet."""
        now = self._clock()
        with self._db.read() as session:
            client = repositories.client_by_name(session, spec.name)
        if client is None:
            return self.create(replace(spec, lifetime=lifetime), live=False, actor="serve")
        with self._db.write() as session:
            text, row = _key(client.id, now, lifetime, live=False)
            session.add(row)
        return text

    def rotate(
        self, name: str, *, live: bool, actor: str, overlap: timedelta, lifetime: timedelta | None = None
    ) -> str:
        """A new key for a client; its other living keys end after ``overlap``. Raises :class:`UsageError`."""
        now = self._clock()
        with self._db.write() as session:
            client = _named(repositories.client_by_name(session, name), name)
            for key in repositories.keys_of(session, client.id):
                if key.revoked_at is None and (key.expires_at is None or key.expires_at > now + overlap):
                    key.expires_at = now + overlap
            text, row = _key(client.id, now, lifetime, live=live)
            session.add(row)
            audit.record(session, at=now, actor=actor, action="client.rotated", subject=name)
        return text

    def revoke(self, name: str, *, actor: str, key_id: str | None = None) -> None:
        """End one key, or the whole client. Raises :class:`UsageError`."""
        now = self._clock()
        with self._db.write() as session:
            client = _named(repositories.client_by_name(session, name), name)
            keys = repositories.keys_of(session, client.id)
            if key_id is not None and key_id not in {key.id for key in keys}:
                raise UsageError(f"the client {name!r} has no key {key_id!r}")
            for key in keys:
                if key_id in {None, key.id}:
                    key.revoked_at = key.revoked_at or now
            if key_id is None:
                client.disabled_at = client.disabled_at or now
            audit.record(session, at=now, actor=actor, action="client.revoked", subject=name, details={"key": key_id})
        with self._lock:
            self._known.clear()

    def list(self) -> Sequence[tuple[Client, Sequence[ClientKey]]]:
        """Every client with its keys, by name."""
        with self._db.read() as session:
            return [(client, repositories.keys_of(session, client.id)) for client in repositories.clients(session)]


def _key(client_id: str, now: datetime, lifetime: timedelta | None, *, live: bool) -> tuple[str, ClientKey]:
    text, parsed = new_key(live=live)
    row = ClientKey(
        id=parsed.key_id,
        client_id=client_id,
        secret_sha256=parsed.secret_sha256,
        created_at=now,
        expires_at=now + lifetime if lifetime else None,
    )
    return text, row


def _caller(client: Client, key: ClientKey) -> Caller:
    return Caller(
        id=client.id,
        name=client.name,
        scopes=frozenset(client.scopes),
        profiles=frozenset(client.profiles) if client.profiles is not None else None,
        identities=frozenset(client.identities) if client.identities is not None else None,
        label_rate=client.label_rate,
        verify_rate=client.verify_rate,
        label_concurrency=client.label_concurrency,
        verify_concurrency=client.verify_concurrency,
        expires_at=key.expires_at,
    )


def _named(client: Client | None, name: str) -> Client:
    if client is None:
        raise UsageError(f"no client is called {name!r}", hint="see `tanba clients list`")
    return client


def _refused() -> Unauthenticated:
    return Unauthenticated(
        "the API key is not valid", code="tanba.auth.invalid", hint="check the key, or ask the operator for a new one"
    )
