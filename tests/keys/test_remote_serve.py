"""The customer's side of the two-step signer, used by our own client: the key stays there, the label is trusted here."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import keys
from keys import lifecycle, open_identity, remote_serve
from keys.development import trust, utc_now
from keys.lifecycle import Plan
from keys.states import State
from tanba.errors import CredentialError, ProviderUnavailable, UsageError
from tests.keys.conftest import Home, label_picture, read_picture

TOKEN = "a token of the customer"


@contextmanager
def customer(folder: Path, algorithm: str = "es256") -> Iterator[tuple[str, list[str]]]:
    """A company with a key of its own, serving it: (address, its journal)."""
    info = lifecycle.create(folder, Plan("own", algorithm, certify=False), clock=utc_now)
    journal: list[str] = []
    with remote_serve.open_signer(folder, info.name, TOKEN, lambda _: "", journal.append) as signer:
        server = remote_serve.server(signer)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", journal
        finally:
            server.shutdown()
            server.server_close()


def client(home: Home, url: str, algorithm: str, **options: str) -> None:
    plan = Plan("line", algorithm, "remote", {"url": url, "token": "env:TOKEN", **options}, existing=True)
    info = lifecycle.create(home.keys, plan, clock=utc_now, secrets=lambda _: TOKEN)
    trust(home.keys, home.trust_dir, utc_now())
    lifecycle.activate(home.keys, info.name, clock=utc_now, probe=lambda _: None)


@pytest.mark.parametrize(
    ("algorithm", "send"),
    [
        ("es256", "digest"),
        ("es256", "tbs"),
        ("es384", "digest"),
        ("ps256", "digest"),
        ("ps256", "tbs"),
        ("ed25519", "tbs"),
    ],
)
def test_a_label_is_signed_there_and_trusted_here(
    algorithm: str, send: str, home: Home, tmp_path: Path, picture: bytes
) -> None:
    with customer(tmp_path / "customer", algorithm) as (url, journal):
        client(home, url, algorithm, send=send)
        with open_identity(home=home.keys, secrets=lambda _: TOKEN) as signer:
            labelled = label_picture(picture, signer)
    assert read_picture(labelled, home.trust()).state == "Trusted"
    assert journal[-1].startswith(algorithm)
    assert not list(home.keys.glob("**/key.pem")), "the key stays at the customer's"


def ask(url: str, path: str, body: object = None, token: str = TOKEN) -> tuple[int, dict]:
    request = urllib.request.Request(
        url + path,
        data=None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {token}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.mark.parametrize(
    ("path", "body", "token", "status"),
    [
        ("/public-key", None, "wrong", 401),
        ("/sign", {"algorithm": "es256", "tbs": b64(b"x")}, "wrong", 401),
        ("/other", None, TOKEN, 404),
        ("/sign", b"no json", TOKEN, 400),
        ("/sign", b"[1]", TOKEN, 400),
        ("/sign", b"[" * 100_000, TOKEN, 400),
        ("/sign", {"algorithm": "es384", "tbs": b64(b"x")}, TOKEN, 422),
        ("/sign", {"algorithm": "es256"}, TOKEN, 422),
        ("/sign", {"algorithm": "es256", "tbs": b64(b"x"), "digest": b64(b"x" * 32)}, TOKEN, 422),
        ("/sign", {"algorithm": "es256", "tbs": "***"}, TOKEN, 422),
        ("/sign", {"algorithm": "es256", "tbs": 7}, TOKEN, 422),
        ("/sign", {"algorithm": "es256", "digest": b64(b"short")}, TOKEN, 422),
    ],
)
def test_what_is_no_request_for_a_signature_gets_none(
    path: str, body: object, token: str, status: int, tmp_path: Path
) -> None:
    with customer(tmp_path / "customer") as (url, journal):
        found, answer = ask(url, path, body, token)
    assert found == status
    assert "signature" not in answer
    assert journal == []


def test_the_journal_names_what_was_signed(tmp_path: Path) -> None:
    with customer(tmp_path / "customer") as (url, journal):
        ask(url, "/sign", {"algorithm": "es256", "tbs": b64(b"claim")})
        ask(url, "/sign", {"algorithm": "es256", "digest": b64(hashlib.sha256(b"other").digest())})
    assert journal == [
        f"es256 sha256 {hashlib.sha256(b'claim').hexdigest()} of 5 bytes",
        f"es256 sha256 {hashlib.sha256(b'other').hexdigest()}",
    ]


def test_a_key_that_its_owner_revoked_signs_nothing_any_more(home: Home, tmp_path: Path, picture: bytes) -> None:
    with customer(tmp_path / "customer") as (url, _):
        client(home, url, "es256")
        lifecycle.move(tmp_path / "customer", "own", State.REVOKED, clock=utc_now, reason="keyCompromise")
        with open_identity(home=home.keys, secrets=lambda _: TOKEN) as signer, pytest.raises(CredentialError):
            label_picture(picture, signer)


def test_beyond_this_machine_it_wants_tls_and_a_token_that_cannot_be_guessed(tmp_path: Path) -> None:
    info = lifecycle.create(tmp_path, Plan("own", certify=False), clock=utc_now)
    with remote_serve.open_signer(tmp_path, info.name, TOKEN, lambda _: "", print) as signer:
        with pytest.raises(UsageError, match="TLS"):
            remote_serve.server(signer, host="0.0.0.0")
        assert TOKEN not in repr(signer)
    with pytest.raises(UsageError), remote_serve.open_signer(tmp_path, info.name, "short", lambda _: "", print):
        pass


def test_over_tls_only_a_certificate_that_the_client_trusts_is_spoken_to(
    home: Home, tmp_path: Path, picture: bytes
) -> None:
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "tls.key",
         "-out", "tls.pem", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"],
        cwd=tmp_path, check=True, capture_output=True,
    )  # fmt: skip
    info = lifecycle.create(tmp_path / "customer", Plan("own", certify=False), clock=utc_now)
    with remote_serve.open_signer(tmp_path / "customer", info.name, TOKEN, lambda _: "", print) as signer:
        server = remote_serve.server(signer, tls=(tmp_path / "tls.pem", tmp_path / "tls.key"))
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        url = f"https://127.0.0.1:{server.server_address[1]}"
        try:
            with pytest.raises(ProviderUnavailable, match="not trusted"):
                client(home, url, "es256")
            client(home, url, "es256", ca=str(tmp_path / "tls.pem"))
            with open_identity(home=home.keys, secrets=lambda _: TOKEN) as ours:
                assert read_picture(label_picture(picture, ours), home.trust()).state == "Trusted"
        finally:
            server.shutdown()
            server.server_close()


def test_an_identity_of_the_keyring_is_found_by_its_line(tmp_path: Path) -> None:
    keys.ensure_development_identity(tmp_path / "keys", tmp_path / "trust")
    with remote_serve.open_signer(tmp_path / "keys", "development", TOKEN, lambda _: "", print) as signer:
        assert signer.public_key()["algorithm"] == "es256"
