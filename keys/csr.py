"""Certificate requests (PKCS#10, RFC 2986) with the C2PA signing profile, for a key at any provider.

``cryptography`` signs requests only with keys in this process, so the request is put together here and signed through
the same small interface that signs labels. What a CA of the C2PA programme checks stands in its Certificate Policy;
the subject must be the one of the Conforming Products List.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from keys import algorithms
from keys.algorithms import Algorithm
from keys.issuing import CLAIM_EKUS
from keys.providers.base import Key
from tanba.errors import CredentialError, UsageError

if TYPE_CHECKING:
    from asn1crypto import algos

_COUNTRY = re.compile(r"[A-Z]{2}")
_EXTENSION_REQUEST = "extension_request"


def build(
    key: Key,
    algorithm: Algorithm,
    *,
    common_name: str,
    organization: str,
    country: str | None = None,
    ekus: tuple[str, ...] = CLAIM_EKUS,
) -> bytes:
    """A PKCS#10 request, PEM: O, CN and perhaps C; Key Usage digitalSignature and nonRepudiation, critical; both
    Extended Key Usages; not a CA.

    Raises :class:`UsageError` for a subject that no CA would take, and what the key raises.
    """
    from asn1crypto import csr, pem

    if not organization.strip() or not common_name.strip():
        raise UsageError(
            "a certificate request needs an organisation and a name", hint="give --organization and --name"
        )
    if country is not None and not _COUNTRY.fullmatch(country):
        raise UsageError("a country is two capital letters", hint="for example --country KZ")
    info: Any = csr.CertificationRequestInfo(
        {
            "version": "v1",
            "subject": _subject(common_name, organization, country),
            "subject_pk_info": _public_key_info(key),
            "attributes": [{"type": _EXTENSION_REQUEST, "values": [_extensions(ekus)]}],
        }
    )
    body = info.dump()
    signature = _x509_form(algorithms.normalise(key.sign(body), algorithm), algorithm)
    request: Any = csr.CertificationRequest(
        {"certification_request_info": info, "signature_algorithm": _identifier(algorithm), "signature": signature}
    )
    made = cast(bytes, pem.armor("CERTIFICATE REQUEST", request.dump()))
    _prove(made)
    return made


def _subject(common_name: str, organization: str, country: str | None) -> Any:
    from asn1crypto import x509

    parts = {"organization_name": organization[:64], "common_name": common_name[:64]}
    return x509.Name.build({"country_name": country, **parts} if country else parts)


def _public_key_info(key: Key) -> Any:
    from asn1crypto import keys

    return keys.PublicKeyInfo.load(key.public_key_der())


def _extensions(ekus: tuple[str, ...]) -> list[dict[str, Any]]:
    return [
        {"extn_id": "basic_constraints", "critical": True, "extn_value": {"ca": False}},
        {"extn_id": "key_usage", "critical": True, "extn_value": {"digital_signature", "non_repudiation"}},
        {"extn_id": "extended_key_usage", "critical": False, "extn_value": list(ekus)},
    ]


def _identifier(algorithm: Algorithm) -> algos.SignedDigestAlgorithm:
    """The AlgorithmIdentifier of a signature in X.509 (RFC 5758, RFC 4055, RFC 8410)."""
    from asn1crypto import algos

    if algorithm.family == "ed25519":
        return algos.SignedDigestAlgorithm({"algorithm": "ed25519"})
    if algorithm.family == "ecdsa":
        return algos.SignedDigestAlgorithm({"algorithm": f"{algorithm.hash_name}_ecdsa"})
    digest = {"algorithm": algorithm.hash_name}
    parameters = {
        "hash_algorithm": digest,
        "mask_gen_algorithm": {"algorithm": "mgf1", "parameters": digest},
        "salt_length": algorithm.hash().digest_size,
    }
    return algos.SignedDigestAlgorithm({"algorithm": "rsassa_pss", "parameters": parameters})


def _x509_form(signature: bytes, algorithm: Algorithm) -> bytes:
    """ECDSA signatures are DER in X.509 (RFC 3279 section 2.2.3), raw in COSE."""
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    if algorithm.family != "ecdsa":
        return signature
    half = algorithm.coordinate
    return encode_dss_signature(int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big"))


def _prove(made: bytes) -> None:
    """Another library reads the request and checks its signature before it leaves."""
    from cryptography import x509

    if not x509.load_pem_x509_csr(made).is_signature_valid:
        raise CredentialError("the key's signature over the request does not verify", code="tanba.keys.bad_signature")
