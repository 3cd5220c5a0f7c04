"""Documents with compressed parts are re-stored exactly, within limits, or refused with a reason."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tanba.errors import AssetTooLarge, InputError, MalformedAsset, UnsupportedFormat
from tanba.formats import zipped
from tanba.formats.sniff import PDF, sniff
from tanba.limits import Limits

PARTS = {
    "mimetype": b"application/epub+zip",
    "META-INF/container.xml": b"<container/>" * 50,
    "OEBPS/": b"",
    "OEBPS/\u049b\u0430\u0437\u0430\u049b.xhtml": b"<html/>" * 900,
}


def archive(parts: dict[str, bytes] = PARTS, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as target:
        for index, (name, content) in enumerate(parts.items()):
            info = zipfile.ZipInfo(name, (2020 + index % 9, 2, 28 - index % 9, 23, 59, 58))
            info.compress_type = zipfile.ZIP_STORED if name == "mimetype" else method
            info.external_attr = index % 9 << 16
            info.extra = b"\x99\x99\x02\x00ab"
            info.comment = b"part %d" % (index % 9)
            target.writestr(info, content)
        target.comment = b"whole"
    return out.getvalue()


def opened(data: bytes) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(data))


def test_storing_keeps_every_part_its_name_order_date_attributes_and_comment() -> None:
    before, after = opened(archive()), opened(zipped.stored(archive()) or b"")
    assert after.testzip() is None
    assert {item.filename: after.read(item) for item in after.infolist()} == PARTS
    assert [item.filename for item in after.infolist()] == list(PARTS)
    assert {item.compress_type for item in after.infolist()} == {zipfile.ZIP_STORED}
    assert [item.extra for item in after.infolist()] == [b""] * len(PARTS)
    for name in ("date_time", "external_attr", "create_system", "comment", "CRC"):
        assert [getattr(item, name) for item in after.infolist()] == [getattr(item, name) for item in before.infolist()]
    assert after.comment == b"whole"


def test_an_epub_still_begins_with_its_media_type_at_byte_38() -> None:
    """EPUB OCF 3.3 section 4.2.2: readers look for the string at that place."""
    data = zipped.stored(archive()) or b""
    assert data[30:58] == b"mimetypeapplication/epub+zip"
    assert sniff(data).media_type == "application/epub+zip"


def test_a_name_in_utf_8_without_its_flag_keeps_its_bytes() -> None:
    name = "OEBPS/\u049b.xhtml".encode()
    data = archive({"mimetype": b"application/epub+zip", "OEBPS/" + "z" * (len(name) - 12) + ".xhtml": b"<html/>" * 99})
    data = data.replace(b"OEBPS/" + b"z" * (len(name) - 12) + b".xhtml", name)
    assert opened(zipped.stored(data) or b"").namelist()[1] == name.decode()


def test_a_document_that_is_stored_already_is_left_as_it_is() -> None:
    assert zipped.stored(archive(method=zipfile.ZIP_STORED)) is None


def patched(data: bytes, at: int, value: bytes) -> bytes:
    """The second entry of the central directory with other bytes at an offset (APPNOTE.TXT 4.3.12)."""
    entry = data.index(b"PK\x01\x02", data.index(b"PK\x01\x02") + 4)
    return data[: entry + at] + value + data[entry + at + len(value) :]


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        (patched(archive(), 8, b"\x01\0"), UnsupportedFormat, "encrypted"),
        (archive(method=zipfile.ZIP_BZIP2), UnsupportedFormat, "another method"),
        (patched(archive(), 6, b"\xff\0"), UnsupportedFormat, "newer reader"),
        (patched(archive(), 24, (1 << 30).to_bytes(4, "little")), AssetTooLarge, "unpack to 1,0"),
        (patched(archive(), 24, (601).to_bytes(4, "little")), MalformedAsset, "damaged"),
        (patched(archive(), 16, bytes(4)), MalformedAsset, "damaged"),
        (archive()[:-30], MalformedAsset, "damaged"),
        (archive({"a/b": b"1" * 99, "a/c": b"2" * 99}).replace(b"a/c", b"a/b"), MalformedAsset, "same name"),
        (archive({"a/b": b"1" * 99, "a/c": b"2" * 99}).replace(b"a/c", b"a\0c"), MalformedAsset, "same name"),
        (archive({f"{n}": b"" for n in range(20_001)}), AssetTooLarge, "20,000 parts"),
        (archive() + b"PK\x01\x02" * 40_000, AssetTooLarge, "20,000 parts"),
        (archive({"a": bytes(70 << 20)}), AssetTooLarge, "unpack to 73,400,320"),
    ],
)
def test_what_cannot_be_stored_exactly_is_refused_with_a_reason(
    data: bytes, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        zipped.stored(data)


def test_the_limit_on_assets_holds_for_what_comes_out() -> None:
    with pytest.raises(AssetTooLarge, match="unpack to"):
        zipped.stored(archive(), Limits(asset_bytes=4096))


def test_only_documents_in_zip_files_are_meant() -> None:
    assert zipped.is_zipped(sniff(archive()))
    assert not zipped.is_zipped(PDF)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_damaged_archive_gives_a_typed_error_or_the_same_parts(data: st.DataObject) -> None:
    content = bytearray(archive())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        made = zipped.stored(bytes(content))
    except InputError:
        return
    if made is not None:
        assert opened(made).testzip() is None
