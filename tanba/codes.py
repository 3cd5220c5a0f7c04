"""Every status code that Tanba knows."""

from __future__ import annotations


def clause(code: str) -> str | None:
    return None


def text_key(code: str) -> str:
    return "code-" + code.replace(".", "-")
