"""A.9: block placement per host syntax, codes of section A.9.5, strictness about what stands on the block's line."""

from __future__ import annotations

import ast
import base64
import configparser
import tomllib

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, Token

from tanba.formats import textual
from tanba.model import Carrier
from tanba.report import Verdict
from tanba.text import comments, structured
from tanba.text.choose import choose, comment_frame

BLOCK = "-----BEGIN C2PA MANIFEST----- {} -----END C2PA MANIFEST-----"
DATA = "data:application/c2pa;base64," + base64.b64encode(b"store").decode()


@pytest.mark.parametrize(
    ("media_type", "content", "opening", "last"),
    [
        ("text/markdown", "# A\n", "<!-- -----BEGIN", False),
        ("text/markdown", "---\na: 1\n---\n# A\n", "<!-- -----BEGIN", True),
        ("text/markdown", "+++\na = 1\n+++\n", "<!-- -----BEGIN", True),
        ("application/yaml", "a: 1\n", "# -----BEGIN", False),
        ("application/yaml", "%YAML 1.2\n---\na: 1\n", "# -----BEGIN", True),
        ("application/toml", "a = 1\n", "# -----BEGIN", False),
        ("application/xml", "<a/>\n", "<?c2pa -----BEGIN", False),
        ("application/xml", "<?xml version='1.0'?>\n<a/>\n", "<?c2pa -----BEGIN", True),
        ("text/x-python", "x = 1\n", "# -----BEGIN", False),
        ("text/x-python", "#!/usr/bin/env python3\nx = 1\n", "# -----BEGIN", True),
        ("text/x-python", "# -*- coding: latin-1 -*-\nx = 1\n", "# -----BEGIN", True),
        ("text/x-python", "\n# vim: set fileencoding=utf-8 :\nx = 1\n", "# -----BEGIN", True),
        ("text/javascript", "let x;\n", "/*! -----BEGIN", False),
        ("text/css", "a{}\n", "/*! -----BEGIN", False),
        ("text/css", '@charset "utf-8";\na{}\n', "/*! -----BEGIN", True),
        ("application/x-sh", "#!/bin/sh\n:\n", "# -----BEGIN", True),
        ("text/x-rust", "#![allow(dead_code)]\n", "// -----BEGIN", False),
        ("text/x-go", "package a\n", "// -----BEGIN", True),
        ("text/x-go", "// Package a adds.\n// Twice.\npackage a\n", "// -----BEGIN", True),
        ("text/x-go", "//go:build linux\n\npackage a\n", "// -----BEGIN", False),
        ("text/x-java", "class A {}\n", "// -----BEGIN", False),
        ("text/x-c", "int a;\n", "/* -----BEGIN", False),
        ("application/sql", "select 1;\n", "-- -----BEGIN", False),
        ("application/x-tex", "\\a\n", "% -----BEGIN", False),
        ("text/x-ini", "[a]\n", "; -----BEGIN", False),
        ("text/x-rst", "A\n", ".. -----BEGIN", True),
        ("text/vtt", "WEBVTT\n\n00:00.000 --> 00:01.000\nA\n", "NOTE -----BEGIN", True),
        ("application/yaml", "---\na: 1\n---\nb: 2\n", "# -----BEGIN", False),
        ("text/mdx", "import A from 'a'\n\n# B\n", "{/* -----BEGIN", False),
        ("text/x-scss", "a { b: c }\n", "// -----BEGIN", False),
        ("text/javascript", "/**\n * @jest-environment jsdom\n */\ntest()\n", "/*! -----BEGIN", True),
        ("text/javascript", "/** Adds. */\nadd()\n", "/*! -----BEGIN", False),
        ("text/x-dockerfile", "# syntax=docker/dockerfile:1\nFROM a\n", "# -----BEGIN", True),
        ("text/x-dockerfile", "FROM a\n", "# -----BEGIN", False),
        ("text/x-swift", "// swift-tools-version:5.9\n", "// -----BEGIN", True),
        ("text/x-lisp", ";;; a -*- lexical-binding: t -*-\n", "; -----BEGIN", True),
        ("text/x-erlang", "%% -*- coding: utf-8 -*-\n", "% -----BEGIN", True),
        ("application/x-tex", "%&latex\n\\a\n", "% -----BEGIN", True),
        ("application/xhtml+xml", "<?xml version='1.0'?>\n<html/>\n", "<?c2pa -----BEGIN", True),
        ("text/x-ocaml", "let a = 1\n", "(* -----BEGIN", False),
        ("application/x-php", "<?php\n$a = 1;\n", "/* -----BEGIN", True),
        ("application/x-php", "<?php $a = 1; ?>\n<b>\n", "<?php /* -----BEGIN", True),
        ("text/x-python", "\ufeffx = 1\n", "# -----BEGIN", True),
    ],
)
def test_the_block_stands_in_a_comment_on_the_first_line_or_the_last_when_that_is_reserved(
    desk, media_type, content, opening, last
):
    made = desk.label(content, media_type)
    assert made.carrier is Carrier.A9
    lines = made.output.decode().split("\n")
    assert lines[-1 if last else 0].startswith(opening)
    assert desk.verify(made.output, media_type).verdict is Verdict.TRUSTED
    if last:
        assert made.output.startswith(content.encode() + b"\n")
    else:
        assert made.output.endswith(b"\n" + content.encode())


