"""Keys in the transit engine of HashiCorp Vault or OpenBao: only the hash of a claim is sent there.

Options: ``url``, ``key``, perhaps ``mount`` (``transit``), ``version`` (of the key the certificate was issued for; the
newest at first, and then always that one, whatever Vault rotates), ``token`` (where the Vault token comes from),
``namespace`` and ``ca`` (PEM file of an authority of your own for TLS). The HTTP interface is that of Vault's documentation,
"Transit secrets engine (API)"; OpenBao keeps it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from keys.providers import http
from keys.providers.base import Key, KeyReference
from tanba.errors import CredentialError, ProviderUnavailable

_WHAT = "Vault"
_TYPES = {
    "es256": "ecdsa-p256", "es384": "ecdsa-p384", "es512": "ecdsa-p521",
    "ps256": "rsa-2048", "ps384": "rsa-3072", "ps512": "rsa-4096", "ed25519": "ed25519",
}  # fmt: skip
_HASHES = {"sha256": "sha2-256", "sha384": "sha2-384", "sha512": "sha2-512"}


class TransitKey:
    """A private key in Vault."""

    def __init__(self, reference: KeyReference, token: str | None) -> None:
        self._reference = reference
        self._version = ""
        self._headers = {"x-vault-token": token} if token else {}
        if namespace := reference.options.get("namespace"):
            self._headers["x-vault-namespace"] = namespace

    def _call(self, method: str, action: str, body: Any = None) -> dict[str, Any]:
        options = self._reference.options
        base = f"{self._reference.option('url').rstrip('/')}/v1/{quote(options.get('mount', 'transit'))}"
        url = f"{base}/{action}/{quote(self._reference.option('key'), safe='')}"
        found = http.request(self._reference, _WHAT, method, url, self._headers, body)
        data = found.get("data")
        return data if isinstance(data, dict) else {}

    def public_key_der(self) -> bytes:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        from cryptography.hazmat.primitives.serialization import load_pem_public_key

        from keys.certificates import spki

        data = self._call("GET", "keys")
        versions = data.get("keys") or {}
        self._version = wanted = self._reference.options.get("version") or str(data.get("latest_version", ""))
        try:
            text = versions[wanted]["public_key"]
            if self._reference.algorithm.family == "ed25519":
                return spki(Ed25519PublicKey.from_public_bytes(http.unbase64(text, _WHAT)))
            return spki(load_pem_public_key(text.encode("ascii")))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise CredentialError(
                f"Vault shows no public key of version {wanted or '?'}", code="tanba.keys.key_missing",
                hint="check key, version and that the key can sign",
            ) from error  # fmt: skip

    def pinned(self) -> dict[str, str]:
        """The version that :meth:`public_key_der` has shown."""
        return {"version": self._version} if self._version else {}

    def sign(self, data: bytes) -> bytes:
        """``r || s`` for ECDSA (``marshaling_algorithm: jws``)."""
        algorithm = self._reference.algorithm
        body: dict[str, Any] = {}
        if version := self._reference.options.get("version"):
            body["key_version"] = int(version)
        if algorithm.hash_name is None:
            body["input"] = base64.b64encode(data).decode("ascii")
        else:
            digest = hashlib.new(algorithm.hash_name, data).digest()
            body |= {"input": base64.b64encode(digest).decode("ascii"), "prehashed": True}
            body["hash_algorithm"] = _HASHES[algorithm.hash_name]
        if algorithm.family == "ecdsa":
            body["marshaling_algorithm"] = "jws"
        elif algorithm.family == "rsa-pss":
            body |= {"signature_algorithm": "pss", "salt_length": "hash"}
        parts = str(self._call("POST", "sign", body).get("signature", "")).split(":")
        if len(parts) != 3 or parts[0] != "vault":
            raise ProviderUnavailable("Vault answered with something that is no signature")
        return http.unbase64(parts[2], _WHAT, url_safe=algorithm.family == "ecdsa")


@contextmanager
def open_key(reference: KeyReference) -> Iterator[Key]:
    """Raises :class:`ProviderUnavailable`, :class:`CredentialError` or :class:`UsageError` at the first call."""
    yield TransitKey(reference, http.bearer(reference))


def create_key(reference: KeyReference) -> None:
    """Make a transit key that cannot be exported. Raises as :func:`open_key` does."""
    body = {"type": _TYPES[reference.algorithm.name], "exportable": False, "allow_plaintext_backup": False}
    TransitKey(reference, http.bearer(reference))._call("POST", "keys", body)  # noqa: SLF001  # the same module
