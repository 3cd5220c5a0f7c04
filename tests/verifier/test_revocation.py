"""Revocation: stapled answers, online OCSP and CRLs from a local responder, the cache, and what must not count."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp

from tanba import revocation
from tanba.asset import Asset
from tanba.engine.read import Evidence, read
from tanba.net import GuardedClient
from tanba.report import Bucket, RevocationState, Verdict
from tanba.trust import TrustStore
from tests import corpus
from tests import pki as test_pki
from tests.pki import Credential, Pki
from tests.verifier.authorities import serving
from tests.verifier.conftest import labelled
from verifier import Settings, verify
from verifier.checks.revocation import Clients, judge
from verifier.revocation_fetch import CRL_POLICY, OCSP_POLICY

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
GOOD, REVOKED, UNKNOWN = ocsp.OCSPCertStatus.GOOD, ocsp.OCSPCertStatus.REVOKED, ocsp.OCSPCertStatus.UNKNOWN


def answer(
    leaf: x509.Certificate,
    issuer: x509.Certificate,
    responder: x509.Certificate,
    key: Any,
    *,
    status: ocsp.OCSPCertStatus = GOOD,
    this: datetime = NOW - DAY,
    until: datetime | None = NOW + DAY,
    since: datetime | None = None,
    reason: x509.ReasonFlags | None = None,
) -> bytes:
    revoked_at = (since or NOW - 2 * DAY) if status is REVOKED else None
    builder = ocsp.OCSPResponseBuilder().add_response(
        leaf, issuer, hashes.SHA1(), status, this, until, revoked_at, reason if status is REVOKED else None
    )
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, responder)
    if responder != issuer:
        builder = builder.certificates([responder])
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


@dataclass
class Responder:
    """What the local responder says, changed by the tests, and how often it was asked."""

    body: bytes = b""
    crl: bytes = b""
    asked: int = 0


@pytest.fixture
def responder() -> Responder:
    return Responder()


@pytest.fixture
def url(responder: Responder) -> Iterator[str]:
    def reply(path: str, _body: bytes) -> tuple[str, bytes]:
        responder.asked += 1
        if path.endswith(".crl"):
            return "application/pkix-crl", responder.crl
        return "application/ocsp-response", responder.body

    with serving(reply) as base:
        yield base


@pytest.fixture
def leaf(pki: Pki, url: str) -> Credential:
    return pki.leaf(ocsp_url=f"{url}/ocsp")


@pytest.fixture
def evidence(pki: Pki, leaf: Credential) -> Evidence:
    return read(Asset.from_bytes(labelled(leaf.signer())), trust=pki.store())


def clients(url: str) -> Clients:
    """The guard lets the tests' loopback responder through by name, as an operator's exception would."""
    place = url.removeprefix("http://")
    return Clients(GuardedClient(OCSP_POLICY.allowing(place)), GuardedClient(CRL_POLICY.allowing(place)))


def ask(evidence: Evidence, pki: Pki, url: str, **more: Any):
    return judge(evidence, pki.store(), as_of=NOW, network=True, clients=clients(url), **more)


def test_without_network_and_staple_nothing_is_asked_and_that_is_said(
    evidence: Evidence, pki: Pki, responder: Responder
) -> None:
    found, notes = judge(evidence, pki.store(), as_of=NOW)
    assert found.state is RevocationState.NOT_CHECKED
    assert [item.code for item in notes] == ["tanba.revocation.not_asked"]
    assert responder.asked == 0


def test_the_issuer_may_answer_itself(
    evidence: Evidence, leaf: Credential, pki: Pki, responder: Responder, url: str
) -> None:
    responder.body = answer(leaf.certificate, pki.intermediate, pki.intermediate, pki.intermediate_key)
    found, notes = ask(evidence, pki, url)
    assert (found.state, found.source) == (RevocationState.GOOD, "ocsp")
    assert [item.code for item in notes] == ["signingCredential.ocsp.notRevoked"]


def test_a_delegated_responder_may_answer(
    evidence: Evidence, leaf: Credential, pki: Pki, responder: Responder, url: str
) -> None:
    delegate = pki.ocsp()
    responder.body = answer(leaf.certificate, pki.intermediate, delegate.certificate, delegate.key)
    assert ask(evidence, pki, url)[0].state is RevocationState.GOOD


def test_a_revoked_certificate_makes_the_label_invalid_with_date_and_reason(
    evidence: Evidence, leaf: Credential, pki: Pki, responder: Responder, url: str
) -> None:
    responder.body = answer(
        leaf.certificate, pki.intermediate, pki.intermediate, pki.intermediate_key,
        status=REVOKED, since=NOW - 5 * DAY, reason=x509.ReasonFlags.key_compromise,
    )  # fmt: skip
    found, notes = ask(evidence, pki, url)
    assert (found.state, found.since, found.reason) == (RevocationState.REVOKED, NOW - 5 * DAY, "keyCompromise")
    assert [(item.code, item.bucket) for item in notes] == [("tanba.revocation.revoked", Bucket.FAILURE)]


def test_a_revocation_after_a_proved_time_of_signing_does_not_reach_back(
    evidence: Evidence, leaf: Credential, pki: Pki, responder: Responder, url: str
) -> None:
    responder.body = answer(
        leaf.certificate, pki.intermediate, pki.intermediate, pki.intermediate_key, status=REVOKED, since=NOW - DAY
    )
    found, notes = ask(evidence, pki, url, signed_at=NOW - 3 * DAY)
    assert found.state is RevocationState.REVOKED
    assert [(item.code, item.bucket) for item in notes] == [("tanba.revocation.revoked_later", Bucket.INFORMATIONAL)]


def wrong_answers(leaf: Credential, pki: Pki) -> dict[str, bytes]:
    """Answers that must not count, each wrong in one way only."""
    stranger = test_pki.make_pki(name="Stranger")
    other, plain, foreign = pki.leaf(), pki.leaf(), stranger.ocsp()
    issuer, key = pki.intermediate, pki.intermediate_key
    good = answer(leaf.certificate, issuer, issuer, key)
    return {
        "another certificate": answer(other.certificate, issuer, issuer, key),
        "a stranger's signature": answer(leaf.certificate, issuer, stranger.intermediate, stranger.intermediate_key),
        "a leaf without the right to answer": answer(leaf.certificate, issuer, plain.certificate, plain.key),
        "a delegate of another authority": answer(leaf.certificate, issuer, foreign.certificate, foreign.key),
        "an old answer": answer(leaf.certificate, issuer, issuer, key, this=NOW - 9 * DAY, until=NOW - 2 * DAY),
        "an answer from the future": answer(leaf.certificate, issuer, issuer, key, this=NOW + DAY, until=NOW + 2 * DAY),
        "unknown": answer(leaf.certificate, issuer, issuer, key, status=UNKNOWN),
        "a refusal": ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER).public_bytes(
            serialization.Encoding.DER
        ),
        "one flipped bit": good[:-1] + bytes([good[-1] ^ 1]),
        "half an answer": good[: len(good) // 2],
        "a web page": b"<html>captive portal</html>",
        "nothing": b"",
    }


def test_no_wrong_answer_ever_counts_as_good(
    evidence: Evidence, leaf: Credential, pki: Pki, responder: Responder, url: str
) -> None:
    for name, body in wrong_answers(leaf, pki).items():
        responder.body = body
        found, notes = ask(evidence, pki, url)
        assert found.state is RevocationState.UNKNOWN, name
        assert [item.code for item in notes] == ["tanba.revocation.unreachable"], name


def test_a_responder_on_a_private_address_is_never_asked(evidence: Evidence, pki: Pki, responder: Responder) -> None:
    """The certificate is the attacker's: its address must not reach into our network."""
    found, notes = judge(evidence, pki.store(), as_of=NOW, network=True)
    assert found.state is RevocationState.UNKNOWN
    assert notes[0].params["problem"].startswith("tanba.network.")
    assert responder.asked == 0


