"""The pre-flight names every fault of the table in facts §2.1, and says of each what the engine really does."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from keys.check import Weight, check
from tanba.errors import CredentialError, TanbaError, UsageError
from tests.keys.conftest import label_picture, read_picture
from tests.pki import (
    ANY_EKU,
    C2PA_SIGNING,
    CLIENT_AUTH,
    DOCUMENT_SIGNING,
    EMAIL,
    TIME_STAMPING,
    key_pem,
    make_key,
    make_pki,
    now,
)


def found(*files: bytes, **options) -> dict[str, Weight]:
    """What the pre-flight says, without the notes that every certificate gets."""
    checked = check(files, now=now(), **options)
    for item in checked.faults:
        assert item.message
        assert item.cure
    return {
        item.code.removeprefix("tanba.keys.check."): item.weight
        for item in checked.faults
        if item.weight is not Weight.NOTE
    }


REFUSED = {
    "no authority key identifier": ({"aki": False}, "no_aki"),
    "no key usage": ({"key_usage": ()}, "no_key_usage"),
    "key usage only for key agreement": ({"key_usage": ("key_agreement",)}, "no_digital_signature"),
    "no extended key usage": ({"ekus": ()}, "no_eku"),
    "any extended key usage": ({"ekus": (ANY_EKU,)}, "any_eku"),
    "only client authentication": ({"ekus": (CLIENT_AUTH,)}, "wrong_eku"),
    "an extended key usage of one's own": ({"ekus": ("1.2.3.4.5",)}, "wrong_eku"),
    "an authority's certificate": ({"ca": True, "key_usage": ("digital_signature",)}, "ca_leaf"),
    "a critical extension nobody knows": ({"unknown_critical": True}, "unknown_critical"),
    "expired": ({"starts": timedelta(days=-9), "ends": timedelta(days=-1)}, "expired"),
    "not yet valid": ({"starts": timedelta(days=1)}, "not_yet_valid"),
    "for content and for time stamps": ({"ekus": (C2PA_SIGNING, EMAIL, TIME_STAMPING)}, "mixed_eku"),
}

ACCEPTED = {
    "no subject key identifier": ({"ski": False}, {"no_ski"}),
    "no organisation": ({"organization": None}, {"no_organization"}),
    "key usage only non-repudiation": ({"key_usage": ("content_commitment",)}, {"only_non_repudiation"}),
    "client authentication beside e-mail protection": ({"ekus": (CLIENT_AUTH, EMAIL)}, set()),
    "the whole profile": ({}, set()),
    "only claim signing": ({"ekus": (C2PA_SIGNING,)}, {"eku_not_everywhere"}),
    "only document signing": ({"ekus": (DOCUMENT_SIGNING,)}, {"eku_not_everywhere"}),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_leaf_that_the_engine_refuses_is_an_error_with_its_name(case: str, pki, picture: bytes) -> None:
    changes, code = REFUSED[case]
    leaf = pki.leaf(**changes)
    assert found(leaf.chain_pem, key_pem(leaf.key))[code] is Weight.ERROR
    with pytest.raises(TanbaError):
        label_picture(picture, leaf.signer())


@pytest.mark.parametrize("case", ACCEPTED)
def test_a_leaf_that_the_engine_accepts_has_no_error(case: str, pki, picture: bytes) -> None:
    changes, expected = ACCEPTED[case]
    leaf = pki.leaf(**changes)
    assert found(leaf.chain_pem, key_pem(leaf.key)) == dict.fromkeys(expected, Weight.WARNING)
    assert read_picture(label_picture(picture, leaf.signer()), pki.store()).state == "Trusted"


def test_an_extended_key_usage_that_the_users_own_lists_accept_is_no_fault(pki) -> None:
    assert "wrong_eku" not in found(pki.leaf(ekus=("1.2.3.4.5",)).chain_pem, accepted_ekus=("1.2.3.4.5",))


def test_a_chain_in_the_wrong_order_is_named_and_refused_by_the_engine(pki, picture: bytes) -> None:
    wrong = pki.leaf().wrong_order()
    assert found(wrong.chain_pem) == {"wrong_order": Weight.ERROR}
    with pytest.raises(CredentialError):
        label_picture(picture, wrong.signer())


def test_a_chain_without_its_intermediate_is_a_warning_and_reads_untrusted(pki, picture: bytes) -> None:
    alone = pki.leaf().without_intermediate()
    assert found(alone.chain_pem) == {"no_intermediate": Weight.WARNING}
    assert read_picture(label_picture(picture, alone.signer()), pki.store()).state == "Valid"


def test_a_key_that_is_not_the_certificates_is_named(pki) -> None:
    assert found(pki.leaf().chain_pem, key_pem(make_key())) == {"key_mismatch": Weight.ERROR}


@pytest.mark.parametrize(
    ("key", "options", "code"),
    [
        (lambda: key_pem(make_key(), old_form=True), {}, "not_pkcs8"),
        (lambda: key_pem(make_key("ps256"), old_form=True), {}, "not_pkcs8"),
        (lambda: key_pem(make_key(), b"secret"), {}, "no_passphrase"),
        (lambda: key_pem(make_key(), b"secret"), {"passphrase": "other"}, "wrong_passphrase"),
        (lambda: b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", {}, "bad_key"),
        (lambda: key_pem(ec.generate_private_key(ec.SECP256K1())), {}, "key_type"),
        (lambda: key_pem(rsa.generate_private_key(public_exponent=65537, key_size=1024)), {}, "key_type"),
        (lambda: key_pem(make_key("es384")), {"algorithm": "es256"}, "wrong_key_type"),
        (lambda: key_pem(make_key("ed25519")), {"algorithm": "ps256"}, "wrong_key_type"),
    ],
)  # fmt: skip
def test_a_key_that_cannot_sign_is_explained(key, options: dict, code: str) -> None:
    assert found(key(), **options)[code] is Weight.ERROR


def test_an_encrypted_key_with_its_pass_phrase_is_no_fault(pki) -> None:
    leaf = pki.leaf()
    assert found(leaf.chain_pem, key_pem(leaf.key, b"secret"), passphrase="secret") == {}


@pytest.mark.parametrize(
    ("days", "expected"),
    [(6, "expires_within_7_days"), (29, "expires_within_30_days"), (59, "expires_within_60_days"), (61, None)],
)
def test_the_end_is_announced_sixty_thirty_and_seven_days_before(days: int, expected: str | None, pki) -> None:
    codes = found(pki.leaf(ends=timedelta(days=days, minutes=1)).chain_pem)
    assert codes == ({expected: Weight.WARNING} if expected else {})


def test_it_says_that_labels_outlive_the_certificate_only_with_a_time_stamp(pki) -> None:
    leaf = pki.leaf()
    notes = {item.code: item.message for item in check([leaf.chain_pem], now=now()).faults}
    words = notes["tanba.keys.check.labels_outlive_only_with_time_stamp"]
    assert leaf.certificate.not_valid_after_utc.date().isoformat() in words


def test_another_authoritys_intermediate_is_unrelated(pki) -> None:
    other = make_pki(name="Other")
    leaf = pki.leaf()
    assert "unrelated" in found(leaf.chain_pem.replace(leaf.without_intermediate().chain_pem, b"") and (
        leaf.without_intermediate().chain_pem + other.leaf().chain_pem.split(b"-----END CERTIFICATE-----\n", 1)[1]
    ))  # fmt: skip


def test_an_intermediate_of_the_same_name_with_another_key_is_a_bad_link(pki) -> None:
    twin = make_pki()
    mixed = (
        pki.leaf().without_intermediate().chain_pem + twin.leaf().chain_pem.split(b"-----END CERTIFICATE-----\n", 1)[1]
    )
    assert found(mixed) == {"bad_link": Weight.ERROR}


def test_a_self_signed_leaf_is_a_warning(pki) -> None:
    from tests.pki import issue, pem, subject

    key = make_key()
    name = subject("Alone", "Test organisation")
    assert found(pem(issue("Alone", key.public_key(), name, key))) == {"self_signed": Weight.WARNING}


def test_a_root_in_the_chain_is_only_a_note(pki) -> None:
    checked = check([pki.leaf().chain_pem + pki.root_pem], now=now())
    assert checked.usable
    assert "tanba.keys.check.root_included" in {item.code for item in checked.faults}


@pytest.mark.parametrize("content", [b"", b"hello", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"])
def test_files_with_neither_certificate_nor_key_are_a_usage_error(content: bytes) -> None:
    with pytest.raises(UsageError):
        check([content], now=now())


def test_a_certificate_that_does_not_parse_is_explained() -> None:
    assert found(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n") == {"bad_certificate": Weight.ERROR}


def test_no_answer_of_the_pre_flight_shows_key_material(pki) -> None:
    leaf = pki.leaf()
    pem = key_pem(leaf.key)
    assert pem.split(b"\n")[1].decode() not in repr(check([pem, leaf.chain_pem], now=now()))
