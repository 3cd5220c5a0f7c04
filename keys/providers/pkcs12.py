"""Keys in a PKCS#12 file (``.p12``, ``.pfx``) as many authorities deliver them; ``passphrase`` names where its comes from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from keys import files
from keys.providers.base import Key, KeyReference
from keys.providers.file import MemoryKey
from tanba.errors import CredentialError, PassphraseRequired, UsageError

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

FILE = "key.p12"


@contextmanager
def open_key(reference: KeyReference) -> Iterator[Key]:
    """Raises :class:`PassphraseRequired` or :class:`CredentialError`."""
    content = files.read(reference.directory / FILE, secret=True)
    key, _ = load(content, reference.secret("passphrase"))
    yield MemoryKey(key, reference.algorithm)


def create_key(_reference: KeyReference) -> None:
    """PKCS#12 is a way to deliver keys, not to make them. Raises :class:`UsageError`."""
    raise UsageError("a PKCS#12 file is imported, not made", hint="`tanba keys import NAME --pkcs12 FILE`")


def load(content: bytes, passphrase: str | None) -> tuple[PrivateKeyTypes, tuple[x509.Certificate, ...]]:
    """Key and certificates of a PKCS#12 file. Raises :class:`PassphraseRequired` or :class:`CredentialError`."""
    from cryptography.hazmat.primitives.serialization import pkcs12

    try:
        found = pkcs12.load_pkcs12(content, passphrase.encode("utf-8") if passphrase is not None else None)
    except ValueError as error:
        if not content.startswith(b"\x30"):
            raise CredentialError("this is not a PKCS#12 file", code="tanba.keys.unreadable") from error
        raise PassphraseRequired(
            "the pass-phrase does not open the PKCS#12 file" if passphrase else "the PKCS#12 file is encrypted",
            hint="give --passphrase-file, --passphrase-env, --passphrase-keyring or --passphrase-prompt",
        ) from error
    if found.key is None:
        raise CredentialError("the PKCS#12 file holds no private key", code="tanba.keys.unreadable")
    first = (found.cert.certificate,) if found.cert else ()
    return found.key, (*first, *(item.certificate for item in found.additional_certs))
