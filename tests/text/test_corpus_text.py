"""Every text case of the shared corpus has the integrity that two other engines agree on."""

from __future__ import annotations

import pytest

from tanba.asset import Asset
from tanba.report import Bucket, IntegrityState, Verdict
from tests import corpus
from verifier.procedure import Settings, verify_asset

CASES = corpus.cases("text")
STATES = {"intact": IntegrityState.INTACT, "broken": IntegrityState.BROKEN, "none": IntegrityState.ABSENT}
SAME_CODES = {
    "text:a8-edited-space.txt": "assertion.dataHash.malformed",
    "text:a8-edited-word.txt": "assertion.dataHash.malformed",
    "text:a8-nfd-of-decomposed.txt": "assertion.dataHash.malformed",
    "text:a8-double-wrapper.txt": "assertion.dataHash.mismatch",
}
"""Codes that the corpus gives for c2patxt, which follows 15.12.1.3.1 as we do."""


@corpus.needs_corpus
@pytest.mark.parametrize("case", CASES, ids=[item["id"] for item in CASES])
def test_a_text_of_the_corpus_has_its_expected_integrity(case):
    report = verify_asset(Asset.from_path(corpus.path(case)), Settings())
    assert report.answers.integrity.state is STATES[case["expected"]["integrity"]]
    if not case["expected"]["has_manifest"]:
        assert report.verdict is Verdict.UNMARKED
    code = SAME_CODES.get(case["id"])
    assert code is None or code in case["expected"]["failure_codes"]
    failures = {item.code for item in report.findings if item.bucket is Bucket.FAILURE}
    assert code is None or code in failures
    if "double" in case["id"]:
        assert "manifest.text.multipleWrappers" in failures
