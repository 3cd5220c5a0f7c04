"""A small time-stamp authority (RFC 3161) for development and tests: it stamps whatever it is sent, with this machine's
clock. Nobody else trusts it, and nobody should: a real one keeps its key in hardware and its clock under watch.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from keys import algorithms, certificates, development, files, issuing, pkcs8, responder

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

TRUST_LIST = "tanba-development-tsa"
POLICY = "1.3.6.1.4.1.99999.1"
"""An OID for experiments; it promises nothing."""
_FOLDER = "tsa"
_DAYS = 3650
_HASHES = {"sha256": 32, "sha384": 48, "sha512": 64}


@dataclass(frozen=True)
class LocalTsa:
    """A time-stamping key with its certificates (leaf first, root last)."""

    chain: tuple[x509.Certificate, ...]
    key: Any
    """EC P-256 or RSA private key."""

    def respond(self, request: bytes, now: datetime) -> bytes:
        """A TimeStampResp, DER: a token over the request's imprint, or a refusal."""
        from asn1crypto import tsp

        try:
            asked: Any = tsp.TimeStampReq.load(request, strict=True)
            imprint = asked["message_imprint"]
            algorithm = imprint["hash_algorithm"]["algorithm"].native
            if len(imprint["hashed_message"].native) != _HASHES.get(algorithm):
                return _refusal("bad_alg", "use SHA-256, SHA-384 or SHA-512")
            body: dict[str, Any] = {
                "version": "v1",
                "policy": POLICY,
                "message_imprint": imprint,
                "serial_number": int.from_bytes(secrets.token_bytes(8), "big") >> 1 or 1,
                "gen_time": now,
            }
            if asked["nonce"].native is not None:
                body["nonce"] = asked["nonce"].native
            with_certificates = bool(asked["cert_req"].native)
        except (ValueError, TypeError, KeyError):
            return _refusal("bad_data_format", "not an RFC 3161 request")
        return self.token(tsp.TSTInfo(body).dump(), now, with_certificates=with_certificates)

    def token(self, info: bytes, now: datetime, *, with_certificates: bool = True) -> bytes:
        """A granted TimeStampResp around a TSTInfo: CMS SignedData (RFC 5652) with ESSCertIDv2 (RFC 5816)."""
        from asn1crypto import cms, core, tsp
        from asn1crypto import x509 as ax

        der = [_der(item) for item in self.chain]
        leaf = ax.Certificate.load(der[0])
        identifier = {"hash_algorithm": {"algorithm": "sha256"}, "cert_hash": hashlib.sha256(der[0]).digest()}
        attributes = cms.CMSAttributes(
            [
                {"type": "content_type", "values": ["tst_info"]},
                {"type": "signing_time", "values": [cms.Time({"utc_time": now.replace(microsecond=0)})]},
                {"type": "message_digest", "values": [hashlib.sha256(info).digest()]},
                {"type": "signing_certificate_v2", "values": [tsp.SigningCertificateV2({"certs": [identifier]})]},
            ]
        )
        name, signature = self._sign(attributes.dump())
        signer = {
            "version": "v1",
            "sid": {"issuer_and_serial_number": {"issuer": leaf.issuer, "serial_number": leaf.serial_number}},
            "digest_algorithm": {"algorithm": "sha256"},
            "signed_attrs": attributes,
            "signature_algorithm": {"algorithm": name},
            "signature": signature,
        }
        signed: dict[str, Any] = {
            "version": "v3",
            "digest_algorithms": [{"algorithm": "sha256"}],
            "encap_content_info": {"content_type": "tst_info", "content": core.ParsableOctetString(info)},
            "signer_infos": [signer],
        }
        if with_certificates:
            signed["certificates"] = [ax.Certificate.load(item) for item in der]
        content = {"content_type": "signed_data", "content": cms.SignedData(signed)}
        return cast(bytes, tsp.TimeStampResp({"status": {"status": "granted"}, "time_stamp_token": content}).dump())

    def _sign(self, data: bytes) -> tuple[str, bytes]:
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec, padding

        if isinstance(self.key, ec.EllipticCurvePrivateKey):
            return "sha256_ecdsa", self.key.sign(data, ec.ECDSA(hashes.SHA256()))
        return "sha256_rsa", self.key.sign(data, padding.PKCS1v15(), hashes.SHA256())


