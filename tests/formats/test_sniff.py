"""What a file is comes from its bytes; the name only splits text, ZIP documents and TIFF-based raw photographs."""

from __future__ import annotations

import time

import pytest

from tanba.formats.sniff import UNKNOWN, Kind, sniff

NS = b'xmlns="http://www.w3.org/2000/svg"'


def ftyp(major: bytes, *compatible: bytes) -> bytes:
    body = b"ftyp" + major + b"\0\0\0\0" + b"".join(compatible)
    return (len(body) + 4).to_bytes(4) + body + b"\0\0\0\x08free"


BYTES = [
    (b"\xff\xd8\xff\xe0", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"MM\0+\0\x08\0\0", "image/tiff"),
    (b"RIFF\x10\0\0\0WEBPVP8X", "image/webp"),
    (b"RIFF\x10\0\0\0WAVEfmt ", "audio/wav"),
    (b"RIFF\x10\0\0\0AVI LIST", "video/avi"),
    (ftyp(b"avif", b"mif1"), "image/avif"),
    (ftyp(b"mif1", b"avif"), "image/avif"),
    (ftyp(b"heic", b"mif1"), "image/heic"),
    (ftyp(b"mif1", b"heic"), "image/heic"),
    (ftyp(b"mif1"), "image/heif"),
    (ftyp(b"isom", b"mp42"), "video/mp4"),
    (ftyp(b"qt  "), "video/quicktime"),
    (ftyp(b"M4A "), "audio/mp4"),
    (ftyp(b"crx "), "image/x-canon-cr3"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "image/jxl"),
    (b"\xff\x0a\xfa\x1f", "image/jxl"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "image/jp2"),
    (b"ID3\x04\0\0\0\0\0\0\xff\xfb", "audio/mpeg"),
    (b"ID3\x04\0\0\0\0\0\0fLaC", "audio/flac"),
    (b"\xff\xfb\x90\x64\0\0", "audio/mpeg"),
    (b"fLaC\0\0\0\x22", "audio/flac"),
    (b"OggS\0", "audio/ogg"),
    (b"\x1a\x45\xdf\xa3\x93\x42\x82\x88matroska\0", "video/matroska"),
    (b"\x1a\x45\xdf\xa3\x93\x42\x82\x84webm\0", "video/webm"),
    (b"junk\r\n%PDF-1.7\n\0", "application/pdf"),
    (b"<svg " + NS + b"/>", "image/svg+xml"),
    (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- a --><svg " + NS + b">", "image/svg+xml"),
    (b'<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "x" [<!ENTITY a "b">]>\n<svg>', "image/svg+xml"),
    (b"<svg:svg xmlns:svg='http://www.w3.org/2000/svg'>", "image/svg+xml"),
    (b"<p>A picture: <svg><path/></svg></p>", "text/plain"),
    (b"<!-- <svg> --><html><svg/></html>", "text/html"),
    (b"<!doctype html><svg/>", "text/html"),
    (b"<article><svg/></article>", "text/plain"),
    ("Қазақстан".encode(), "text/plain"),
    (b"\0\1\2\3", "application/octet-stream"),
]  # fmt: skip


@pytest.mark.parametrize(("head", "media_type"), BYTES, ids=[f"{i}-{m}" for i, (_, m) in enumerate(BYTES)])
@pytest.mark.parametrize("name", [None, "wrong.bin"])
def test_bytes_decide(head: bytes, media_type: str, name: str | None) -> None:
    assert sniff(head, name=name).media_type == media_type


def test_a_name_never_turns_text_into_a_picture_nor_a_picture_into_text() -> None:
    assert sniff(b"hello", name="a.jpg").kind is Kind.TEXT
    assert sniff(b"\xff\xd8\xff\xe0", name="a.txt").media_type == "image/jpeg"
    assert sniff(b"<p><svg/></p>", name="a.html").media_type == "text/html"
    assert sniff(b"<!--" + b" " * 5000, name="a.svg").media_type == "image/svg+xml"


@pytest.mark.parametrize(
    ("name", "media_type"),
    [("a.jpg", UNKNOWN.media_type), ("a.mp4", UNKNOWN.media_type), ("a.txt", "text/plain"), (None, "text/plain")],
)
def test_an_empty_file_is_text_only_where_its_name_says_so(name: str | None, media_type: str) -> None:
    assert sniff(b"", name=name).media_type == media_type


@pytest.mark.parametrize(
    "part", [b"<!---->", b"<!-- -->", b"<??>", b"<!DOCTYPE a [", b"<!DOCTYPE svg []>", b"<a:", b" ", b"<svg", b"<!--"]
)
def test_no_text_makes_sniffing_slow(part: bytes) -> None:
    started = time.monotonic()
    for tail in (b"", b"x", b"<"):
        sniff((part * 4096)[:4000] + tail)
    assert time.monotonic() - started < 1
