"""Does the installed engine still mean what we think it means? Sign, read, tamper, with a throw-away identity.

Run by ``tanba doctor``, by the service before it is ready, and by the tests. It catches the next silent change of
trust settings (they are unvalidated strings to the engine).
"""

from __future__ import annotations

import io
import struct
import zlib
from datetime import UTC, datetime, timedelta

from tanba.asset import Asset
from tanba.engine.read import EvidenceStatus, read
from tanba.engine.write import sign
from tanba.errors import InstallationError
from tanba.model import DigitalSourceType
from tanba.trust import Purpose, TrustList, TrustStore

_CLAIM_SIGNING = "1.3.6.1.4.1.62558.2.1"

DEFINITION = {
    "title": "self-test",
    "assertions": [
        {
            "label": "c2pa.actions.v2",
            "created": True,
            "data": {"actions": [{"action": "c2pa.created", "digitalSourceType": DigitalSourceType.EMPTY.uri}]},
        }
    ],
}
"""The smallest definition that is valid: one inception action on an empty start."""


def run() -> None:
    """Sign a one-pixel PNG with a certificate of the C2PA key usage only; expect ``Trusted``, ``Valid`` without the
    anchor, and ``Invalid`` after a changed pixel. Raises :class:`InstallationError` naming the expectation that failed.
    """
    signer, anchor = throw_away_identity()
    out = io.BytesIO()
    sign(io.BytesIO(one_pixel_png()), "image/png", DEFINITION, signer, out)
    data = out.getvalue()
    changed = bytearray(data)
    changed[data.rindex(b"IDAT") + 6] ^= 0xFF
    trusted = TrustStore((TrustList("self-test", Purpose.MANIFEST, anchor),))
    _expect("a listed signer is trusted", _state(data, trusted), "Trusted")
    _expect("an unlisted signer is valid", _state(data, TrustStore.empty()), "Valid")
    _expect("a changed pixel is invalid", _state(bytes(changed), trusted), "Invalid")
    plain = read(Asset.from_bytes(one_pixel_png()), trust=trusted)
    _expect("an unlabelled picture has no label", plain.status, EvidenceStatus.ABSENT)


def _state(data: bytes, trust: TrustStore) -> str | None:
    return read(Asset.from_bytes(data), trust=trust, isolate=False).state


def _expect(what: str, found: object, wanted: object) -> None:
    if found != wanted:
        raise InstallationError(
            f"the engine's self-test failed: {what}, but it said {found}",
            code="tanba.installation.self_test",
            hint="reinstall Tanba with its locked requirements",
        )


def one_pixel_png() -> bytes:
    """A valid 1x1 grey PNG."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0\x7f")) + chunk(b"IEND", b"")
    )


class ThrowAwaySigner:
    """A signer whose key lives for one self-test."""

    name = "self-test"
    algorithm = "es256"

    def __init__(self, chain_pem: bytes, private: bytes) -> None:
        self.chain_pem = chain_pem
        self._private = private

    def pkcs8_pem(self) -> bytes:
        return self._private

    def sign(self, data: bytes) -> bytes:
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec

        key = serialization.load_pem_private_key(self._private, None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return key.sign(data, ec.ECDSA(hashes.SHA256()))


def throw_away_identity() -> tuple[ThrowAwaySigner, str]:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    root_key, leaf_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    start = datetime.now(UTC) - timedelta(minutes=5)

    def certificate(name: str, key: ec.EllipticCurvePrivateKey, *, ca: bool) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Tanba self-test root")]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + timedelta(hours=1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.KeyUsage(not ca, False, False, False, False, ca, ca, False, False), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False)
        )
        if not ca:
            usage = x509.ExtendedKeyUsage([x509.ObjectIdentifier(_CLAIM_SIGNING)])
            builder = builder.add_extension(usage, critical=False)
        return builder.sign(root_key, hashes.SHA256())

    pem = serialization.Encoding.PEM
    anchor = certificate("Tanba self-test root", root_key, ca=True).public_bytes(pem).decode("ascii")
    leaf = certificate("Tanba self-test", leaf_key, ca=False).public_bytes(pem)
    private = leaf_key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return ThrowAwaySigner(leaf, private), anchor
