"""A throw-away certificate authority for samples: its keys live in memory and are gone when the script ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from keys.issuing import CLAIM_EKUS, Request, issue, subject

_PEM = serialization.Encoding.PEM


@dataclass(frozen=True)
class SampleSigner:
    """Satisfies ``tanba.protocols.Signer``."""

    name: str
    chain_pem: bytes
    key: ec.EllipticCurvePrivateKey
    algorithm: str = "es256"

    def pkcs8_pem(self) -> bytes:
        return self.key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())

    def sign(self, data: bytes) -> bytes:
        return self.key.sign(data, ec.ECDSA(hashes.SHA256()))


class Authority:
    """Root and intermediate; issues signing certificates of any length."""

    def __init__(self, organization: str, *, years: float = 20) -> None:
        self.organization = organization
        self.now = datetime.now(UTC)
        self.root_key, self.key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        root_name = f"{organization} Root"
        root_request = Request(root_name, organization, years * 365, ca=True)
        self.root = issue(
            root_request, self.root_key.public_key(), subject(root_name, organization), self.root_key, self.now
        )
        request = Request(f"{organization} Intermediate", organization, years * 365, ca=True, path_length=0)
        self.intermediate = issue(request, self.key.public_key(), self.root.subject, self.root_key, self.now)

    @property
    def root_pem(self) -> bytes:
        return self.root.public_bytes(_PEM)

    def signer(self, name: str, *, valid_for: timedelta = timedelta(days=15 * 365)) -> SampleSigner:
        """A signer whose certificate ends after ``valid_for`` from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        days = (valid_for + timedelta(minutes=5)) / timedelta(days=1)
        request = Request(name, self.organization, days, ekus=CLAIM_EKUS)
        leaf = issue(request, key.public_key(), self.intermediate.subject, self.key, self.now)
        return SampleSigner(name, leaf.public_bytes(_PEM) + self.intermediate.public_bytes(_PEM), key)
