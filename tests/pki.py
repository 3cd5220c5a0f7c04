"""A test PKI from a short description. Everything is made in memory; no certificate or key is ever stored in the repository.

    pki = make_pki()                      root -> intermediate, ES256
    good = pki.leaf()                     a chain that c2pa accepts, with its key
    late = pki.leaf(ends=timedelta(days=-1))
    pki.leaf(ekus=("1.3.6.1.5.5.7.3.2",)) a wrong extended key usage
    good.signer()                         a tanba.protocols.LocalKeySigner
    pki.store()                           a TrustStore with this root

It uses only ``cryptography``: what it makes does not come from the code under test.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID

from tanba.trust import Purpose, TrustList, TrustStore

C2PA_SIGNING = "1.3.6.1.4.1.62558.2.1"
EMAIL = "1.3.6.1.5.5.7.3.4"
DOCUMENT_SIGNING = "1.3.6.1.5.5.7.3.36"
CLIENT_AUTH = "1.3.6.1.5.5.7.3.2"
ANY_EKU = "2.5.29.37.0"
TIME_STAMPING = "1.3.6.1.5.5.7.3.8"
OCSP_SIGNING = "1.3.6.1.5.5.7.3.9"

_CURVES = {"es256": ec.SECP256R1, "es384": ec.SECP384R1, "es512": ec.SECP521R1}
_RSA_BITS = {"ps256": 2048, "ps384": 2048, "ps512": 2048}
_HASHES = {"256": hashes.SHA256, "384": hashes.SHA384, "512": hashes.SHA512}


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def make_key(algorithm: str = "es256") -> Any:
    """A private key for one of the seven algorithms of C2PA 2.4 section 13.2."""
    if algorithm in _CURVES:
        return ec.generate_private_key(_CURVES[algorithm]())
    if algorithm in _RSA_BITS:
        return rsa.generate_private_key(public_exponent=65537, key_size=_RSA_BITS[algorithm])
    assert algorithm == "ed25519", algorithm
    return ed25519.Ed25519PrivateKey.generate()


def cose_sign(key: Any, algorithm: str, data: bytes) -> bytes:
    """A raw COSE signature (RFC 9053)."""
    if algorithm == "ed25519":
        return key.sign(data)
    chosen = _HASHES[algorithm[2:]]()
    if algorithm.startswith("ps"):
        return key.sign(data, padding.PSS(padding.MGF1(chosen), chosen.digest_size), chosen)
    size = (key.curve.key_size + 7) // 8
    return b"".join(part.to_bytes(size, "big") for part in decode_dss_signature(key.sign(data, ec.ECDSA(chosen))))


def pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(item.public_bytes(serialization.Encoding.PEM) for item in certificates)


def key_pem(key: Any, passphrase: bytes | None = None, *, old_form: bool = False) -> bytes:
    """PKCS#8 PEM, encrypted with a pass-phrase; ``old_form`` gives SEC1 or PKCS#1."""
    form = serialization.PrivateFormat.TraditionalOpenSSL if old_form else serialization.PrivateFormat.PKCS8
    how = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, how)


@dataclass(frozen=True)
class LocalSigner:
    """A :class:`tanba.protocols.LocalKeySigner` made of nothing but ``cryptography``."""

    name: str
    algorithm: str
    chain_pem: bytes
    key: Any = field(repr=False)

    def sign(self, data: bytes) -> bytes:
        return cose_sign(self.key, self.algorithm, data)

    def pkcs8_pem(self) -> bytes:
        return key_pem(self.key)


@dataclass(frozen=True)
class CallbackSigner:
    """The same without ``pkcs8_pem``: what an HSM looks like to the engine."""

    name: str
    algorithm: str
    chain_pem: bytes
    key: Any = field(repr=False)

    def sign(self, data: bytes) -> bytes:
        return cose_sign(self.key, self.algorithm, data)


@dataclass(frozen=True)
class Credential:
    """A leaf with its key and its chain (leaf first, no root)."""

    algorithm: str
    key: Any = field(repr=False)
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...]

    @property
    def chain_pem(self) -> bytes:
        return pem(*self.chain)

    @property
    def fingerprint(self) -> str:
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    def signer(self, name: str = "test") -> LocalSigner:
        return LocalSigner(name, self.algorithm, self.chain_pem, self.key)

    def callback_signer(self, name: str = "test") -> CallbackSigner:
        return CallbackSigner(name, self.algorithm, self.chain_pem, self.key)

    def wrong_order(self) -> Credential:
        return replace(self, chain=tuple(reversed(self.chain)))

    def without_intermediate(self) -> Credential:
        return replace(self, chain=self.chain[:1])


