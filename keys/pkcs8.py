"""Private keys as PKCS#8 (RFC 5958), encrypted with PBES2, scrypt and AES-256-CBC (RFC 7914, RFC 8018).

``cryptography`` reads scrypt but writes only PBKDF2 with 2,048 rounds, which a graphics card walks through; so the few
ASN.1 lines around its own scrypt and AES are in :mod:`keys.pkcs8_scrypt`. Pass-phrases and keys are never logged or put into an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tanba.errors import CredentialError, PassphraseRequired

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

SCRYPT_N = 1 << 17
"""Cost of one guess: 128 MiB and about 0.4 s on the machine this was measured on."""
_ENCRYPTED = b"-----BEGIN ENCRYPTED PRIVATE KEY-----"
_PLAIN = b"-----BEGIN PRIVATE KEY-----"


def is_encrypted(pem: bytes) -> bool:
    """Whether a PEM holds an encrypted PKCS#8 key."""
    return _ENCRYPTED in pem


def dump(key: PrivateKeyTypes, passphrase: str | None, *, scrypt_n: int = SCRYPT_N) -> bytes:
    """PKCS#8 PEM; encrypted when there is a pass-phrase. Raises :class:`PassphraseRequired` for an empty one."""
    from cryptography.hazmat.primitives import serialization

    if passphrase is None:
        return key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    if not passphrase:
        raise PassphraseRequired("an empty pass-phrase protects nothing", hint="give one, or none at all")
    der = key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    from keys.pkcs8_scrypt import seal

    return seal(der, passphrase.encode("utf-8"), scrypt_n)


def load(pem: bytes, passphrase: str | None, *, checked_before: bool = False) -> PrivateKeyTypes:
    """A private key out of PKCS#8 PEM. ``checked_before`` leaves out the arithmetic check of an RSA key, which costs
    hundreds of milliseconds, for a file that we wrote, or checked, ourselves.

    Raises :class:`PassphraseRequired` when it is encrypted and none, or a wrong one, is given, and
    :class:`CredentialError` when it is no PKCS#8 key at all.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    encrypted = is_encrypted(pem)
    if encrypted and passphrase is None:
        raise PassphraseRequired(
            "the private key is encrypted and no pass-phrase was given",
            hint="give --passphrase-file, --passphrase-env, --passphrase-keyring or --passphrase-prompt",
        )
    if not encrypted and _PLAIN not in pem:
        raise CredentialError(_what(pem), code="tanba.keys.not_pkcs8", hint=CONVERT)
    try:
        secret = passphrase.encode("utf-8") if encrypted and passphrase else None
        return load_pem_private_key(pem, secret, unsafe_skip_rsa_key_validation=checked_before)
    except UnsupportedAlgorithm as error:
        raise CredentialError(
            "the private key, or the way it is encrypted, is of a kind that cannot be used here",
            code="tanba.keys.unreadable",
            hint="use P-256, P-384, P-521, RSA of at least 2048 bits, or Ed25519, encrypted with PBES2",
        ) from error
    except (ValueError, TypeError) as error:
        if encrypted:
            raise PassphraseRequired("the pass-phrase does not open the private key") from error
        raise CredentialError("the private key cannot be read", code="tanba.keys.unreadable", hint=CONVERT) from error


CONVERT = "convert it: openssl pkcs8 -topk8 -v2 aes-256-cbc -in KEY -out NEW.pem"


def _what(pem: bytes) -> str:
    for mark, words in (
        (b"BEGIN EC PRIVATE KEY", "the private key is in the old SEC1 form (EC PRIVATE KEY), not PKCS#8"),
        (b"BEGIN RSA PRIVATE KEY", "the private key is in the old PKCS#1 form (RSA PRIVATE KEY), not PKCS#8"),
        (b"BEGIN OPENSSH PRIVATE KEY", "this is an SSH key"),
        (b"BEGIN CERTIFICATE", "this is a certificate, not a private key"),
        (b"BEGIN PUBLIC KEY", "this is a public key, not a private key"),
    ):
        if mark in pem:
            return words
    return "this is not a PKCS#8 private key in PEM form"