@pytest.mark.parametrize(
    ("media_type", "content", "reason"),
    [
        ("text/x-perl", "#!/usr/bin/perl\nprint <DATA>;\n__DATA__\na\n", "data that the program reads"),
        ("text/x-ruby", "#!/usr/bin/ruby\nputs DATA.read\n__END__\na\n", "data that the program reads"),
        ("application/x-php", "<?php\n__halt_compiler();abc", "data that the program reads"),
        ("application/x-php", "<?php $a = 1; ?>\n", "would be printed"),
        ("text/x-rst", "A", "empty line"),
        ("text/vtt", "WEBVTT\n\n00:00.000 --> 00:01.000\nA", "empty line"),
    ],
)
def test_a_file_whose_end_has_a_meaning_gets_a_sidecar(desk, media_type, content, reason):
    made = desk.label(content, media_type)
    assert (made.carrier, made.output) == (Carrier.SIDECAR, content.encode())
    assert reason in made.reason


LEXERS = {
    "text/x-vue": "vue", "application/yaml": "yaml", "application/toml": "toml", "text/x-config": "ini", "text/x-ini": "ini",
    "application/xml": "xml", "application/xhtml+xml": "xml", "application/json5": "json5", "text/x-python": "python",
    "text/x-starlark": "bazel", "text/x-ruby": "ruby", "text/x-crystal": "crystal", "text/x-perl": "perl", "text/x-raku": "raku",
    "text/x-r": "r", "text/x-julia": "julia", "text/x-tcl": "tcl", "text/x-awk": "awk", "text/x-nim": "nim", "text/x-elixir": "elixir",
    "text/x-coffeescript": "coffeescript", "text/x-gdscript": "gdscript", "text/x-nix": "nix", "text/x-hcl": "terraform",
    "application/x-sh": "bash", "text/x-powershell": "powershell", "text/x-makefile": "make", "text/x-cmake": "cmake",
    "text/x-dockerfile": "docker", "application/graphql": "graphql", "text/org": "org", "text/x-gettext": "po",
    "text/javascript": "javascript", "text/css": "css", "text/x-typescript": "typescript", "text/x-scss": "scss", "text/x-less": "less",
    "text/x-rust": "rust", "text/x-go": "go", "text/x-go-mod": "go", "text/x-java": "java", "text/x-kotlin": "kotlin",
    "text/x-scala": "scala", "text/x-groovy": "groovy", "text/x-swift": "swift", "text/x-dart": "dart", "text/x-csharp": "csharp",
    "text/x-fsharp": "fsharp", "text/x-zig": "zig", "text/x-pascal": "delphi", "text/x-solidity": "solidity", "text/x-glsl": "glsl",
    "text/x-proto": "protobuf", "text/x-verilog": "systemverilog", "text/x-c": "c", "text/x-c++": "cpp", "text/x-ocaml": "ocaml",
    "application/sql": "sql", "text/x-lua": "lua", "text/x-haskell": "haskell", "text/x-elm": "elm", "text/x-vhdl": "vhdl",
    "application/x-tex": "latex", "text/x-bibtex": "bibtex", "text/x-erlang": "erlang", "text/x-clojure": "clojure",
    "text/x-lisp": "common-lisp", "text/x-vb": "vb.net", "text/x-vim": "vim", "text/x-fortran": "fortran", "text/x-rst": "rst",
    "application/x-php": "html+php",
}  # fmt: skip
"""Pygments' name of each language; Markdown (which lexes no comments) and a few languages have no lexer there."""
UNLEXED = {"text/markdown", "text/mdx", "text/x-svelte", "text/asciidoc", "text/vtt", "application/jsonc"}


