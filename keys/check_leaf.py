"""The pre-flight's rules for the signing certificate itself, and what its end means for labels made now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from keys import certificates
from keys.faults import Fault, Weight, fault
from keys.issuing import C2PA_SIGNING, DOCUMENT_SIGNING, EMAIL_PROTECTION, OCSP_SIGNING, TIME_STAMPING
from tanba.trust import DEFAULT_EKUS

if TYPE_CHECKING:
    from cryptography import x509

    _Kind = TypeVar("_Kind", bound=x509.ExtensionType)

WARN_DAYS = (7, 30, 60)
"""Days before the end at which the warning grows."""
C2PA_MAX_DAYS = 366
"""Longest life of a claim-signing certificate at assurance level 1 (C2PA Certificate Policy, facts §5.1)."""
C2PA_MAX_DAYS_LEVEL_2 = 90
_ISSUER_DAYS = 1827
_POLICY = "1.3.6.1.4.1.62558.1.1"
_ASSURANCE = "1.3.6.1.4.1.62558.3"
_LEVEL_1, _LEVEL_2 = bytes.fromhex("060a2b0601040183e85e030a"), bytes.fromhex("060a2b0601040183e85e0314")
"""DER of the object identifiers 1.3.6.1.4.1.62558.3.10 and .20."""
_PRODUCT_RECORD = "1.3.6.1.4.1.62558.4"
_ANY_EKU = "2.5.29.37.0"
_KNOWN_CRITICAL = {"2.5.29.15", "2.5.29.19", "2.5.29.37", "2.5.29.17", "2.5.29.32", "2.5.29.35", "2.5.29.14"}
_READ_EVERYWHERE = {EMAIL_PROTECTION}
_REISSUE = "ask the CA for a certificate with the C2PA signing profile; `tanba keys csr` asks for it"


def faults(leaf: x509.Certificate, chain: Sequence[x509.Certificate], accepted_ekus: Sequence[str]) -> Iterator[Fault]:
    """Extensions, subject and algorithm of the leaf."""
    if _is_ca(leaf):
        yield fault(
            "ca_leaf", Weight.ERROR, "the first certificate is a certification authority, not a signing certificate",
            "put the signing certificate first; a CA certificate must not sign labels",
        )  # fmt: skip
    yield from _key_usage(leaf)
    yield from _extended_usage(leaf, accepted_ekus)
    if not _has(leaf, "2.5.29.35") and not (certificates.self_issued(leaf) and len(chain) == 1):
        yield fault("no_aki", Weight.ERROR, "the certificate has no Authority Key Identifier", _REISSUE)
    if not _has(leaf, "2.5.29.14"):
        yield fault(
            "no_ski", Weight.WARNING, "the certificate has no Subject Key Identifier",
            "it is accepted today, though the C2PA profile asks for one; have it in the next certificate",
        )  # fmt: skip
    for oid in _unknown_critical(leaf):
        yield fault(
            "unknown_critical", Weight.ERROR, f"the certificate has a critical extension nobody knows ({oid})",
            "ask the CA for a certificate without it",
        )  # fmt: skip
    if not certificates.organization(leaf):
        yield fault(
            "no_organization", Weight.WARNING, "the subject names no organisation (O=)",
            "readers show the organisation as the signer, and older readers call such a label broken; have O= in it",
        )  # fmt: skip
    yield from _signature(leaf)
    yield from _conformance(leaf, chain)


def lifetime(leaf: x509.Certificate, now: datetime) -> Iterator[Fault]:
    """Validity, the 60/30/7 day warnings, and whether labels made now will outlive the certificate."""
    start, end = leaf.not_valid_before_utc, leaf.not_valid_after_utc
    if now < start:
        yield fault(
            "not_yet_valid", Weight.ERROR, f"the certificate is not valid before {start.isoformat()}",
            "wait, or check this machine's clock",
        )  # fmt: skip
    if now >= end:
        yield fault(
            "expired", Weight.ERROR, f"the certificate expired on {end.date().isoformat()}",
            "get a new one for a new key: `tanba keys rotate`",
        )  # fmt: skip
        return
    left = (end - now) // timedelta(days=1)
    step = next((days for days in WARN_DAYS if left < days), None)
    if step is not None:
        yield fault(
            f"expires_within_{step}_days", Weight.WARNING, f"the certificate expires in {left} days, on {end.date()}",
            "start now: `tanba keys rotate`, then the CSR to your CA",
        )  # fmt: skip
    yield fault(
        "labels_outlive_only_with_time_stamp", Weight.NOTE,
        f"a label made now without a time stamp turns invalid on {end.date()}; with an RFC 3161 time stamp from an "
        "authority that the reader trusts it stays valid", "label with --timestamp URL",
    )  # fmt: skip


def _key_usage(leaf: x509.Certificate) -> Iterator[Fault]:
    from cryptography import x509

    try:
        usage = leaf.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        yield fault("no_key_usage", Weight.ERROR, "the certificate has no Key Usage", _REISSUE)
        return
    if not usage.digital_signature and usage.content_commitment:
        yield fault(
            "only_non_repudiation", Weight.WARNING, "Key Usage is nonRepudiation without digitalSignature",
            "it is accepted today, though the C2PA profile asks for digitalSignature; have it in the next certificate",
        )  # fmt: skip
    elif not usage.digital_signature:
        yield fault("no_digital_signature", Weight.ERROR, "Key Usage does not allow digital signatures", _REISSUE)


def _extended_usage(leaf: x509.Certificate, accepted_ekus: Sequence[str]) -> Iterator[Fault]:
    found = extended_usages(leaf)
    signing = set(DEFAULT_EKUS) - {TIME_STAMPING, OCSP_SIGNING} | set(accepted_ekus)
    if not found:
        yield fault("no_eku", Weight.ERROR, "the certificate has no Extended Key Usage", _REISSUE)
    elif _ANY_EKU in found:
        yield fault("any_eku", Weight.ERROR, "the certificate is for any use (anyExtendedKeyUsage)", _REISSUE)
    elif not signing & found:
        named = ", ".join(sorted(found))
        yield fault(
            "wrong_eku", Weight.ERROR, f"the certificate is not for signing content (Extended Key Usage: {named})",
            f"{_REISSUE}; or, for your own readers only, add the OID to the accepted usages: `tanba trust ekus FILE`",
        )  # fmt: skip
    elif {TIME_STAMPING, OCSP_SIGNING} & found:
        yield fault(
            "mixed_eku", Weight.ERROR, "the certificate is for time stamps or OCSP as well as for content",
            "C2PA wants these kept apart: ask for one without timeStamping and OCSPSigning",
        )  # fmt: skip
    elif not _READ_EVERYWHERE & found:
        yield fault(
            "eku_not_everywhere", Weight.WARNING,
            "readers with the engine's default settings refuse this Extended Key Usage",
            "ask for emailProtection beside C2PA claim signing: together they pass everywhere",
        )  # fmt: skip


def _conformance(leaf: x509.Certificate, chain: Sequence[x509.Certificate]) -> Iterator[Fault]:
    """What the C2PA Certificate Policy and its certificate profiles (v0.2) ask of a conforming product's certificate
    (facts §5.1), as one note.
    """
    missing = [words for words, fulfilled in _policy(leaf, chain) if not fulfilled]
    if missing:
        yield fault(
            "not_policy", Weight.NOTE, "it could not come from a CA on the official C2PA list: " + "; ".join(missing),
            "nothing to do for your own trust lists; for the official one, use a CA of the C2PA programme",
        )  # fmt: skip


def _policy(leaf: x509.Certificate, chain: Sequence[x509.Certificate]) -> Iterator[tuple[str, bool]]:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    usages = extended_usages(leaf)
    yield "Extended Key Usage C2PA claim signing", C2PA_SIGNING in usages
    yield "emailProtection or documentSigning beside it", bool(usages & {EMAIL_PROTECTION, DOCUMENT_SIGNING})
    usage = _extension(leaf, x509.KeyUsage)
    yield "Key Usage nonRepudiation beside digitalSignature", usage is not None and usage.content_commitment
    policies = _extension(leaf, x509.CertificatePolicies)
    named = {item.policy_identifier.dotted_string for item in policies or ()}
    yield f"certificate policy {_POLICY}", _POLICY in named
    level = _assurance_level(leaf)
    yield "the product's assurance level (1 or 2)", level is not None
    days = C2PA_MAX_DAYS_LEVEL_2 if level == 2 else C2PA_MAX_DAYS
    yield f"a life of at most {days} days", leaf.not_valid_after_utc - leaf.not_valid_before_utc <= timedelta(days=days)
    yield "the record of the Conforming Products List", _has(leaf, _PRODUCT_RECORD)
    yield "the address of an OCSP responder", _has(leaf, "1.3.6.1.5.5.7.1.1")
    yield "the country (C=) in the subject", bool(certificates.name_part(leaf.subject, "2.5.4.6"))
    if len(chain) > 1:
        issuer = chain[1]
        key = certificates.public_key(issuer)
        strong = (isinstance(key, ec.EllipticCurvePublicKey) and key.key_size >= 384) or (
            isinstance(key, rsa.RSAPublicKey) and key.key_size >= 3072
        )
        yield "an issuer with P-384, P-521 or RSA of 3072 bits", strong
        life = issuer.not_valid_after_utc - issuer.not_valid_before_utc
        yield f"an issuer of at most {_ISSUER_DAYS} days", life <= timedelta(days=_ISSUER_DAYS)


def _assurance_level(leaf: x509.Certificate) -> int | None:
    """1 or 2, from the extension whose value is the OID ``….62558.3.10`` or ``….62558.3.20``."""
    from cryptography import x509

    for item in leaf.extensions:
        if item.oid.dotted_string == _ASSURANCE and isinstance(item.value, x509.UnrecognizedExtension):
            return {_LEVEL_1: 1, _LEVEL_2: 2}.get(item.value.value)
    return None


def _extension(certificate: x509.Certificate, kind: type[_Kind]) -> _Kind | None:
    from cryptography import x509

    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def extended_usages(certificate: x509.Certificate) -> set[str]:
    """The OIDs of the Extended Key Usage extension, or the empty set."""
    from cryptography import x509

    try:
        value = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return set()
    return {item.dotted_string for item in value}


def _is_ca(certificate: x509.Certificate) -> bool:
    from cryptography import x509

    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _has(certificate: x509.Certificate, dotted: str) -> bool:
    return any(item.oid.dotted_string == dotted for item in certificate.extensions)


def _unknown_critical(certificate: x509.Certificate) -> list[str]:
    return [
        item.oid.dotted_string
        for item in certificate.extensions
        if item.critical and item.oid.dotted_string not in _KNOWN_CRITICAL
    ]


def _signature(certificate: x509.Certificate) -> Iterator[Fault]:
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        found = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        yield fault(
            "unknown_signature", Weight.ERROR, "the certificate is signed with an algorithm nobody knows", _REISSUE
        )
        return
    if found is not None and found.name in {"md5", "sha1"}:
        yield fault("weak_hash", Weight.ERROR, "the certificate is signed with SHA-1 or MD5", _REISSUE)
