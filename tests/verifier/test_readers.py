"""Readers of what comes from outside: certificates, tokens, OCSP, CRLs, statements, stored reports. Typed errors only."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keys.tsa import LocalTsa
from tanba import revocation, stored, timestamps
from tanba import x509 as paths
from tanba.errors import MalformedAsset, TimestampError
from tanba.report import RevocationState
from tanba.trust import DEFAULT_EKUS
from tanba.wire import to_plain
from tests import pki as test_pki
from verifier import Settings, verify_bytes

NOW = datetime.now(UTC).replace(microsecond=0)
RELAXED = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@cache
def world() -> test_pki.Pki:
    return test_pki.make_pki()


@cache
def token() -> bytes:
    from keys.timestamp import build_request

    made = world().tsa()
    return LocalTsa((*made.chain, world().root), made.key).respond(build_request(b"words"), NOW)


def mutated(data: bytes, changes: list[tuple[int, int]], keep: float) -> bytes:
    out = bytearray(data[: int(len(data) * keep)])
    for place, value in changes:
        if out:
            out[place % len(out)] ^= value
    return bytes(out)


CHANGES = st.lists(st.tuples(st.integers(0, 10_000), st.integers(1, 255)), max_size=4)
KEEP = st.sampled_from([1.0, 1.0, 0.9, 0.5, 0.0])


@RELAXED
@given(CHANGES, KEEP)
def test_a_changed_token_is_read_or_refused_and_never_holds_for_other_data(changes: Any, keep: float) -> None:
    data = mutated(token(), changes, keep)
    try:
        found = timestamps.read_token(data)
        assert not timestamps.signature_holds(data, b"\1" * len(found.digest))
    except TimestampError:
        return
    assert found.gen_time.tzinfo is not None


@RELAXED
@given(CHANGES, KEEP)
def test_a_changed_certificate_is_read_or_refused_and_leads_nowhere_unless_it_is_the_same(
    changes: Any, keep: float
) -> None:
    leaf = world().leaf(at=NOW)
    original = leaf.certificate.public_bytes(Encoding.DER)
    data = mutated(original, changes, keep)
    try:
        chain = paths.load_chain([data, world().intermediate.public_bytes(Encoding.DER)])
    except MalformedAsset:
        return
    paths.facts(chain[0])
    found = paths.find_path(chain, world().store().lists, NOW, accepted_ekus=DEFAULT_EKUS)
    assert found.trusted == (data == original)


def test_a_name_in_an_unknown_string_type_makes_a_certificate_unreadable() -> None:
    leaf = world().leaf(at=NOW).certificate
    data = leaf.public_bytes(Encoding.DER)
    common_name = bytes.fromhex("0603550403")  # the object identifier 2.5.4.3; its value's tag follows
    for place in (data.index(common_name), data.rindex(common_name)):
        changed = bytearray(data)
        assert changed[place + 5] == 0x0C  # UTF8String
        changed[place + 5] = 0x0D
        with pytest.raises(MalformedAsset):
            paths.load_chain([bytes(changed)])


def test_a_serial_number_that_is_not_positive_prints_nothing() -> None:
    """RFC 5280 4.1.2.2 wants it positive; a process of its own, because the test runner sets its own filters."""
    leaf = world().leaf(at=NOW).certificate
    data = leaf.public_bytes(Encoding.DER)
    serial = leaf.serial_number.to_bytes((leaf.serial_number.bit_length() + 8) // 8)
    place = data.index(b"\x02" + bytes([len(serial)]) + serial) + 2
    negative = data[:place] + bytes([data[place] | 0x80]) + data[place + 1 :]
    script = (
        "import sys, warnings; from tanba import x509; "
        "(one,) = x509.load_chain([sys.stdin.buffer.read()]); print(x509.facts(one).serial[0]); "
        "warnings.warn('others still show', stacklevel=1)"
    )
    done = subprocess.run([sys.executable, "-c", script], input=negative, capture_output=True, check=True)
    assert done.stdout.strip() == b"-"
    assert b"serial number" not in done.stderr
    assert b"others still show" in done.stderr


@RELAXED
@given(st.binary(max_size=300))
def test_answers_about_revocation_are_unknown_when_they_are_nothing(data: bytes) -> None:
    leaf, issuer = world().intermediate, world().root
    assert revocation.read_ocsp(data, leaf, issuer, NOW).state is RevocationState.UNKNOWN
    assert revocation.read_crl(data, leaf, issuer, NOW).state is RevocationState.UNKNOWN


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=8),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3))  # fmt: skip


@RELAXED
@given(st.sampled_from(["verdict", "answers", "findings", "basis", "history", "asset", "schema"]), JSON)
def test_a_stored_report_comes_back_whole_or_is_refused(field: str, value: Any) -> None:
    body = to_plain(verify_bytes(b"plain words", Settings(clock=lambda: NOW)))
    assert to_plain(stored.load_report(body)) == body
    try:
        found = stored.load_report({**body, field: value})
    except MalformedAsset:
        return
    assert found.schema == "tanba.report/1"


def test_fields_of_a_later_version_do_not_stop_an_older_reader() -> None:
    body = to_plain(verify_bytes(b"plain words", Settings()))
    assert stored.load_report({**body, "from_the_future": {"x": 1}}).verdict == "unmarked"


@pytest.mark.parametrize("size", [33, 1000])
def test_a_flood_of_certificates_is_refused(size: int) -> None:
    with pytest.raises(MalformedAsset):
        paths.load_chain([b"x"] * size)


def test_a_ring_of_authorities_ends() -> None:
    """Two authorities that issued each other: walking from issuer to issuer must end."""
    first, second = test_pki.make_key(), test_pki.make_key()
    names = [test_pki.subject("A", "Ring"), test_pki.subject("B", "Ring")]
    ring = {"ca": True, "ekus": (), "organization": "Ring", "at": NOW}
    a_by_b = test_pki.issue("A", first.public_key(), names[1], second, **ring)
    b_by_a = test_pki.issue("B", second.public_key(), names[0], first, **ring)
    key = test_pki.make_key()
    leaf = test_pki.issue("Leaf", key.public_key(), names[0], first, at=NOW)
    chain = (leaf, *(certificate for _ in range(10) for certificate in (a_by_b, b_by_a)))
    started = datetime.now(UTC)
    assert not paths.find_path(chain, world().store().lists, NOW, accepted_ekus=DEFAULT_EKUS).trusted
    assert datetime.now(UTC) - started < timedelta(seconds=2)


def test_thirty_authorities_that_all_issued_each_other_cost_milliseconds() -> None:
    """One key, one name, thirty certificates: each is a valid issuer of every other."""
    key, name = test_pki.make_key(), test_pki.subject("Same", "Ring")
    same = {"ca": True, "ekus": (), "organization": "Ring", "at": NOW}
    crowd = [test_pki.issue("Same", key.public_key(), name, key, **same) for _ in range(30)]
    leaf = test_pki.issue("Leaf", test_pki.make_key().public_key(), name, key, at=NOW)
    started = datetime.now(UTC)
    assert not paths.find_path((leaf, *crowd), world().store().lists, NOW, accepted_ekus=DEFAULT_EKUS).trusted
    assert datetime.now(UTC) - started < timedelta(seconds=3)


def test_a_chain_is_parsed_once_and_a_huge_one_is_not_kept() -> None:
    leaf, above = world().leaf(at=NOW).certificate, world().intermediate
    chain = [item.public_bytes(Encoding.DER) for item in (leaf, above)]
    assert paths.load_chain(chain)[0] is paths.load_chain([bytes(bytearray(item)) for item in chain])[0]
    huge = [chain[0], b"\0" * (64 << 10)]
    assert paths.load_chain(huge) == (leaf,)
    assert paths.load_chain(huge)[0] is not paths.load_chain(huge)[0]
