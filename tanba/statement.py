"""Signed statements: a JSON document, who signed it, and a time stamp, in one file that anybody can check.

The form is a JWS in flattened JSON serialization (RFC 7515 section 7.2.2) with the certificate chain in ``x5c`` and,
when there is one, an RFC 3161 token over the signature in the unprotected header, as JAdES puts it (ETSI TS 119 182-1
section 5.3.4, ``sigTst``). The chain is inside, so key rotation takes nothing away. The payload is kept byte for byte:
no canonical form is needed. Building takes a :class:`tanba.protocols.Signer`; checking needs no key and no network.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tanba.errors import CredentialError, MalformedAsset, TanbaError
from tanba.protocols import Signer
from tanba.timestamps import TIME_STAMPING, read_token, signature_holds
from tanba.trust import Purpose, TrustList, TrustStore

TYPE = "tanba-statement+json"
MAX_BYTES = 64 << 20
"""Largest statement that is read."""
_ALGORITHMS: Mapping[str, str] = {
    "es256": "ES256", "es384": "ES384", "es512": "ES512", "ps256": "PS256", "ps384": "PS384", "ps512": "PS512",
    "ed25519": "Ed25519",
}  # fmt: skip
"""C2PA names to JWS names (RFC 7518 section 3.1, RFC 9864)."""
_CRITICAL = "crit"


@dataclass(frozen=True, slots=True)
class Checked:
    """What a statement is worth: each question on its own, like a report."""

    intact: bool
    """The signature is over this payload and made by the certificate inside."""
    payload: Mapping[str, Any]
    signer: str | None
    organization: str | None
    fingerprint: str
    not_before: datetime
    not_after: datetime
    list: TrustList | None
    """The list that vouches for the signer at :attr:`at`, or None."""
    at: datetime
    """The moment at which the certificate was judged: the time stamp's, or the signer's claim."""
    time_source: str
    """``rfc3161`` (a token that holds, from an authority that a list vouches for) or ``claim``."""
    stamped_at: datetime | None = None
    """``genTime`` of a token that holds, vouched for or not."""
    authority: str | None = None
    authority_list: TrustList | None = None
    inside_validity: bool = False
    """Whether the certificate was valid at :attr:`at`."""


def build(payload: Mapping[str, Any], signer: Signer, *, stamp: Callable[[bytes], bytes] | None = None) -> bytes:
    """A signed statement over ``payload``, UTF-8 JSON with a final newline.

    ``stamp`` turns bytes into an RFC 3161 response over them. Raises :class:`CredentialError` when the signer refuses or
    its chain cannot be read, and what ``stamp`` raises.
    """
    body = _b64(json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode())
    chain = _chain(signer)
    header = {
        "alg": _ALGORITHMS[signer.algorithm],
        "typ": TYPE,
        "cty": "application/json",
        "x5c": [base64.b64encode(item).decode() for item in chain],
        "x5t#S256": _b64(hashlib.sha256(chain[0]).digest()),
    }
    protected = _b64(json.dumps(header, separators=(",", ":")).encode())
    signature = _b64(signer.sign(f"{protected}.{body}".encode()))
    statement: dict[str, Any] = {"payload": body, "protected": protected, "signature": signature}
    if stamp is not None:
        token = base64.b64encode(stamp(signature.encode())).decode()
        statement["header"] = {"etsiU": [{"sigTst": {"tstTokens": [{"val": token}]}}]}
    return json.dumps(statement, indent=1).encode() + b"\n"


def check(data: bytes, trust: TrustStore, *, claimed_at: Callable[[Mapping[str, Any]], datetime]) -> Checked:
    """Check a statement against the lists at hand. ``claimed_at`` reads the signer's own time out of a payload.

    A broken signature is a result, not an error. Raises :class:`MalformedAsset` for what is no statement at all.
    """
    statement, header, payload = _parse(data)
    from tanba import x509

    chain = x509.load_chain(_x5c(header))
    if not chain:
        raise _malformed("the statement holds no certificate")
    leaf = x509.facts(chain[0])
    claimed = claimed_at(payload)
    token = _token(statement)
    stamped_at, authority, vouching = _time(token, statement["signature"].encode(), trust)
    proved = stamped_at is not None and vouching is not None
    at = stamped_at if stamped_at is not None and proved else claimed
    path = x509.find_path(chain, trust.of(Purpose.MANIFEST), at, accepted_ekus=trust.ekus)
    return Checked(
        intact=_holds(statement, header, chain[0]),
        payload=payload,
        signer=leaf.common_name,
        organization=leaf.organization,
        fingerprint=leaf.fingerprint,
        not_before=leaf.not_before,
        not_after=leaf.not_after,
        list=path.list,
        at=at,
        time_source="rfc3161" if proved else "claim",
        stamped_at=stamped_at,
        authority=authority,
        authority_list=vouching,
        inside_validity=x509.inside_validity(chain[0], at),
    )


def _parse(data: bytes) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    if len(data) > MAX_BYTES:
        raise _malformed("the statement is too large")
    try:
        statement = json.loads(data)
        header = json.loads(_unb64(statement["protected"]))
        payload = json.loads(_unb64(statement["payload"]))
        _unb64(statement["signature"])
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise _malformed("this is no signed statement") from error
    if not isinstance(header, dict) or not isinstance(payload, dict) or header.get("typ") != TYPE:
        raise _malformed("this is no Tanba statement")
    if _CRITICAL in header:
        raise _malformed("the statement uses extensions that this version does not know")
    return statement, header, payload


def _holds(statement: Mapping[str, Any], header: Mapping[str, Any], leaf: Any) -> bool:
    """The signature itself, by joserfc. Only the algorithms of C2PA, and only with the key of the certificate."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    from joserfc import jws
    from joserfc.errors import JoseError
    from joserfc.jwk import ECKey, OKPKey, RSAKey

    name = header.get("alg")
    kinds = {"E": OKPKey if name == "Ed25519" else ECKey, "P": RSAKey}
    kind = kinds.get(str(name)[:1])
    if name not in _ALGORITHMS.values() or kind is None:
        return False
    pem = leaf.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    flattened: Any = {key: statement[key] for key in ("payload", "protected", "signature")}
    try:
        jws.deserialize_json(flattened, kind.import_key(pem), algorithms=[str(name)], registry=_registry(str(name)))
    except (JoseError, ValueError, TypeError):
        return False
    return True


