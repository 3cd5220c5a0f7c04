"""Issuing certificates with the C2PA profile (C2PA 2.4 section 14.5.1): roots, issuing authorities, leaves.

Used for the development authority, the local time-stamp authority and the local OCSP responder. A real signing
certificate comes from a certification authority: see :mod:`keys.csr`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import (
        CertificateIssuerPrivateKeyTypes,
        CertificatePublicKeyTypes,
    )

C2PA_SIGNING = "1.3.6.1.4.1.62558.2.1"
"""C2PA claim signing (C2PA 2.4 section 14.5.1)."""
EMAIL_PROTECTION = "1.3.6.1.5.5.7.3.4"
DOCUMENT_SIGNING = "1.3.6.1.5.5.7.3.36"
TIME_STAMPING = "1.3.6.1.5.5.7.3.8"
OCSP_SIGNING = "1.3.6.1.5.5.7.3.9"
CLAIM_EKUS = (C2PA_SIGNING, EMAIL_PROTECTION)
"""Both, because older readers only know the second (facts §2.2)."""

_BACKDATED = timedelta(minutes=5)
"""Certificates start a little earlier, so that a verifier whose clock is slightly behind accepts them."""


@dataclass(frozen=True, slots=True)
class Request:
    """What one certificate shall say."""

    common_name: str
    organization: str
    days: float
    """Length of validity in days."""
    ca: bool = False
    path_length: int | None = None
    ekus: tuple[str, ...] = ()
    eku_critical: bool = False
    ocsp_url: str | None = None
    """Written into the Authority Information Access extension (RFC 5280 section 4.2.2.1)."""


def subject(common_name: str, organization: str) -> x509.Name:
    """``O=…, CN=…``."""
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization[:64]),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64]),
        ]
    )


def issue(
    request: Request,
    public_key: CertificatePublicKeyTypes,
    issuer: x509.Name,
    issuer_key: CertificateIssuerPrivateKeyTypes,
    now: datetime,
    *,
    not_after: datetime | None = None,
) -> x509.Certificate:
    """One certificate, never outliving ``not_after`` (its issuer's end)."""
    from cryptography import x509

    end = now - _BACKDATED + timedelta(days=request.days)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject(request.common_name, request.organization))
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(min(end, not_after) if not_after else end)
        .add_extension(x509.BasicConstraints(ca=request.ca, path_length=request.path_length), critical=True)
        .add_extension(key_usage(ca=request.ca), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if request.ekus:
        usages = x509.ExtendedKeyUsage([x509.ObjectIdentifier(item) for item in request.ekus])
        builder = builder.add_extension(usages, critical=request.eku_critical)
    if request.ocsp_url:
        from cryptography.x509.oid import AuthorityInformationAccessOID

        access = x509.AccessDescription(
            AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(request.ocsp_url)
        )
        builder = builder.add_extension(x509.AuthorityInformationAccess([access]), critical=False)
    return builder.sign(issuer_key, signing_hash(issuer_key))


def key_usage(*, ca: bool) -> x509.KeyUsage:
    """A leaf: digitalSignature; an authority: keyCertSign and cRLSign (RFC 5280 section 4.2.1.3)."""
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )


def signing_hash(key: CertificateIssuerPrivateKeyTypes) -> _Hash:
    """The hash an issuer's key signs certificates with: that of its curve's strength, none for Ed25519."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519

    if isinstance(key, ed25519.Ed25519PrivateKey):
        return None
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return cast("_Hash", {256: hashes.SHA256(), 384: hashes.SHA384()}.get(key.key_size, hashes.SHA512()))
    return hashes.SHA256()


if TYPE_CHECKING:
    from cryptography.hazmat.primitives import hashes as _hashes

    _Hash = _hashes.SHA256 | _hashes.SHA384 | _hashes.SHA512 | None
