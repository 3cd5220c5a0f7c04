"""The two JSON documents that users script against hold what docs/contracts.md promises, in its order."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tanba.i18n import sentence
from tests.pictures import PHOTO

TANBA = Path(sys.executable).with_name("tanba")

REPORT = [
    "schema",
    "asset",
    "verdict",
    "answers",
    "layers",
    "history",
    "findings",
    "recoveries",
    "policy",
    "basis",
    "note",
]
ANSWERS = {
    "integrity": {"state", "codes"},
    "signer": {"state", "name", "organization", "serial", "fingerprint", "list"},
    "time": {"state", "signed_at", "source", "authority", "as_of"},
    "revocation": {"state", "since", "reason"},
    "ai": {"state", "strength", "statements"},
}
PARTS = {
    "layers": {"kind", "state"},
    "history": {"title", "actions", "software", "digital_source_type", "ingredients", "state"},
    "findings": {"code", "bucket", "layer", "subject", "text"},
}
BASIS = {"tanba", "engines", "trust_lists", "as_of", "network", "checked_at"}
RECEIPT = [
    "schema",
    "label_id",
    "input_sha256",
    "output_sha256",
    "manifest_sha256",
    "media_type",
    "carrier",
    "profile",
    "layers",
    "identity",
    "claimed_at",
    "timestamp",
    "bindings",
    "log",
    "output",
]


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, Any]]:
    desk = tmp_path_factory.mktemp("desk")
    environment = {"TANBA_HOME": str(desk / "home"), "PATH": "/usr/bin:/bin"}

    def run(*words: str | Path) -> dict[str, Any]:
        done = subprocess.run([TANBA, *words, "--json"], cwd=desk, env=environment, capture_output=True, check=True)
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    receipt = run("label", PHOTO, "-o", "labelled.jpg", "--as", "generated", "--system", "ExampleGen")
    return run("verify", "labelled.jpg"), receipt


def in_order(wanted: list[str], found: dict[str, Any]) -> list[str]:
    return [name for name in found if name in wanted]


def test_the_report_has_the_promised_fields_in_the_promised_order(documents: Any) -> None:
    report, _ = documents
    assert in_order(REPORT, report) == REPORT
    assert report["schema"] == "tanba.report/1"
    assert {"name", "sha256", "size", "media_type"} <= set(report["asset"])
    assert set(report["basis"]) >= BASIS
    assert {"name", "date", "sha256"} <= set(report["basis"]["trust_lists"][0])


@pytest.mark.parametrize("answer", sorted(ANSWERS))
def test_each_of_the_five_answers_has_its_promised_fields(documents: Any, answer: str) -> None:
    report, _ = documents
    assert list(report["answers"]) == list(ANSWERS)
    assert ANSWERS[answer] <= set(report["answers"][answer])


@pytest.mark.parametrize("part", sorted(PARTS))
def test_every_item_of_a_list_has_its_promised_fields(documents: Any, part: str) -> None:
    report, _ = documents
    assert report[part]
    assert all(PARTS[part] <= set(item) for item in report[part])


def test_the_note_is_a_sentence_about_what_the_verdict_does_not_tell(documents: Any) -> None:
    report, _ = documents
    assert report["verdict"] == "trusted"
    assert report["note"] == sentence("verdict-trusted.note", "en")
    assert "does not make the content true" in report["note"]


def test_the_receipt_has_the_promised_fields_in_the_promised_order(documents: Any) -> None:
    _, receipt = documents
    assert in_order(RECEIPT, receipt) == RECEIPT
    assert receipt["schema"] == "tanba.receipt/1"
    assert set(receipt["identity"]) == {"name", "fingerprint"}


def test_a_reader_of_a_report_is_not_troubled_by_fields_it_does_not_know(documents: Any) -> None:
    from tanba.stored import load_report

    report, _ = documents
    assert dataclasses.is_dataclass(load_report({**report, "added_in_2031": {"by": "a later version"}}))
