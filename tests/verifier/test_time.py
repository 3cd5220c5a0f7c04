"""The question of time: what it rests on, expiry, time stamps of every kind, and other moments."""

from __future__ import annotations

import subprocess
import time as clock
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from keys.tsa import LocalTsa
from tanba import jumbf, timestamps
from tanba import x509 as paths
from tanba.asset import Asset
from tanba.engine.read import EvidenceStatus, read
from tanba.report import Bucket, SignerState, TimeState, Verdict, VerificationReport
from tanba.trust import DEFAULT_EKUS, Purpose, TrustStore
from tests import corpus
from tests import pki as test_pki
from tests.pki import Credential, Pki
from tests.verifier.authorities import authority
from tests.verifier.conftest import labelled
from tests.verifier.test_corpus_media import INTEGRITY, PROFILES, VERDICTS
from verifier import Settings, verify, verify_bytes

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def tsa_pki() -> Pki:
    return test_pki.make_pki(name="Clock")


@pytest.fixture(scope="module")
def tsa(tsa_pki: Pki) -> LocalTsa:
    made = tsa_pki.tsa(starts=-400 * DAY, ends=400 * DAY)
    return LocalTsa((*made.chain, tsa_pki.root), made.key)


@pytest.fixture(scope="module")
def store(pki: Pki, tsa_pki: Pki) -> TrustStore:
    return pki.store(tsa_pki.trust_list("clocks", Purpose.TSA))


@pytest.fixture(scope="module")
def brief(pki: Pki, tsa: LocalTsa) -> dict[str, bytes]:
    """Two labels by a certificate that has expired since: one time stamped, one not."""
    leaf = pki.leaf(starts=-10 * DAY, ends=timedelta(seconds=4), at=datetime.now(UTC).replace(microsecond=0))
    with authority(tsa) as url:
        made = {"plain": labelled(leaf.signer()), "stamped": labelled(leaf.signer(), timestamp_url=url)}
    wait = (leaf.certificate.not_valid_after_utc - datetime.now(UTC)).total_seconds() + 1.1
    clock.sleep(max(0.0, wait))
    return made


def report(data: bytes, trust: TrustStore, **settings: Any) -> VerificationReport:
    return verify_bytes(data, Settings(trust=trust, **settings))


def own(found: VerificationReport) -> set[str]:
    return {item.code.removeprefix("tanba.time.") for item in found.findings if item.code.startswith("tanba.time.")}


def test_expired_without_a_time_stamp_is_a_sentence_of_its_own_and_not_a_broken_label(
    brief: dict[str, bytes], store: TrustStore
) -> None:
    found = report(brief["plain"], store)
    assert found.answers.time.state is TimeState.EXPIRED
    assert found.answers.integrity.state == "intact"
    assert {"expired_unknown_when", "expired_without_timestamp"} & own(found)
    assert "signingCredential.expired" in {item.code for item in found.findings}
    assert not any(item.code.startswith("tanba.") and item.bucket is Bucket.FAILURE for item in found.findings)


def test_the_same_file_as_of_a_day_before_expiry_is_trusted_by_the_same_list(
    brief: dict[str, bytes], store: TrustStore
) -> None:
    found = report(brief["plain"], store, as_of=NOW - DAY)
    assert found.verdict is Verdict.TRUSTED
    assert found.answers.signer.state is SignerState.TRUSTED
    assert found.answers.signer.list is not None
    assert found.answers.signer.list.name == "test"
    assert found.answers.time.as_of == NOW - DAY
    assert "as_of" in own(found)


def test_a_time_stamp_keeps_a_label_trusted_after_its_certificate_expired(
    brief: dict[str, bytes], store: TrustStore
) -> None:
    found = report(brief["stamped"], store)
    assert found.verdict is Verdict.TRUSTED
    assert found.answers.time.state is TimeState.TIMESTAMPED
    assert found.answers.time.source == "rfc3161"
    assert found.answers.time.authority is not None
    assert found.answers.time.authority["list"]["name"] == "clocks"
    assert found.answers.time.authority["name"] == "Test TSA"


def test_the_same_stamp_helps_nobody_who_has_no_list_for_its_authority(brief: dict[str, bytes], pki: Pki) -> None:
    found = report(brief["stamped"], pki.store())
    assert found.verdict is Verdict.INVALID
    assert found.answers.time.state is TimeState.EXPIRED
    assert "authority_unknown" in own(found)


def test_as_of_years_later_a_stamped_label_is_still_trusted_and_a_plain_one_is_not(
    brief: dict[str, bytes], store: TrustStore
) -> None:
    later = NOW + 3 * 365 * DAY
    assert report(brief["stamped"], store, as_of=later).verdict is Verdict.TRUSTED
    assert report(brief["plain"], store, as_of=later).verdict is Verdict.INVALID


def test_as_of_a_day_before_the_time_stamp_the_label_did_not_exist(brief: dict[str, bytes], store: TrustStore) -> None:
    found = report(brief["stamped"], store, as_of=NOW - DAY)
    assert found.answers.time.state is TimeState.NOT_YET_VALID
    assert "signed_after_as_of" in own(found)


