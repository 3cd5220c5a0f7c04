"""The layers beside the signature, judged by exiftool and by the laws' own words; and what profiles ask for."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from labeler import Labelled, load_profiles
from tanba.asset import Asset
from tanba.engine.read import read
from tanba.errors import RequirementUnmet, UsageError
from tanba.model import Disclosure, Involvement
from tests import corpus
from tests.labeler.conftest import Lab, drawn

SAID = Disclosure(
    involvement=Involvement.GENERATED,
    system="ExampleGen",
    system_version="1.2",
    provider="Example-LLP",
    no_training=True,
)
needs_exiftool = pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")


def by_exiftool(content: bytes, suffix: str, folder: Path) -> dict[str, Any]:
    path = folder / f"judged{suffix}"
    path.write_bytes(content)
    done = subprocess.run(["exiftool", "-j", "-G1", "-n", str(path)], capture_output=True, check=True)
    return dict(json.loads(done.stdout)[0])


@needs_exiftool
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "GIF", "AVIF"])
def test_exiftool_reads_the_iptc_fields_under_their_right_names(
    kind: str, tmp_path: Path, labelled: Callable[..., Labelled]
) -> None:
    done = labelled(drawn(kind), f"a.{kind.lower()}", SAID)
    if "iptc" not in done.receipt.layers:
        assert any(item.layer == "iptc" for item in done.plan.impossible) or any(
            "IPTC" in words for words in done.receipt.warnings
        )
        pytest.skip(f"the plan says why there is no XMP in {kind}")
    found = by_exiftool(done.content or b"", f".{kind.lower()}", tmp_path)
    assert (
        found["XMP-iptcExt:DigitalSourceType"]
        == "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
    )
    assert found["XMP-plus:DataMining"] == "http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED"
    names = {name.partition(":")[2] for name in found}
    assert {"AISystemUsed", "AISystemVersionUsed"} <= names


def test_every_layer_is_in_the_file_and_says_the_same(
    photo: bytes, lab: Lab, labelled: Callable[..., Labelled]
) -> None:
    done = labelled(photo, disclosure=SAID, visible=True, profiles=load_profiles(["cn"]))
    assert done.receipt.layers == ("visible", "iptc", "aigc", "c2pa")
    content = done.content or b""
    assert content.count(b"</TC260:AIGC>") == 1
    evidence = read(Asset.from_bytes(content), trust=lab.trust)
    assert evidence.state == "Trusted"
    actions = next(
        item["data"]["actions"] for item in evidence.manifest()["assertions"] if item["label"] == "c2pa.actions.v2"
    )
    assert [item["action"] for item in actions] == ["c2pa.created", "c2pa.addedText", "c2pa.edited.metadata"]


def test_a_visible_mark_changes_the_picture_and_returns_its_alternative_text(
    photo: bytes, labelled: Callable[..., Labelled]
) -> None:
    said = Disclosure(involvement=Involvement.GENERATED, languages=("kk", "ru"))
    done = labelled(photo, disclosure=said, visible=True, placement="bottom-left")
    assert set(done.receipt.alt_text) == {"kk", "ru"}
    before, after = (Image.open(io.BytesIO(item)).convert("L") for item in (photo, done.content or b""))
    width, height = before.size
    corner = (0, height // 2, width // 2, height)
    assert before.crop(corner).histogram() != after.crop(corner).histogram()
    darkest, lightest = after.crop(corner).getextrema()
    assert darkest < 16
    assert lightest > 239


def test_a_synthetic_result_in_kazakhstan_gets_its_warning_without_being_asked(
    photo: bytes, labelled: Callable[..., Labelled]
) -> None:
    said = Disclosure(
        involvement=Involvement.GENERATED, provider="X", synthetic_result=("person_appearance",), languages=()
    )
    done = labelled(photo, disclosure=said, profiles=load_profiles(["kz"]))
    assert "visible" in done.receipt.layers
    assert list(done.receipt.alt_text) == ["kk", "ru"]
    assert "KZ 230-VIII Art. 21(2)" in done.plan.articles


def test_what_a_law_requires_and_nobody_said_is_named_with_its_article(
    photo: bytes, labelled: Callable[..., Labelled]
) -> None:
    with pytest.raises(RequirementUnmet) as refusal:
        labelled(
            photo, disclosure=Disclosure(involvement=Involvement.GENERATED), profiles=load_profiles(["kz", "us-ca"])
        )
    unmet = refusal.value.details["unmet"]
    assert any("KZ 230-VIII Art. 21(3)" in words for words in unmet)
    assert any("22757.3" in words for words in unmet)


def test_the_plan_says_why_a_layer_is_impossible(labelled: Callable[..., Labelled]) -> None:
    done = labelled(drawn("PDF"), "a.pdf", visible=True)
    reasons = {item.layer: item.reason for item in done.plan.impossible}
    assert reasons["visible"]
    assert any(reasons["visible"] in words for words in done.receipt.warnings)


def test_metadata_is_left_alone_on_request(photo: bytes, labelled: Callable[..., Labelled]) -> None:
    done = labelled(photo, metadata=False)
    assert done.receipt.layers == ("c2pa",)
    assert b"AISystemUsed" not in (done.content or b"")


def test_a_human_picture_has_no_wording_for_an_ai_notice(photo: bytes, labelled: Callable[..., Labelled]) -> None:
    with pytest.raises(UsageError):
        labelled(photo, disclosure=Disclosure(involvement=Involvement.HUMAN), visible=True)


@corpus.needs_corpus
@pytest.mark.parametrize(
    "file",
    [
        "TrustNXT__c2pa-ts/trustnxt-icon.heic",
        "contentauth__c2pa-python/C.dng",
        "contentauth__c2pa-rs/sample1.jxl",
        "contentauth__c2pa-rs/legacy.mp4",
        "contentauth__c2pa-rs/C_with_CAWG_data.jpg",
        "microsoft__c2pa-extension-validator/cicadas.mp3",
        "c2pa-org__public-testfiles/adobe-20240110-single_manifest_store.pdf",
        "encypherai__encypher-c2pa/x509-es256-composed-jpeg.jpg",
    ],
)
def test_files_of_others_are_labelled_over_their_own_history(
    file: str, lab: Lab, labelled: Callable[..., Labelled]
) -> None:
    data = (corpus.HOME / "files" / file).read_bytes()
    before = read(Asset.from_bytes(data, name=file), trust=lab.trust)
    done = labelled(data, Path(file).name, Disclosure(involvement=Involvement.MODIFIED))
    after = read(Asset.from_bytes(done.content or b"", name=file), trust=lab.trust)
    assert after.active == done.receipt.label_id
    assert set(before.report.get("manifests", {})) < set(after.report["manifests"])
    assert after.state in ("Trusted", "Valid")
