"""Comment syntaxes of the formats that can carry a C2PA 2.4 A.9 block, and which first lines are reserved.

Pure data and small predicates. JavaScript and CSS use preservation comments (``/*!``) so that minifiers keep the block
(A.9.3.1). XML uses a processing instruction: ``--`` may not stand inside an XML comment (XML 1.0 section 2.5), and the
delimiters are made of dashes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Comment:
    """A one-line comment: what opens it and, for block comments, what closes it."""

    prefix: str
    suffix: str = ""
    apart: bool = False
    """The comment is a paragraph: it needs an empty line before it, and what follows would become part of it."""


HASH = Comment("#")
SLASHES = Comment("//")
BLOCK = Comment("/*", "*/")
KEPT = Comment("/*!", "*/")
DASHES = Comment("--")
PERCENT = Comment("%")
SEMICOLON = Comment(";")
MARKUP = Comment("<!--", "-->")
INSTRUCTION = Comment("<?c2pa", "?>")
EXPRESSION = Comment("{/*", "*/}")
DOTS = Comment("..", apart=True)
NOTE = Comment("NOTE", apart=True)
PHP = Comment("<?php /*", "*/ ?>")

BY_TYPE: dict[str, Comment] = {
    "text/markdown": MARKUP, "text/x-vue": MARKUP, "text/x-svelte": MARKUP, "text/mdx": EXPRESSION,
    "application/yaml": HASH, "text/yaml": HASH, "application/x-yaml": HASH, "application/toml": HASH,
    "text/x-config": HASH, "text/x-ini": SEMICOLON, "application/jsonc": SLASHES, "application/json5": SLASHES,
    "application/xml": INSTRUCTION, "text/xml": INSTRUCTION, "application/xhtml+xml": INSTRUCTION,
    "text/x-python": HASH, "text/x-starlark": HASH, "text/x-ruby": HASH, "text/x-crystal": HASH, "text/x-perl": HASH,
    "text/x-raku": HASH, "text/x-r": HASH, "text/x-julia": HASH, "text/x-tcl": HASH, "text/x-awk": HASH, "text/x-nim": HASH,
    "text/x-elixir": HASH, "text/x-coffeescript": HASH, "text/x-gdscript": HASH, "text/x-nix": HASH, "text/x-hcl": HASH,
    "application/x-sh": HASH, "text/x-powershell": HASH, "text/x-makefile": HASH, "text/x-cmake": HASH,
    "text/x-dockerfile": HASH, "application/graphql": HASH, "text/org": HASH, "text/x-gettext": HASH,
    "text/javascript": KEPT, "application/javascript": KEPT, "text/css": KEPT, "text/x-typescript": KEPT,
    "text/x-scss": SLASHES, "text/x-less": SLASHES, "text/x-rust": SLASHES, "text/x-go": SLASHES, "text/x-go-mod": SLASHES,
    "text/x-java": SLASHES, "text/x-kotlin": SLASHES, "text/x-scala": SLASHES, "text/x-groovy": SLASHES,
    "text/x-swift": SLASHES, "text/x-dart": SLASHES, "text/x-csharp": SLASHES, "text/x-fsharp": SLASHES,
    "text/x-zig": SLASHES, "text/x-pascal": SLASHES, "text/x-solidity": SLASHES, "text/x-glsl": SLASHES,
    "text/x-proto": SLASHES, "text/x-verilog": SLASHES, "text/asciidoc": SLASHES,
    "text/x-c": BLOCK, "text/x-c++": BLOCK, "text/x-ocaml": Comment("(*", "*)"),
    "application/sql": DASHES, "text/x-lua": DASHES, "text/x-haskell": DASHES, "text/x-elm": DASHES, "text/x-vhdl": DASHES,
    "application/x-tex": PERCENT, "text/x-bibtex": PERCENT, "text/x-erlang": PERCENT,
    "text/x-clojure": SEMICOLON, "text/x-lisp": SEMICOLON, "text/x-vb": Comment("'"), "text/x-vim": Comment('"'),
    "text/x-fortran": Comment("!"), "text/x-rst": DOTS, "text/vtt": NOTE, "application/x-php": PHP,
}  # fmt: skip
"""Media type (as :mod:`tanba.formats.textual` names them) to the comment that holds the block.