def local(home: Path, now: datetime) -> LocalTsa:
    """The home's own authority; made on first use and when it nears its end. Raises :class:`CredentialError`."""
    folder = home / _FOLDER
    with files.locked(home):
        if (folder / "key.pem").is_file():
            chain = certificates.load_chain(files.read(folder / "chain.pem"))
            if chain[0].not_valid_after_utc - now > timedelta(days=30):
                return LocalTsa(chain, pkcs8.load(files.read(folder / "key.pem", secret=True), None))
        return _make(folder, now)


def trust(home: Path, trust_dir: Path, now: datetime) -> None:
    """Put the roots of this home's authority into the user's lists for time stamps. Raises TrustError."""
    from tanba import trustdir
    from tanba.trust import Purpose, TrustList

    anchors = "".join(path.read_text("ascii") for path in sorted((home / _FOLDER).glob("root-*.pem")))
    item = TrustList(
        name=TRUST_LIST,
        purpose=Purpose.TSA,
        anchors_pem=anchors,
        source="made on this machine by `tanba tsa serve`; nobody else knows it",
        date=now.date().isoformat(),
    )
    trustdir.add(trust_dir, item, now=now, overwrite=True)


def server(
    tsa: LocalTsa, clock: Callable[[], datetime], *, host: str = "127.0.0.1", port: int = 0
) -> ThreadingHTTPServer:
    """A server that stamps every POST; the caller runs and closes it. Port 0 takes a free one."""
    return responder.server(
        lambda body: tsa.respond(body, clock()), "application/timestamp-reply", host=host, port=port
    )


def _make(folder: Path, now: datetime) -> LocalTsa:
    files.private_directory(folder)
    mark = secrets.token_hex(3)
    algorithm = algorithms.get("es256")
    root_key = cast("CertificateIssuerPrivateKeyTypes", algorithms.generate(algorithm))
    key = cast("CertificateIssuerPrivateKeyTypes", algorithms.generate(algorithm))
    root_request = issuing.Request(
        f"Tanba development time root {mark}", development.ORGANIZATION, development.ROOT_DAYS + 1, ca=True
    )
    name = issuing.subject(root_request.common_name, root_request.organization)
    root = issuing.issue(root_request, root_key.public_key(), name, root_key, now)
    request = issuing.Request(
        f"Tanba development time stamps {mark}", development.ORGANIZATION, _DAYS,
        ekus=(issuing.TIME_STAMPING,), eku_critical=True,
    )  # fmt: skip
    leaf = issuing.issue(request, key.public_key(), name, root_key, now)
    files.write(folder / f"root-{mark}.pem", certificates.dump_chain((root,)), mode=0o644)
    files.write(folder / "chain.pem", certificates.dump_chain((leaf, root)), mode=0o644)
    files.write(folder / "key.pem", pkcs8.dump(key, None))
    return LocalTsa((leaf, root), key)


def _refusal(info: str, words: str) -> bytes:
    from asn1crypto import core, tsp

    class Refusal(core.Sequence):  # type: ignore[misc]  # asn1crypto is untyped
        """TimeStampResp without its optional token, which asn1crypto takes for required."""

        _fields = [("status", tsp.PKIStatusInfo)]  # noqa: RUF012  # how the library declares a structure

    status = {"status": "rejection", "status_string": [words], "fail_info": {info}}
    return cast(bytes, Refusal({"status": status}).dump())


def _der(certificate: x509.Certificate) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.DER)
