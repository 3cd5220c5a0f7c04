"""``tanba keys`` as a person types it: from a request to a real CA's chain, pass-phrases, JSON, exit codes."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

from keys import open_identity
from tanba.cli import main
from tests.keys.conftest import label_picture, read_picture
from tests.keys.doubles import Remote
from tests.pki import issue, key_pem, make_key, make_pki, now, pem


@pytest.fixture
def tanba(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Run the command in a home of its own: ``(exit code, standard output, standard error)``."""
    monkeypatch.setenv("TANBA_HOME", str(tmp_path / "home"))

    def run(*args: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            main([str(arg) for arg in args])
        out, err = capsys.readouterr()
        return int(left.value.code or 0), out, err

    return run


def certify(pki, request_pem: bytes, **changes) -> bytes:
    """What a CA sends back for a request."""
    request = x509.load_pem_x509_csr(request_pem)
    leaf = issue("Signer", request.public_key(), pki.intermediate.subject, pki.intermediate_key, **changes)
    return pem(leaf, pki.intermediate)


def test_from_a_request_to_a_label_that_the_cas_root_vouches_for(tanba, pki, picture: bytes, tmp_path: Path) -> None:
    request, chain, root = tmp_path / "request.pem", tmp_path / "chain.pem", tmp_path / "root.pem"
    code, out, _ = tanba("keys", "new", "desk", "--for-ca", "--organization", "Newsroom LLP", "--json")
    assert code == 0
    assert json.loads(out)["state"] == "pending"
    assert tanba("keys", "csr", "desk", "-o", request, "--country", "KZ")[0] == 0
    code, _, err = tanba("keys", "activate", "desk")
    assert code == 5
    assert "no certificate yet" in err
    # a CA may send the chain in any order, with its root
    chain.write_bytes(
        b"".join(reversed([*map(pem, x509.load_pem_x509_certificates(certify(pki, request.read_bytes())))]))
    )
    root.write_bytes(pki.root_pem)
    assert tanba("keys", "install", "desk", chain, "--root", root)[0] == 0
    code, out, _ = tanba("keys", "activate", "desk")
    assert (code, "signs from now on" in out) == (0, True)
    with open_identity() as signer:
        assert read_picture(label_picture(picture, signer), pki.store()).state == "Trusted"
    code, out, _ = tanba("keys", "show", "--json")
    shown = json.loads(out)
    assert (shown["line"], shown["state"], shown["organization"]) == ("desk", "active", "Test organisation")


def test_a_chain_for_another_key_is_refused(tanba, pki, tmp_path: Path) -> None:
    tanba("keys", "new", "desk", "--for-ca")
    (tmp_path / "chain.pem").write_bytes(pki.leaf().chain_pem)
    code, out, _ = tanba("keys", "install", "desk", tmp_path / "chain.pem", "--json")
    assert code == 5
    assert json.loads(out)["error"]["code"] == "tanba.keys.key_mismatch"


def test_a_chain_with_faults_is_refused_with_their_codes(tanba, pki, tmp_path: Path) -> None:
    request = tmp_path / "request.pem"
    tanba("keys", "new", "desk", "--for-ca")
    tanba("keys", "csr", "desk", "-o", request)
    (tmp_path / "chain.pem").write_bytes(certify(pki, request.read_bytes(), ekus=(), aki=False))
    code, out, _ = tanba("keys", "install", "desk", tmp_path / "chain.pem", "--json")
    assert code == 5
    assert set(json.loads(out)["error"]["details"]["codes"]) == {"tanba.keys.check.no_eku", "tanba.keys.check.no_aki"}


def test_activation_takes_over_from_the_identity_before(tanba) -> None:
    assert tanba("keys", "new")[0] == 0
    code, out, _ = tanba("keys", "new", "second", "--json")
    second = json.loads(out)
    assert (code, second["state"]) == (0, "pending")
    assert tanba("keys", "activate", "second")[0] == 0
    _, out, _ = tanba("keys", "list", "--json")
    assert {item["line"]: item["state"] for item in json.loads(out)} == {"development": "retiring", "second": "active"}
    assert tanba("keys", "retire", "development")[0] == 0
    code, out, _ = tanba("keys", "activate", "development", "--json")
    assert (code, json.loads(out)["error"]["code"]) == (5, "tanba.keys.transition_refused")


def test_rotating_a_real_identity_asks_for_a_new_request(tanba, pki, tmp_path: Path) -> None:
    leaf = pki.leaf()
    (tmp_path / "chain.pem").write_bytes(leaf.chain_pem)
    (tmp_path / "key.pem").write_bytes(key_pem(leaf.key))
    code, _, err = tanba("keys", "import", "desk", "--key", tmp_path / "key.pem", "--chain", tmp_path / "chain.pem")
    assert code == 0
    assert "could be read by other users" in err
    assert tanba("keys", "activate", "desk")[0] == 0
    code, out, _ = tanba("keys", "rotate", "desk", "--json")
    made = json.loads(out)
    assert (code, made["state"], made["fingerprint"]) == (0, "pending", "")
    with open_identity() as signer:
        assert signer.fingerprint == leaf.fingerprint, "the old one signs until the new one is activated"


def test_the_name_of_a_line_means_the_one_that_waits_for_its_certificate(tanba, pki, tmp_path: Path) -> None:
    leaf = pki.leaf()
    (tmp_path / "chain.pem").write_bytes(leaf.chain_pem)
    (tmp_path / "key.pem").write_bytes(key_pem(leaf.key))
    tanba("keys", "import", "desk", "--key", tmp_path / "key.pem", "--chain", tmp_path / "chain.pem")
    tanba("keys", "activate", "desk")
    code, _, err = tanba("keys", "csr", "desk")
    assert (code, "tanba keys rotate desk" in err) == (5, True), "a certificate is never renewed for the same key"
    tanba("keys", "rotate", "desk")
    assert tanba("keys", "csr", "desk", "-o", tmp_path / "request.pem")[0] == 0
    request = (tmp_path / "request.pem").read_bytes()
    assert x509.load_pem_x509_csr(request).public_key() != leaf.certificate.public_key()
    (tmp_path / "next.pem").write_bytes(certify(pki, request))
    assert tanba("keys", "install", "desk", tmp_path / "next.pem")[0] == 0
    assert tanba("keys", "activate", "desk")[0] == 0
    listed = json.loads(tanba("keys", "list", "--json")[1])
    assert [item["state"] for item in listed] == ["retiring", "active"]


def test_a_pkcs12_file_is_imported_with_its_pass_phrase_from_a_file(tanba, pki, picture: bytes, tmp_path: Path) -> None:
    leaf = pki.leaf()
    store = pkcs12.serialize_key_and_certificates(
        b"k", leaf.key, leaf.certificate, [pki.intermediate], BestAvailableEncryption(b"pass")
    )
    (tmp_path / "key.p12").write_bytes(store)
    secret = tmp_path / "secret"
    secret.write_text("wrong\n")
    for path in (tmp_path / "key.p12", secret):
        path.chmod(0o600)
    args = ("keys", "import", "desk", "--pkcs12", tmp_path / "key.p12", "--passphrase-file", secret, "--json")
    code, out, _ = tanba(*args)
    assert (code, json.loads(out)["error"]["code"]) == (5, "tanba.keys.passphrase")
    secret.write_text("pass\n")
    assert tanba(*args)[0] == 0
    assert tanba("keys", "activate", "desk")[0] == 0
    with open_identity() as signer:
        assert read_picture(label_picture(picture, signer), pki.store()).state == "Trusted"


def test_a_chain_for_a_key_that_stays_at_the_customers_is_imported_and_signs(
    tanba, pki, picture: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGNER_TOKEN", "t0ken")
    with Remote("es256", "t0ken").running() as service:
        leaf = pki.leaf(key=service.key)
        (tmp_path / "chain.pem").write_bytes(leaf.chain_pem)
        (tmp_path / "other.pem").write_bytes(pki.leaf().chain_pem)
        where = ("--provider", "remote", "--option", f"url={service.url}", "--option", "token=env:SIGNER_TOKEN")
        code, out, _ = tanba("keys", "import", "theirs", *where, "--chain", tmp_path / "other.pem", "--json")
        assert (code, json.loads(out)["error"]["code"]) == (5, "tanba.keys.key_mismatch")
        assert tanba("keys", "import", "theirs", *where, "--chain", tmp_path / "chain.pem")[0] == 0
        assert tanba("keys", "activate", "theirs")[0] == 0
        with open_identity() as signer:
            assert read_picture(label_picture(picture, signer), pki.store()).state == "Trusted"


def test_an_identity_whose_key_signs_wrongly_is_not_activated(
    tanba, pki, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGNER_TOKEN", "t0ken")
    with Remote("es256", "t0ken").running() as service:
        (tmp_path / "chain.pem").write_bytes(pki.leaf(key=service.key).chain_pem)
        where = ("--provider", "remote", "--option", f"url={service.url}", "--option", "token=env:SIGNER_TOKEN")
        assert tanba("keys", "import", "theirs", *where, "--chain", tmp_path / "chain.pem")[0] == 0
        service.mode = "wrong"
        code, out, _ = tanba("keys", "activate", "theirs", "--json")
        assert (code, json.loads(out)["error"]["code"]) == (5, "tanba.keys.bad_signature")
        assert json.loads(tanba("keys", "show", "theirs", "--json")[1])["state"] == "pending"


def test_an_encrypted_key_is_opened_by_a_pass_phrase_from_the_environment(
    tanba, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DESK_PASS", "correct horse")
    assert tanba("keys", "new", "desk", "--passphrase-env", "DESK_PASS")[0] == 0
    with open_identity() as signer:
        assert signer.sign(b"data")
    home = tmp_path / "home" / "keys"
    assert b"ENCRYPTED" in next(home.glob("desk@*/key.pem")).read_bytes()
    everything = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    assert b"correct horse" not in everything
    monkeypatch.delenv("DESK_PASS")
    code, _, err = tanba("keys", "check", "--identity", "desk")
    assert code == 5
    assert "DESK_PASS is not set" in err


@pytest.mark.parametrize("option", ["pin=1234", "passphrase=hunter2", "pin=env:"])
def test_a_secret_in_the_place_of_its_source_is_refused_and_not_repeated(tanba, option: str) -> None:
    code, out, err = tanba("keys", "new", "desk", "--provider", "pkcs11", "--option", option)
    assert code == 2
    assert option.partition("=")[2] not in out + err or option.endswith("=env:")


@pytest.mark.parametrize(
    ("make", "code", "named"),
    [
        (lambda pki: pki.leaf().chain_pem, 0, "labels_outlive_only_with_time_stamp"),
        (lambda pki: pki.leaf(aki=False).chain_pem, 1, "no_aki"),
        (lambda pki: pki.leaf(ends=timedelta(days=3)).chain_pem, 0, "expires_within_7_days"),
        (lambda pki: pki.leaf().wrong_order().chain_pem, 1, "wrong_order"),
        (lambda pki: make_pki().leaf(starts=timedelta(days=-9), ends=timedelta(days=-1)).chain_pem, 1, "expired"),
    ],
)  # fmt: skip
def test_check_names_faults_and_its_exit_code_says_whether_it_can_sign(
    tanba, pki, make, code: int, named: str, tmp_path: Path
) -> None:
    (tmp_path / "chain.pem").write_bytes(make(pki))
    found, out, _ = tanba("keys", "check", tmp_path / "chain.pem", "--json")
    body = json.loads(out)
    assert found == code
    assert body["usable"] is (code == 0)
    assert f"tanba.keys.check.{named}" in {item["code"] for item in body["faults"]}
    found, out, _ = tanba("keys", "check", tmp_path / "chain.pem")
    assert "cure:" in out


def test_check_of_an_identity_makes_a_probe_label(tanba) -> None:
    tanba("keys", "new")
    code, out, _ = tanba("keys", "check", "--identity", "development")
    assert code == 0
    assert "a probe label was made and reads as trusted" in out


def test_a_key_and_a_certificate_in_two_files_are_held_against_each_other(tanba, pki, tmp_path: Path) -> None:
    (tmp_path / "chain.pem").write_bytes(pki.leaf().chain_pem)
    (tmp_path / "key.pem").write_bytes(key_pem(make_key()))
    code, out, _ = tanba("keys", "check", tmp_path / "chain.pem", tmp_path / "key.pem", "--json")
    assert code == 1
    assert "tanba.keys.check.key_mismatch" in out


def test_revoking_tells_what_is_touched_and_what_to_publish(tanba) -> None:
    from keys import list_identities, record_use

    tanba("keys", "new")
    record_use(list_identities()[0].fingerprint, "urn:c2pa:1", now())
    code, out, _ = tanba("keys", "revoke", "development", "--reason", "keyCompromise", "--json")
    body = json.loads(out)
    assert code == 0
    assert body["label_ids"] == ["urn:c2pa:1"]
    assert body["to_do"]
    assert json.loads(tanba("keys", "list", "--json")[1])[0]["state"] == "revoked"


def test_export_public_writes_a_list_that_others_can_pin(tanba, tmp_path: Path) -> None:
    tanba("keys", "new")
    code, out, _ = tanba("keys", "export-public", "development", tmp_path / "public", "--json")
    body = json.loads(out)
    assert code == 0
    added = tanba("trust", "add", "theirs", tmp_path / "public" / "anchors.pem", "--sha256", body["sha256"])
    assert added[0] == 0


def test_an_unknown_identity_has_its_own_code(tanba) -> None:
    code, out, _ = tanba("keys", "show", "nobody", "--json")
    assert (code, json.loads(out)["error"]["code"]) == (5, "tanba.keys.not_found")


def test_the_time_stamp_authority_serves_from_the_command_line(tmp_path: Path) -> None:
    import os
    import subprocess
    import sys

    from keys import timestamp

    environment = {**os.environ, "TANBA_HOME": str(tmp_path)}
    command = [Path(sys.executable).with_name("tanba"), "tsa", "serve", "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as process:
        try:
            assert process.stdout is not None
            ready = json.loads(process.stdout.readline())
            assert timestamp.fetch(timestamp.build_request(b"data"), ready["url"]).serial
            assert ready["trust_list"] == "tanba-development-tsa"
        finally:
            process.terminate()
