"""OCSP responses (RFC 6960) and CRLs (RFC 5280 section 5): is one certificate revoked, and may the answer be believed?

Pure: bytes and certificates in, :class:`Answer` out. An answer counts only when its signature leads to the issuer of the
certificate in question, it is about that certificate, and it covers the moment asked for. Nothing is fetched here.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from tanba.report import RevocationState

SKEW = timedelta(minutes=5)
"""Clocks of responders may differ by this much."""
DEFAULT_LIFETIME = timedelta(days=1)
"""How long an OCSP response without ``nextUpdate`` is used (RFC 6960 section 4.2.2.1: newer is always available)."""

_UNREADABLE = (ValueError, TypeError, KeyError, OverflowError, UnsupportedAlgorithm, x509.DuplicateExtension)
"""How ``cryptography`` meets DER that it does not understand, often only when a field is asked for."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a response says about one certificate. ``problem`` explains an ``UNKNOWN``."""

    state: RevocationState
    since: datetime | None = None
    reason: str | None = None
    """CRL reason name of RFC 5280 section 5.3.1 (``keyCompromise`` ...)."""
    this_update: datetime | None = None
    next_update: datetime | None = None
    problem: str | None = None
    """``malformed``, ``not_successful``, ``other_certificate``, ``bad_signature``, ``stale``, ``unknown_status``."""


def ocsp_request(leaf: x509.Certificate, issuer: x509.Certificate) -> bytes:
    """The DER request for one certificate. SHA-1 only names the issuer here; responders know no other (RFC 5019)."""
    sha1 = hashes.SHA1()  # noqa: S303  an identifier, not a signature: RFC 5019 section 2.1.1 requires it
    return ocsp.OCSPRequestBuilder().add_certificate(leaf, issuer, sha1).build().public_bytes(Encoding.DER)


def read_ocsp(data: bytes, leaf: x509.Certificate, issuer: x509.Certificate, moment: datetime) -> Answer:
    """Judge an OCSP response for ``leaf`` at ``moment``. Never raises for what it finds."""
    try:
        response = ocsp.load_der_ocsp_response(data)
        if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            return _unknown("not_successful")
        single = next((item for item in response.responses if _about(item, leaf, issuer)), None)
        if single is None:
            return _unknown("other_certificate")
        if not _responder_holds(response, issuer, moment):
            return _unknown("bad_signature")
        return _ocsp_status(single, moment)
    except _UNREADABLE:
        return _unknown("malformed")


def read_crl(data: bytes, leaf: x509.Certificate, issuer: x509.Certificate, moment: datetime) -> Answer:
    """Judge a CRL (DER or PEM) for ``leaf`` at ``moment``. Never raises for what it finds."""
    try:
        pem = data.lstrip().startswith(b"-----BEGIN")
        found = x509.load_pem_x509_crl(data) if pem else x509.load_der_x509_crl(data)
        if found.issuer != issuer.subject or _partial(found):
            return _unknown("other_certificate")
        if not found.is_signature_valid(issuer.public_key()):  # type: ignore[arg-type]  # CA keys are of CA types
            return _unknown("bad_signature")
        this_update, next_update = found.last_update_utc, found.next_update_utc
        if not _covers(this_update, next_update, moment):
            return _unknown("stale", this_update, next_update)
        entry = found.get_revoked_certificate_by_serial_number(leaf.serial_number)
    except _UNREADABLE:
        return _unknown("malformed")
    if entry is None:
        return Answer(RevocationState.GOOD, this_update=this_update, next_update=next_update)
    return Answer(RevocationState.REVOKED, entry.revocation_date_utc, _crl_reason(entry), this_update, next_update)


def _ocsp_status(single: ocsp.OCSPSingleResponse, moment: datetime) -> Answer:
    this_update, next_update = single.this_update_utc, single.next_update_utc
    if single.certificate_status is ocsp.OCSPCertStatus.REVOKED:
        # A revocation is for good (RFC 5280 section 5.3.1, except certificateHold): it counts however old the answer is.
        reason = single.revocation_reason
        since = single.revocation_time_utc
        return Answer(RevocationState.REVOKED, since, reason.value if reason else None, this_update, next_update)
    if single.certificate_status is ocsp.OCSPCertStatus.UNKNOWN:
        return _unknown("unknown_status", this_update, next_update)
    if not _covers(this_update, next_update or this_update + DEFAULT_LIFETIME, moment):
        return _unknown("stale", this_update, next_update)
    return Answer(RevocationState.GOOD, this_update=this_update, next_update=next_update)


