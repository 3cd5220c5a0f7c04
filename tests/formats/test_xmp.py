"""XMP: what is written is read, what was there stays, every other byte stays, hostile packets are refused."""

from __future__ import annotations

import hashlib
import io
import subprocess
import tracemalloc
from pathlib import Path

import pytest
from PIL import Image

from tanba.errors import MalformedAsset, MetadataNotWritable, UsageError
from tanba.formats.containers import Blocks, jpeg
from tanba.formats.sniff import GIF, JPEG, JXL_BARE, MP4, PDF, PLAIN, PNG, TIFF, WEBP
from tanba.formats.xmp import DC, IPTC_EXT, XMP, XMP_NOTE, merge, not_writable, parse, read_xmp, write_xmp
from tests.formats.files import PILLOW, WRITABLE, asset, exiftool, format_of, needs_exiftool, picture, pixels

SYSTEM = (IPTC_EXT, "AISystemUsed")
EXISTING = (
    b"""<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Another Editor 1.0"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="5">
<dc:creator><rdf:Seq><rdf:li>A. Photographer</rdf:li><rdf:li>B. Editor</rdf:li></rdf:Seq></dc:creator>
<my:thing xmlns:my="http://example.org/my/" rdf:parseType="Resource"><my:deep>kept</my:deep></my:thing>
</rdf:Description></rdf:RDF></x:xmpmeta>
"""
    + b" " * 2000
    + b'<?xpacket end="w"?>'
)


@pytest.mark.parametrize("extension", WRITABLE)
def test_what_is_written_is_read_again(extension: str) -> None:
    data = picture(extension)
    out = write_xmp(data, format_of(data, extension), {SYSTEM: "Алматы <&> \U0001f5fb"})
    xmp = read_xmp(asset(out, extension))
    assert xmp is not None
    assert xmp.values(*SYSTEM) == ("Алматы <&> \U0001f5fb",)
    assert format_of(out, extension) == format_of(data, extension)


@pytest.mark.parametrize("extension", WRITABLE)
def test_a_second_write_replaces_its_own_value_and_keeps_one_packet(extension: str) -> None:
    data = picture(extension)
    once = write_xmp(data, format_of(data, extension), {SYSTEM: "one", (XMP, "CreatorTool"): "tool"})
    twice = write_xmp(once, format_of(data, extension), {SYSTEM: "two"})
    xmp = read_xmp(asset(twice, extension))
    assert xmp is not None
    assert xmp.values(*SYSTEM) == ("two",)
    assert xmp.values(XMP, "CreatorTool") == ("tool",)


@pytest.mark.parametrize("extension", PILLOW)
def test_no_pixel_changes(extension: str) -> None:
    data = picture(extension)
    out = write_xmp(data, format_of(data, extension), {SYSTEM: "x" * 3001})
    assert pixels(out) == pixels(data)


@pytest.mark.parametrize("extension", ["jpg", "png", "svg", "jxl"])
def test_the_written_file_is_the_old_one_with_one_piece_put_in(extension: str) -> None:
    data = picture(extension)
    out = write_xmp(data, format_of(data, extension), {SYSTEM: "x"})
    more = len(out) - len(data)
    start = next(at for at in range(len(data) + 1) if data[:at] == out[:at] and data[at:] == out[at + more :])
    assert 0 < start <= len(data)


def test_a_tiff_keeps_every_byte_but_the_pointer_to_its_first_directory() -> None:
    data = picture("tif")
    out = write_xmp(data, TIFF, {SYSTEM: "x"})
    assert (out[:4], out[8 : len(data)]) == (data[:4], data[8:])


@pytest.mark.parametrize("options", [{"big_tiff": True}, {"compression": "tiff_lzw"}], ids=["BigTIFF", "LZW"])
def test_other_tiffs_take_xmp_too(options: dict[str, object]) -> None:
    data = picture("tif", **options)
    out = write_xmp(data, TIFF, {SYSTEM: "x"})
    assert pixels(out) == pixels(data)
    xmp = read_xmp(asset(out, "tif"))
    assert xmp is not None
    assert xmp.first(*SYSTEM) == "x"


def test_a_big_endian_tiff_takes_xmp() -> None:
    strip = bytes(range(16))
    entries = [(256, 4, 1, 4 << 16), (257, 3, 1, 4 << 16), (258, 3, 1, 8 << 16), (259, 3, 1, 1 << 16), (262, 3, 1, 1 << 16),
               (273, 4, 1, 8), (278, 3, 1, 4 << 16), (279, 4, 1, 16)]  # fmt: skip
    entries[0] = (256, 3, 1, 4 << 16)
    table = b"".join(
        tag.to_bytes(2) + kind.to_bytes(2) + n.to_bytes(4) + value.to_bytes(4) for tag, kind, n, value in entries
    )
    data = b"MM\0*" + (24).to_bytes(4) + strip + len(entries).to_bytes(2) + table + bytes(4)
    out = write_xmp(data, TIFF, {SYSTEM: "x"})
    assert Image.open(io.BytesIO(out)).convert("L").tobytes() == strip
    xmp = read_xmp(asset(out, "tif"))
    assert xmp is not None
    assert xmp.first(*SYSTEM) == "x"