def test_every_language_with_a_comment_has_a_file_name_and_an_independent_lexer():
    named = set(textual.EXTENSIONS.values()) | set(map(textual.media_type, ("go.mod", "Dockerfile"), (b"", b"")))
    types = {item for item in comments.BY_TYPE if item in named}
    assert types == set(LEXERS) | UNLEXED
    assert set(comments.BY_TYPE) - types == {
        "text/yaml", "application/x-yaml", "text/xml", "application/javascript"
    }  # fmt: skip


@pytest.mark.parametrize("media_type", sorted(LEXERS))
def test_the_block_is_a_comment_for_an_independent_lexer_of_the_language(media_type):
    lexer = get_lexer_by_name(LEXERS[media_type])
    for content in (b"", b"\n", b"\xef\xbb\xbf\n"):
        text = (
            comment_frame(content, media_type)
            .attach(content, structured.data_uri(bytes(range(256))))
            .decode("utf-8-sig")
        )
        start, stop = text.index("-----BEGIN"), text.index(" C2PA MANIFEST-----", text.index("-----END"))
        pieces = [(at, at + len(piece), kind) for at, kind, piece in lexer.get_tokens_unprocessed(text + "\n")]
        inside = {kind for begin, end, kind in pieces if begin < stop and end > start}
        assert inside
        assert all(kind in Comment or kind is Token.Text.Whitespace for kind in inside), inside


def test_labelled_files_still_parse_in_their_own_language(desk):
    assert tomllib.loads(desk.label("a = 1\n", "application/toml").output.decode()) == {"a": 1}
    ast.parse(desk.label("#!/usr/bin/python\nx = 1", "text/x-python").output)
    for content in ("<a>ә</a>", '<?xml version="1.0" encoding="utf-8"?>\n<a>ә</a>'):
        assert etree.fromstring(desk.label(content, "application/xml").output).text == "ә"
    xhtml = '<?xml version="1.0"?>\n<!DOCTYPE html>\n<html xmlns="http://www.w3.org/1999/xhtml"><head/><body>ә</body></html>\n'
    assert etree.fromstring(desk.label(xhtml, "application/xhtml+xml").output)[1].text == "ә"
    assert list(yaml.safe_load_all(desk.label("---\na: 1\n---\nb: |+\n  c\n\n", "application/yaml").output)) == [
        {"a": 1},
        {"b": "c\n\n"},
    ]
    for media_type in ("text/x-ini", "text/x-config"):
        parser = configparser.ConfigParser()
        parser.read_string(desk.label("[a]\nb = 1\n", media_type).output.decode())
        assert parser["a"]["b"] == "1"


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_line_ends_outside_the_block_stay_as_they_were(desk, ends):
    content = f"a: 1{ends}b: 2{ends}".encode()
    made = desk.label(content, "application/yaml")
    assert made.output.endswith(content)
    assert made.output.count(b"\r\n") == (3 if ends == "\r\n" else 0)


