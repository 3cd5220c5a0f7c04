"""Filed reports: signed, changed, dated, checked after the key was rotated, judged by code that is not ours."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given
from hypothesis import strategies as st

from keys import tsa
from tanba import statement, trustdir
from tanba.errors import MalformedAsset
from tanba.stored import load_report
from tanba.trust import Purpose, TrustList, TrustStore
from tanba.wire import to_plain
from tests.pki import Pki, make_pki
from tests.verifier.conftest import labelled
from verifier import Settings, signing, verify_bytes
from verifier.report_cli import report as report_command

NOW = datetime.now(UTC).replace(microsecond=0)


def b64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def check(data: bytes, trust: TrustStore) -> statement.Checked:
    return statement.check(data, trust, claimed_at=signing.issued_at)


@pytest.fixture(scope="module")
def made(pki: Pki) -> tuple[bytes, bytes]:
    """A labelled picture and the signed report about it."""
    picture = labelled(pki.leaf().signer())
    report = verify_bytes(picture, Settings(trust=pki.store()), name="photo.png")
    return picture, signing.signed(report, pki.leaf(common_name="Reporter").signer())


@pytest.mark.parametrize("algorithm", ["es256", "es384", "es512", "ps256", "ps384", "ps512", "ed25519"])
def test_a_report_signed_with_any_algorithm_of_c2pa_checks_and_names_the_list(algorithm: str) -> None:
    authority = make_pki()
    report = verify_bytes(b"plain words", Settings())
    found = check(signing.signed(report, authority.leaf(algorithm).signer()), authority.store(name="newsroom"))
    assert found.intact
    assert found.list is not None
    assert found.list.name == "newsroom"
    assert found.organization == "Test organisation"


def test_the_statement_verifies_with_nothing_but_rfc_7515_and_the_certificate_inside(made: tuple[bytes, bytes]) -> None:
    body = json.loads(made[1])
    header = json.loads(b64(body["protected"]))
    leaf = x509.load_der_x509_certificate(base64.b64decode(header["x5c"][0]))
    raw = b64(body["signature"])
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    key = leaf.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(der, f"{body['protected']}.{body['payload']}".encode(), ec.ECDSA(SHA256()))
    assert header["alg"] == "ES256"
    assert b64(header["x5t#S256"]) == leaf.fingerprint(SHA256())


def test_the_payload_holds_the_content_hash_the_version_the_time_and_the_whole_report(
    made: tuple[bytes, bytes],
) -> None:
    payload = json.loads(b64(json.loads(made[1])["payload"]))
    assert payload["subject"]["sha256"] == hashlib.sha256(made[0]).hexdigest()
    assert payload["detector"]["version"]
    assert payload["detector"]["engines"]["c2pa-rs"]
    assert datetime.fromisoformat(payload["issued_at"]).tzinfo is not None
    again = load_report(payload["report"])
    assert to_plain(again) == payload["report"]
    assert again.verdict == "trusted"


@pytest.mark.parametrize("field", ["payload", "protected", "signature"])
def test_one_changed_character_breaks_the_report(made: tuple[bytes, bytes], pki: Pki, field: str) -> None:
    body = json.loads(made[1])
    if field == "payload":
        inner = b64(body["payload"]).replace(b'"verdict":"trusted"', b'"verdict":"invalid"')
        body["payload"] = base64.urlsafe_b64encode(inner).rstrip(b"=").decode()
    elif field == "protected":
        header = json.loads(b64(body["protected"])) | {"kid": "other"}
        body["protected"] = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
    else:
        flipped = bytearray(b64(body["signature"]))
        flipped[10] ^= 1
        body["signature"] = base64.urlsafe_b64encode(flipped).rstrip(b"=").decode()
    assert not check(json.dumps(body).encode(), pki.store()).intact


def test_another_certificate_put_into_the_statement_does_not_take_it_over(made: tuple[bytes, bytes]) -> None:
    thief = make_pki(name="Thief")
    body = json.loads(made[1])
    header = json.loads(b64(body["protected"]))
    leaf = thief.leaf()
    header["x5c"] = [base64.b64encode(item.public_bytes(_der())).decode() for item in leaf.chain]
    body["protected"] = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
    found = check(json.dumps(body).encode(), thief.store())
    assert not found.intact


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_unsigned_and_symmetric_algorithms_are_never_accepted(
    made: tuple[bytes, bytes], pki: Pki, algorithm: str
) -> None:
    body = json.loads(made[1])
    header = json.loads(b64(body["protected"])) | {"alg": algorithm}
    body["protected"] = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
    assert not check(json.dumps(body).encode(), pki.store()).intact


def test_a_report_of_an_old_key_still_checks_years_later_after_rotation(pki: Pki) -> None:
    then = NOW - timedelta(days=3 * 365)
    old = pki.leaf(common_name="Old key", at=then)
    report = verify_bytes(b"words", Settings())
    data = signing.signed(report, old.signer(), now=then)
    found = check(data, pki.store())
    assert old.certificate.not_valid_after_utc < NOW
    assert found.intact
    assert found.inside_validity
    assert found.list is not None
    assert found.time_source == "claim"


def test_a_claimed_time_outside_the_certificate_does_not_hold(pki: Pki) -> None:
    leaf = pki.leaf(at=NOW - timedelta(days=3 * 365))
    found = check(signing.signed(verify_bytes(b"words", Settings()), leaf.signer(), now=NOW), pki.store())
    assert found.intact
    assert not found.inside_validity
    assert found.list is None


def test_a_time_stamp_proves_the_time_when_a_list_vouches_for_its_authority(pki: Pki, tmp_path) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    stamped = _stamped(pki, tmp_path)
    after = datetime.now(UTC)
    tsa.trust(tmp_path / "tsa", tmp_path / "trust", NOW)
    found = check(stamped, trustdir.load(tmp_path / "trust").plus(pki.trust_list()))
    assert found.time_source == "rfc3161"
    assert found.authority_list is not None
    assert found.authority_list.purpose is Purpose.TSA
    assert before <= found.at <= after


def test_a_time_stamp_that_nobody_vouches_for_stays_a_claim(pki: Pki, tmp_path) -> None:
    found = check(_stamped(pki, tmp_path), pki.store())
    assert found.time_source == "claim"
    assert found.stamped_at is not None


def test_a_time_stamp_moved_to_another_statement_proves_nothing(pki: Pki, tmp_path) -> None:
    stamped = json.loads(_stamped(pki, tmp_path))
    tsa.trust(tmp_path / "tsa", tmp_path / "trust", NOW)
    other = json.loads(signing.signed(verify_bytes(b"other words", Settings()), pki.leaf().signer()))
    other["header"] = stamped["header"]
    found = check(json.dumps(other).encode(), trustdir.load(tmp_path / "trust").plus(pki.trust_list()))
    assert found.intact
    assert found.stamped_at is None


@given(st.binary(max_size=200))
def test_anything_else_is_refused_with_a_typed_error(data: bytes) -> None:
    with pytest.raises(MalformedAsset):
        check(data, TrustStore.empty())


def test_the_command_answers_with_documented_exit_codes(made, pki: Pki, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("TANBA_TRUST_DIR", str(tmp_path / "trust"))
    filed, picture, other = tmp_path / "r.json", tmp_path / "photo.png", tmp_path / "other.png"
    filed.write_bytes(made[1])
    picture.write_bytes(made[0])
    other.write_bytes(made[0] + b"\0")

    def run(*args: str) -> int:
        result = CliRunner().invoke(report_command, ["verify", str(filed), *args], standalone_mode=False)
        return result.return_value

    assert run() == 0
    assert run("--require", "trusted") == 1
    trustdir.add(tmp_path / "trust", TrustList("newsroom", Purpose.MANIFEST, pki.root_pem.decode()))
    assert run("--require", "trusted") == 0
    assert run("--asset", str(picture)) == 0
    assert run("--asset", str(other)) == 1
    filed.write_bytes(made[1].replace(b'"signature": "', b'"signature": "AAAA'))
    assert run() == 1


def _stamped(pki: Pki, tmp_path) -> bytes:
    authority = tsa.local(tmp_path / "tsa", NOW)
    from keys.timestamp import build_request

    report = verify_bytes(b"words", Settings())
    body = signing.payload(report, NOW)
    return statement.build(
        body, pki.leaf().signer(), stamp=lambda data: authority.respond(build_request(data), datetime.now(UTC))
    )


def _der():
    from cryptography.hazmat.primitives.serialization import Encoding

    return Encoding.DER