def test_an_answer_is_cached_until_its_next_update_and_not_a_second_longer(
    evidence: Evidence, leaf: Credential, pki: Pki, responder: Responder, url: str, tmp_path: Path
) -> None:
    responder.body = answer(leaf.certificate, pki.intermediate, pki.intermediate, pki.intermediate_key)
    for _ in range(3):
        assert ask(evidence, pki, url, cache_dir=tmp_path)[0].state is RevocationState.GOOD
    assert responder.asked == 1
    later = NOW + DAY + timedelta(seconds=1)
    judge(evidence, pki.store(), as_of=later, network=True, clients=clients(url), cache_dir=tmp_path)
    assert responder.asked == 2


def test_a_spoiled_cache_is_asked_again_instead_of_believed(
    evidence: Evidence, leaf: Credential, pki: Pki, responder: Responder, url: str, tmp_path: Path
) -> None:
    responder.body = answer(leaf.certificate, pki.intermediate, pki.intermediate, pki.intermediate_key)
    ask(evidence, pki, url, cache_dir=tmp_path)
    (kept,) = (tmp_path / "revocation").iterdir()
    stranger = test_pki.make_pki()
    kept.write_bytes(answer(leaf.certificate, pki.intermediate, stranger.intermediate, stranger.intermediate_key))
    assert ask(evidence, pki, url, cache_dir=tmp_path)[0].state is RevocationState.GOOD
    assert responder.asked == 2


@pytest.mark.parametrize(
    ("status", "moment", "expected"),
    [
        (GOOD, NOW, RevocationState.GOOD),
        (GOOD, NOW + 30 * DAY, RevocationState.UNKNOWN),
        (REVOKED, NOW, RevocationState.REVOKED),
        (REVOKED, NOW + 30 * DAY, RevocationState.REVOKED),
    ],
)
def test_an_old_good_answer_expires_and_a_revocation_never_does(
    pki: Pki, status: ocsp.OCSPCertStatus, moment: datetime, expected: RevocationState
) -> None:
    leaf = pki.leaf()
    data = answer(leaf.certificate, pki.intermediate, pki.intermediate, pki.intermediate_key, status=status)
    assert revocation.read_ocsp(data, leaf.certificate, pki.intermediate, moment).state is expected


