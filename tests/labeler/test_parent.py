"""An existing label is kept, refused, or kept loudly; it is never silently replaced."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from labeler import Labelled
from tanba.asset import Asset
from tanba.engine.read import read
from tanba.errors import AlreadyLabelled, UsageError
from tanba.model import Disclosure, Involvement
from tests import corpus
from tests.labeler.conftest import Lab, drawn

MODIFIED = Disclosure(involvement=Involvement.MODIFIED, system="Inpainter")


def tampered(content: bytes) -> bytes:
    changed = bytearray(content)
    changed[-20] ^= 0x55
    return bytes(changed)


def test_a_tampered_parent_is_refused(photo: bytes, labelled: Callable[..., Labelled]) -> None:
    with pytest.raises(AlreadyLabelled, match=r"assertion\.dataHash\.mismatch"):
        labelled(tampered(labelled(photo).content or b""))


def test_a_tampered_parent_is_kept_when_the_caller_insists_and_the_label_says_so(
    photo: bytes, lab: Lab, labelled: Callable[..., Labelled]
) -> None:
    first = labelled(photo)
    done = labelled(tampered(first.content or b""), disclosure=MODIFIED, accept_tampered_parent=True)
    evidence = read(Asset.from_bytes(done.content or b""), trust=lab.trust)
    assert evidence.state == "Trusted"
    own = next(item["data"] for item in evidence.manifest()["assertions"] if item["label"] == "org.tanba.disclosure")
    assert own["parent_problem"] == ["assertion.dataHash.mismatch"]
    recorded = evidence.manifest()["ingredients"][0]["validation_results"]["activeManifest"]["failure"]
    assert "assertion.dataHash.mismatch" in [item["code"] for item in recorded]
    assert any("assertion.dataHash.mismatch" in words for words in done.receipt.warnings)


def test_a_named_original_becomes_the_parent(photo: bytes, lab: Lab, labelled: Callable[..., Labelled]) -> None:
    done = labelled(drawn("JPEG"), disclosure=MODIFIED, parent=Asset.from_bytes(photo, name="original.jpg"))
    manifest = read(Asset.from_bytes(done.content or b""), trust=lab.trust).manifest()
    assert [(item["title"], item["relationship"]) for item in manifest["ingredients"]] == [("original.jpg", "parentOf")]


def test_a_labelled_input_and_a_named_original_contradict(photo: bytes, labelled: Callable[..., Labelled]) -> None:
    first = labelled(photo)
    with pytest.raises(UsageError, match="already"):
        labelled(first.content, parent=Asset.from_bytes(photo, name="original.jpg"))


def test_calling_an_ai_picture_human_warns_and_keeps_what_was_said(
    photo: bytes, lab: Lab, labelled: Callable[..., Labelled]
) -> None:
    generated = labelled(photo)
    done = labelled(generated.content, disclosure=Disclosure(involvement=Involvement.HUMAN))
    assert any("AI made or changed it" in words for words in done.receipt.warnings)
    assert (
        generated.receipt.label_id in read(Asset.from_bytes(done.content or b""), trust=lab.trust).report["manifests"]
    )


@corpus.needs_corpus
@pytest.mark.parametrize(
    ("file", "code"),
    [
        ("contentauth__c2pa-rs/cloud.jpg", "tanba.label.parent_remote"),
        ("contentauth__c2pa-rs/prerelease.jpg", "tanba.label.parent_unsupported"),
        ("contentauth__c2pa-rs/E-sig-CA.jpg", "tanba.label.parent_refused"),
        ("c2pa-org__public-testfiles/adobe-20220124-XCA.jpg", "tanba.label.parent_refused"),
    ],
)
def test_a_foreign_label_that_cannot_be_kept_is_refused(
    file: str, code: str, labelled: Callable[..., Labelled]
) -> None:
    data = (corpus.HOME / "files" / file).read_bytes()
    with pytest.raises(AlreadyLabelled) as refusal:
        labelled(data)
    assert refusal.value.code == code


@corpus.needs_corpus
def test_a_foreign_label_that_is_intact_becomes_history(lab: Lab, labelled: Callable[..., Labelled]) -> None:
    data = (corpus.HOME / "files" / "c2pa-org__public-testfiles" / "adobe-20220124-CA.jpg").read_bytes()
    before = read(Asset.from_bytes(data), trust=lab.trust)
    after = read(Asset.from_bytes(labelled(data, disclosure=MODIFIED).content or b""), trust=lab.trust)
    assert after.state in ("Trusted", "Valid")
    assert set(before.report["manifests"]) < set(after.report["manifests"])


def test_metadata_that_says_ai_is_kept_and_the_contradiction_is_told(
    photo: bytes, labelled: Callable[..., Labelled]
) -> None:
    from tanba.formats.metadata import write_metadata
    from tests.labeler.conftest import GENERATED

    asset = Asset.from_bytes(photo)
    marked = write_metadata(photo, asset.format, GENERATED, content_id="x").data
    done = labelled(marked, disclosure=Disclosure(involvement=Involvement.HUMAN))
    assert any("trainedAlgorithmicMedia" in words for words in done.receipt.warnings)
