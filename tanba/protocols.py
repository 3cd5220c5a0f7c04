"""The small interfaces through which the packages meet. Structural types only; no behaviour."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol, runtime_checkable

Clock = Callable[[], datetime]
"""Returns the current time, timezone-aware UTC. Passed in so that tests can move time."""


@runtime_checkable
class Signer(Protocol):
    """Anything that can sign a C2PA claim: a public chain and ``sign(bytes)``.

    ``algorithm`` is one of ``es256 es384 es512 ps256 ps384 ps512 ed25519`` (C2PA 2.4 section 13.2).
    ``chain_pem`` is the certificate chain, leaf first, without the root.
    ``sign`` gets the COSE ``Sig_structure`` (1-1,048,576 bytes), returns the raw signature (``r || s`` for ECDSA) and
    raises :class:`tanba.errors.CredentialError` with the provider's own error as its cause.
    """

    @property
    def name(self) -> str: ...
    @property
    def algorithm(self) -> str: ...
    @property
    def chain_pem(self) -> bytes: ...
    def sign(self, data: bytes) -> bytes: ...


@runtime_checkable
class LocalKeySigner(Signer, Protocol):
    """A signer whose key is in this process anyway; the engine then needs no 11 KB callback reserve in the file."""

    def pkcs8_pem(self) -> bytes:
        """The unencrypted PKCS#8 PEM. Never logged, never stored."""
        ...