@pytest.mark.parametrize(("lossless", "alpha"), [(True, True), (True, False), (False, True), (False, False)])
def test_a_simple_webp_gets_the_extended_header_with_its_real_size_and_alpha(lossless: bool, alpha: bool) -> None:
    out = io.BytesIO()
    Image.new("RGBA" if alpha else "RGB", (301, 77), (1, 2, 3, 99) if alpha else (1, 2, 3)).save(
        out, "WEBP", lossless=lossless
    )
    written = write_xmp(out.getvalue(), WEBP, {SYSTEM: "x"})
    assert written[12:16] == b"VP8X"
    assert int.from_bytes(written[4:8], "little") + 8 == len(written)
    with Image.open(io.BytesIO(written)) as image:
        assert (image.size, image.mode) == ((301, 77), "RGBA" if alpha else "RGB")
    assert pixels(written) == pixels(out.getvalue())


def test_an_animated_webp_keeps_its_frames() -> None:
    out = io.BytesIO()
    frames = [Image.new("RGB", (20, 20), (i * 40, 0, 0)) for i in range(4)]
    frames[0].save(out, "WEBP", save_all=True, append_images=frames[1:], duration=100)
    with Image.open(io.BytesIO(write_xmp(out.getvalue(), WEBP, {SYSTEM: "x"}))) as image:
        assert image.n_frames == 4


def test_a_gif87a_becomes_a_gif89a_and_an_animation_keeps_its_frames() -> None:
    out = io.BytesIO()
    frames = [Image.new("L", (20, 20), i * 40) for i in range(4)]
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=100)
    with Image.open(io.BytesIO(write_xmp(out.getvalue(), GIF, {SYSTEM: "x"}))) as image:
        assert image.n_frames == 4
    old = b"GIF87a" + out.getvalue()[6:]
    assert write_xmp(old, GIF, {SYSTEM: "x"}).startswith(b"GIF89a")


def test_an_avif_sequence_keeps_its_frames() -> None:
    out = io.BytesIO()
    frames = [Image.new("RGB", (64, 64), (i * 60, 90, 200 - i * 30)) for i in range(4)]
    frames[0].save(out, "AVIF", save_all=True, append_images=frames[1:], duration=100)
    written = write_xmp(out.getvalue(), format_of(out.getvalue(), "avif"), {SYSTEM: "x"})
    for number in range(4):
        with Image.open(io.BytesIO(out.getvalue())) as before, Image.open(io.BytesIO(written)) as after:
            before.seek(number)
            after.seek(number)
            assert before.tobytes() == after.tobytes()


def test_properties_of_other_editors_survive() -> None:
    xmp = parse(merge(EXISTING, {SYSTEM: "x", (DC, "creator"): None}))
    assert xmp.first(XMP, "Rating") == "5"
    assert xmp.values(DC, "creator") == ()
    kept = merge(EXISTING, {SYSTEM: "x"})
    assert parse(kept).values(DC, "creator") == ("A. Photographer", "B. Editor")
    assert b"<my:deep>kept</my:deep>" in kept
    assert b'x:xmptk="Another Editor 1.0"' in kept


@needs_exiftool
@pytest.mark.parametrize("extension", ["jpg", "png", "tif", "gif", "webp"])
def test_files_of_exiftool_are_read_and_keep_their_properties(extension: str, tmp_path: Path) -> None:
    path = tmp_path / f"x.{extension}"
    path.write_bytes(picture(extension))
    fields = ["-XMP-dc:Title=Тау", "-XMP-dc:Creator=A", "-XMP-photoshop:Credit=Agency"]
    subprocess.run(["exiftool", "-overwrite_original", *fields, str(path)], check=True, capture_output=True)
    data = path.read_bytes()
    before = read_xmp(asset(data, extension))
    assert before is not None
    assert before.values(DC, "title") == ("Тау",)
    path.write_bytes(write_xmp(data, format_of(data, extension), {SYSTEM: "x"}))
    tags = exiftool([path])[path.name]
    assert (tags["XMP-dc:Title"], tags["XMP-dc:Creator"], tags["XMP-photoshop:Credit"]) == ("Тау", ["A"], "Agency")
    assert tags["XMP-iptcExt:AISystemUsed"] == "x"


def extended_jpeg(extended: bytes) -> bytes:
    """A JPEG with ExtendedXMP as in XMP part 3, 1.1.3.1, in two segments."""
    guid = hashlib.md5(extended).hexdigest().upper().encode()
    note = b' xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmpNote:HasExtendedXMP="' + guid + b'"'
    main = EXISTING.replace(b' xmp:Rating="5"', b' xmp:Rating="5"' + note)
    half = len(extended) // 2
    segments = [jpeg.XMP_ID + main]
    for at, part in ((half, extended[half:]), (0, extended[:half])):
        segments.append(jpeg.EXTENDED_ID + guid + len(extended).to_bytes(4) + at.to_bytes(4) + part)
    data = picture("jpg")
    return data[:2] + b"".join(b"\xff\xe1" + (len(s) + 2).to_bytes(2) + s for s in segments) + data[2:]


