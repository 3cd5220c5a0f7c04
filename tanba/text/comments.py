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


HASH = Comment("#")
SLASHES = Comment("//")
BLOCK = Comment("/*", "*/")
KEPT = Comment("/*!", "*/")
DASHES = Comment("--")
PERCENT = Comment("%")
SEMICOLON = Comment(";")
MARKUP = Comment("<!--", "-->")
INSTRUCTION = Comment("<?c2pa", "?>")
DOTS = Comment("..")
PHP = Comment("<?php /*", "*/ ?>")

BY_TYPE: dict[str, Comment] = {
    "text/markdown": MARKUP,
    "application/yaml": HASH, "text/yaml": HASH, "application/x-yaml": HASH,
    "application/toml": HASH, "text/x-ini": SEMICOLON,
    "application/xml": INSTRUCTION, "text/xml": INSTRUCTION,
    "text/x-python": HASH, "text/x-ruby": HASH, "text/x-perl": HASH, "text/x-r": HASH, "application/x-sh": HASH,
    "text/javascript": KEPT, "application/javascript": KEPT, "text/css": KEPT, "text/x-typescript": KEPT,
    "text/x-rust": SLASHES, "text/x-go": SLASHES, "text/x-java": SLASHES, "text/x-kotlin": SLASHES,
    "text/x-swift": SLASHES, "text/x-c": BLOCK, "text/x-c++": BLOCK,
    "application/sql": DASHES, "text/x-lua": DASHES, "application/x-tex": PERCENT, "text/x-rst": DOTS,
    "application/x-php": PHP,
}  # fmt: skip
"""Media type (as :mod:`tanba.formats.sniff` names them) to the comment that holds the block."""

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
_CODING = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*[-_.a-zA-Z0-9]+")
_OPENERS = (b"#!", b"<?xml", b"<?php", b"<?=", b"<?", b"%YAML", b"@charset")


def first_line_reserved(text: bytes) -> str | None:
    """Why the first line belongs to the host format, in words, or None (A.9.3.1).

    Covers shebang lines, XML declarations, PHP open tags, YAML directives, CSS ``@charset``, front matter, Python
    encoding cookies (PEP 263: first or second line) and a byte order mark.
    """
    if text.startswith(b"\xef\xbb\xbf"):
        return "the file begins with a byte order mark"
    if text.startswith(b"#![") and not text.startswith(b"#![/"):
        return None
    opener = next((item for item in _OPENERS if text[: len(item)].lower() == item.lower()), None)
    if opener is not None:
        return f"the first line is reserved ({opener.decode()})"
    if _FRONT_MATTER.match(text):
        return "the file begins with front matter"
    if any(_CODING.match(line) for line in text[:400].splitlines()[:2]):
        return "the encoding cookie must stay in the first two lines"
    return None