CODE = "manifest.structuredText."


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("plain text\n", None),
        (f"# {BLOCK.format(DATA)}\n# {BLOCK.format(DATA)}\n", "multipleReferences"),
        ("# -----BEGIN C2PA MANIFEST-----\n# -----BEGIN C2PA MANIFEST----- a -----END C2PA MANIFEST-----\n", "multipleReferences"),
        (f"# {BLOCK.format('')}\n", "emptyReference"),
        (f"# {BLOCK.format('not a url at all')}\n", "malformedReference"),
        (f"# {BLOCK.format('data:application/c2pa;base64,%%%')}\n", "malformedReference"),
        (f"# {BLOCK.format('data:application/c2pa;base64,')}\n", "malformedReference"),
        (f"# {BLOCK.format('data:text/plain;base64,AAAA')}\n", "malformedReference"),
        (f"# {BLOCK.format('https://ә.example/' )}\n", "malformedReference"),
        (f"# {BLOCK.format('file:///etc/passwd')}\n", "noResolutionPath"),
        (f"# -----BEGIN C2PA MANIFEST----- {DATA}\n", "noManifest"),
        (f"# {DATA} -----END C2PA MANIFEST-----\n", "noManifest"),
        (f"# -----END C2PA MANIFEST----- {DATA} -----BEGIN C2PA MANIFEST-----\n", "noManifest"),
    ],
)  # fmt: skip
def test_each_fault_of_a_block_has_its_code(desk, text, code):
    scan = structured.locate(text.encode())
    assert [item.code for item in scan.findings] == ([CODE + code] if code else [])
    report = desk.verify(text.encode(), "application/yaml")
    assert report.verdict is (Verdict.INVALID if code else Verdict.UNMARKED)
    assert code is None or CODE + code in [item.code for item in report.findings]


def test_prose_that_mentions_a_delimiter_is_unmarked(desk):
    text = b"The block begins with -----BEGIN C2PA MANIFEST----- and a space.\n"
    report = desk.verify(text, "text/markdown")
    assert report.verdict is Verdict.UNMARKED


def test_a_text_about_the_block_is_not_labelled_with_a_second_one(desk):
    text = f"Example:\n\n    {BLOCK.format('https://example.org/a')}\n"
    assert choose(text.encode(), "text/markdown").carrier is Carrier.SIDECAR


def test_a_url_reference_is_unchecked_without_its_manifest_and_trusted_with_it(desk):
    made = desk.label("a: 1\n", "application/yaml", reference="https://example.org/m.c2pa")
    assert made.output.startswith(b"# -----BEGIN C2PA MANIFEST----- https://example.org/m.c2pa -----END")
    alone = desk.verify(made.output, "application/yaml")
    assert alone.verdict is Verdict.UNCHECKED
    assert desk.verify(made.output, "application/yaml", made.store).verdict is Verdict.TRUSTED
    moved = made.output.replace(b"m.c2pa", b"n.c2pa")
    assert desk.verify(made.output + b" ", "application/yaml", made.store).verdict is Verdict.INVALID
    assert desk.verify(moved, "application/yaml", made.store).verdict is Verdict.TRUSTED  # the reference is not hashed


@pytest.mark.parametrize("hidden", ["visible words", "<b>", "x"])
def test_words_beside_the_block_are_not_part_of_a_comment(desk, hidden):
    made = desk.label("a: 1\n", "application/yaml")
    for broken in (
        made.output.replace(b"# -----BEGIN", f"# {hidden} -----BEGIN".encode(), 1),
        made.output.replace(b"MANIFEST-----\n", f"MANIFEST----- {hidden}\n".encode(), 1),
    ):
        assert structured.locate(broken).marks[0].foreign
        assert desk.verify(broken, "application/yaml").verdict is Verdict.INVALID


@given(st.text(max_size=300), st.sampled_from(sorted(comments.BY_TYPE)), st.binary(min_size=1, max_size=60))
def test_a_block_is_found_again_and_its_exclusion_leaves_the_text(text, media_type, store):
    raw = text.encode("utf-8", "replace")
    if choose(raw, media_type).carrier is not Carrier.A9:
        return
    marked = comment_frame(raw, media_type).attach(raw, structured.data_uri(store))
    scan = structured.locate(marked)
    assert [mark.store for mark in scan.marks] == [store]
    mark = scan.marks[0]
    assert mark.foreign is None
    assert raw in [span.cut(marked) for span in (mark.span, *mark.also)]


@given(st.binary(max_size=400))
def test_locating_never_fails(data):
    structured.locate(data)
    structured.locate(structured.BEGIN + data + structured.END)
    structured.locate(data + structured.END + structured.BEGIN)