def _packet(body: str) -> bytes:
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="">{body}</rdf:Description></rdf:RDF></x:xmpmeta>'
    ).encode()


def test_extended_xmp_is_joined_and_kept() -> None:
    extended = _packet('<d:depth xmlns:d="http://example.org/depth/">' + "A" * 50_000 + "</d:depth>")
    data = extended_jpeg(extended)
    out = write_xmp(data, JPEG, {SYSTEM: "x"})
    xmp = read_xmp(asset(out, "jpg"))
    assert xmp is not None
    assert xmp.first("http://example.org/depth/", "depth") == "A" * 4096
    assert xmp.first(*SYSTEM) == "x"
    assert extended[: len(extended) // 2] in out


def test_a_property_in_extended_xmp_gives_way_to_the_new_value() -> None:
    body = f'<i:AISystemUsed xmlns:i="{IPTC_EXT}">old</i:AISystemUsed><d:d xmlns:d="http://example.org/">kept</d:d>'
    out = write_xmp(extended_jpeg(_packet(body)), JPEG, {SYSTEM: "new"})
    xmp = read_xmp(asset(out, "jpg"))
    assert xmp is not None
    assert xmp.values(*SYSTEM) == ("new",)
    assert xmp.values("http://example.org/", "d") == ("kept",)
    blocks = Blocks()
    jpeg.read(io.BytesIO(out), blocks)
    assert blocks.xmp_extended is not None
    assert xmp.first(XMP_NOTE, "HasExtendedXMP") == hashlib.md5(blocks.xmp_extended).hexdigest().upper()


HOSTILE = {
    "entities": b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>',
    "external": b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>',
    "broken": b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><oops>",
    "not utf-8": b"<x>\xff\xfe\xfa</x>",
    "empty": b"",
    "nonsense": b"\0\1\2\3",
}


@pytest.mark.parametrize("packet", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_packet_is_malformed_to_read_and_left_alone_to_write(packet: bytes) -> None:
    with pytest.raises(MalformedAsset):
        parse(packet)
    data = jpeg.write(picture("jpg"), packet)
    with pytest.raises(MetadataNotWritable):
        write_xmp(data, JPEG, {SYSTEM: "x"})


def test_a_value_that_xml_cannot_carry_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="control characters"):
        merge(None, {SYSTEM: "a\x00b"})


def test_a_packet_larger_than_a_jpeg_segment_is_refused_and_not_cut() -> None:
    with pytest.raises(MetadataNotWritable, match="segment"):
        write_xmp(picture("jpg"), JPEG, {SYSTEM: "x" * 70_000})


def test_formats_without_a_place_for_xmp_say_why() -> None:
    for kind in (MP4, PDF, PLAIN, JXL_BARE):
        assert not_writable(kind)
        with pytest.raises(MetadataNotWritable):
            write_xmp(b"", kind, {SYSTEM: "x"})
    assert not_writable(PNG) is None


def test_a_large_jpeg_costs_one_copy() -> None:
    data = picture("jpg") + bytes(40 << 20)
    tracemalloc.start()
    try:
        out = write_xmp(data, JPEG, {SYSTEM: "x"})
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(out) > len(data)
    assert peak < 1.1 * len(data)


def test_an_svg_with_metadata_of_its_own_takes_the_packet_in_there() -> None:
    data = b'<svg xmlns="http://www.w3.org/2000/svg"><metadata><a xmlns="urn:a"/></metadata><!-- c --><path/></svg>'
    out = write_xmp(data, format_of(data, "svg"), {SYSTEM: "x"})
    assert out.count(b"<metadata>") == 1
    assert out.replace(out[out.index(b"<x:xmpmeta") : out.index(b"</x:xmpmeta>") + 12], b"") == data


SVG_REFUSED = {
    "entities": b'<!DOCTYPE svg [<!ENTITY e "x">]><svg xmlns="http://www.w3.org/2000/svg"><path/></svg>',
    "utf-16": '<svg xmlns="http://www.w3.org/2000/svg"><path/></svg>'.encode("utf-16"),
    "latin-1": b'<?xml version="1.0" encoding="iso-8859-1"?><svg xmlns="http://www.w3.org/2000/svg"><path/></svg>',
    "empty": b'<svg xmlns="http://www.w3.org/2000/svg"/>',
}


@pytest.mark.parametrize("data", SVG_REFUSED.values(), ids=SVG_REFUSED)
def test_an_svg_that_cannot_be_spliced_safely_is_refused(data: bytes) -> None:
    from tanba.formats.sniff import SVG

    with pytest.raises(MetadataNotWritable):
        write_xmp(data, SVG, {SYSTEM: "x"})
