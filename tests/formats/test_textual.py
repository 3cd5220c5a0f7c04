"""Which texts are recognised as what: by name, by interpreter line, and never by letters that look like a magic number."""

from __future__ import annotations

import pytest

from tanba.formats.sniff import Kind, sniff

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"/>'


@pytest.mark.parametrize(
    ("name", "head", "media_type"),
    [
        ("Main.hs", b"main = pure ()\n", "text/x-haskell"),
        ("app.tsx", b"let a\n", "text/x-typescript"),
        ("A.R", b"x <- 1\n", "text/x-r"),
        ("Dockerfile", b"FROM a\n", "text/x-dockerfile"),
        ("Dockerfile.prod", b"FROM a\n", "text/x-dockerfile"),
        ("Makefile", b"a:\n", "text/x-makefile"),
        ("CMakeLists.txt", b"project(a)\n", "text/x-cmake"),
        ("requirements-dev.txt", b"click\n", "text/x-config"),
        (".gitignore", b"*.o\n", "text/x-config"),
        ("notes.txt", b"a\n", "text/plain"),
        ("README", b"a\n", "text/plain"),
        ("run", b"#!/usr/bin/env -S python3.12 -u\n", "text/x-python"),
        ("run", b"#! /bin/sh\n", "application/x-sh"),
        ("run", b"#!/opt/unknown\n", "text/plain"),
        (None, b"#!/usr/local/bin/node\n", "text/javascript"),
        ("a.html", b"<div><svg></svg></div>", "text/html"),
        ("a.md", b"<svg></svg>", "text/markdown"),
        ("a.svg", b"<!-- long -->" + SVG, "image/svg+xml"),
        ("a.xml", b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "b">]>' + SVG, "image/svg+xml"),
        (None, b"<?xml version='1.0'?>\n<!-- a -->\n" + SVG, "image/svg+xml"),
        (None, b"<div>" + SVG, "text/plain"),
        ("a.txt", b"GIF89a is a format", "text/plain"),
        ("a.txt", b"ID3 tags are old", "text/plain"),
        ("a.txt", b"OggS, fLaC and BM are magic words", "text/plain"),
        ("a.txt", b"Files begin with %PDF-1.7 there", "text/plain"),
        ("a.txt", b"%PDF-1.7\n", "application/pdf"),
        ("a.txt", b"GIF89a\1\0\1\0\0\0\0", "image/gif"),
        ("a.txt", b"\xff\xd8\xff\xe0\0\x10JFIF", "image/jpeg"),
    ],
)
def test_a_text_is_what_its_name_or_its_first_line_says(name, head, media_type):
    assert sniff(head, name=name).media_type == media_type


@pytest.mark.parametrize("name", ["Version v1.2", "Mr. Smith goes to town", "3.14", "a.", ".", "", "a/b.c d"])
def test_words_with_a_full_stop_have_no_extension(name):
    found = sniff(b"a\n", name=name)
    assert (found.kind, found.media_type, found.extension) == (Kind.TEXT, "text/plain", ".txt")


@pytest.mark.parametrize(
    "piece",
    [
        b"<!---->",
        b"<??>",
        b"<!DOCTYPE>",
        b"<!DOCTYPE a []>",
        b"<!--",
        b"<?",
        b" ",
        b"<!DOCTYPE [ ]",
        b"#!",
        b"#! env -a ",
    ],
)
def test_prologs_without_end_are_read_in_bounded_time(piece):
    head = (piece * 4096)[:4096]
    assert sniff(head, name=None).kind is Kind.TEXT
    assert sniff(head, name="a.xml").kind is Kind.TEXT
