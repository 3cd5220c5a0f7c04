"""What the providers behind HTTP share: one guarded JSON request to the operator's own endpoint."""

from __future__ import annotations

import base64
import binascii
import json
import ssl
from typing import Any
from urllib.parse import urlsplit

from keys.providers.base import KeyReference
from keys.providers.bounded import slow
from tanba.errors import CredentialError, NetworkRefused, ProviderUnavailable, ResolverError, UsageError

MAX_BYTES = 64 * 1024


def request(
    reference: KeyReference, what: str, method: str, url: str, headers: dict[str, str], body: Any = None
) -> dict[str, Any]:
    """The JSON object that an endpoint answers. ``what`` names it in messages.

    Raises :class:`ProviderUnavailable` (down, slow, 5xx, garbage) or :class:`CredentialError` (refused, not found).
    """
    content = b"" if body is None else json.dumps(body).encode("ascii")
    sent = {"accept": "application/json", "content-type": "application/json", **headers}
    try:
        answer = _client(reference, url).request(method, url, content=content, headers=sent)
    except NetworkRefused as error:
        if error.code == "tanba.network.timeout":
            raise slow(what, reference.seconds) from error
        raise ProviderUnavailable(f"{what}: {error.message}", hint="check its address") from error
    except ResolverError as error:
        if "certificate" in str(error.__cause__).lower():
            raise ProviderUnavailable(
                f"the TLS certificate of {what} is not trusted", hint="for an authority of your own: --option ca=FILE"
            ) from error
        raise ProviderUnavailable(f"{what} cannot be reached", hint="is it running?") from error
    if answer.status in {401, 403}:
        raise CredentialError(f"{what} refuses this caller", code="tanba.keys.provider_denied", hint="check the token")
    if answer.status == 404:
        raise CredentialError(f"{what} knows no such key", code="tanba.keys.key_missing", hint="check the key's name")
    if not 200 <= answer.status < 300:
        raise ProviderUnavailable(f"{what} answered HTTP {answer.status}", hint="try again later")
    try:
        found = json.loads(answer.body) if answer.body else {}
    except ValueError as error:
        raise ProviderUnavailable(f"{what} answered with something that is not JSON") from error
    if not isinstance(found, dict):
        raise ProviderUnavailable(f"{what} answered with something unexpected")
    return found


def unbase64(text: object, what: str, *, url_safe: bool = False) -> bytes:
    """Strict base64, padding optional. Raises :class:`ProviderUnavailable`."""
    try:
        if not isinstance(text, str):
            raise TypeError
        padded = text + "=" * (-len(text) % 4)
        return base64.b64decode(padded, altchars=b"-_" if url_safe else None, validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise ProviderUnavailable(f"{what} answered with something that is no signature") from error


def bearer(reference: KeyReference, option: str = "token") -> str | None:
    """The caller's token, from the source that the option names. Never logged."""
    token = reference.secret(option)
    if token is not None and not token.isprintable():
        raise UsageError("the token holds characters that no header may hold")
    return token


def _client(reference: KeyReference, url: str) -> Any:
    """An operator named this endpoint, so it may be on any port and on a private address; nothing else may."""
    from tanba.net import GuardedClient, NetworkPolicy, guarded_client

    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise UsageError("not the address of a key service", hint="--option url=https://HOST[:PORT]")
    host, port = parts.hostname, parts.port or {"http": 80, "https": 443}[parts.scheme]
    if parts.scheme == "http" and host not in {"127.0.0.1", "::1", "localhost"}:
        raise UsageError("a key service must be reached over https", hint="http is for this machine only")
    policy = NetworkPolicy(
        max_redirects=0, connect_seconds=min(2.0, reference.seconds), read_seconds=reference.seconds,
        total_seconds=reference.seconds, max_bytes=MAX_BYTES,
    ).allowing(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")  # fmt: skip
    authority = reference.options.get("ca")
    if authority is None:
        return guarded_client(policy)
    try:
        return GuardedClient(policy, ssl_context=ssl.create_default_context(cafile=authority))
    except (OSError, ssl.SSLError) as error:
        raise UsageError(
            "the certificate authority of the key service cannot be read", hint="--option ca=FILE.pem"
        ) from error
