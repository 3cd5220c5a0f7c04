"""Certificates, time-stamp answers and status requests with every single byte changed: a typed answer, never a crash."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, x25519
from cryptography.hazmat.primitives.serialization import Encoding

import keys
from keys import ocsp_dev, timestamp, tsa
from keys.certificates import load_chain
from keys.check import check
from tanba import revocation, trustdir
from tanba.errors import TanbaError, TimestampError, TrustError
from tanba.trust import Purpose, TrustList
from tests.keys.conftest import Home
from tests.pki import key_pem, make_pki, now, pem


def changed(data: bytes) -> Iterator[bytes]:
    """Each byte in four ways: two single bits, zero, and one of a fixed random sequence."""
    chance = random.Random(7)  # a repeatable sequence, no secret
    for place, old in enumerate(data):
        for new in {old ^ 1, old ^ 0x80, 0, chance.randrange(256)} - {old}:
            yield data[:place] + bytes([new]) + data[place + 1 :]


def armour(der: bytes) -> bytes:
    return b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(der) + b"-----END CERTIFICATE-----\n"


def to_pre_flight(certificate: bytes, rest: bytes) -> None:
    check([armour(certificate) + rest], now=now())


def to_trust_list(certificate: bytes, rest: bytes) -> None:
    del rest
    trustdir.check_content(TrustList("x", Purpose.MANIFEST, armour(certificate).decode("ascii")))


@pytest.mark.filterwarnings("ignore")  # the library warns of serial numbers and versions that break RFC 5280
@pytest.mark.parametrize("algorithm", ["es256", "ps256", "ed25519"])
@pytest.mark.parametrize("reader", [to_pre_flight, to_trust_list])
def test_a_certificate_with_one_byte_changed_is_judged_or_refused(
    algorithm: str, reader: Callable[[bytes, bytes], None]
) -> None:
    pki = make_pki(algorithm)
    for der in changed(pki.leaf().certificate.public_bytes(Encoding.DER)):
        with suppress(TanbaError):
            reader(der, pem(pki.intermediate))


def test_a_name_in_an_unknown_string_type_is_a_fault_in_every_reader(pki) -> None:
    der = pki.leaf().certificate.public_bytes(Encoding.DER)
    place = der.rindex(bytes.fromhex("0603550403")) + 5  # the tag after the object identifier of a common name
    odd = armour(der[:place] + b"\x0d" + der[place + 1 :])
    assert [item.code for item in check([odd], now=now()).faults] == ["tanba.keys.check.bad_certificate"]
    with pytest.raises(TrustError, match="cannot be read"):
        trustdir.check_content(TrustList("x", Purpose.MANIFEST, odd.decode("ascii")))


@pytest.mark.parametrize(
    "key",
    [ec.generate_private_key(ec.BrainpoolP256R1()), dsa.generate_private_key(1024), x25519.X25519PrivateKey.generate()],
    ids=["brainpool", "dsa", "x25519"],
)
def test_a_key_of_another_kind_is_named_as_such(key) -> None:
    found = check([key_pem(key)], now=now())
    assert "tanba.keys.check.key_type" in {item.code for item in found.faults}
    assert not found.usable


@pytest.mark.filterwarnings("ignore")
def test_an_authoritys_answer_with_one_byte_changed_is_the_same_stamp_or_refused(pki) -> None:
    leaf = pki.tsa()
    request = timestamp.build_request(b"data")
    answer = tsa.LocalTsa((*leaf.chain, pki.root), leaf.key).respond(request, now())
    good = timestamp.check(request, answer, "http://tsa.test/", now=now())
    for body in changed(answer):
        with suppress(TimestampError):
            token = timestamp.check(request, body, "http://tsa.test/", now=now())
            assert (token.time, token.serial, token.policy) == (good.time, good.serial, good.policy)


def test_a_status_request_with_one_byte_changed_gets_an_answer(home: Home) -> None:
    keys.ensure_development_identity(home.keys, home.trust_dir)
    info = keys.list_identities(home=home.keys)[0]
    leaf, issuer = load_chain((home.keys / info.name / "chain.pem").read_bytes())
    request = revocation.ocsp_request(leaf, issuer)
    for body in changed(request):
        assert ocsp_dev.respond(home.keys, body, now())
