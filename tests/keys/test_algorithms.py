"""Signature forms and answers from outside: published vectors, round trips, and nothing that crashes a parser."""

from __future__ import annotations

from contextlib import suppress

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import given, settings
from hypothesis import strategies as st

from keys import algorithms, pkcs8, timestamp, tsa
from keys.check import check
from tanba.errors import CredentialError, TanbaError, TimestampError, UsageError
from tests.pki import cose_sign, make_key, make_pki, now

ORDERS = {"es256": 32, "es384": 48, "es512": 66}

# RFC 6979 appendix A.2.5: P-256, SHA-256, message "sample".
RFC6979_X = 0x60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6
RFC6979_Y = 0x7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299
RFC6979_R = bytes.fromhex("EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716")
RFC6979_S = bytes.fromhex("F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8")
# RFC 8032 section 7.1, test 2.
RFC8032_KEY = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
RFC8032_SIGNATURE = bytes.fromhex(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)


def test_the_vector_of_rfc_6979_verifies_raw_and_as_der() -> None:
    key = ec.EllipticCurvePublicNumbers(RFC6979_X, RFC6979_Y, ec.SECP256R1()).public_key()
    es256 = algorithms.get("es256")
    raw = RFC6979_R + RFC6979_S
    der = encode_dss_signature(int.from_bytes(RFC6979_R, "big"), int.from_bytes(RFC6979_S, "big"))
    assert algorithms.normalise(der, es256) == raw
    assert algorithms.verify(key, es256, raw, b"sample")
    assert not algorithms.verify(key, es256, raw, b"samplf")
    assert not algorithms.verify(key, es256, der, b"sample"), "COSE wants r || s"


def test_the_vector_of_rfc_8032_verifies() -> None:
    key = ed25519.Ed25519PublicKey.from_public_bytes(RFC8032_KEY)
    assert algorithms.verify(key, algorithms.get("ed25519"), RFC8032_SIGNATURE, b"\x72")


@pytest.mark.parametrize("name", algorithms.ALGORITHMS)
def test_our_signature_verifies_with_the_other_implementation_and_back(name: str) -> None:
    key, row = make_key(name), algorithms.get(name)
    assert algorithms.verify(key.public_key(), row, cose_sign(key, name, b"data"), b"data")
    assert algorithms.verify(key.public_key(), row, algorithms.sign(key, row, b"data"), b"data")
    other = make_key("ed25519" if name != "ed25519" else "es256")
    assert not algorithms.verify(other.public_key(), row, algorithms.sign(key, row, b"data"), b"data")


@given(st.sampled_from(sorted(ORDERS)), st.integers(1, 2**256 - 1), st.integers(1, 2**256 - 1))
def test_der_becomes_raw_of_the_right_length_whatever_the_numbers(name: str, r: int, s: int) -> None:
    size = ORDERS[name]
    raw = algorithms.normalise(encode_dss_signature(r, s), algorithms.get(name))
    assert (int.from_bytes(raw[:size], "big"), int.from_bytes(raw[size:], "big"), len(raw)) == (r, s, 2 * size)


@given(st.sampled_from(["es256", "es384", "es512", "ed25519"]), st.binary(max_size=200))
def test_an_answer_that_is_no_signature_is_a_typed_error_or_has_the_right_length(name: str, answer: bytes) -> None:
    try:
        raw = algorithms.normalise(answer, algorithms.get(name))
    except CredentialError:
        return
    assert len(raw) == 2 * ORDERS.get(name, 32)


@pytest.mark.parametrize("name", ["", "rs256", "es256k", "none", "HS256"])
def test_an_algorithm_outside_c2pas_list_is_refused(name: str) -> None:
    with pytest.raises(UsageError):
        algorithms.get(name)


_PKI = make_pki()
_LEAF = _PKI.tsa()
_AUTHORITY = tsa.LocalTsa((*_LEAF.chain, _PKI.root), _LEAF.key)
_REQUEST = timestamp.build_request(b"data")
_ANSWER = _AUTHORITY.respond(_REQUEST, now())


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(_ANSWER) - 1), st.integers(1, 255), st.booleans())
def test_an_answer_of_an_authority_with_a_changed_or_missing_part_is_never_taken_for_another_time(
    place: int, change: int, cut: bool
) -> None:
    body = _ANSWER[:place] if cut else _ANSWER[:place] + bytes([_ANSWER[place] ^ change]) + _ANSWER[place + 1 :]
    try:
        token = timestamp.check(_REQUEST, body, "http://tsa.test/", now=now())
    except TimestampError:
        return
    good = timestamp.check(_REQUEST, _ANSWER, "http://tsa.test/", now=now())
    assert (token.time, token.serial, token.policy) == (good.time, good.serial, good.policy)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_noise_instead_of_an_answer_or_a_request_is_a_typed_error(noise: bytes) -> None:
    with pytest.raises(TimestampError):
        timestamp.check(_REQUEST, noise, "http://tsa.test/", now=now())
    assert _AUTHORITY.respond(noise, now())


@settings(max_examples=200, deadline=None)
@given(
    st.binary(max_size=300),
    st.sampled_from([b"CERTIFICATE", b"PRIVATE KEY", b"ENCRYPTED PRIVATE KEY", b"EC PRIVATE KEY"]),
)
def test_noise_in_a_pem_file_is_a_fault_or_a_typed_error(noise: bytes, kind: bytes) -> None:
    pem = b"-----BEGIN " + kind + b"-----\n" + noise + b"\n-----END " + kind + b"-----\n"
    with suppress(TanbaError):
        assert not check([pem], now=now(), passphrase="x").usable
    if b"PRIVATE" in kind:
        with pytest.raises(CredentialError):
            pkcs8.load(pem, "x")
