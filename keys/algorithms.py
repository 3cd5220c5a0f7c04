"""The seven signing algorithms of C2PA 2.4 section 13.2: which key each needs and what its signature looks like.

COSE (RFC 9053) carries ECDSA signatures as raw ``r || s``; most providers answer DER. This module is the one place that
turns one into the other and checks a signature against a public key. It never holds a private key.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tanba.errors import CredentialError, UsageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
    from cryptography.hazmat.primitives.hashes import HashAlgorithm

Family = Literal["ecdsa", "rsa-pss", "ed25519"]


@dataclass(frozen=True, slots=True)
class Algorithm:
    """One row of the table. ``bits`` is the size new RSA keys get; ``coordinate`` the bytes of ``r`` and of ``s``."""

    name: str
    family: Family
    hash_name: str | None
    curve: str | None = None
    coordinate: int = 0
    bits: int = 0

    @property
    def key_words(self) -> str:
        """The key in words, for messages."""
        return {"ecdsa": f"an EC key on {self.curve}", "rsa-pss": "an RSA key of at least 2048 bits"}.get(
            self.family, "an Ed25519 key"
        )

    def hash(self) -> HashAlgorithm:
        """The hash of the signature. Raises ValueError for Ed25519, which hashes inside."""
        from cryptography.hazmat.primitives import hashes

        table: dict[str, HashAlgorithm] = {
            "sha256": hashes.SHA256(),
            "sha384": hashes.SHA384(),
            "sha512": hashes.SHA512(),
        }
        if self.hash_name is None:
            raise ValueError("Ed25519 takes the message, not a hash")
        return table[self.hash_name]


ALGORITHMS: dict[str, Algorithm] = {
    item.name: item
    for item in (
        Algorithm("es256", "ecdsa", "sha256", curve="secp256r1", coordinate=32),
        Algorithm("es384", "ecdsa", "sha384", curve="secp384r1", coordinate=48),
        Algorithm("es512", "ecdsa", "sha512", curve="secp521r1", coordinate=66),
        Algorithm("ps256", "rsa-pss", "sha256", bits=2048),
        Algorithm("ps384", "rsa-pss", "sha384", bits=3072),
        Algorithm("ps512", "rsa-pss", "sha512", bits=4096),
        Algorithm("ed25519", "ed25519", None),
    )
}
DEFAULT_ALGORITHM = "es256"


def get(name: str) -> Algorithm:
    """The row of ``name``. Raises :class:`UsageError` for any other word."""
    try:
        return ALGORITHMS[name.lower()]
    except KeyError as error:
        raise UsageError(
            f"unknown signing algorithm {name!r}", code="tanba.keys.algorithm", hint="use " + ", ".join(ALGORITHMS)
        ) from error


def fits(key: PublicKeyTypes, algorithm: Algorithm) -> bool:
    """Whether a public key can make signatures of this algorithm (C2PA 2.4 section 14.5.1: RSA of 2048 bits or more)."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    match algorithm.family:
        case "ecdsa":
            return isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name == algorithm.curve
        case "rsa-pss":
            return isinstance(key, rsa.RSAPublicKey) and key.key_size >= 2048
        case _:
            return isinstance(key, ed25519.Ed25519PublicKey)


def default_for(key: PublicKeyTypes) -> Algorithm | None:
    """The algorithm a key is normally used with, or None when C2PA allows none for it."""
    return next((item for item in ALGORITHMS.values() if fits(key, item)), None)


def generate(algorithm: Algorithm) -> PrivateKeyTypes:
    """A new private key in this process."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    match algorithm.family:
        case "ecdsa":
            return ec.generate_private_key(_curve(algorithm))
        case "rsa-pss":
            return rsa.generate_private_key(public_exponent=65537, key_size=algorithm.bits)
        case _:
            return ed25519.Ed25519PrivateKey.generate()


def sign(key: PrivateKeyTypes, algorithm: Algorithm, data: bytes, *, hashed: bool = False) -> bytes:
    """A COSE signature over ``data`` (``hashed``: over what ``data`` is the hash of) by a key in this process.

    Raises :class:`CredentialError` when they do not fit.
    """
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

    if not fits(key.public_key(), algorithm):
        raise CredentialError(f"{algorithm.name} needs {algorithm.key_words}", code="tanba.keys.wrong_key_type")
    if isinstance(key, ec.EllipticCurvePrivateKey):
        over = utils.Prehashed(algorithm.hash()) if hashed else algorithm.hash()
        return raw_from_der(key.sign(data, ec.ECDSA(over)), algorithm)
    if isinstance(key, rsa.RSAPrivateKey):
        chosen = algorithm.hash()
        salted = padding.PSS(padding.MGF1(chosen), chosen.digest_size)
        return key.sign(data, salted, utils.Prehashed(chosen) if hashed else chosen)
    assert isinstance(key, ed25519.Ed25519PrivateKey)
    assert not hashed, "Ed25519 hashes inside"
    return key.sign(data)


def normalise(signature: bytes, algorithm: Algorithm) -> bytes:
    """A provider's answer in COSE form: raw ``r || s`` for ECDSA (DER is converted), unchanged otherwise.

    Raises :class:`CredentialError` when it is neither of the right length nor DER.
    """
    if algorithm.family == "ecdsa":
        if len(signature) == 2 * algorithm.coordinate:
            return signature
        return raw_from_der(signature, algorithm)
    if algorithm.family == "ed25519" and len(signature) != 64:
        raise CredentialError("the provider's signature has the wrong length", code="tanba.keys.bad_signature")
    return signature


def raw_from_der(signature: bytes, algorithm: Algorithm) -> bytes:
    """ECDSA-Sig-Value (RFC 3279 section 2.2.3) to ``r || s`` (RFC 9053 section 2.1)."""
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    try:
        r, s = decode_dss_signature(signature)
        return r.to_bytes(algorithm.coordinate, "big") + s.to_bytes(algorithm.coordinate, "big")
    except (ValueError, OverflowError) as error:
        raise CredentialError("the provider's answer is not a signature", code="tanba.keys.bad_signature") from error


def verify(key: PublicKeyTypes, algorithm: Algorithm, signature: bytes, data: bytes) -> bool:
    """Whether a COSE signature over ``data`` is by this key."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    if not fits(key, algorithm):
        return False
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            half = algorithm.coordinate
            if len(signature) != 2 * half:
                return False
            numbers = int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big")
            key.verify(encode_dss_signature(*numbers), data, ec.ECDSA(algorithm.hash()))
        elif isinstance(key, rsa.RSAPublicKey):
            chosen = algorithm.hash()
            key.verify(signature, data, padding.PSS(padding.MGF1(chosen), chosen.digest_size), chosen)
        else:
            assert isinstance(key, ed25519.Ed25519PublicKey)
            key.verify(signature, data)
    except InvalidSignature:
        return False
    return True


def _curve(algorithm: Algorithm) -> ec.EllipticCurve:
    from cryptography.hazmat.primitives.asymmetric import ec

    match algorithm.curve:
        case "secp256r1":
            return ec.SECP256R1()
        case "secp384r1":
            return ec.SECP384R1()
        case _:
            return ec.SECP521R1()
