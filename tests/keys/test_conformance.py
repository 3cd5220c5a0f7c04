"""What the C2PA Certificate Policy and its certificate profiles (v0.2) ask of a claim-signing certificate, one by one.

The expected object identifiers and their DER are written out by hand from the profile (facts §5.1).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from keys.check import check
from tests.pki import issue, make_pki, now, pem

_OLD = make_pki("es384")
PKI = replace(
    _OLD,
    intermediate=issue(
        "Issuing", _OLD.intermediate_key.public_key(), _OLD.root.subject, _OLD.root_key,
        starts=timedelta(days=-1), ends=timedelta(days=1826), ca=True, path_length=0, ekus=(),
    ),
)  # fmt: skip
LEVEL_1 = b"\x06\x0a\x2b\x06\x01\x04\x01\x83\xe8\x5e\x03\x0a"
LEVEL_2 = b"\x06\x0a\x2b\x06\x01\x04\x01\x83\xe8\x5e\x03\x14"
RECORD = b"\x0c\x24" + b"5b9e9c1e-0000-4000-8000-000000000001"


def leaf(
    *,
    country: str | None = "KZ",
    non_repudiation: bool = True,
    usages: tuple[str, ...] = ("1.3.6.1.4.1.62558.2.1", "1.3.6.1.5.5.7.3.4"),
    policy: str = "1.3.6.1.4.1.62558.1.1",
    level: bytes | None = LEVEL_1,
    record: bytes | None = RECORD,
    ocsp: bool = True,
    days: int = 300,
) -> bytes:
    oid = x509.ObjectIdentifier
    key = ec.generate_private_key(ec.SECP256R1())
    names = [(NameOID.COUNTRY_NAME, country), (NameOID.ORGANIZATION_NAME, "Newsroom LLP"), (NameOID.COMMON_NAME, "N")]
    start = now() - timedelta(minutes=5)
    usage = dict.fromkeys(
        ("key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign", "encipher_only",
         "decipher_only"), False,
    )  # fmt: skip
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(name, value) for name, value in names if value]))
        .issuer_name(PKI.intermediate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(digital_signature=True, content_commitment=non_repudiation, **usage), critical=True
        )
        .add_extension(x509.ExtendedKeyUsage([oid(item) for item in usages]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(PKI.intermediate_key.public_key()), critical=False
        )
        .add_extension(x509.CertificatePolicies([x509.PolicyInformation(oid(policy), None)]), critical=False)
    )
    for number, value in (("1.3.6.1.4.1.62558.3", level), ("1.3.6.1.4.1.62558.4", record)):
        if value is not None:
            made = made.add_extension(x509.UnrecognizedExtension(oid(number), value), critical=False)
    if ocsp:
        access = x509.AccessDescription(
            x509.AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier("http://ocsp.example/")
        )
        made = made.add_extension(x509.AuthorityInformationAccess([access]), critical=False)
    return pem(made.sign(PKI.intermediate_key, hashes.SHA384()), PKI.intermediate)


def note(chain: bytes) -> str:
    faults = {item.code: item for item in check([chain], now=now()).faults}
    assert not [item for item in faults.values() if item.weight == "error"]
    found = faults.get("tanba.keys.check.not_policy")
    return found.message.partition(": ")[2] if found else ""


def test_a_certificate_of_the_whole_profile_has_no_note() -> None:
    assert note(leaf()) == ""
    assert note(leaf(level=LEVEL_2, days=90)) == ""


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"country": None}, "the country (C=) in the subject"),
        ({"non_repudiation": False}, "Key Usage nonRepudiation beside digitalSignature"),
        ({"usages": ("1.3.6.1.5.5.7.3.4",)}, "Extended Key Usage C2PA claim signing"),
        ({"usages": ("1.3.6.1.4.1.62558.2.1",)}, "emailProtection or documentSigning beside it"),
        ({"policy": "1.2.3.4"}, "certificate policy 1.3.6.1.4.1.62558.1.1"),
        ({"level": None}, "the product's assurance level (1 or 2)"),
        ({"level": b"\x05\x00"}, "the product's assurance level (1 or 2)"),
        ({"record": None}, "the record of the Conforming Products List"),
        ({"ocsp": False}, "the address of an OCSP responder"),
        ({"days": 367}, "a life of at most 366 days"),
        ({"level": LEVEL_2, "days": 91}, "a life of at most 90 days"),
    ],
)
def test_what_the_profile_asks_for_and_is_missing_is_named(changes: dict, missing: str) -> None:
    assert note(leaf(**changes)) == missing


def test_a_weak_or_long_lived_issuer_is_named() -> None:
    pki = make_pki("es256", years=10)
    assert "an issuer with P-384, P-521 or RSA of 3072 bits" in note(pki.leaf().chain_pem)
    assert "an issuer of at most 1827 days" in note(pki.leaf().chain_pem)