@dataclass(frozen=True)
class Pki:
    """A root, an intermediate with path length 0, and what it issues."""

    algorithm: str
    root: x509.Certificate
    root_key: Any = field(repr=False)
    intermediate: x509.Certificate
    intermediate_key: Any = field(repr=False)

    @property
    def root_pem(self) -> bytes:
        return pem(self.root)

    def trust_list(self, name: str = "test", purpose: Purpose = Purpose.MANIFEST) -> TrustList:
        return TrustList(name=name, purpose=purpose, anchors_pem=self.root_pem.decode())

    def store(self, *more: TrustList, name: str = "test") -> TrustStore:
        return TrustStore((self.trust_list(name), *more))

    def leaf(self, algorithm: str | None = None, *, key: Any = None, **changes: Any) -> Credential:
        """A leaf; ``changes`` are the keywords of :func:`issue` (``starts``, ``ends``, ``ekus``, ``aki`` …)."""
        algorithm = algorithm or self.algorithm
        key = key or make_key(algorithm)
        certificate = issue(
            changes.pop("common_name", "Test signer"), key.public_key(), self.intermediate.subject,
            self.intermediate_key, **{"ekus": (C2PA_SIGNING, EMAIL), **changes},
        )  # fmt: skip
        return Credential(algorithm, key, certificate, (certificate, self.intermediate))

    def tsa(self, algorithm: str = "es256", **changes: Any) -> Credential:
        """A time-stamp authority's leaf: EKU timeStamping only, critical (RFC 3161 section 2.3)."""
        return self.leaf(
            algorithm, **{"common_name": "Test TSA", "ekus": (TIME_STAMPING,), "eku_critical": True, **changes}
        )

    def ocsp(self, **changes: Any) -> Credential:
        """An OCSP responder's leaf (RFC 6960 section 4.2.2.2)."""
        return self.leaf(**{"common_name": "Test OCSP", "ekus": (OCSP_SIGNING,), **changes})


def make_pki(algorithm: str = "es256", *, name: str = "Test", years: int = 10) -> Pki:
    """A new root and intermediate. Two calls give two roots that do not know each other."""
    root_key, intermediate_key = make_key(algorithm), make_key(algorithm)
    root_name = subject(f"{name} root", f"{name} authority")
    days = timedelta(days=365 * years)
    old = {"starts": timedelta(days=-3650), "ca": True, "ekus": ()}
    root = issue(
        f"{name} root", root_key.public_key(), root_name, root_key, ends=days, organization=f"{name} authority", **old
    )
    intermediate = issue(
        f"{name} intermediate", intermediate_key.public_key(), root.subject, root_key, ends=days / 2, path_length=0,
        organization=f"{name} authority", **old,
    )  # fmt: skip
    return Pki(algorithm, root, root_key, intermediate, intermediate_key)


def subject(common_name: str, organization: str | None) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    if organization is not None:
        parts.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    return x509.Name(parts)


def issue(
    common_name: str,
    public_key: Any,
    issuer: x509.Name,
    issuer_key: Any,
    *,
    starts: timedelta = timedelta(minutes=-5),
    ends: timedelta = timedelta(days=90),
    at: datetime | None = None,
    organization: str | None = "Test organisation",
    ca: bool = False,
    path_length: int | None = None,
    ekus: tuple[str, ...] = (C2PA_SIGNING, EMAIL),
    eku_critical: bool = False,
    key_usage: tuple[str, ...] | None = None,
    aki: bool = True,
    ski: bool = True,
    basic_constraints: bool = True,
    ocsp_url: str | None = None,
    unknown_critical: bool = False,
) -> x509.Certificate:
    """One certificate with exactly the faults asked for. ``key_usage=()`` leaves the extension out.

    ``starts`` and ``ends`` are relative to ``at`` (default: now).
    """
    moment = at or now()
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject(common_name, organization))
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment + starts)
        .not_valid_after(moment + ends)
    )
    if basic_constraints:
        builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=path_length), critical=True)
    usages = key_usage if key_usage is not None else (("key_cert_sign", "crl_sign") if ca else ("digital_signature",))
    if usages:
        names = (
            "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
            "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
        )  # fmt: skip
        builder = builder.add_extension(x509.KeyUsage(**{item: item in usages for item in names}), critical=True)
    if ski:
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    if aki:
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
        builder = builder.add_extension(identifier, critical=False)
    if ekus:
        usage = x509.ExtendedKeyUsage([x509.ObjectIdentifier(item) for item in ekus])
        builder = builder.add_extension(usage, critical=eku_critical)
    if ocsp_url:
        access = x509.AccessDescription(
            x509.AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(ocsp_url)
        )
        builder = builder.add_extension(x509.AuthorityInformationAccess([access]), critical=False)
    if unknown_critical:
        made_up = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5.6.7"), b"\x05\x00")
        builder = builder.add_extension(made_up, critical=True)
    return builder.sign(issuer_key, _issuer_hash(issuer_key))


def _issuer_hash(key: Any) -> Any:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return None
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return {256: hashes.SHA256(), 384: hashes.SHA384(), 521: hashes.SHA512()}[key.key_size]
    return hashes.SHA256()
