"""Certificates: facts about one, and whether a chain leads to a list *as of a moment*.

Everything is parsed and every signature is checked by ``cryptography``; this module only walks from issuer to issuer and
applies the C2PA certificate profile (C2PA 2.4 section 14.5) and RFC 5280 section 6.1. It exists because the engine has
no validation time. It must never fetch anything, and it never says "trusted" by default: what it does not understand
fails. ``cryptography.x509.verification`` cannot be used here: it accepts neither Ed25519 nor RSASSA-PSS chains, which
C2PA 2.4 section 13.2 allows.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, ExtensionOID, NameOID

from tanba.errors import MalformedAsset, TrustError
from tanba.trust import Purpose, TrustList

# Such certificates stand in files of strangers, and the reader of a report can do nothing about them; the warning would
# print source lines among the results. ``warnings.catch_warnings`` around the parser is not safe with threads.
warnings.filterwarnings("ignore", "Parsed a serial number which wasn't positive", CryptographyDeprecationWarning)

_Extension = TypeVar("_Extension", bound=x509.ExtensionType)

MAX_DEPTH = 8
"""Certificates between leaf and anchor; real chains have one to three."""
_MAX_CERTIFICATES = 32
_KEPT_BYTES = 32 << 10
"""Chains up to this size are parsed once; real ones have three to six kilobytes."""
_UNDERSTOOD = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.SUBJECT_KEY_IDENTIFIER,
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
        ExtensionOID.CERTIFICATE_POLICIES,
        ExtensionOID.AUTHORITY_INFORMATION_ACCESS,
        ExtensionOID.CRL_DISTRIBUTION_POINTS,
    }
)
_UNREADABLE = (
    ValueError, KeyError, TypeError, OverflowError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.InvalidVersion,
)  # fmt: skip
"""How the library meets what it cannot read; KeyError and TypeError are its words for odd string types in names."""
_BAD_SIGNATURE = (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError)


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """What a certificate says, for reports. Strings come from outside and are not escaped here."""

    common_name: str | None
    organization: str | None
    issuer: str
    serial: str
    """Lower-case hex."""
    fingerprint: str
    """SHA-256 of the DER, lower-case hex."""
    not_before: datetime
    not_after: datetime
    ekus: tuple[str, ...]
    """Dotted object identifiers."""
    ocsp_urls: tuple[str, ...]
    crl_urls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PathResult:
    """The way from a leaf to a list, or why there is none."""

    trusted: bool
    list: TrustList | None = None
    certificates: tuple[x509.Certificate, ...] = ()
    """Leaf first, anchor last; the leaf alone when an allowed list names it."""
    reason: str | None = None
    """Why not: ``no_path``, ``expired``, ``not_yet_valid``, ``not_a_ca``, ``extension``, ``usage``, ``empty``."""


def load_chain(chain: Sequence[bytes]) -> tuple[x509.Certificate, ...]:
    """Parse DER certificates, leaf first. Raises :class:`MalformedAsset` when the leaf cannot be read.

    An unreadable certificate further up is left out: without it there may be no path, and that is the honest answer.
    """
    if len(chain) > _MAX_CERTIFICATES:
        raise MalformedAsset("too many certificates", code="tanba.certificate.too_many")
    if sum(map(len, chain)) <= _KEPT_BYTES:
        return _parsed(tuple(chain))
    return _parsed.__wrapped__(tuple(chain))


@lru_cache(maxsize=64)
def _parsed(chain: tuple[bytes, ...]) -> tuple[x509.Certificate, ...]:
    """Kept, because a report asks several times for one chain, and a folder is mostly signed by a few."""
    found = [_load(item) for item in chain]
    if found and found[0] is None:
        raise MalformedAsset("the certificate cannot be read", code="tanba.certificate.malformed")
    return tuple(item for item in found if item is not None)


def load_pem(pem: bytes) -> tuple[x509.Certificate, ...]:
    """Every certificate of a PEM text in its order, each of them readable as a whole.

    Raises :class:`ValueError`, whatever is wrong: no certificate, a broken block, a name or an extension that cannot
    be understood.
    """
    try:
        return tuple(map(_readable, x509.load_pem_x509_certificates(pem)))
    except _UNREADABLE as error:
        raise ValueError(f"a certificate cannot be read: {type(error).__name__}") from error


def _load(der: bytes) -> x509.Certificate | None:
    try:
        return _readable(x509.load_der_x509_certificate(der))
    except _UNREADABLE:
        return None


def _readable(certificate: x509.Certificate) -> x509.Certificate:
    """The certificate, once the parts that the library parses on first use could be read."""
    _ = certificate.extensions, certificate.subject, certificate.issuer, certificate.serial_number
    _ = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return certificate


def facts(certificate: x509.Certificate) -> CertificateFacts:
    """The certificate's own statements."""
    return CertificateFacts(
        common_name=_name(certificate.subject, NameOID.COMMON_NAME),
        organization=_name(certificate.subject, NameOID.ORGANIZATION_NAME),
        issuer=certificate.issuer.rfc4514_string(),
        serial=format(certificate.serial_number, "x"),
        fingerprint=fingerprint(certificate),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        ekus=ekus(certificate),
        ocsp_urls=_ocsp_urls(certificate),
        crl_urls=_crl_urls(certificate),
    )


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of the DER encoding, lower-case hex."""
    return certificate.fingerprint(SHA256()).hex()


def ekus(certificate: x509.Certificate) -> tuple[str, ...]:
    """Extended key usages as dotted identifiers; empty when there is no such extension."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(item.dotted_string for item in found)


