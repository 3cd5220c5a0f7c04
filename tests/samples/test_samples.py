"""The tracked samples, and a fresh build of them, read as ``samples/expected.toml`` says."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from samples.make_samples import Maker
from tanba.trust import Purpose, TrustList, TrustStore
from verifier import Settings, verify

HOME = Path(__file__).resolve().parents[2] / "samples"
EXPECTED: list[dict[str, Any]] = tomllib.loads((HOME / "expected.toml").read_text("utf-8"))["sample"]


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("samples")
    Maker(folder).run()
    return folder


def check(folder: Path, sample: dict[str, Any]) -> None:
    root = TrustList.from_file("samples", folder / "samples-root.pem", purpose=Purpose.MANIFEST)
    trust = TrustStore((root,)) if sample["trust"] == "samples" else TrustStore.empty()
    report = verify(folder / sample["file"], Settings(trust=trust))
    found = {item.code for item in report.findings}
    assert report.verdict.value == sample["verdict"]
    assert report.answers.integrity.state.value == sample["integrity"]
    assert [report.answers.ai.state.value, report.answers.ai.strength.value] == sample["ai"]
    assert set(sample.get("codes", ())) <= found


def name(sample: dict[str, Any]) -> str:
    return f"{sample['file']}-{sample['trust']}"


@pytest.mark.parametrize("sample", EXPECTED, ids=name)
def test_a_tracked_sample_reads_as_expected(sample: dict[str, Any]) -> None:
    check(HOME / "images", sample)


@pytest.mark.xdist_group("samples")
@pytest.mark.parametrize("sample", EXPECTED, ids=name)
def test_a_freshly_built_sample_reads_as_expected(built: Path, sample: dict[str, Any]) -> None:
    check(built, sample)


def test_every_tracked_sample_has_an_expectation() -> None:
    kept = {path.name for path in (HOME / "images").iterdir()} - {"samples-root.pem", "README.md"}
    named = {sample["file"] for sample in EXPECTED}
    assert {item for item in kept if not item.endswith(".c2pa")} == named
