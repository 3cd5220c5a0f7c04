"""RFC 3161 time-stamp tokens: what one says and who made it. Parsed with asn1crypto, never by hand.

Reading is not believing: whether the token's signature holds is the engine's answer for labels and
:func:`signature_holds` for reports; whether anybody vouches for the authority is :func:`tanba.x509.find_path`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tanba.errors import MalformedAsset, TimestampError

TIME_STAMPING = "1.3.6.1.5.5.7.3.8"
"""id-kp-timeStamping, the only usage a time-stamp authority's certificate may have (RFC 3161 section 2.3)."""
_MAX_TOKEN = 256 << 10


@dataclass(frozen=True, slots=True)
class Token:
    """The statements of one token."""

    gen_time: datetime
    """When the authority says it saw the digest, aware UTC."""
    signing_time: datetime | None
    """The CMS signing-time attribute. The engine prefers it over ``gen_time``; RFC 3161 knows only ``gen_time``."""
    digest_algorithm: str
    digest: bytes
    policy: str
    certificates: tuple[bytes, ...]
    """DER certificates of the token, the signer's first."""


def read_token(data: bytes) -> Token:
    """Read a token or a whole time-stamp response (``sigTst`` holds either). Raises :class:`TimestampError`."""
    if len(data) > _MAX_TOKEN:
        raise _bad("the time stamp is too large")
    try:
        signed = _signed_data(data)
        info = signed["encap_content_info"]["content"].parsed
        (signer,) = signed["signer_infos"]
        imprint = info["message_imprint"]
        return Token(
            gen_time=info["gen_time"].native,
            signing_time=_signing_time(signer),
            digest_algorithm=str(imprint["hash_algorithm"]["algorithm"].native),
            digest=bytes(imprint["hashed_message"].native),
            policy=str(info["policy"].dotted),
            certificates=_certificates(signed, signer),
        )
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise _bad("the time stamp cannot be read") from error


def signature_holds(data: bytes, digest: bytes) -> bool:
    """Whether a token is over ``digest`` and signed by the certificate it carries (RFC 5652 section 5.4).

    Who vouches for that certificate, and its validity at the time, are separate questions. Raises
    :class:`TimestampError` when the token cannot be read.
    """
    import hashlib
    import hmac

    token = read_token(data)
    if not token.certificates or not hmac.compare_digest(token.digest, digest):
        return False
    try:
        signed = _signed_data(data)
        (signer,) = signed["signer_infos"]
        attributes = {item["type"].native: item["values"] for item in signer["signed_attrs"]}
        content = signed["encap_content_info"]["content"].parsed.dump()
        (recorded,) = attributes["message_digest"]
        found = hashlib.new(signer["digest_algorithm"]["algorithm"].native, content).digest()
        (kind,) = attributes["content_type"]
        if kind.native != "tst_info" or not hmac.compare_digest(found, bytes(recorded.native)):
            return False
        return _signed_by(signer, token.certificates[0])
    except (ValueError, TypeError, KeyError, AttributeError):
        return False


def _signed_by(signer: Any, certificate: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

    from tanba.x509 import load_chain

    message, signature = signer["signed_attrs"].untag().dump(), signer["signature"].native
    named: dict[str, hashes.HashAlgorithm] = {
        "sha256": hashes.SHA256(),
        "sha384": hashes.SHA384(),
        "sha512": hashes.SHA512(),
    }
    kind = signer["signature_algorithm"].signature_algo
    name = signer["digest_algorithm"]["algorithm"].native
    if name not in named:
        return False
    digest = named[name]
    try:
        key = load_chain([certificate])[0].public_key()
        if isinstance(key, rsa.RSAPublicKey) and kind == "rsassa_pkcs1v15":
            key.verify(signature, message, padding.PKCS1v15(), digest)
        elif isinstance(key, rsa.RSAPublicKey) and kind == "rsassa_pss":
            salt = padding.PSS(padding.MGF1(digest), digest.digest_size)
            key.verify(signature, message, salt, digest)
        elif isinstance(key, ec.EllipticCurvePublicKey) and kind == "ecdsa":
            key.verify(signature, message, ec.ECDSA(digest))
        else:
            return False
    except (InvalidSignature, UnsupportedAlgorithm, MalformedAsset):
        return False
    return True


def _content_info(data: bytes) -> Any:
    from asn1crypto import cms, tsp

    try:
        content = cms.ContentInfo.load(data, strict=True)
        if content["content_type"].native == "signed_data":
            return content
    except (ValueError, TypeError):
        pass
    return tsp.TimeStampResp.load(data, strict=True)["time_stamp_token"]


def _signed_data(data: bytes) -> Any:
    signed = _content_info(data)["content"]
    if signed["encap_content_info"]["content_type"].native != "tst_info":
        raise ValueError("not a time-stamp token")
    return signed


def _signing_time(signer: Any) -> datetime | None:
    for attribute in signer["signed_attrs"]:
        if attribute["type"].native == "signing_time":
            value = attribute["values"][0].native
            return value if isinstance(value, datetime) else None
    return None


def _certificates(signed: Any, signer: Any) -> tuple[bytes, ...]:
    found = [item.chosen for item in signed["certificates"] or () if item.name == "certificate"]
    sid = signer["sid"]
    if sid.name == "issuer_and_serial_number":
        serial, issuer = sid.chosen["serial_number"].native, sid.chosen["issuer"].dump()
        own = [item for item in found if item.serial_number == serial and item.issuer.dump() == issuer]
    else:
        own = [item for item in found if item.key_identifier == sid.chosen.native]
    return tuple(item.dump() for item in (*own[:1], *(item for item in found if item not in own[:1])))


def _bad(message: str) -> TimestampError:
    error = TimestampError(message, code="tanba.timestamp.malformed")
    error.retryable = False
    return error
