"""The customer's side of the remote two-step signer: a key that stays here signs what a labelling service sends.

It speaks the interface of :mod:`keys.providers.remote`. A file key also signs hashes; every other key gets the whole
claim (``send=tbs``), which is what it hashes itself, and what its owner can look at. Each signature is told to ``note``.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keys import algorithms, keyring, opening
from keys.keyring import IdentityInfo
from keys.providers import get
from keys.providers.base import Key, LocalKey
from keys.states import State
from tanba.errors import TanbaError, UsageError

if TYPE_CHECKING:
    from keys.providers.base import Secrets

MAX_REQUEST = 1 << 20
"""Bytes of one request; a claim is a few KiB."""
MIN_TOKEN = 16
"""Characters of a token: less can be guessed over a network."""
_STOPPED = {State.RETIRED, State.REVOKED}


class Refused(Exception):
    """A request that is not answered with a signature."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


@dataclass(frozen=True)
class RemoteSigner:
    """One open key with who may use it. Safe from several threads as far as its provider is."""

    home: Path
    info: IdentityInfo
    key: Key
    token: str = field(repr=False)
    note: Callable[[str], None]
    """Told one line per signature: algorithm and the SHA-256 of the claim, or its hash."""

    def __post_init__(self) -> None:
        if len(self.token) < MIN_TOKEN or not self.token.isascii() or not self.token.isprintable():
            raise UsageError(
                f"the token must have at least {MIN_TOKEN} printable ASCII characters", hint="openssl rand -hex 32"
            )

    def allowed(self, header: str | None) -> bool:
        """Whether an ``Authorization`` header holds the token."""
        return hmac.compare_digest((header or "").encode("utf-8", "replace"), f"Bearer {self.token}".encode())

    def public_key(self) -> dict[str, str]:
        """The answer to ``GET /public-key``."""
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

        public = load_der_public_key(self.key.public_key_der())
        text = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")
        return {"public_key": text, "algorithm": self.info.algorithm}

    def sign(self, body: bytes) -> dict[str, str]:
        """The answer to ``POST /sign``. Raises :class:`Refused` and what the key raises."""
        if keyring.load(self.home).find(self.info.name).state in _STOPPED:
            raise Refused(403, "this key signs nothing any more")
        algorithm, asked = algorithms.get(self.info.algorithm), _object(body)
        if asked.get("algorithm") != algorithm.name:
            raise Refused(422, f"this key signs with {algorithm.name}")
        tbs, digest = _bytes(asked, "tbs"), _bytes(asked, "digest")
        if (tbs is None) == (digest is None):
            raise Refused(422, "send either tbs or digest")
        if tbs is not None:
            signature = algorithms.normalise(self.key.sign(tbs), algorithm)
            self.note(f"{algorithm.name} sha256 {hashlib.sha256(tbs).hexdigest()} of {len(tbs)} bytes")
        else:
            assert digest is not None
            signature = self._sign_digest(digest, algorithm)
            self.note(f"{algorithm.name} {algorithm.hash_name} {digest.hex()}")
        return {"signature": base64.b64encode(signature).decode("ascii")}

    def _sign_digest(self, digest: bytes, algorithm: algorithms.Algorithm) -> bytes:
        if not isinstance(self.key, LocalKey) or algorithm.hash_name is None:
            raise Refused(422, "this key signs whole claims only: use the option send=tbs")
        if len(digest) != algorithm.hash().digest_size:
            raise Refused(422, f"not a {algorithm.hash_name} hash")
        from keys import pkcs8

        return algorithms.sign(
            pkcs8.load(self.key.pkcs8_pem(), None, checked_before=True), algorithm, digest, hashed=True
        )


def open_signer(home: Path, name: str, token: str, secrets: Secrets, note: Callable[[str], None]) -> Any:
    """A context manager around a :class:`RemoteSigner`; a pending identity may be used too, for its request.

    Raises what opening the key raises, and :class:`UsageError` for a weak token or an identity that has ended.
    """
    from contextlib import contextmanager

    @contextmanager
    def opened() -> Any:
        info = keyring.load(home).find(name)
        if info.state in _STOPPED:
            raise UsageError(f"{info.name} is {info.state.value}", hint="see `tanba keys list`")
        with get(info.provider).open_key(opening.reference(home, info, secrets)) as key:
            yield RemoteSigner(home, info, key, token, note)

    return opened()


def server(
    signer: RemoteSigner, *, host: str = "127.0.0.1", port: int = 0, tls: tuple[Path, Path] | None = None
) -> ThreadingHTTPServer:
    """A server that the caller runs and closes; ``tls`` is certificate chain and key. Port 0 takes a free one.

    Raises :class:`UsageError` for an address beyond this machine without TLS: the token would travel in the clear.
    """
    if tls is None and host not in {"127.0.0.1", "::1", "localhost"}:
        raise UsageError("beyond this machine a signer needs TLS", hint="give --tls-cert and --tls-key, or a TLS proxy")
    made = _Server((host, port), _handler(signer))
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(*tls)
        except (OSError, ssl.SSLError) as error:
            made.server_close()
            raise UsageError("the TLS certificate and key cannot be used", hint="give PEM files that fit") from error
        made.socket = context.wrap_socket(made.socket, server_side=True, do_handshake_on_connect=False)
    return made


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a caller that hangs up, or does not trust our certificate, is no news."""


def _handler(signer: RemoteSigner) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_GET(self) -> None:
            self._answer("/public-key", signer.public_key)

        def do_POST(self) -> None:
            length = self.headers.get("content-length", "")
            if not length.isdigit() or int(length) > MAX_REQUEST:
                self.send_error(413)
                return
            known = signer.allowed(self.headers.get("authorization"))
            body = self.rfile.read(int(length)) if known else b""
            self._answer("/sign", lambda: signer.sign(body))

        def _answer(self, path: str, work: Callable[[], dict[str, str]]) -> None:
            status, answer = 200, {}
            try:
                if not signer.allowed(self.headers.get("authorization")):
                    raise Refused(401, "the token is missing or wrong")
                if self.path.partition("?")[0].rstrip("/") != path:
                    raise Refused(404, "there is /public-key and /sign")
                answer = work()
            except Refused as error:
                status, answer = error.status, {"error": str(error)}
            except TanbaError as error:
                status, answer = 503, {"error": error.code}
            content = json.dumps(answer).encode("ascii")
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet: signatures are told to ``note``."""

    return Handler


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refused(400, "not JSON") from error
    if not isinstance(found, dict):
        raise Refused(400, "not a JSON object")
    return found


def _bytes(asked: dict[str, Any], name: str) -> bytes | None:
    if name not in asked:
        return None
    try:
        return base64.b64decode(asked[name], validate=True)
    except (binascii.Error, ValueError, TypeError) as error:
        raise Refused(422, f"{name} is not base64") from error
