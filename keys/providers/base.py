"""What every key provider offers: a public key and ``sign(bytes)``. Where the private key lives is its own business.

A provider gets pointers (:class:`KeyReference`), never secrets in values; secrets are asked for by their source when
they are needed. Its errors become :class:`tanba.errors.CredentialError` with the provider's own error as the cause.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from keys.algorithms import Algorithm
from tanba.errors import InstallationError, UsageError

Secrets = Callable[[str], str]
"""Turns the source of a secret (``env:NAME``, ``file:PATH``, ``keyring:SERVICE/USER``, ``prompt``) into the secret."""

DEFAULT_SECONDS = 10.0
"""How long one call to a provider may take before it counts as down."""


@dataclass(frozen=True, slots=True)
class KeyReference:
    """Where one key is."""

    algorithm: Algorithm
    directory: Path
    """The identity's own folder: files of the file providers."""
    options: Mapping[str, str] = field(default_factory=dict)
    secrets: Secrets | None = None
    seconds: float = DEFAULT_SECONDS
    """Upper bound of one call."""

    def option(self, name: str) -> str:
        """A pointer that must be there. Raises :class:`UsageError`."""
        try:
            return self.options[name]
        except KeyError as error:
            raise UsageError(f"the key provider needs the option {name!r}", hint=f"--option {name}=…") from error

    def secret(self, name: str) -> str | None:
        """The secret whose source stands under ``name``, or None when none is configured."""
        source = self.options.get(name)
        if source is None:
            return None
        if self.secrets is None:
            raise UsageError(f"nothing here can look up the {name} of this key")
        return self.secrets(source)


class Key(Protocol):
    """An open key."""

    def public_key_der(self) -> bytes:
        """SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7), DER."""
        ...

    def sign(self, data: bytes) -> bytes:
        """A COSE signature over ``data`` (not over its hash): raw ``r || s`` for ECDSA."""
        ...


@runtime_checkable
class PinnedKey(Key, Protocol):
    """A key whose place holds several: what must be added to the pointers so that they mean this one for ever."""

    def pinned(self) -> dict[str, str]: ...


@runtime_checkable
class LocalKey(Key, Protocol):
    """A key that is in this process anyway."""

    def pkcs8_pem(self) -> bytes: ...


class Provider(Protocol):
    """A kind of place where keys live. Modules of this package satisfy it."""

    def open_key(self, reference: KeyReference) -> AbstractContextManager[Key]:
        """Open the key; leaving the context releases sessions and connections, also after an error."""
        ...

    def create_key(self, reference: KeyReference) -> None:
        """Make a new key there. Raises :class:`UsageError` where keys are made by someone else."""
        ...


def missing_extra(extra: str, error: ImportError) -> InstallationError:
    """The error for an optional dependency that is not installed."""
    return InstallationError(
        f"this key provider needs the optional part {extra!r}",
        code="tanba.installation.extra_missing",
        hint=f"pip install 'tanba[{extra}]'",
        details={"extra": extra, "module": error.name or ""},
    )
