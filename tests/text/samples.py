"""Many different small texts, made from a seed: scripts, line ends, emoji, marks, structure."""

from __future__ import annotations

import random

WORDS = (
    "Қазақстан", "әлем", "үкімет", "жаңалық", "ғылым", "хабар", "газета", "новость", "правда", "ёж", "the", "model",
    "naïve", "Zürich", "新聞", "人工智能", "生成", "مرحبا", "بالعالم", "שלום", "नमस्ते", "한국어", "한", "👍🏽", "👨‍👩‍👧", "❤️",
    "e\u0301", "и\u0306", "q\u0307\u0323", "x²", "ﬁn", "\u202eabc\u202c", "&amp;", "<b>", "\u00a0", "№5", "—", "«да»",
)  # fmt: skip
ENDS = ("\n", "\r\n", " ", "\n\n", "\t", "\r\n\r\n", ". ")


def text(seed: int) -> str:
    """A text of 0 to about 60 words."""
    chance = random.Random(seed)
    count = (0, 1, 2)[seed] if seed < 3 else chance.randrange(1, 60)
    parts = [chance.choice(WORDS) + chance.choice(ENDS) for _ in range(count)]
    return "".join(parts)


def html(seed: int) -> str:
    """A document, more or less complete."""
    body = f"<p>{text(seed)}</p>"
    shape = seed % 6
    if shape == 0:
        return f"<!doctype html>\r\n<html lang=kk><head><meta charset=utf-8><title>ә</title></head>\r\n<body>{body}</body></html>"
    if shape == 1:
        return f"<html><head>\n<title>x</title>\n<!-- </head> --></head><body>{body}"
    if shape == 2:
        return body
    if shape == 3:
        return f"<!DOCTYPE html><title>{seed}</title>{body}"
    if shape == 4:
        return f"<html><body class=a>{body}</body></html>"
    return f"\n\n<!-- c --><HTML><HEAD></HEAD ><BODY>{body}</BODY></HTML>\n"


STRUCTURED = {
    "text/markdown": "# Тақырып\n\n- {}\n", "application/yaml": "key: value\nother: |\n  # {}\n", "application/toml": "a = 1\n# {}\n",
    "application/xml": "<a>\n<!-- {} -->\n</a>\n", "text/x-python": "x = 1  # {}\n", "text/javascript": "let x = 1; // {}\n",
    "text/css": "a {{ color: red }}\n/* {} */\n", "application/x-sh": "#!/bin/sh\necho 1 # {}\n", "application/sql": "select 1; -- {}\n",
    "application/x-tex": "\\documentclass{{a}}\n% {}\n", "text/x-c": "int main(void) {{ return 0; }} /* {} */\n",
    "text/x-rust": "fn main() {{}} // {}\n", "text/x-go": "package main\n// {}\n", "text/x-java": "class A {{}} // {}\n",
    "text/x-ini": "[a]\nb=1\n; {}\n", "text/x-rst": "Title\n=====\n\n{}\n", "text/x-lua": "x = 1 -- {}\n",
    "text/x-ruby": "x = 1 # {}\n", "application/x-php": "<?php\n$x = 1; // {}\n", "text/mdx": "# {}\n", "text/x-haskell": "x = 1 -- {}\n",
    "text/vtt": "WEBVTT\n\n00:00.000 --> 00:01.000\n{}\n", "text/x-dockerfile": "FROM scratch\n# {}\n", "text/x-ocaml": "let x = 1\n",
    "text/asciidoc": "= Title\n\n{}\n", "application/xhtml+xml": "<html><!-- {} --></html>\n", "text/x-lisp": "(setq x 1) ; {}\n",
}  # fmt: skip


def structured(seed: int) -> tuple[str, str]:
    """A media type and a file of it."""
    media_type = sorted(STRUCTURED)[seed % len(STRUCTURED)]
    words = " ".join(text(seed).replace("*/", "").replace("-->", "").split())
    content = STRUCTURED[media_type].format(words)
    if seed % 5 == 0:
        content = content.replace("\n", "\r\n")
    if seed % 7 == 0 and media_type not in ("text/x-rst", "text/vtt"):
        content = content.rstrip("\r\n")
    if media_type == "text/markdown" and seed % 2:
        content = "---\ntitle: x\n---\n" + content
    if media_type in ("application/xml", "application/xhtml+xml") and seed % 2:
        content = '<?xml version="1.0"?>\n' + content
    return media_type, content
