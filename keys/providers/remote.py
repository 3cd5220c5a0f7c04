"""A remote two-step signer: the hash of a claim goes out, a signature comes in, the key never leaves the customer.

Options: ``url``, ``token`` (where the bearer token comes from), ``send`` (``digest``, the default, or ``tbs``), ``ca`` (PEM
file of an authority of your own for TLS).

    GET  URL/public-key                                             -> {"public_key": "-----BEGIN PUBLIC KEY-----…"}
    POST URL/sign {"algorithm": "es256", "digest": base64}          -> {"signature": base64}
    POST URL/sign {"algorithm": "ed25519", "tbs": base64}           -> {"signature": base64}

ECDSA signatures may be raw ``r || s`` or DER. Every signature is checked against the certificate before it is used.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from keys.providers import http
from keys.providers.base import Key, KeyReference
from tanba.errors import ProviderUnavailable, UsageError

_WHAT = "the remote signer"


class RemoteKey:
    """A private key at the customer's."""

    def __init__(self, reference: KeyReference, token: str | None) -> None:
        self._reference = reference
        self._url = reference.option("url").rstrip("/")
        self._headers = {"authorization": f"Bearer {token}"} if token else {}

    def public_key_der(self) -> bytes:
        from cryptography.hazmat.primitives.serialization import load_pem_public_key

        from keys.certificates import spki

        found = http.request(self._reference, _WHAT, "GET", f"{self._url}/public-key", self._headers)
        try:
            return spki(load_pem_public_key(str(found["public_key"]).encode("ascii")))
        except (KeyError, ValueError) as error:
            raise ProviderUnavailable("the remote signer shows no public key") from error

    def sign(self, data: bytes) -> bytes:
        """One request; nothing is retried, because a signer may count what it signs."""
        algorithm = self._reference.algorithm
        body = {"algorithm": algorithm.name}
        if algorithm.hash_name is None or self._reference.options.get("send", "digest") == "tbs":
            body["tbs"] = base64.b64encode(data).decode("ascii")
        else:
            body["digest"] = base64.b64encode(hashlib.new(algorithm.hash_name, data).digest()).decode("ascii")
        found = http.request(self._reference, _WHAT, "POST", f"{self._url}/sign", self._headers, body)
        return http.unbase64(found.get("signature"), _WHAT)


@contextmanager
def open_key(reference: KeyReference) -> Iterator[Key]:
    """Raises :class:`ProviderUnavailable`, :class:`CredentialError` or :class:`UsageError`."""
    yield RemoteKey(reference, http.bearer(reference))


def create_key(_reference: KeyReference) -> None:
    """The customer makes the key. Raises :class:`UsageError`."""
    raise UsageError("the key of a remote signer is made there", hint="add --existing-key")