def crl(pki: Pki, *revoked: x509.Certificate, key: Any = None, until: datetime = NOW + DAY) -> bytes:
    builder = x509.CertificateRevocationListBuilder().issuer_name(pki.intermediate.subject)
    builder = builder.last_update(min(NOW - DAY, until - DAY)).next_update(until)
    for certificate in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(certificate.serial_number)
        entry = entry.revocation_date(NOW - 3 * DAY)
        entry = entry.add_extension(x509.CRLReason(x509.ReasonFlags.superseded), critical=False)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(key or pki.intermediate_key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def test_a_crl_says_good_revoked_or_nothing_usable(pki: Pki) -> None:
    leaf, other = pki.leaf().certificate, pki.leaf().certificate
    assert revocation.read_crl(crl(pki, other), leaf, pki.intermediate, NOW).state is RevocationState.GOOD
    found = revocation.read_crl(crl(pki, other, leaf), leaf, pki.intermediate, NOW)
    assert (found.state, found.reason, found.since) == (RevocationState.REVOKED, "superseded", NOW - 3 * DAY)
    for wrong in (crl(pki, key=test_pki.make_key()), crl(pki, until=NOW - 2 * DAY), b"", b"-----BEGIN X509 CRL-----"):
        assert revocation.read_crl(wrong, leaf, pki.intermediate, NOW).state is RevocationState.UNKNOWN


def staple(evidence: Evidence, data: bytes) -> Evidence:
    """The same evidence with an OCSP response in a certificate-status assertion."""
    report = dict(evidence.report)
    manifests = {name: dict(value) for name, value in report["manifests"].items()}
    active = manifests[evidence.active or ""]
    import base64

    status = {"label": "c2pa.certificate-status", "data": {"ocspVals": [base64.b64encode(data).decode()]}}
    active["assertions"] = [*active.get("assertions", ()), status]
    return replace(evidence, report={**report, "manifests": manifests})


def test_a_stapled_answer_is_used_without_any_network(
    evidence: Evidence, leaf: Credential, pki: Pki, responder: Responder
) -> None:
    good = answer(leaf.certificate, pki.intermediate, pki.intermediate, pki.intermediate_key)
    found, _ = judge(staple(evidence, good), pki.store(), as_of=NOW)
    assert (found.state, found.source) == (RevocationState.GOOD, "stapled")
    bad = answer(leaf.certificate, pki.intermediate, pki.intermediate, pki.intermediate_key, status=REVOKED)
    assert judge(staple(evidence, bad), pki.store(), as_of=NOW)[0].state is RevocationState.REVOKED
    assert responder.asked == 0


def test_a_stapled_answer_that_proves_nothing_is_called_unknown(evidence: Evidence, leaf: Credential, pki: Pki) -> None:
    for name, body in wrong_answers(leaf, pki).items():
        found, notes = judge(staple(evidence, body), pki.store(), as_of=NOW)
        assert found.state is RevocationState.UNKNOWN, name
        assert [item.code for item in notes] == ["tanba.revocation.staple_unusable"], name


@corpus.needs_corpus
def test_the_real_staples_of_adobe_say_good_at_the_time_of_signing_and_nothing_today() -> None:
    (case,) = [c for c in corpus.cases("media") if c["id"].endswith("car-es-Ps-Cr.jpg")]
    trust = TrustStore((*corpus.trust("interim_list").lists, *corpus.trust("c2pa_list_plus_eku_cfg").lists))
    report = verify(corpus.path(case), Settings(trust=trust))
    assert report.answers.revocation.state is RevocationState.GOOD
    assert report.answers.revocation.source == "stapled"
    evidence = read(Asset.from_path(corpus.path(case)), trust=trust)
    assert judge(evidence, trust, as_of=NOW)[0].state is RevocationState.UNKNOWN


def test_a_revoked_signer_is_an_invalid_label_in_the_report(pki: Pki, monkeypatch: pytest.MonkeyPatch, url: str,
                                                            leaf: Credential, responder: Responder) -> None:  # fmt: skip
    from verifier import revocation_fetch, verify_bytes

    responder.body = answer(leaf.certificate, pki.intermediate, pki.intermediate, pki.intermediate_key, status=REVOKED)
    monkeypatch.setattr(revocation_fetch, "OCSP_POLICY", OCSP_POLICY.allowing(url.removeprefix("http://")))
    data = labelled(leaf.signer())
    assert verify_bytes(data, Settings(trust=pki.store())).verdict is Verdict.TRUSTED
    report = verify_bytes(data, Settings(trust=pki.store(), network=True))
    assert report.verdict is Verdict.INVALID
    assert report.answers.integrity.state == "intact"
    assert report.answers.revocation.state is RevocationState.REVOKED
