"""Compiles the Fluent catalogues' plain messages into ``compiled.json``: ``python -m tanba.i18n_build``.

A compiled table is only ever a copy: :mod:`tanba.i18n` uses it while the source's checksum matches, and never else.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping

from fluent.syntax import FluentParser, ast

from tanba.i18n import COMPILED, HOME, LANGUAGES, Pattern, files


def compile_source(text: str) -> dict[str, Pattern | None]:
    """Key -> pattern for every message and attribute of one file; None where Fluent itself must resolve it.

    Raises ValueError for text that is not Fluent: half a catalogue would be worse than none.
    """
    messages: dict[str, Pattern | None] = {}
    for entry in FluentParser(with_spans=False).parse(text).body:
        if isinstance(entry, ast.Junk):
            raise ValueError(f"not Fluent: {(entry.content or '').strip()[:80]!r}")  # noqa: TRY004  a value of the right type
        if not isinstance(entry, ast.Message):
            continue
        if entry.value is not None:
            messages[entry.id.name] = _pattern(entry.value)
        for attribute in entry.attributes:
            messages[f"{entry.id.name}.{attribute.id.name}"] = _pattern(attribute.value)
    return messages


def _pattern(pattern: ast.Pattern) -> Pattern | None:
    pieces: list[str | list[str]] = []
    for element in pattern.elements:
        if isinstance(element, ast.TextElement):
            pieces.append(element.value)
            continue
        inner = element.expression if isinstance(element, ast.Placeable) else None
        if isinstance(inner, ast.StringLiteral):
            pieces.append(inner.parse()["value"])
        elif isinstance(inner, ast.VariableReference):
            pieces.append([inner.id.name])
        else:
            return None
    if all(isinstance(piece, str) for piece in pieces):
        return "".join(piece for piece in pieces if isinstance(piece, str))
    return pieces


def table(lang: str) -> Mapping[str, Mapping[str, object]]:
    """What ``compiled.json`` of a language must hold now."""
    sources = {name: (HOME / lang / f"{name}.ftl").read_bytes() for name in files(lang)}
    return {
        name: {"crc32": zlib.crc32(source), "messages": compile_source(source.decode("utf-8"))}
        for name, source in sources.items()
    }


def main() -> None:
    """Write every language's table."""
    for lang in LANGUAGES:
        text = json.dumps(table(lang), ensure_ascii=False, indent=0, sort_keys=True)
        (HOME / lang / COMPILED).write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()
