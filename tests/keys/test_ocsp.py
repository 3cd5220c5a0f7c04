"""Certificate status for real: our responder, our client, OpenSSL as the judge, and a stapled answer in a label."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509 import ocsp as x509_ocsp

import keys
from keys import lifecycle, ocsp, ocsp_dev, open_identity
from keys.development import utc_now
from keys.lifecycle import Plan
from keys.states import State
from tanba.asset import Asset
from tanba.engine.read import read
from tanba.engine.write import sign_detached
from tanba.errors import ProviderUnavailable, UsageError
from tanba.report import RevocationState
from tests.beside import beside
from tests.keys.conftest import DEFINITION, Home, codes
from verifier.checks.revocation import judge


@pytest.fixture
def responder(home: Home) -> Iterator[str]:
    keys.ensure_development_identity(home.keys, home.trust_dir)
    with beside(ocsp_dev.server(home.keys, utc_now)) as url:
        yield url


def chain_of(home: Home) -> bytes:
    info = keys.list_identities(home=home.keys)[0]
    return (home.keys / info.name / "chain.pem").read_bytes()


def test_a_certificate_in_use_is_good(home: Home, responder: str) -> None:
    assert ocsp.fetch(chain_of(home), now=utc_now(), url=responder).state is RevocationState.GOOD


def test_a_revoked_certificate_is_revoked_with_time_and_reason(home: Home, responder: str) -> None:
    lifecycle.move(home.keys, "development", State.REVOKED, clock=utc_now, reason="keyCompromise")
    found = ocsp.fetch(chain_of(home), now=utc_now(), url=responder)
    assert (found.state, found.reason) == (RevocationState.REVOKED, "keyCompromise")
    assert found.since is not None


def test_a_certificate_that_the_authority_did_not_make_is_unknown(home: Home, responder: str, pki) -> None:
    with pytest.raises(ProviderUnavailable) as caught:
        ocsp.fetch(pki.leaf().chain_pem, now=utc_now(), url=responder)
    assert caught.value.code == "tanba.keys.ocsp_unusable"


@pytest.mark.parametrize(("revoked", "expected"), [(False, "good"), (True, "revoked")])
def test_openssl_reads_our_responder_the_same_way(
    home: Home, responder: str, tmp_path: Path, revoked: bool, expected: str
) -> None:
    if revoked:
        lifecycle.move(home.keys, "development", State.REVOKED, clock=utc_now, reason="superseded")
    chain = chain_of(home).split(b"-----END CERTIFICATE-----\n")
    for name, part in (("leaf", chain[0]), ("issuer", chain[1])):
        (tmp_path / f"{name}.pem").write_bytes(part + b"-----END CERTIFICATE-----\n")
    (tmp_path / "root.pem").write_bytes(next(home.keys.glob("authority/root-*.pem")).read_bytes())
    done = subprocess.run(
        ["openssl", "ocsp", "-issuer", "issuer.pem", "-cert", "leaf.pem", "-url", responder, "-CAfile", "root.pem", "-no_nonce"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "Response verify OK" in done.stdout + done.stderr
    assert f"leaf.pem: {expected}" in done.stdout


@pytest.mark.parametrize("request_bytes", [b"", b"garbage", b"\x30\x00"])
def test_a_request_that_is_none_is_called_malformed(home: Home, responder: str, request_bytes: bytes) -> None:
    answer = x509_ocsp.load_der_ocsp_response(ocsp_dev.respond(home.keys, request_bytes, utc_now()))
    assert answer.response_status is x509_ocsp.OCSPResponseStatus.MALFORMED_REQUEST


def test_a_stapled_answer_lets_a_reader_without_network_see_that_the_certificate_was_good(
    home: Home, responder: str
) -> None:
    content = b"Some text"
    with open_identity(home=home.keys) as signer:
        store = sign_detached(content, DEFINITION, signer)
        answer = ocsp.fetch(signer.chain_pem, now=utc_now(), url=responder)
    trust = home.trust()
    plain = read(Asset.from_bytes(content, name="a.txt"), trust=trust, manifest=store)
    stapled = read(Asset.from_bytes(content, name="a.txt"), trust=trust, manifest=ocsp.staple(store, answer.response))
    assert (plain.state, stapled.state) == ("Trusted", "Trusted")
    assert "signingCredential.ocsp.skipped" in codes(plain)
    assert "signingCredential.ocsp.skipped" not in codes(stapled)
    assert judge(plain, trust, as_of=utc_now())[0].state is RevocationState.NOT_CHECKED
    said = judge(stapled, trust, as_of=utc_now())[0]
    assert (said.state, said.source) == (RevocationState.GOOD, "stapled")


def test_a_stapled_answer_cannot_be_moved_to_another_signers_label(home: Home, responder: str, pki) -> None:
    content = b"Some text"
    answer = ocsp.fetch(chain_of(home), now=utc_now(), url=responder)
    theirs = ocsp.staple(sign_detached(content, DEFINITION, pki.leaf().signer()), answer.response)
    evidence = read(Asset.from_bytes(content, name="a.txt"), trust=pki.store(), manifest=theirs)
    assert judge(evidence, pki.store(), as_of=utc_now())[0].state is RevocationState.UNKNOWN


def test_a_responder_that_is_down_or_slow_is_a_typed_error_in_time(home: Home) -> None:
    keys.ensure_development_identity(home.keys, home.trust_dir)

    class Slow(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            time.sleep(3)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    server.daemon_threads = True
    server.block_on_close = False
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        for url, code in (
            ("http://127.0.0.1:9/", "tanba.keys.ocsp_down"),
            (f"http://127.0.0.1:{server.server_address[1]}/", "tanba.keys.ocsp_slow"),
        ):
            started = time.monotonic()
            with pytest.raises(ProviderUnavailable) as caught:
                ocsp.fetch(chain_of(home), now=utc_now(), url=url, seconds=0.5)
            assert caught.value.code == code
            assert time.monotonic() - started < 1.5
    finally:
        server.shutdown()
        server.server_close()


def test_an_address_in_a_certificate_is_not_followed_to_a_private_place(home: Home, responder: str) -> None:
    info = lifecycle.create(home.keys, Plan("aia", options={"ocsp_url": responder}), clock=utc_now)
    chain = (home.keys / info.name / "chain.pem").read_bytes()
    access = x509.load_pem_x509_certificates(chain)[0].extensions.get_extension_for_class(
        x509.AuthorityInformationAccess
    )
    assert [item.access_location.value for item in access.value] == [responder]
    with pytest.raises(ProviderUnavailable):
        ocsp.fetch(chain, now=utc_now(), seconds=0.5)
    assert ocsp.fetch(chain, now=utc_now(), url=responder).state is RevocationState.GOOD


def test_a_certificate_without_a_responder_says_so(home: Home, pki) -> None:
    with pytest.raises(UsageError):
        ocsp.fetch(pki.leaf().chain_pem, now=utc_now())


def test_stapling_a_sidecar_from_the_command_line(
    home: Home, responder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from tanba.cli import main

    monkeypatch.setenv("TANBA_KEYS_DIR", str(home.keys))
    with open_identity(home=home.keys) as signer:
        (tmp_path / "a.txt.c2pa").write_bytes(sign_detached(b"text", DEFINITION, signer))
    with pytest.raises(SystemExit) as left:
        main(["keys", "staple", str(tmp_path / "a.txt.c2pa"), "--url", responder])
    assert not left.value.code
    evidence = read(
        Asset.from_bytes(b"text", name="a.txt"), trust=home.trust(), manifest=(tmp_path / "a.txt.c2pa").read_bytes()
    )
    assert judge(evidence, home.trust(), as_of=utc_now())[0].state is RevocationState.GOOD
    lifecycle.move(home.keys, "development", State.REVOKED, clock=utc_now, reason="superseded")
    before = (tmp_path / "a.txt.c2pa").read_bytes()
    with pytest.raises(SystemExit) as left:
        main(["keys", "staple", str(tmp_path / "a.txt.c2pa"), "--url", responder])
    assert left.value.code == 5
    assert (tmp_path / "a.txt.c2pa").read_bytes() == before
    capsys.readouterr()
