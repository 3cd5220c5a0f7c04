"""The tracked sample texts, and a fresh build of them, read as ``samples/texts/expected.toml`` says."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from samples.make_texts import Maker
from tanba.asset import Asset
from tanba.trust import Purpose, TrustList, TrustStore
from verifier.procedure import Settings, verify_asset

HOME = Path(__file__).resolve().parents[2] / "samples" / "texts"
EXPECTED: list[dict[str, Any]] = tomllib.loads((HOME / "expected.toml").read_text("utf-8"))["sample"]


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("texts")
    Maker(folder).run()
    return folder


def check(folder: Path, sample: dict[str, Any]) -> None:
    root = TrustList.from_file("samples", folder / "samples-root.pem", purpose=Purpose.MANIFEST)
    manifest = (folder / sample["manifest"]).read_bytes() if "manifest" in sample else None
    report = verify_asset(
        Asset.from_path(folder / sample["file"]), Settings(trust=TrustStore((root,))), manifest=manifest
    )
    assert report.verdict.value == sample["verdict"]
    assert report.answers.integrity.state.value == sample["integrity"]
    assert set(sample.get("codes", ())) <= {item.code for item in report.findings}


@pytest.mark.parametrize("sample", EXPECTED, ids=[item["file"] for item in EXPECTED])
def test_a_tracked_text_reads_as_expected(sample: dict[str, Any]) -> None:
    check(HOME, sample)


@pytest.mark.xdist_group("texts")
@pytest.mark.parametrize("sample", EXPECTED, ids=[item["file"] for item in EXPECTED])
def test_a_freshly_built_text_reads_as_expected(built: Path, sample: dict[str, Any]) -> None:
    check(built, sample)


def test_every_sample_text_is_expected() -> None:
    named = {item["file"] for item in EXPECTED} | {item["manifest"] for item in EXPECTED if "manifest" in item}
    helpers = {"README.md", "expected.toml", "samples-root.pem", ".gitattributes"}
    assert {file.name for file in HOME.iterdir() if file.is_file()} - helpers == named
