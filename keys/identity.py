"""An opened identity: the public chain and ``sign(bytes)``, as :class:`tanba.protocols.Signer` wants them.

Whatever the provider answers is checked against the certificate before it is used: a wrong signature never leaves here.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from keys import algorithms, certificates
from keys.keyring import IdentityInfo
from keys.providers.base import Key, LocalKey
from keys.states import State
from tanba.errors import CredentialError, ProviderUnavailable, TanbaError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes


class SigningIdentity:
    """Satisfies :class:`tanba.protocols.Signer`. Use it inside the ``with`` of :func:`keys.open_identity` only."""

    def __init__(self, info: IdentityInfo, chain_pem: bytes, public_key: PublicKeyTypes, key: Key) -> None:
        self.info = info
        self._chain_pem = chain_pem
        self._public_key = public_key
        self._key = key
        self.key_failed = False
        """Whether a signature failed: the provider's session may be lost, and whoever keeps this open should not."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.info.name!r})"

    @property
    def name(self) -> str:
        return self.info.name

    @property
    def algorithm(self) -> str:
        return self.info.algorithm

    @property
    def chain_pem(self) -> bytes:
        return self._chain_pem

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the leaf certificate's DER, lower-case hex."""
        return self.info.fingerprint

    @property
    def not_before(self) -> datetime | None:
        return self.info.not_before

    @property
    def not_after(self) -> datetime | None:
        return self.info.not_after

    @property
    def state(self) -> State:
        return self.info.state

    def sign(self, data: bytes) -> bytes:
        """Raises :class:`CredentialError` or :class:`ProviderUnavailable` with the provider's own error as cause."""
        try:
            return self._sign(data)
        except BaseException:
            self.key_failed = True
            raise

    def _sign(self, data: bytes) -> bytes:
        algorithm = algorithms.get(self.info.algorithm)
        try:
            signature = algorithms.normalise(self._key.sign(data), algorithm)
        except TanbaError:
            raise
        except Exception as error:
            raise ProviderUnavailable(
                f"the {self.info.provider} provider failed: {type(error).__name__}",
                hint=f"`tanba keys check --identity {self.info.name}` tries the key",
            ) from error
        if not algorithms.verify(self._public_key, algorithm, signature, data):
            raise CredentialError(
                "the provider's signature does not belong to this certificate",
                code="tanba.keys.bad_signature",
                hint="does the keyring point to the right key?",
                details={"identity": self.info.name},
            )
        return signature


class LocalSigningIdentity(SigningIdentity):
    """Satisfies :class:`tanba.protocols.LocalKeySigner`: the key is in this process."""

    def pkcs8_pem(self) -> bytes:
        """The unencrypted key for the engine. Never logged, never stored."""
        assert isinstance(self._key, LocalKey)
        return self._key.pkcs8_pem()


def make(info: IdentityInfo, chain_pem: bytes, key: Key) -> SigningIdentity:
    """The right class for a key. A chain that is not the keyring's, or a key in this process that does not fit its
    certificate, is refused here; a key elsewhere is checked with each signature, without another round trip.

    Raises :class:`CredentialError`.
    """
    leaf = certificates.load_chain(chain_pem)[0]
    if certificates.fingerprint(leaf) != info.fingerprint:
        raise CredentialError(
            f"the certificate of {info.name} is not the one the keyring knows",
            code="tanba.keys.chain_changed",
            hint="its file was changed behind the keyring's back: restore it, or rotate",
        )
    public = leaf.public_key()
    if not isinstance(key, LocalKey):
        return SigningIdentity(info, chain_pem, public, key)
    if key.public_key_der() != certificates.spki(public):
        raise CredentialError(
            f"the key of {info.name} does not match its certificate",
            code="tanba.keys.key_mismatch",
            hint="install the certificate that was issued for this key",
        )
    return LocalSigningIdentity(info, chain_pem, public, key)