@lru_cache(maxsize=64)
def anchors(item: TrustList) -> tuple[x509.Certificate, ...]:
    """The anchors of a list. Raises :class:`TrustError` when one cannot be read."""
    return _pem_certificates(item.name, item.anchors_pem)


@lru_cache(maxsize=64)
def allowed_fingerprints(item: TrustList) -> frozenset[str]:
    """SHA-256 fingerprints of end entities that the list trusts directly: from certificates or base64 digest lines."""
    import base64
    import binascii

    text = item.allowed_pem or ""
    found = {fingerprint(certificate) for certificate in _pem_certificates(item.name, text)}
    for line in text.splitlines():
        try:
            digest = base64.b64decode(line.strip(), validate=True)
        except (binascii.Error, ValueError):
            continue
        if len(digest) == 32 and len(line.strip()) == 44:
            found.add(digest.hex())
    return frozenset(found)


def find_path(
    chain: Sequence[x509.Certificate],
    lists: Iterable[TrustList],
    moment: datetime,
    *,
    accepted_ekus: Sequence[str],
) -> PathResult:
    """Whether one of the lists vouches for the leaf at ``moment`` (aware).

    Lists are tried in order and are never pooled. The leaf must meet the C2PA profile: valid at the moment, not a CA,
    ``digitalSignature``, one of ``accepted_ekus`` or of the list's own usages, no critical extension that is not
    understood.
    """
    if not chain:
        return PathResult(trusted=False, reason="empty")
    leaf = chain[0]
    general = _leaf_problem(leaf, moment, accepted_ekus)
    reason = general or "no_path"
    for item in lists:
        wrong = _leaf_problem(leaf, moment, item.ekus) if item.ekus and item.purpose is Purpose.MANIFEST else general
        if wrong is not None:
            reason = wrong
            continue
        if item.allowed_pem and fingerprint(leaf) in allowed_fingerprints(item):
            return PathResult(trusted=True, list=item, certificates=(leaf,))
        found, why = _climb((leaf,), tuple(chain[1:]), anchors(item), moment, set())
        if found:
            return PathResult(trusted=True, list=item, certificates=found)
        reason = why if reason == "no_path" else reason
    return PathResult(trusted=False, reason=reason)


def inside_validity(certificate: x509.Certificate, moment: datetime) -> bool:
    """Whether ``moment`` is in the certificate's validity, ends included (RFC 5280 section 4.1.2.5)."""
    return certificate.not_valid_before_utc <= moment <= certificate.not_valid_after_utc


