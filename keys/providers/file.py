"""Keys in a PKCS#8 file, plain (development) or encrypted (``passphrase`` names where the pass-phrase comes from)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from keys import algorithms, files, pkcs8
from keys.algorithms import Algorithm
from keys.providers.base import Key, KeyReference

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

FILE = "key.pem"


class MemoryKey:
    """A private key in this process."""

    def __init__(self, key: PrivateKeyTypes, algorithm: Algorithm) -> None:
        self._key = key
        self._algorithm = algorithm
        self._pem: bytes | None = None

    def __repr__(self) -> str:
        return f"MemoryKey({self._algorithm.name})"

    def public_key_der(self) -> bytes:
        from cryptography.hazmat.primitives import serialization

        return self._key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def sign(self, data: bytes) -> bytes:
        return algorithms.sign(self._key, self._algorithm, data)

    def pkcs8_pem(self) -> bytes:
        """For the engine, which then needs no callback reserve in the file. Never stored."""
        if self._pem is None:
            self._pem = pkcs8.dump(self._key, None)
        return self._pem


@contextmanager
def open_key(reference: KeyReference) -> Iterator[Key]:
    """Raises :class:`PassphraseRequired` or :class:`CredentialError`."""
    pem = files.read(reference.directory / FILE, secret=True)
    passphrase = reference.secret("passphrase") if pkcs8.is_encrypted(pem) else None
    yield MemoryKey(pkcs8.load(pem, passphrase, checked_before=True), reference.algorithm)


def create_key(reference: KeyReference) -> None:
    """Generate a key and write it, encrypted when ``passphrase`` names a source."""
    files.private_directory(reference.directory)
    key = algorithms.generate(reference.algorithm)
    files.write(reference.directory / FILE, pkcs8.dump(key, reference.secret("passphrase")))
