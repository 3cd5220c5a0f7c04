"""Key services for tests, over real local HTTP: a KMS that knows MessageType=DIGEST, Vault's transit engine, a remote signer.

Each is written from the provider's public documentation and signs with ``cryptography``; none uses code under test.
The Vault double answers what Vault 1.15 documents for ``/transit/keys/:name`` and ``/transit/sign/:name``, and misbehaves
on demand, which the real OpenBao server of ``test_openbao.py`` does not.
"""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature

from tests.pki import make_key

HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}


class Service:
    """State that a test can turn: ``mode`` is one of ok, down (500), slow, garbage, wrong (another key), denied."""

    def __init__(self, algorithm: str = "es256", token: str | None = None) -> None:
        self.algorithm = algorithm
        self.key = make_key(algorithm)
        self.other = make_key(algorithm)
        self.token = token
        self.mode = "ok"
        self.seconds = 3.0  # of mode slow
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.url = ""

    def signer(self) -> Any:
        return self.other if self.mode == "wrong" else self.key

    def sign_digest(self, digest: bytes) -> bytes:
        chosen = HASHES[self.algorithm[2:]]
        key = self.signer()
        if isinstance(key, ec.EllipticCurvePrivateKey):
            return key.sign(digest, ec.ECDSA(Prehashed(chosen)))
        return key.sign(digest, padding.PSS(padding.MGF1(chosen), chosen.digest_size), Prehashed(chosen))

    def public_pem(self) -> str:
        return (
            self.key.public_key()
            .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
            .decode()
        )

    def answer(self, method: str, path: str, headers: Any, body: dict[str, Any]) -> tuple[int, Any]:
        raise NotImplementedError

    @contextmanager
    def running(self, port: int = 0) -> Iterator[Service]:
        service = self

        class Handler(BaseHTTPRequestHandler):
            def _do(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                body = json.loads(self.rfile.read(length) or b"{}") if length else {}
                service.requests.append((self.path, body))
                if service.mode == "slow":
                    time.sleep(service.seconds)
                status, found = (
                    (500, {}) if service.mode == "down" else service.answer(self.command, self.path, self.headers, body)
                )
                raw = b"<html>" if service.mode == "garbage" else json.dumps(found).encode()
                with suppress(BrokenPipeError, ConnectionResetError):
                    self.send_response(status)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(raw)))
                    self.end_headers()
                    self.wfile.write(raw)

            do_GET = do_POST = _do  # noqa: N815  # the names http.server calls

            def log_message(self, *args: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        server.daemon_threads = True
        server.block_on_close = False
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()


class Kms(Service):
    """AWS KMS ``Sign`` and ``GetPublicKey`` (JSON 1.1), for DIGEST and RAW, with the 4,096 byte limit."""

    def answer(self, method: str, path: str, headers: Any, body: dict[str, Any]) -> tuple[int, Any]:
        action = headers["X-Amz-Target"]
        if self.mode == "denied":
            return 400, {"__type": "AccessDeniedException", "message": "no"}
        if body.get("KeyId") != "alias/test":
            return 400, {"__type": "NotFoundException", "message": "no such key"}
        if action == "TrentService.GetPublicKey":
            der = self.key.public_key().public_bytes(
                serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
            )
            return 200, {"KeyId": "k", "PublicKey": base64.b64encode(der).decode()}
        message = base64.b64decode(body["Message"])
        if body["MessageType"] == "DIGEST":
            return 200, {"Signature": base64.b64encode(self.sign_digest(message)).decode()}
        if len(message) > 4096:
            return 400, {"__type": "ValidationException", "message": "too long"}
        if isinstance(self.key, ed25519.Ed25519PrivateKey):
            return 200, {"Signature": base64.b64encode(self.signer().sign(message)).decode()}
        hasher = hashes.Hash(HASHES[self.algorithm[2:]])
        hasher.update(message)
        return 200, {"Signature": base64.b64encode(self.sign_digest(hasher.finalize())).decode()}


class Vault(Service):
    """Transit engine: read a key, sign with it."""

    def answer(self, method: str, path: str, headers: Any, body: dict[str, Any]) -> tuple[int, Any]:
        if headers["X-Vault-Token"] != self.token or self.mode == "denied":
            return 403, {"errors": ["permission denied"]}
        if (method, path) == ("GET", "/v1/transit/keys/test"):
            public = self.public_pem()
            if self.algorithm == "ed25519":
                raw = self.key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
                public = base64.b64encode(raw).decode()
            return 200, {"data": {"latest_version": 3, "keys": {"3": {"public_key": public}}}}
        if (method, path) != ("POST", "/v1/transit/sign/test"):
            return 404, {"errors": []}
        data = base64.b64decode(body["input"], validate=True)
        if self.algorithm == "ed25519":
            return 200, {"data": {"signature": "vault:v3:" + base64.b64encode(self.signer().sign(data)).decode()}}
        assert body["prehashed"] is True
        assert body["hash_algorithm"] == f"sha2-{self.algorithm[2:]}"
        signature = self.sign_digest(data)
        if self.algorithm.startswith("ps"):
            assert (body["signature_algorithm"], body["salt_length"]) == ("pss", "hash")
            return 200, {"data": {"signature": "vault:v3:" + base64.b64encode(signature).decode()}}
        assert body["marshaling_algorithm"] == "jws"
        size = (self.key.curve.key_size + 7) // 8
        raw = b"".join(part.to_bytes(size, "big") for part in decode_dss_signature(signature))
        return 200, {"data": {"signature": "vault:v3:" + base64.urlsafe_b64encode(raw).decode().rstrip("=")}}


class Remote(Service):
    """A customer's signer, as :mod:`keys.providers.remote` documents it."""

    def answer(self, method: str, path: str, headers: Any, body: dict[str, Any]) -> tuple[int, Any]:
        if headers["Authorization"] != f"Bearer {self.token}" or self.mode == "denied":
            return 401, {}
        if path == "/public-key":
            return 200, {"public_key": self.public_pem()}
        if path != "/sign":
            return 404, {}
        signature = (
            self.sign_digest(base64.b64decode(body["digest"]))
            if "digest" in body
            else self.signer().sign(base64.b64decode(body["tbs"]))
        )
        return 200, {"signature": base64.b64encode(signature).decode()}
