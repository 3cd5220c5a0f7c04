"""API keys and callers: making, parsing and checking ``tnb_…`` keys, scopes, what a client may use.

A key's secret has 256 random bits, so a plain SHA-256 at rest is enough; a slow password hash would only be a lever
for exhausting the server. Secrets are never logged and never stored.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import zlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from service.problems import Forbidden

_KEY = re.compile(r"tnb_(dev|live)_([a-z0-9]{12})_([A-Za-z0-9_-]{43})_([0-9a-f]{8})\Z")
_ID_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"


class Scope(StrEnum):
    """What a key may do. ``admin`` includes the others."""

    LABEL = "label"
    VERIFY = "verify"
    WITHDRAW = "withdraw"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class ParsedKey:
    """The two halves of a presented key that matter: who it claims to be, and the digest of its secret."""

    key_id: str
    secret_sha256: str


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. Anonymous callers have no id and only the scope that the settings allow."""

    id: str | None
    name: str
    scopes: frozenset[str]
    profiles: frozenset[str] | None = None
    identities: frozenset[str] | None = None
    label_rate: str = "600/minute"
    verify_rate: str = "3000/minute"
    label_concurrency: int = 8
    verify_concurrency: int = 16
    expires_at: datetime | None = None

    def may(self, scope: Scope) -> bool:
        return scope in self.scopes or Scope.ADMIN in self.scopes

    def require(self, scope: Scope) -> None:
        """Raises :class:`Forbidden`."""
        if not self.may(scope):
            raise Forbidden(
                f"this key does not have the scope {scope.value!r}",
                code="tanba.auth.scope",
                hint="ask the operator for a key with that scope: tanba clients new NAME --scope " + scope.value,
            )

    def require_profiles(self, profiles: tuple[str, ...]) -> None:
        """Raises :class:`Forbidden` for a profile that this client may not use."""
        if self.profiles is not None and (refused := sorted(set(profiles) - self.profiles)):
            raise Forbidden(f"this client may not use the profile {refused[0]!r}", code="tanba.auth.profile")

    def may_sign_as(self, identity: str) -> bool:
        """Whether the client may use an identity: ``NAME``, or any ``NAME@DATE`` of its line."""
        return self.identities is None or not {identity, identity.partition("@")[0]}.isdisjoint(self.identities)

    def identity(self, wanted: str | None, default: str | None) -> str | None:
        """Who signs: the identity asked for, else the client's only one, else the service's; None is the keyring's.

        Raises :class:`Forbidden` for one that this client may not use, and when a client that is held to several must say.
        """
        if self.identities is None:
            return wanted or default
        chosen = wanted or (next(iter(self.identities)) if len(self.identities) == 1 else default)
        if chosen is None or not self.may_sign_as(chosen):
            refused = "this identity" if chosen is None else f"the identity {chosen!r}"
            raise Forbidden(
                f"this client may not use {refused}",
                code="tanba.auth.identity",
                hint="name one of: " + ", ".join(sorted(self.identities)),
            )
        return chosen


def _checksum(body: str) -> str:
    return f"{zlib.crc32(body.encode()):08x}"


def new_id(length: int = 12) -> str:
    """A random identifier without look-alike characters."""
    return "".join(secrets.choice(_ID_ALPHABET) for _ in range(length))


def new_key(*, live: bool) -> tuple[str, ParsedKey]:
    """A fresh key: the text, shown once, and what is stored."""
    key_id, secret = new_id(), secrets.token_urlsafe(32)
    body = f"tnb_{'live' if live else 'dev'}_{key_id}_{secret}"
    return f"{body}_{_checksum(body)}", ParsedKey(key_id, _digest(secret))


def parse_key(text: str) -> ParsedKey | None:
    """The parts of a key, or None when it is not one (typing errors fail the checksum without a database look-up)."""
    match = _KEY.match(text)
    if match is None or not hmac.compare_digest(_checksum(text.rpartition("_")[0]), match[4]):
        return None
    return ParsedKey(match[2], _digest(match[3]))


def same_secret(stored: str, presented: str) -> bool:
    """Constant-time comparison of two digests."""
    return hmac.compare_digest(stored, presented)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
