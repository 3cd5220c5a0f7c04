"""A signer for rehearsals: the real chain, a constant in place of the signature, and no use of any key.

What it makes is only measured and thrown away; it would never validate.
"""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass

from tanba.protocols import Signer

_ECDSA = {"es256": 64, "es384": 96, "es512": 132, "ed25519": 64}


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """Satisfies :class:`tanba.protocols.Signer` (never ``LocalKeySigner``)."""

    name: str
    algorithm: str
    chain_pem: bytes

    @classmethod
    def of(cls, signer: Signer) -> Rehearsal:
        """A rehearsal for that signer."""
        return cls(signer.name, signer.algorithm, signer.chain_pem)

    def sign(self, data: bytes) -> bytes:
        """Bytes as long as a real signature, with the same mix of values (length is what is rehearsed)."""
        del data
        size = _ECDSA.get(self.algorithm) or _rsa_size(self.chain_pem)
        return b"".join(hashlib.sha256(bytes([block])).digest() for block in range(-(-size // 32)))[:size]


@functools.lru_cache(maxsize=32)
def _rsa_size(chain_pem: bytes) -> int:
    """Bytes of an RSASSA-PSS signature by the leaf's key (RFC 8017 section 8.1.1)."""
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.x509 import load_pem_x509_certificate

    key = load_pem_x509_certificate(chain_pem).public_key()
    return -(-key.key_size // 8) if isinstance(key, RSAPublicKey) else 256