def _registry(algorithm: str) -> Any:
    """Joserfc refuses headers that are longer than a login token's; a certificate chain is."""
    from joserfc.jws import JWSRegistry

    registry = JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    registry.max_header_length = registry.max_payload_length = MAX_BYTES
    return registry


def _time(
    token: bytes | None, signature: bytes, trust: TrustStore
) -> tuple[datetime | None, str | None, TrustList | None]:
    """(genTime, authority's name, list that vouches) of a token that holds; (None, None, None) otherwise."""
    from tanba import x509

    if token is None:
        return None, None, None
    try:
        found = read_token(token)
        if found.digest_algorithm != "sha256" or not signature_holds(token, hashlib.sha256(signature).digest()):
            return None, None, None
        chain = x509.load_chain(found.certificates)
    except TanbaError:
        return None, None, None
    lists = trust.of(Purpose.TSA)
    path = x509.find_path(chain, lists, found.gen_time, accepted_ekus=(TIME_STAMPING,))
    facts = x509.facts(chain[0])
    return found.gen_time, facts.common_name or facts.organization, path.list


def _token(statement: Mapping[str, Any]) -> bytes | None:
    try:
        value = statement["header"]["etsiU"][0]["sigTst"]["tstTokens"][0]["val"]
        return base64.b64decode(value, validate=True)
    except (KeyError, IndexError, TypeError, ValueError, binascii.Error):
        return None


def _x5c(header: Mapping[str, Any]) -> list[bytes]:
    try:
        return [base64.b64decode(item, validate=True) for item in header["x5c"]]
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        raise _malformed("the statement holds no certificate chain") from error


def _chain(signer: Signer) -> list[bytes]:
    from cryptography.hazmat.primitives.serialization import Encoding

    from tanba.x509 import load_pem

    if signer.algorithm not in _ALGORITHMS:
        raise CredentialError(f"statements cannot be signed with {signer.algorithm}")
    try:
        return [item.public_bytes(Encoding.DER) for item in load_pem(signer.chain_pem)]
    except ValueError as error:
        raise CredentialError("the identity's certificate chain cannot be read") from error


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unb64(text: str) -> bytes:
    if not isinstance(text, str):
        raise TypeError("not text")
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def _malformed(message: str) -> MalformedAsset:
    return MalformedAsset(message, code="tanba.report.malformed", hint="give a file made by `tanba verify --sign`")
