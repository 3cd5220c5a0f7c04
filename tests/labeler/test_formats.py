"""Every format takes the same road: signed, read back, accepted by an independent engine, history kept."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import Any

import encypher_c2pa
import pytest
from lxml import etree

from labeler import Labelled
from tanba.asset import Asset
from tanba.engine.read import EvidenceStatus, read
from tanba.errors import AlreadyLabelled
from tanba.formats.containers.boxes import top_level
from tanba.formats.sniff import JXL
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


XML = b'<?xml version="1.0"?><root xmlns="urn:example">\xd2\x9b</root>'
DOCUMENTS = {
    "a.docx": ("[Content_Types].xml", "_rels/.rels", "word/document.xml", "_xmlsignatures/sig1.xml"),
    "a.xlsx": ("[Content_Types].xml", "_rels/.rels", "xl/workbook.xml", "xl/worksheets/sheet1.xml"),
    "a.pptx": ("[Content_Types].xml", "_rels/.rels", "ppt/presentation.xml"),
    "a.epub": ("mimetype", "META-INF/container.xml", "OEBPS/content.opf"),
    "a.odt": ("mimetype", "content.xml", "META-INF/manifest.xml"),
}
MIMETYPES = {"a.epub": b"application/epub+zip", "a.odt": b"application/vnd.oasis.opendocument.text"}


def document(name: str) -> bytes:
    """A document as programs write it: parts deflated, ``mimetype`` first and stored."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in DOCUMENTS[name]:
            content = MIMETYPES[name] if part == "mimetype" else XML + b"\n" * 500
            archive.writestr(part, content, zipfile.ZIP_STORED if part == "mimetype" else zipfile.ZIP_DEFLATED)
    return out.getvalue()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_with_compressed_parts_is_labelled_inside_and_keeps_every_part(
    name: str, lab: Lab, labelled: Callable[..., Labelled]
) -> None:
    before = document(name)
    done = labelled(before, name)
    assert done.receipt.carrier is Carrier.EMBEDDED
    assert any(f"{len(before):,} bytes became" in words for words in done.receipt.warnings)
    assert read(Asset.from_bytes(done.content or b"", name=name), trust=lab.trust).state == "Trusted"
    old, new = (zipfile.ZipFile(io.BytesIO(data)) for data in (before, done.content or b""))
    assert new.testzip() is None
    assert new.namelist()[: len(DOCUMENTS[name])] == list(DOCUMENTS[name])
    assert all(new.read(part) == old.read(part) for part in DOCUMENTS[name])
    assert all(etree.fromstring(new.read(part)).tag for part in DOCUMENTS[name] if part != "mimetype")
    tampered = (done.content or b"").replace(XML, XML.replace(b"example", b"exampel"), 1)
    assert read(Asset.from_bytes(tampered, name=name), trust=lab.trust).state == "Invalid"


def test_a_sidecar_leaves_the_parts_of_a_document_compressed(labelled: Callable[..., Labelled]) -> None:
    content = document("a.docx")
    assert labelled(content, "a.docx", carrier=Carrier.SIDECAR).content == content


def test_a_labelled_document_saved_again_by_its_program_can_be_insisted_on(
    lab: Lab, labelled: Callable[..., Labelled]
) -> None:
    old = zipfile.ZipFile(io.BytesIO(labelled(document("a.docx"), "a.docx").content or b""))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in old.infolist():
            kept = zipfile.ZIP_STORED if part.filename.endswith(".c2pa") else zipfile.ZIP_DEFLATED
            archive.writestr(part.filename, old.read(part), kept)
    with pytest.raises(AlreadyLabelled, match="collectionHash"):
        labelled(out.getvalue(), "a.docx")
    again = labelled(out.getvalue(), "a.docx", accept_tampered_parent=True)
    evidence = read(Asset.from_bytes(again.content or b"", name="a.docx"), trust=lab.trust)
    assert evidence.manifest()["ingredients"][0]["relationship"] == "parentOf"
    assert zipfile.ZipFile(io.BytesIO(again.content or b"")).namelist().count("META-INF/content_credential.c2pa") == 1


CODESTREAM = b"\xff\x0a" + bytes(range(251))


def test_a_bare_jpeg_xl_codestream_is_labelled_in_the_container_unchanged(
    lab: Lab, labelled: Callable[..., Labelled]
) -> None:
    done = labelled(CODESTREAM, "a.jxl")
    made = Asset.from_bytes(done.content or b"", name="a.jxl")
    assert (made.format, done.receipt.carrier, done.receipt.layers) == (JXL, Carrier.EMBEDDED, ("iptc", "c2pa"))
    assert any("codestream" in words for words in done.receipt.warnings)
    assert read(made, trust=lab.trust).state == "Trusted"
    with made.open() as stream:
        boxes = {box.kind: made.read()[box.body : box.end] for box in top_level(stream)}
    assert boxes[b"jxlc"] == CODESTREAM
    # ISO/IEC 18181-2: signature box, then ftyp with brand "jxl ", minor version 0, compatible with "jxl ".
    assert list(boxes)[:2] == [b"JXL ", b"ftyp"]
    assert boxes[b"ftyp"] == b"jxl \0\0\0\0jxl "
    report = judged(made.read(), "image/jxl", lab)
    assert (report["integrity"], report["validation_state"]) == ("valid", "Trusted")


def test_a_bare_jpeg_xl_codestream_holds_no_label_takes_a_sidecar_and_may_be_the_original(
    lab: Lab, labelled: Callable[..., Labelled]
) -> None:
    bare = Asset.from_bytes(CODESTREAM, name="a.jxl")
    assert read(bare, trust=lab.trust).status is EvidenceStatus.ABSENT
    beside = labelled(CODESTREAM, "a.jxl", carrier=Carrier.SIDECAR)
    assert (beside.content, beside.receipt.layers) == (CODESTREAM, ("c2pa",))
    assert read(bare, trust=lab.trust, manifest=beside.store).state == "Trusted"
    edited = labelled(drawn("PNG"), "a.png", parent=bare)
    parents = read(Asset.from_bytes(edited.content or b""), trust=lab.trust).manifest()["ingredients"]
    assert [(item["title"], item["relationship"]) for item in parents] == [("a.jxl", "parentOf")]