SCSS and Less get silent comments: a kept one would travel into the CSS made from them, where it binds nothing.
"""

KNOWN = frozenset(
    {(item.prefix, item.suffix) for item in BY_TYPE.values()}
    | {
        ("", ""), ("///", ""), ("##", ""), (";;", ""), ("'", ""), ('"', ""), ("!", ""), ("REM", ""), ("rem", ""),
        ("dnl", ""), ("/**", "*/"), ("*", ""), ("(*", "*)"), ("{-", "-}"), ("--[[", "]]"), ("<!--", ""), ("<#", "#>"),
        ('"""', '"""'), ("'''", "'''"), ("{#", "#}"), ("%{", "%}"), ("#|", "|#"), ("@c", ""), ('.\\"', ""), ("//!", ""),
        ("/*", ""), ("/*!", ""), ("#!", ""), ("--!", ""), ("%%", ""),
    }
)  # fmt: skip
"""Every (prefix, suffix) that may stand beside a block. Anything else on its line is content hidden from the hash."""

_FRONT_MATTER = re.compile(rb"(?:---|\+\+\+)[ \t]*\r?\n")
_CODING = re.compile(rb"^[ \t\f]*[#%].*?coding[:=][ \t]*[-_.a-zA-Z0-9]+")
_OPENERS = (b"#!", b"<?xml", b"<?php", b"<?=", b"<?", b"%YAML", b"%&", b"@charset", b"WEBVTT")
_DIRECTIVE = re.compile(rb"#[ \t]*(?:syntax|escape|check)[ \t]*=|//[ \t]*swift-tools-version", re.IGNORECASE)
_PRAGMAS = re.compile(rb"\s*/\*\*(?:(?!\*/).)*?@(?:jest-|flow|noflow|format|prettier)", re.DOTALL)
_GO_DOC = re.compile(rb"(?:[ \t]*//[^\n]*\n)*+[ \t]*package[ \t]")
_PRINTED = re.compile(rb"\?>\r?\n\Z")
_DATA_SECTION = re.compile(rb"^__(?:END|DATA)__\r?$|__halt_compiler", re.MULTILINE)


def first_line_reserved(text: bytes, media_type: str = "") -> str | None:
    """Why the first line belongs to the host format, in words, or None (A.9.3.1).

    Covers shebang lines, XML declarations, PHP open tags, YAML directives, CSS ``@charset``, front matter, encoding
    cookies (PEP 263: first or second line), Emacs mode lines, parser directives of Dockerfiles and Swift packages, the
    docblocks that Jest, Flow and Prettier read, the comment over a Go ``package`` (its documentation), formats in
    which a comment is a paragraph, and a byte order mark.
    """
    if text.startswith(b"\xef\xbb\xbf"):
        return "the file begins with a byte order mark"
    if text.startswith(b"#![") and not text.startswith(b"#![/"):
        return None
    opener = next((item for item in _OPENERS if text[: len(item)].lower() == item.lower()), None)
    if opener is not None:
        return f"the first line is reserved ({opener.decode()})"
    if media_type in BY_TYPE and BY_TYPE[media_type].apart and text:
        return "a comment stands after an empty line here"
    if "yaml" not in media_type and _FRONT_MATTER.match(text):
        return "the file begins with front matter"
    return _magic_comment(text[:4096], media_type)


def _magic_comment(head: bytes, media_type: str) -> str | None:
    lines = head.splitlines()[:2]
    if any(_CODING.match(line) for line in lines):
        return "the encoding cookie must stay in the first two lines"
    if lines and lines[0].count(b"-*-") > 1:
        return "the mode line must stay the first"
    if _DIRECTIVE.match(head) or _PRAGMAS.match(head):
        return "tools read directives in the first comment"
    if media_type == "text/x-go" and _GO_DOC.match(head):
        return "a comment over the package clause is its documentation"
    return None


def last_line_refused(text: bytes, media_type: str) -> str | None:
    """Why no comment can stand on a line after the last one, in words, or None."""
    if media_type in BY_TYPE and BY_TYPE[media_type].apart and not text.endswith(b"\n"):
        return "a comment needs an empty line before it, and the last line has no end"
    if media_type in ("text/x-perl", "text/x-ruby", "application/x-php") and _DATA_SECTION.search(text):
        return "the end of the file is data that the program reads"
    if media_type == "application/x-php" and _PRINTED.search(text):
        return "a line end after the last ?> would be printed"
    return None
