"""The files of other people's test suites: read in bounded time, written without a changed picture, signed afterwards."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from tanba.asset import Asset
from tanba.engine.read import read
from tanba.engine.write import sign
from tanba.errors import MetadataNotWritable
from tanba.formats.metadata import read_metadata, write_metadata
from tanba.formats.xmp import not_writable
from tanba.model import Disclosure, Involvement
from tests.corpus import cases, needs_corpus, path
from tests.formats.test_containers import CREATED
from tests.pki import make_pki

LABEL = Disclosure(involvement=Involvement.GENERATED, system="ExampleGen", provider="ACME-KZ")
FILES = [path(case) for case in cases("media")]
OPEN_WITH_PILLOW = (".jpg", ".png")


@needs_corpus
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_real_file_takes_the_disclosure_and_keeps_its_picture(file: Path) -> None:
    asset = Asset.from_path(file)
    read_metadata(asset)
    if not_writable(asset.format):
        return
    data = asset.read()
    if file.suffix == ".jxl" and b"brob" in data:
        with pytest.raises(MetadataNotWritable, match="Brotli"):
            write_metadata(data, asset.format, LABEL, content_id="1")
        return
    made = write_metadata(data, asset.format, LABEL, content_id="1", with_aigc=True)
    again = read_metadata(Asset.from_bytes(made.data, name=file.name))
    assert {item.value for item in again.statements} >= {"ExampleGen", "Label 1 (is), ContentProducer ACME-KZ"}
    if file.suffix in OPEN_WITH_PILLOW:
        with Image.open(io.BytesIO(data)) as before, Image.open(io.BytesIO(made.data)) as after:
            assert before.tobytes() == after.tobytes()


@needs_corpus
@pytest.mark.parametrize(
    "file", [file for file in FILES if file.suffix in (".heic", ".dng", ".svg")], ids=lambda file: file.name
)
def test_the_metadata_of_formats_that_pillow_cannot_write_survives_the_signature(file: Path) -> None:
    asset = Asset.from_path(file)
    data = write_metadata(asset.read(), asset.format, LABEL, content_id="1").data
    pki, out = make_pki(), io.BytesIO()
    sign(io.BytesIO(data), asset.format.media_type, CREATED, pki.leaf().signer(), out)
    made = Asset.from_bytes(out.getvalue(), name=file.name)
    assert read(made, trust=pki.store()).state == "Trusted"
    assert "ExampleGen" in {item.value for item in read_metadata(made).statements}