def test_as_of_a_day_before_the_certificate_began_the_label_is_not_valid_yet(
    brief: dict[str, bytes], store: TrustStore
) -> None:
    found = report(brief["plain"], store, as_of=NOW - 20 * DAY)
    assert found.verdict is Verdict.INVALID
    assert found.answers.time.state is TimeState.NOT_YET_VALID
    assert "claimSignature.outsideValidity" in {item.code for item in found.findings}


def test_a_broken_label_stays_broken_at_every_moment(brief: dict[str, bytes], store: TrustStore) -> None:
    broken = bytearray(brief["plain"])
    broken[broken.rindex(b"IDAT") + 6] ^= 1
    for moment in (None, NOW - DAY, NOW + DAY):
        found = report(bytes(broken), store, as_of=moment)
        assert found.verdict is Verdict.INVALID
        assert found.answers.integrity.state == "broken"


def test_a_time_stamp_from_the_future_is_refused_although_the_engine_trusts_it(
    pki: Pki, tsa: LocalTsa, store: TrustStore
) -> None:
    with authority(tsa, gen_time=NOW + 20 * DAY) as url:
        data = labelled(pki.leaf().signer(), timestamp_url=url)
    assert read(Asset.from_bytes(data), trust=store).state == "Trusted"
    found = report(data, store)
    assert found.verdict is Verdict.INVALID
    assert "future_timestamp" in own(found)
    assert found.answers.time.state is not TimeState.TIMESTAMPED


def test_clocks_that_differ_by_a_minute_are_no_future(pki: Pki, tsa: LocalTsa, store: TrustStore) -> None:
    with authority(tsa, gen_time=datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=1)) as url:
        data = labelled(pki.leaf().signer(), timestamp_url=url)
    assert report(data, store).verdict is Verdict.TRUSTED


def test_the_time_of_a_token_is_gentime_even_where_the_engine_prefers_the_signing_time_attribute(
    pki: Pki, tsa: LocalTsa, store: TrustStore
) -> None:
    attribute = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    with authority(tsa, gen_time=attribute + timedelta(minutes=59), signing_time=attribute) as url:
        data = labelled(pki.leaf(starts=-DAY).signer(), timestamp_url=url)
    engine = read(Asset.from_bytes(data), trust=store)
    assert engine.manifest()["signature_info"]["time"].startswith(attribute.strftime("%Y-%m-%dT%H:%M:%S"))
    found = report(data, store)
    assert found.answers.time.signed_at == attribute + timedelta(minutes=59)
    assert "signing_time_differs" in own(found)
    assert found.verdict is Verdict.TRUSTED


def test_without_a_token_the_time_is_called_a_claim_or_is_absent(pki: Pki, store: TrustStore) -> None:
    found = report(labelled(pki.leaf().signer()), store)
    assert found.answers.time.source in (None, "claim")
    assert found.answers.time.state in (TimeState.CLAIMED, TimeState.ABSENT)
    assert found.answers.time.authority is None


@corpus.needs_corpus
def test_a_legacy_stamp_that_the_engine_trusts_without_any_list_is_named_as_such() -> None:
    (case,) = [c for c in corpus.cases("media") if c["id"].endswith("cards_expired_with_untrusted_timestamp.jpg")]
    found = verify(corpus.path(case), Settings())
    assert "timeStamp.trusted" in {item.code for item in found.findings}
    assert "legacy_authority" in own(found)
    assert found.answers.time.state is TimeState.CLAIMED
    assert found.answers.time.authority is not None
    assert found.answers.time.authority["name"] == "Certum Timestamp 2023"
    assert found.answers.time.authority["list"] is None


@corpus.needs_corpus
@pytest.mark.parametrize("profile", PROFILES)
def test_the_corpus_as_of_a_fixed_day_gets_the_states_that_the_engine_gave_it_on_that_day(profile: str) -> None:
    """Our own evaluation of chains, against the engine's, file by file: an independent check of both."""
    wrong = {}
    for case in corpus.cases("media"):
        settings = Settings(trust=corpus.trust(profile), as_of=datetime(2026, 11, 23, 12, tzinfo=UTC))
        found = verify(corpus.path(case), settings)
        expected = case["expected"]
        if (
            found.verdict not in VERDICTS[expected["state_by_trust"][profile]]
            or found.answers.integrity.state not in INTEGRITY[expected["integrity"]]
        ):
            wrong[case["id"]] = (found.verdict, expected["state_by_trust"][profile])
    assert wrong == {}


@corpus.needs_corpus
def test_every_token_of_the_corpus_is_read_and_its_signature_holds() -> None:
    count = 0
    for case in corpus.cases("media"):
        evidence = read(Asset.from_path(corpus.path(case)), trust=TrustStore.empty())
        if evidence.status is not EvidenceStatus.FOUND or evidence.store is None:
            continue
        for data in jumbf.cose(evidence.store, evidence.active).timestamp_tokens:
            token = timestamps.read_token(data)
            assert token.gen_time.tzinfo is not None
            assert token.gen_time.year in range(2022, 2027)
            if case["id"] == "c2pa-cpp:C_with_CAWG_data.jpg":
                continue  # DigiCert put underscores into a PrintableString: cryptography refuses the certificate
            assert timestamps.signature_holds(data, token.digest), case["id"]
            assert not timestamps.signature_holds(data, b"\0" * len(token.digest))
            count += 1
    assert count > 25


