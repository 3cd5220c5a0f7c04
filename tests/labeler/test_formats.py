"""Every format takes the same road: signed, read back, accepted by an independent engine, history kept."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import Any

import encypher_c2pa
import pytest

from labeler import Labelled
from tanba.asset import Asset
from tanba.engine.read import read
from tanba.errors import UnsupportedFormat
from tanba.model import Carrier
from tests.labeler.conftest import PILLOW_FORMATS, Lab, drawn, made

PICTURES = [(f"a.{name.lower()}", lambda name=name: drawn(name)) for name in PILLOW_FORMATS]
OTHERS = [(name, lambda name=name: made(name)) for name in ("a.svg", "a.wav")]
ZIPPED = [(name, lambda name=name: made(name)) for name in ("a.docx", "a.epub")]


def judged(content: bytes, media_type: str, lab: Lab) -> dict[str, Any]:
    """The independent engine's report, with our root as its only trust."""
    return dict(
        encypher_c2pa.verify(content, media_type, trust_pem=lab.root_pem, no_default_trust=True, telemetry=False)
    )


def failures(report: dict[str, Any]) -> list[str]:
    return [item["code"] for item in report["validation_results"]["failure"]]


@pytest.mark.parametrize(("name", "data"), PICTURES + OTHERS, ids=lambda value: value if isinstance(value, str) else "")
def test_an_independent_engine_accepts_what_we_sign(
    name: str, data: Callable[[], bytes], lab: Lab, labelled: Callable[..., Labelled]
) -> None:
    done = labelled(data(), name)
    assert done.content is not None
    report = judged(done.content, done.receipt.media_type, lab)
    assert (report["integrity"], report["validation_state"], failures(report)) == ("valid", "Trusted", [])
    assert report["manifest_report"]["active_manifest"] == done.receipt.label_id
    assert done.receipt.carrier is Carrier.EMBEDDED


@pytest.mark.parametrize(
    ("name", "data"), PICTURES + OTHERS + ZIPPED, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_label_over_a_label_keeps_every_earlier_one(
    name: str, data: Callable[[], bytes], lab: Lab, labelled: Callable[..., Labelled]
) -> None:
    once = labelled(data(), name)
    twice = labelled(once.content, name)
    thrice = labelled(twice.content, name)
    evidence = read(Asset.from_bytes(thrice.content or b"", name=name), trust=lab.trust)
    assert evidence.state == "Trusted"
    labels = {once.receipt.label_id, twice.receipt.label_id, thrice.receipt.label_id}
    assert set(evidence.report["manifests"]) == labels
    parents = evidence.manifest()["ingredients"]
    assert [(item["relationship"], item["active_manifest"]) for item in parents] == [
        ("parentOf", twice.receipt.label_id)
    ]


@pytest.mark.parametrize(
    ("name", "data"), [("a.bmp", lambda: drawn("BMP")), ("a.zip", lambda: b"PK\x03\x04" + bytes(60))]
)
def test_a_format_without_room_gets_a_sidecar_that_binds_its_bytes(
    name: str, data: Callable[[], bytes], lab: Lab, labelled: Callable[..., Labelled]
) -> None:
    content = data()
    done = labelled(content, name)
    assert done.receipt.carrier is Carrier.SIDECAR
    assert done.content == content
    assert read(Asset.from_bytes(content, name=name), trust=lab.trust, manifest=done.store).state == "Trusted"
    changed = Asset.from_bytes(content[:-1] + b"\x01", name=name)
    assert read(changed, trust=lab.trust, manifest=done.store).state == "Invalid"


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "TIFF", "GIF"])
def test_labelling_does_not_touch_the_pixels(name: str, labelled: Callable[..., Labelled]) -> None:
    import io

    from PIL import Image

    before = drawn(name)
    after = labelled(before, f"a.{name.lower()}").content or b""
    assert (
        Image.open(io.BytesIO(after)).convert("RGB").tobytes()
        == Image.open(io.BytesIO(before)).convert("RGB").tobytes()
    )


def test_a_document_with_compressed_parts_is_told_from_a_damaged_one_and_takes_a_sidecar(
    labelled: Callable[..., Labelled],
) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>" * 9)
        archive.writestr("word/document.xml", "<document/>" * 9)
    with pytest.raises(UnsupportedFormat, match="compressed") as caught:
        labelled(out.getvalue(), "a.docx")
    assert "--carrier sidecar" in (caught.value.hint or "")
    assert labelled(out.getvalue(), "a.docx", carrier=Carrier.SIDECAR).content == out.getvalue()
