"""The pre-flight: everything that is wrong with a key and its certificates, each fault in words and with its cure.

Rules and what the engine does with each come from C2PA 2.4 section 14.5.1, RFC 5280 and the measurements of
``facts/c2pa-python.md`` §2. It reads and judges; it changes nothing, and it never shows key material.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from keys import algorithms, certificates, check_chain, check_leaf, pkcs8
from keys.faults import Fault, Weight, fault
from tanba.errors import CredentialError, PassphraseRequired, UsageError

__all__ = ["Checked", "Fault", "Weight", "check"]

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes


@dataclass(frozen=True, slots=True)
class Checked:
    """The outcome of one pre-flight."""

    faults: tuple[Fault, ...]
    subject: str = ""
    organization: str = ""
    fingerprint: str = ""
    not_after: datetime | None = None
    algorithm: str = ""
    """What the key signs with; empty when no C2PA algorithm fits it."""

    @property
    def usable(self) -> bool:
        """No error among the faults."""
        return not any(item.weight is Weight.ERROR for item in self.faults)


def check(
    files: Sequence[bytes],
    *,
    now: datetime,
    algorithm: str | None = None,
    passphrase: str | None = None,
    accepted_ekus: Sequence[str] = (),
) -> Checked:
    """Judge PEM files: certificates and, perhaps, one private key, in any number of files.

    ``accepted_ekus`` are the extended key usages that the user's trust configuration accepts beside the published six.
    Raises :class:`UsageError` when the files hold neither certificate nor key.
    """
    pem = b"\n".join(files)
    keys = [item for item in files if b"PRIVATE KEY-----" in item]
    if b"-----BEGIN CERTIFICATE-----" not in pem and not keys:
        raise UsageError("no certificate and no private key found", hint="give PEM files; convert DER with openssl")
    found: list[Fault] = []
    private = _private(keys, passphrase, found)
    try:
        chain = certificates.load_chain(pem) if b"-----BEGIN CERTIFICATE-----" in pem else ()
    except CredentialError as error:
        found.append(fault("bad_certificate", Weight.ERROR, error.message, error.hint or "give a PEM file"))
        chain = ()
    if not chain:
        return Checked((*found, *_key_only(private, algorithm)), algorithm=_name(private, algorithm))
    order = certificates.ordered(chain)
    leaf = order[0]
    found += check_chain.faults(chain, order, now)
    found += check_leaf.faults(leaf, order, accepted_ekus)
    found += _key_faults(leaf, private, algorithm)
    found += check_leaf.lifetime(leaf, now)
    return Checked(
        tuple(dict.fromkeys(found)),
        certificates.common_name(leaf),
        certificates.organization(leaf),
        certificates.fingerprint(leaf),
        leaf.not_valid_after_utc,
        _name(certificates.public_key(leaf), algorithm),
    )


def _private(keys: Sequence[bytes], passphrase: str | None, found: list[Fault]) -> PublicKeyTypes | None:
    """The public side of the one private key; faults go into ``found``."""
    if len(keys) > 1:
        found.append(fault("two_keys", Weight.ERROR, "there are several private keys", "give only the signing key"))
    for pem in keys[:1]:
        try:
            return pkcs8.load(pem, passphrase).public_key()
        except PassphraseRequired as error:
            what = "wrong_passphrase" if passphrase is not None else "no_passphrase"
            found.append(fault(what, Weight.ERROR, error.message, error.hint or "give the right pass-phrase"))
        except CredentialError as error:
            what = "not_pkcs8" if error.code == "tanba.keys.not_pkcs8" else "bad_key"
            found.append(fault(what, Weight.ERROR, error.message, error.hint or pkcs8.CONVERT))
    return None


def _key_only(private: PublicKeyTypes | None, algorithm: str | None) -> Iterator[Fault]:
    if private is None:
        return
    yield from _fit(private, algorithm, "key")
    yield fault("no_certificate", Weight.NOTE, "there is a key but no certificate", "give the chain too")


def _key_faults(leaf: x509.Certificate, private: PublicKeyTypes | None, algorithm: str | None) -> Iterator[Fault]:
    public = certificates.public_key(leaf)
    if public is None:
        yield _no_algorithm("certificate's key", "of an unknown kind")
        return
    yield from _fit(public, algorithm, "certificate's key")
    if private is not None and certificates.spki(private) != certificates.spki(public):
        yield fault(
            "key_mismatch", Weight.ERROR, "the private key does not belong to the first certificate",
            "use the key that the certificate request was made with; or install the certificate for this key",
        )  # fmt: skip


def _fit(key: PublicKeyTypes, algorithm: str | None, what: str) -> Iterator[Fault]:
    if algorithm is None:
        if algorithms.default_for(key) is None:
            yield _no_algorithm(what, _kind(key))
        return
    wanted = algorithms.get(algorithm)
    if not algorithms.fits(key, wanted):
        fitting = algorithms.default_for(key)
        cure = f"sign with {fitting.name}" if fitting else "make a new key"
        yield fault(
            "wrong_key_type", Weight.ERROR,
            f"{wanted.name} needs {wanted.key_words}, but the {what} is {_kind(key)}", cure,
        )  # fmt: skip


def _no_algorithm(what: str, kind: str) -> Fault:
    return fault(
        "key_type", Weight.ERROR, f"no C2PA algorithm fits the {what} ({kind})",
        "use P-256, P-384, P-521, RSA of at least 2048 bits, or Ed25519",
    )  # fmt: skip


def _kind(key: PublicKeyTypes) -> str:
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"EC {key.curve.name}"
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    return type(key).__name__.lstrip("_").removesuffix("PublicKey")


def _name(key: PublicKeyTypes | None, algorithm: str | None) -> str:
    if algorithm is not None:
        return algorithms.get(algorithm).name
    fitting = algorithms.default_for(key) if key is not None else None
    return fitting.name if fitting else ""