def chain(credential: Credential) -> tuple[x509.Certificate, ...]:
    return credential.chain


CASES: tuple[tuple[str, dict[str, Any], timedelta, bool], ...] = (
    ("good", {}, timedelta(0), True),
    ("after the end", {}, 100 * DAY, False),
    ("before the beginning", {}, -DAY, False),
    ("the last second", {"ends": 10 * DAY}, 10 * DAY, True),
    ("ca as leaf", {"ca": True, "key_usage": ("digital_signature", "key_cert_sign")}, timedelta(0), False),
    ("unknown critical extension", {"unknown_critical": True}, timedelta(0), False),
)


@pytest.mark.parametrize(("name", "changes", "shift", "expected"), CASES, ids=[case[0] for case in CASES])
def test_the_path_to_a_list_agrees_with_openssl(
    pki: Pki, tmp_path: Path, name: str, changes: dict[str, Any], shift: timedelta, expected: bool
) -> None:
    leaf = pki.leaf(at=NOW, **changes)
    moment = NOW + shift
    found = paths.find_path(chain(leaf), pki.store().lists, moment, accepted_ekus=DEFAULT_EKUS)
    assert found.trusted is expected
    if name in ("ca as leaf", "the last second"):
        return  # openssl leaves the profile's rule about leaves to the caller, and RFC 5280 4.1.2.5 says "inclusive"
    assert openssl_verifies(tmp_path, leaf.certificate, pki.intermediate, pki.root, moment) is expected


def openssl_verifies(
    folder: Path, leaf: x509.Certificate, intermediate: x509.Certificate, root: x509.Certificate, moment: datetime
) -> bool:
    for name, certificate in (("leaf", leaf), ("intermediate", intermediate), ("root", root)):
        (folder / f"{name}.pem").write_bytes(test_pki.pem(certificate))
    command = ["openssl", "verify", "-attime", str(int(moment.timestamp())), "-CAfile", "root.pem",
               "-untrusted", "intermediate.pem", "leaf.pem"]  # fmt: skip
    return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("algorithm", ["es256", "es384", "es512", "ps256", "ed25519"])
def test_chains_of_every_algorithm_lead_to_their_root_and_to_no_other(algorithm: str) -> None:
    own_pki, other = test_pki.make_pki(algorithm), test_pki.make_pki(algorithm)
    leaf = own_pki.leaf(at=NOW)
    assert paths.find_path(chain(leaf), own_pki.store().lists, NOW, accepted_ekus=DEFAULT_EKUS).trusted
    assert not paths.find_path(chain(leaf), other.store().lists, NOW, accepted_ekus=DEFAULT_EKUS).trusted


@pytest.mark.parametrize(
    ("ekus", "accepted", "expected"),
    [
        (("1.3.6.1.4.1.62558.2.1",), DEFAULT_EKUS, True),
        (("1.3.6.1.5.5.7.3.4",), DEFAULT_EKUS, True),
        (("1.3.6.1.5.5.7.3.1",), DEFAULT_EKUS, False),
        (("2.5.29.37.0",), DEFAULT_EKUS, False),
        (("1.2.3.4.5",), ("1.2.3.4.5",), True),
        ((), DEFAULT_EKUS, False),
    ],
)
def test_only_accepted_key_usages_count(
    pki: Pki, ekus: tuple[str, ...], accepted: tuple[str, ...], expected: bool
) -> None:
    leaf = pki.leaf(at=NOW, ekus=ekus)
    assert paths.find_path(chain(leaf), pki.store().lists, NOW, accepted_ekus=accepted).trusted is expected


def test_an_intermediate_that_may_not_issue_leads_nowhere(pki: Pki) -> None:
    """A leaf used as an issuer: the classic forgery that basic constraints stop."""
    middle = pki.leaf(at=NOW, common_name="Not an authority")
    key = test_pki.make_key()
    forged = test_pki.issue("Forged", key.public_key(), middle.certificate.subject, middle.key, at=NOW)
    found = paths.find_path((forged, *middle.chain), pki.store().lists, NOW, accepted_ekus=DEFAULT_EKUS)
    assert not found.trusted
    assert found.reason == "not_a_ca"


def test_an_allowed_end_entity_is_trusted_without_any_anchor(pki: Pki) -> None:
    leaf = pki.leaf(at=NOW)
    item = replace(pki.trust_list("publishers"), anchors_pem="", allowed_pem=test_pki.pem(leaf.certificate).decode())
    found = paths.find_path(chain(leaf), (item,), NOW, accepted_ekus=DEFAULT_EKUS)
    assert found.trusted
    assert found.certificates == (leaf.certificate,)
    other = pki.leaf(at=NOW)
    assert not paths.find_path(chain(other), (item,), NOW, accepted_ekus=DEFAULT_EKUS).trusted
