"""Readers' sentences in Kazakh, Russian and English, from one Fluent catalogue (``tanba/locales/<language>/*.ftl``).

Catalogues are written in Project Fluent's syntax and resolved by its library. Importing that library costs more than a
whole check of a picture may, so messages without grammar (text and plain variables) are kept compiled beside the
sources (``compiled.json``, made by :mod:`tanba.i18n_build`); everything else, and every file that changed since, goes to
``fluent.runtime``. Both ways give the same words, which a test holds (docs/adr/0004-languages.md).

It must never read the environment itself, and never print: what comes from files is cleaned by the renderers.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tanba.errors import UsageError

if TYPE_CHECKING:
    from fluent.runtime import FluentBundle

LANGUAGES = ("en", "ru", "kk")
"""BCP 47 tags of the complete catalogues. English is the source language."""

NAMES: Mapping[str, str] = {"en": "English", "ru": "Русский", "kk": "Қазақша"}
"""Each language in its own words."""

HOME = Path(__file__).parent / "locales"
COMPILED = "compiled.json"

Pattern = str | list[str | list[str]]
"""Plain text, or pieces of text and ``[name]`` for a variable."""


class UnknownSentence(LookupError):
    """No catalogue holds this key: a bug of ours, which the tests look for."""


class MissingParameter(TypeError):
    """The sentence needs a value that the caller did not give: a bug of ours."""


def pick_language(requested: str | None, environ: Mapping[str, str]) -> str:
    """The language to speak: ``--lang``, else the locale in ``environ`` (POSIX order), else English.

    Regions and scripts are ignored (``kk-KZ``, ``ru_RU.UTF-8``). Raises :class:`UsageError` for a requested language
    that has no catalogue; an unknown locale is no error.
    """
    if requested:
        tag = _base(requested)
        if tag not in LANGUAGES:
            raise UsageError(f"there are no sentences in {requested!r}", hint=f"choose one of {', '.join(LANGUAGES)}")
        return tag
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        # POSIX: the first one that is set decides, even when it names a language that we lack.
        if value := environ.get(variable):
            wanted = [*environ.get("LANGUAGE", "").split(":"), value] if _base(value) not in ("c", "posix") else [value]
            return next((_base(item) for item in wanted if _base(item) in LANGUAGES), "en")
    return "en"


def accept_language(header: str | None) -> str:
    """The language for an HTTP ``Accept-Language`` header (RFC 9110 section 12.5.4); English when none fits."""
    ranked: list[tuple[float, int, str]] = []
    for position, part in enumerate((header or "")[:1000].split(",")):
        tag, _, weight = part.partition(";q=")
        try:
            quality = float(weight) if weight else 1.0
        except ValueError:
            continue
        if _base(tag) in LANGUAGES and quality > 0:
            ranked.append((-quality, position, _base(tag)))
    return min(ranked)[2] if ranked else "en"


def sentence(key: str, lang: str, **params: Any) -> str:
    """The sentence ``key`` (``message`` or ``message.attribute``) in ``lang``, with ``params`` filled in.

    Numbers given as ``int`` choose plural forms. A language without the key falls back to English.
    Raises :class:`UnknownSentence` and :class:`MissingParameter`, which are bugs of the caller.
    """
    for language in (lang, "en"):
        found = _lookup(language, key)
        if found is not None:
            name, pattern = found
            if pattern is None:
                return _resolve(language, name, key, params)
            return _fill(pattern, key, params)
    raise UnknownSentence(key)


def has(key: str, lang: str = "en") -> bool:
    """Whether ``lang`` itself holds the key (no fallback)."""
    return lang in LANGUAGES and _lookup(lang, key) is not None


def keys(lang: str) -> Iterator[str]:
    """Every key of one language, attributes as ``message.attribute``."""
    for name in files(lang):
        yield from _messages(lang, name)


@cache
def files(lang: str) -> tuple[str, ...]:
    """Names of the catalogue files of one language, without ending, sorted."""
    return tuple(sorted(path.stem for path in (HOME / lang).glob("*.ftl")))


def _base(tag: str) -> str:
    return tag.strip().replace("_", "-").split("-")[0].split(".")[0].split("@")[0].lower()


def _lookup(lang: str, key: str) -> tuple[str, Pattern | None] | None:
    """The file and the compiled pattern of a key (None: Fluent must resolve it). The file named like the key's first
    word is looked at first, so that one sentence does not load all of them.
    """
    first = key.split("-", 1)[0]
    for name in (first, *(item for item in files(lang) if item != first)):
        messages = _messages(lang, name)
        if key in messages:
            return name, messages[key]
    return None


@cache
def _messages(lang: str, name: str) -> Mapping[str, Pattern | None]:
    """Key -> pattern of one file: from the compiled table when it matches the source, else parsed now."""
    try:
        source = (HOME / lang / f"{name}.ftl").read_bytes()
    except OSError:
        return {}
    entry = _compiled(lang).get(name)
    if entry and entry["crc32"] == zlib.crc32(source):
        messages: Mapping[str, Pattern | None] = entry["messages"]
        return messages
    from tanba.i18n_build import compile_source

    return compile_source(source.decode("utf-8"))


@cache
def _compiled(lang: str) -> Mapping[str, Any]:
    try:
        table: Mapping[str, Any] = json.loads((HOME / lang / COMPILED).read_bytes())
    except (OSError, ValueError):
        return {}
    return table


def _fill(pattern: Pattern, key: str, params: Mapping[str, Any]) -> str:
    if isinstance(pattern, str):
        return pattern
    try:
        return "".join(piece if isinstance(piece, str) else str(params[piece[0]]) for piece in pattern)
    except KeyError as error:
        raise MissingParameter(f"{key} needs {error.args[0]!r}") from error


@cache
def _bundle(lang: str, name: str) -> FluentBundle:
    from fluent.runtime import FluentBundle, FluentResource

    # Isolation marks are the renderers' business: they know which values run from right to left.
    bundle = FluentBundle([lang], use_isolating=False)
    bundle.add_resource(FluentResource((HOME / lang / f"{name}.ftl").read_text("utf-8")))
    return bundle


def _resolve(lang: str, name: str, key: str, params: Mapping[str, Any]) -> str:
    """Grammar (plural forms, selectors, references): the library's work."""
    message_id, _, attribute = key.partition(".")
    bundle = _bundle(lang, name)
    message = bundle.get_message(message_id)
    pattern = message.attributes[attribute] if attribute else message.value
    assert pattern is not None, "the table lists only messages that have a value"
    text, errors = bundle.format_pattern(pattern, dict(params))
    if errors:
        raise MissingParameter(f"{key}: {errors[0]}")
    return str(text)
