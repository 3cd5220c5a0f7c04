"""Reading and describing certificates and chains. Issuing them is :mod:`keys.issuing`; judging them :mod:`keys.check`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

from tanba.errors import CredentialError, MalformedAsset

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

Chain: TypeAlias = "tuple[x509.Certificate, ...]"
MAX_CHAIN = 10
"""More certificates than this are no chain of one signer."""


def load_chain(pem: bytes) -> tuple[x509.Certificate, ...]:
    """Every certificate of a PEM file in its order. Raises :class:`CredentialError`."""
    from tanba.x509 import load_pem

    try:
        found = load_pem(pem)
    except ValueError as error:
        raise CredentialError(
            "no certificate can be read",
            code="tanba.keys.bad_certificate",
            hint="give a PEM file with CERTIFICATE blocks (openssl x509 -inform DER -in CERT -out CERT.pem converts)",
        ) from error
    if len(found) > MAX_CHAIN:
        raise CredentialError("the file holds too many certificates for a chain", code="tanba.keys.bad_certificate")
    return found


def dump_chain(chain: tuple[x509.Certificate, ...]) -> bytes:
    """PEM, in the given order."""
    from cryptography.hazmat.primitives.serialization import Encoding

    return b"".join(item.public_bytes(Encoding.PEM) for item in chain)


def dump_der(chain: Sequence[bytes]) -> bytes:
    """DER certificates as PEM. Raises :class:`CredentialError` when one is none."""
    from tanba.x509 import load_chain as load_der

    try:
        return dump_chain(load_der(chain))
    except MalformedAsset as error:
        raise CredentialError("the label's certificate cannot be read", code="tanba.keys.bad_certificate") from error


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of the DER, lower-case hex."""
    from cryptography.hazmat.primitives import hashes

    return certificate.fingerprint(hashes.SHA256()).hex()


def public_key(certificate: x509.Certificate) -> PublicKeyTypes | None:
    """The certificate's key, or None when it is of a kind that no C2PA algorithm uses and nothing here can read."""
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        return certificate.public_key()
    except (UnsupportedAlgorithm, ValueError):
        return None


def spki(key: PublicKeyTypes) -> bytes:
    """SubjectPublicKeyInfo, DER."""
    from cryptography.hazmat.primitives import serialization

    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def name_part(name: x509.Name, dotted: str) -> str:
    """The first value of an attribute (``2.5.4.3`` is CN, ``2.5.4.10`` O), or the empty string."""
    from cryptography import x509

    found = name.get_attributes_for_oid(x509.ObjectIdentifier(dotted))
    return str(found[0].value) if found else ""


def common_name(certificate: x509.Certificate) -> str:
    return name_part(certificate.subject, "2.5.4.3")


def organization(certificate: x509.Certificate) -> str:
    return name_part(certificate.subject, "2.5.4.10")


def self_issued(certificate: x509.Certificate) -> bool:
    return certificate.subject == certificate.issuer


def ordered(chain: tuple[x509.Certificate, ...]) -> tuple[x509.Certificate, ...]:
    """The same certificates, leaf first, each followed by its issuer; unrelated ones keep their place at the end."""
    issuers = {item.issuer for item in chain if not self_issued(item)}
    leaf = next((item for item in chain if item.subject not in issuers), chain[0])
    out = [leaf]
    rest = [item for item in chain if item is not leaf]
    while rest:
        following = next((item for item in rest if item.subject == out[-1].issuer), None)
        if following is None:
            break
        out.append(following)
        rest.remove(following)
    return (*out, *rest)