def _about(single: ocsp.OCSPSingleResponse, leaf: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether a single response names this certificate: serial, issuer name and issuer key (RFC 6960 section 4.1.1)."""
    algorithm = single.hash_algorithm.name
    name = hashlib.new(algorithm, issuer.subject.public_bytes()).digest()
    key = hashlib.new(algorithm, _key_bits(issuer)).digest()
    return (
        single.serial_number == leaf.serial_number
        and hmac.compare_digest(single.issuer_name_hash, name)
        and hmac.compare_digest(single.issuer_key_hash, key)
    )


def _key_bits(certificate: x509.Certificate) -> bytes:
    """The value of the subjectPublicKey bit string, which key hashes are over."""
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return key.public_bytes(Encoding.DER, PublicFormat.PKCS1)
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    if isinstance(key, ed25519.Ed25519PublicKey):
        return key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    raise UnsupportedAlgorithm("key type")


def _responder_holds(response: ocsp.OCSPResponse, issuer: x509.Certificate, moment: datetime) -> bool:
    """Signed by the issuer itself, or by a certificate that the issuer made for OCSP signing (RFC 6960 4.2.2.2)."""
    if _is_responder(response, issuer) and _signed(response, issuer):
        return True
    return any(
        _is_responder(response, item) and _delegated(item, issuer, moment, response) and _signed(response, item)
        for item in response.certificates
    )


def _delegated(
    certificate: x509.Certificate, issuer: x509.Certificate, moment: datetime, response: ocsp.OCSPResponse
) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
        usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError, x509.ExtensionNotFound):
        return False
    produced = response.produced_at_utc
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return ExtendedKeyUsageOID.OCSP_SIGNING in usages and (begin <= produced <= end or begin <= moment <= end)


def _is_responder(response: ocsp.OCSPResponse, certificate: x509.Certificate) -> bool:
    if response.responder_name is not None:
        return response.responder_name == certificate.subject
    sha1 = hashlib.sha1(_key_bits(certificate), usedforsecurity=False).digest()
    return response.responder_key_hash is not None and hmac.compare_digest(response.responder_key_hash, sha1)


def _signed(response: ocsp.OCSPResponse, certificate: x509.Certificate) -> bool:
    key, algorithm = certificate.public_key(), response.signature_hash_algorithm
    try:
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(response.signature, response.tbs_response_bytes)
        elif isinstance(key, rsa.RSAPublicKey) and algorithm is not None:
            key.verify(response.signature, response.tbs_response_bytes, padding.PKCS1v15(), algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey) and algorithm is not None:
            key.verify(response.signature, response.tbs_response_bytes, ec.ECDSA(algorithm))
        else:
            return False
    except (InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _covers(this_update: datetime, next_update: datetime | None, moment: datetime) -> bool:
    return this_update - SKEW <= moment and (next_update is None or moment <= next_update + SKEW)


def _partial(found: x509.CertificateRevocationList) -> bool:
    """Whether the list does not speak for all certificates and reasons of its issuer, or holds what we do not know."""
    known = {ExtensionOID.CRL_NUMBER, ExtensionOID.AUTHORITY_KEY_IDENTIFIER, ExtensionOID.ISSUING_DISTRIBUTION_POINT}
    if any(item.critical and item.oid not in known for item in found.extensions):
        return True
    try:
        point = found.extensions.get_extension_for_class(x509.IssuingDistributionPoint).value
    except x509.ExtensionNotFound:
        return False
    return bool(
        point.indirect_crl or point.only_some_reasons or point.only_contains_ca_certs
        or point.only_contains_attribute_certs
    )  # fmt: skip


def _crl_reason(entry: x509.RevokedCertificate) -> str | None:
    try:
        return entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.value
    except x509.ExtensionNotFound:
        return None


def _unknown(problem: str, this_update: datetime | None = None, next_update: datetime | None = None) -> Answer:
    return Answer(RevocationState.UNKNOWN, problem=problem, this_update=this_update, next_update=next_update)
