"""Every text of the corpus gets the state that the text validators gave it; self-signed signers as the profile says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tanba.report import Verdict
from tanba.trust import Purpose, TrustList, TrustStore
from tests import corpus
from verifier import Settings, verify

VERDICTS = {
    "Trusted": Verdict.TRUSTED,
    "Valid": Verdict.VALID,
    "Invalid": Verdict.INVALID,
    "NoManifest": Verdict.UNMARKED,
}

pytestmark = corpus.needs_corpus


@pytest.mark.parametrize("case", corpus.cases("text"), ids=lambda case: case["id"])
def test_a_corpus_text_gets_its_expected_state(case: dict[str, Any]) -> None:
    report = verify(corpus.path(case), Settings(trust=corpus.trust("c2pa_list_plus_eku_cfg")))
    assert report.verdict is VERDICTS[case["expected"]["state_by_trust"]["c2pa_list"]]


def text_of(name: str) -> Path:
    return corpus.HOME / "files" / "text" / name


def test_a_self_signed_signer_is_trusted_once_the_reader_lists_it() -> None:
    own = TrustList.from_file("mine", corpus.HOME / "trust" / "c2patxt-signer.pem", purpose=Purpose.MANIFEST)
    report = verify(text_of("a8-c2patxt-zh.txt"), Settings(trust=TrustStore((own,))))
    assert report.verdict is Verdict.TRUSTED
    assert report.answers.signer.list is not None
    assert report.answers.signer.list.name == "mine"


def test_a_self_signed_signer_is_said_to_vouch_for_itself() -> None:
    report = verify(text_of("a8-c2patxt-en.txt"))
    codes = {item.code for item in report.findings}
    assert "tanba.signer.self_signed" in codes
    assert "signingCredential.invalid" not in codes
    assert report.answers.signer.state == "unknown"


def test_a_self_signed_signer_with_a_usage_that_is_not_accepted_stays_invalid() -> None:
    report = verify(text_of("a8-c2patxt-en.txt"), Settings(trust=TrustStore((), ekus=("1.3.6.1.5.5.7.3.4",))))
    assert report.verdict is Verdict.INVALID
    assert "signingCredential.invalid" in {item.code for item in report.findings}


def test_an_edited_text_of_a_self_signed_signer_stays_invalid() -> None:
    assert verify(text_of("a8-edited-word.txt")).verdict is Verdict.INVALID
