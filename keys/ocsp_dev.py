"""A local OCSP responder (RFC 6960) for the development authority: good, revoked and unknown, as the keyring has it.

It answers about certificates that this machine's own authority made and signs with that authority's key. It exists so
that revocation can be tried out for real; a real signing certificate has the responder of its CA.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

from keys import development, keyring, responder
from keys.keyring import IdentityInfo
from keys.states import State
from tanba.errors import IdentityNotFound

if TYPE_CHECKING:
    from cryptography.x509 import ocsp

LIFETIME = timedelta(hours=24)
"""How long an answer may be used (C2PA 2.4 section 14.6: responders say so in nextUpdate)."""


def respond(home: Path, request: bytes, now: datetime) -> bytes:
    """An OCSPResponse, DER. Never raises for what a request holds; raises when this home has no authority."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509 import ocsp

    authority = development.existing(home)
    if authority is None:
        raise IdentityNotFound("this home has no development authority", hint="`tanba keys new` makes one")
    try:
        asked = ocsp.load_der_ocsp_request(request)
        serial, theirs, hashed = asked.serial_number, asked.issuer_key_hash, asked.hash_algorithm.name
        if serial < 0:
            raise ValueError("a serial number is positive")
    except (ValueError, TypeError, UnsupportedAlgorithm):
        refused = ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.MALFORMED_REQUEST)
        return refused.public_bytes(Encoding.DER)
    from cryptography import x509

    ours = x509.SubjectKeyIdentifier.from_public_key(authority.intermediate.public_key()).digest
    entry = next((item for item in keyring.load(home).entries if item.serial == f"{serial:x}"), None)
    if theirs != ours or hashed != "sha1":
        entry = None
    builder = _single(asked, entry, now).responder_id(ocsp.OCSPResponderEncoding.HASH, authority.intermediate)
    from keys.issuing import signing_hash

    return builder.sign(authority.key, signing_hash(authority.key)).public_bytes(Encoding.DER)


def server(home: Path, clock: Callable[[], datetime], *, host: str = "127.0.0.1", port: int = 0) -> ThreadingHTTPServer:
    """A server for POST requests; the caller runs and closes it. Port 0 takes a free one."""
    return responder.server(
        lambda body: respond(home, body, clock()), "application/ocsp-response", host=host, port=port
    )


def _single(asked: ocsp.OCSPRequest, entry: IdentityInfo | None, now: datetime) -> ocsp.OCSPResponseBuilder:
    """The answer about one certificate: what the keyring says, and ``unknown`` for what this authority did not make."""
    from cryptography import x509
    from cryptography.x509 import ocsp

    status, since, reason = ocsp.OCSPCertStatus.UNKNOWN, None, None
    if entry is not None and entry.state is State.REVOKED:
        status, since = ocsp.OCSPCertStatus.REVOKED, entry.revoked_at or now
        reason = next((flag for flag in x509.ReasonFlags if flag.value == entry.reason), None)
    elif entry is not None:
        status = ocsp.OCSPCertStatus.GOOD
    return ocsp.OCSPResponseBuilder().add_response_by_hash(
        issuer_name_hash=asked.issuer_name_hash,
        issuer_key_hash=asked.issuer_key_hash,
        serial_number=asked.serial_number,
        algorithm=asked.hash_algorithm,
        cert_status=status,
        this_update=now,
        next_update=now + LIFETIME,
        revocation_time=since,
        revocation_reason=reason,
    )
