"""Two engines: agreement, every difference of the corpus with both opinions and a cause, no network, no averaging."""

from __future__ import annotations

import importlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tanba.report import Verdict
from tanba.trust import TrustStore
from tests import corpus
from tests.pki import Pki
from tests.verifier.conftest import labelled, png
from verifier import Settings, second, verify, verify_bytes

encypher = pytest.importorskip("encypher_c2pa", reason="the optional extra second-engine is not installed")

KNOWN = {
    "encypher-c2pa:signed_test.mp4": None,
    "c2pa-rs:update_manifest.jpg": "update_manifest",
    "c2pa-rs:cloud.jpg": "remote_manifest",
    "c2pa-rs:signature_mismatch.jpg": "cawg_identity",
    "c2pa-python:CIE-sig-CA.jpg": "ingredient_failure",
    "c2pa-extension-validator:cards_expired_without_timestamp.jpg": "expired_certificate",
    "c2pa-extension-validator:cicadas_trusted.mp3": "format_support",
    "c2pa-rs:legacy.mp4": "binding_support",
    "c2pa-rs:C.jpg": "pss_chain",
    "example-assets:car-es-Ps-Cr.jpg": "timestamp_authority",
}
"""Read by hand from both engines' codes (peers.md A4 names the same causes)."""


def all_lists() -> TrustStore:
    profiles = ("c2pa_list_plus_eku_cfg", "interim_list", "test_roots")
    return TrustStore(tuple(item for name in profiles for item in corpus.trust(name).lists))


MOMENTS = (None, datetime(2026, 11, 23, tzinfo=UTC))
"""Now, and the day on which the corpus was read: naming a moment must not hide why engines differ."""


@corpus.needs_corpus
@pytest.mark.parametrize("as_of", MOMENTS, ids=("now", "as-of"))
@pytest.mark.parametrize("case", corpus.cases(), ids=lambda case: case["id"])
def test_where_the_engines_differ_both_opinions_and_a_cause_are_shown(
    case: dict[str, Any], as_of: datetime | None
) -> None:
    report = verify(corpus.path(case), Settings(trust=all_lists(), second_engine=True, as_of=as_of))
    plain = verify(corpus.path(case), Settings(trust=all_lists(), as_of=as_of))
    found = report.second_opinion
    assert found is not None
    assert found["error"] is None
    assert report.verdict is plain.verdict, "a second opinion never changes the verdict"
    states = {"Trusted": "trusted", "Valid": "valid", "Invalid": "invalid", "absent": "unmarked"}
    differs = report.verdict.value != states.get(found["state"], "unchecked")
    if report.verdict is Verdict.UNCHECKED and found["state"] == "absent":
        differs = False  # neither could read it
    assert found["agrees"] is not differs
    for row in found["differences"]:
        assert row["ours"] != row["theirs"]
        assert row["cause_code"] in second.CAUSES
        assert row["cause_code"] != "unexplained"
    if case["id"] in KNOWN:
        causes = {row["cause_code"] for row in found["differences"]}
        assert causes == ({KNOWN[case["id"]]} if KNOWN[case["id"]] else set())


def test_a_label_of_ours_gets_the_same_answers_from_both_engines(pki: Pki) -> None:
    report = verify_bytes(labelled(pki.leaf().signer()), Settings(trust=pki.store(), second_engine=True))
    assert report.verdict is Verdict.TRUSTED
    assert report.second_opinion is not None
    assert report.second_opinion["state"] == "Trusted"
    assert report.second_opinion["agrees"] is True


def test_both_engines_say_invalid_of_a_tampered_picture_and_nothing_of_a_plain_one(pki: Pki) -> None:
    broken = bytearray(labelled(pki.leaf().signer()))
    broken[broken.rindex(b"IDAT") + 6] ^= 1
    for data, state in ((bytes(broken), "Invalid"), (png(), "absent")):
        opinion = verify_bytes(data, Settings(trust=pki.store(), second_engine=True)).second_opinion
        assert opinion is not None
        assert (opinion["state"], opinion["agrees"]) == (state, True)


def test_the_second_engine_gets_no_network_no_telemetry_and_only_the_users_lists(pki: Pki) -> None:
    report = verify_bytes(png(), Settings(trust=pki.store()))
    options = json.loads(second._options(report, pki.store()))
    assert options["online"] is False
    assert options["telemetry"]["enabled"] is False
    assert options["no_default_trust"] is True
    assert options["trust_pem"] == pki.root_pem.decode()


def test_without_the_extra_the_report_says_so_and_is_otherwise_the_same(
    pki: Pki, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = importlib.import_module

    def missing(name: str, *args: Any) -> Any:
        if name == "encypher_c2pa":
            raise ImportError(name)
        return real(name, *args)

    monkeypatch.setattr(importlib, "import_module", missing)
    report = verify_bytes(png(), Settings(trust=pki.store(), second_engine=True))
    assert report.verdict is Verdict.UNMARKED
    assert report.second_opinion is not None
    assert report.second_opinion["agrees"] is None
    assert "second-engine" in report.second_opinion["error"]
