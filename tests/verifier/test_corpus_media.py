"""Every media file of the corpus gets the integrity and, with each trust list, the state that two engines gave it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tanba.report import IntegrityState, Verdict
from tests import corpus
from verifier import Settings, verify
from verifier.render.words import words

PROFILES = ("c2pa_list_plus_eku_cfg", "interim_list", "test_roots")

VERDICTS = {
    "Trusted": {Verdict.TRUSTED},
    "Valid": {Verdict.VALID},
    "Invalid": {Verdict.INVALID},
    "NoManifest": {Verdict.UNMARKED},
    "RemoteNotFetched": {Verdict.UNCHECKED},
    "Error": {Verdict.UNCHECKED, Verdict.INVALID},
}
INTEGRITY = {
    "intact": {IntegrityState.INTACT},
    "broken": {IntegrityState.BROKEN},
    "spec_violation": {IntegrityState.BROKEN},
    "malformed": {IntegrityState.BROKEN, IntegrityState.NOT_EVALUATED},
    "none": {IntegrityState.ABSENT},
    "not_evaluated": {IntegrityState.NOT_EVALUATED},
    "needs_companion": {IntegrityState.NOT_EVALUATED},
}

pytestmark = corpus.needs_corpus


MADE = datetime(2026, 11, 23, 23, 59, 59, tzinfo=UTC)
"""The day on which the expected states were read: they must hold now and, for good, as of that day."""


@pytest.mark.parametrize("as_of", [None, MADE], ids=("now", "as-of"))
@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("case", corpus.cases("media"), ids=lambda case: case["id"])
def test_a_corpus_file_gets_its_expected_state_and_integrity(
    case: dict[str, Any], profile: str, as_of: datetime | None
) -> None:
    report = verify(corpus.path(case), Settings(trust=corpus.trust(profile), as_of=as_of))
    expected = case["expected"]
    assert report.verdict in VERDICTS[expected["state_by_trust"][profile]]
    assert report.answers.integrity.state in INTEGRITY[expected["integrity"]]
    newest = [node.state for node in report.history]
    intact = "trusted" if report.answers.signer.state == "trusted" else "valid"
    assert newest in ([], [intact if report.verdict in (Verdict.TRUSTED, Verdict.VALID) else "invalid"])
    if report.answers.signer.state == "trusted":
        assert "vouches for that name" not in words(report, "en").sentence, "the sentence contradicts the answers"


@pytest.mark.parametrize(
    "case", [c for c in corpus.cases("media") if c["expected"].get("ai_declared")], ids=lambda case: case["id"]
)
def test_ai_is_found_where_a_signed_label_declares_it(case: dict[str, Any]) -> None:
    answer = verify(corpus.path(case), Settings(trust=corpus.trust("c2pa_list_plus_eku_cfg"))).answers.ai
    assert answer.state in {"generated", "modified", "composite"}
    assert answer.strength == "signed"


@pytest.mark.parametrize(
    "case",
    [c for c in corpus.cases("media") if c["expected"]["state_by_trust"].get("test_roots") == "RemoteNotFetched"],
    ids=lambda case: case["id"],
)
def test_a_remote_only_manifest_is_reported_with_its_address_and_never_fetched(case: dict[str, Any]) -> None:
    report = verify(corpus.path(case))
    remote = [item for item in report.findings if item.code == "tanba.c2pa.remote_only"]
    assert report.verdict is Verdict.UNCHECKED
    assert remote[0].params["url"].startswith("http")


def test_every_failure_code_of_the_engine_is_kept_verbatim() -> None:
    for case in corpus.cases("media"):
        expected = set(case["expected"].get("failure_codes") or ())
        if case["expected"]["integrity"] != "broken" or not expected:
            continue
        codes = {item.code for item in verify(corpus.path(case)).findings}
        assert expected <= codes, case["id"]