def _climb(
    below: tuple[x509.Certificate, ...],
    others: tuple[x509.Certificate, ...],
    roots: tuple[x509.Certificate, ...],
    moment: datetime,
    tried: set[x509.Certificate],
) -> tuple[tuple[x509.Certificate, ...], str]:
    """Depth first from the last certificate of ``below`` to an anchor: (path, reason of the nearest miss).

    No certificate is climbed from twice (``tried``): thirty that all issued each other would cost years otherwise.
    """
    current = below[-1]
    tried.add(current)
    reason = "no_path"
    if current in roots and (len(below) > 1 or current.issuer == current.subject):
        return below, ""
    for root in roots:
        if root.subject == current.issuer and issued_by(current, root):
            wrong = _issuer_problem(root, moment, len(below) - 1)
            if wrong is None:
                return (*below, root), ""
            reason = wrong
    if len(below) >= MAX_DEPTH:
        return (), reason
    for issuer in others:
        if issuer in tried or issuer.subject != current.issuer or not issued_by(current, issuer):
            continue
        wrong = _issuer_problem(issuer, moment, len(below) - 1)
        if wrong is not None:
            reason = wrong
            continue
        found, why = _climb((*below, issuer), others, roots, moment, tried)
        if found:
            return found, ""
        reason = why if why != "no_path" else reason
    return (), reason


def issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether names match and the issuer's key made the signature. Says nothing about validity or the right to issue."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except _BAD_SIGNATURE:
        return False
    return True


def _leaf_problem(leaf: x509.Certificate, moment: datetime, accepted: Sequence[str]) -> str | None:
    if moment > leaf.not_valid_after_utc:
        return "expired"
    if moment < leaf.not_valid_before_utc:
        return "not_yet_valid"
    if _unknown_critical(leaf):
        return "extension"
    usages = ekus(leaf)
    if ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE.dotted_string in usages or not set(usages) & set(accepted):
        return "usage"
    basic = _extension(leaf, x509.BasicConstraints)
    if basic is not None and basic.ca and leaf.issuer != leaf.subject:
        return "usage"
    usage = _extension(leaf, x509.KeyUsage)
    return None if usage is not None and usage.digital_signature else "usage"


def _issuer_problem(issuer: x509.Certificate, moment: datetime, intermediates_below: int) -> str | None:
    if not inside_validity(issuer, moment):
        return "expired" if moment > issuer.not_valid_after_utc else "not_yet_valid"
    basic = _extension(issuer, x509.BasicConstraints)
    if basic is None or not basic.ca:
        return "not_a_ca"
    if basic.path_length is not None and intermediates_below > basic.path_length:
        return "not_a_ca"
    usage = _extension(issuer, x509.KeyUsage)
    if usage is not None and not usage.key_cert_sign:
        return "not_a_ca"
    return "extension" if _unknown_critical(issuer) else None


def _unknown_critical(certificate: x509.Certificate) -> bool:
    return any(item.critical and item.oid not in _UNDERSTOOD for item in certificate.extensions)


def _extension(certificate: x509.Certificate, kind: type[_Extension]) -> _Extension | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _pem_certificates(name: str, text: str) -> tuple[x509.Certificate, ...]:
    if "-----BEGIN CERTIFICATE-----" not in text:
        return ()
    try:
        return load_pem(text.encode())
    except ValueError as error:
        raise TrustError(
            f"the trust list {name!r} holds a certificate that cannot be read", code="tanba.trust.bad_certificate"
        ) from error


def _name(name: x509.Name, oid: x509.ObjectIdentifier) -> str | None:
    found = name.get_attributes_for_oid(oid)
    value = found[0].value if found else None
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _ocsp_urls(certificate: x509.Certificate) -> tuple[str, ...]:
    access = _extension(certificate, x509.AuthorityInformationAccess)
    return tuple(
        item.access_location.value
        for item in access or ()
        if item.access_method == AuthorityInformationAccessOID.OCSP
        and isinstance(item.access_location, x509.UniformResourceIdentifier)
    )


def _crl_urls(certificate: x509.Certificate) -> tuple[str, ...]:
    points = _extension(certificate, x509.CRLDistributionPoints)
    return tuple(
        name.value
        for point in points or ()
        for name in point.full_name or ()
        if isinstance(name, x509.UniformResourceIdentifier)
    )
