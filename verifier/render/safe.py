"""Strings out of files are hostile: here they become text that hides nothing and does nothing.

Every character that a reader cannot see is shown as ``‹U+XXXX›``: controls and terminal escapes, bidirectional
overrides ("Trojan Source", CVE-2021-42574), zero-width and tag characters, lone surrogates, private use. What remains is
bounded in length and, when it runs from right to left, isolated from our own words (UAX #9, FSI … PDI).
Look-alike letters are named, never altered (UTS #39). Escaping for HTML, CSV and PDF happens in those renderers, on top.
"""

from __future__ import annotations

import unicodedata

MAX_NAME = 160
"""Characters of one name, title or other short string shown to a reader."""
MAX_TEXT = 1_000
"""Characters of one longer text (descriptions, reasons) shown to a reader."""
MAX_MARKS = 3
"""Combining marks kept on one letter: Vietnamese and Hebrew need two or three; stacks of them cover other lines and are
cut there."""

_HIDDEN_LETTERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
"""Letters and marks that are drawn as nothing (Unicode ``Default_Ignorable_Code_Point`` outside category Cf)."""
_SELECTORS = (("\ufe00", "\ufe0f"), ("\U000e0100", "\U000e01ef"), ("\u180b", "\u180f"))
_FSI, _PDI = "\u2068", "\u2069"


def clean(value: object, limit: int = MAX_NAME) -> str:
    """``value`` as one line of visible text of at most about ``limit`` characters. Idempotent on what it returns,
    except for the isolation of right-to-left text.
    """
    text = value if isinstance(value, str) else str(value)
    cut = len(text) - limit
    if cut > 0:
        text = text[:limit]
    if text.isascii() and text.isprintable():
        return f"{text}…‹+{cut}›" if cut > 0 else text
    pieces: list[str] = []
    marks = 0
    hidden: list[str] = []
    for character in text:
        if not _is_visible(character, pieces[-1][-1:] if pieces and not hidden else ""):
            hidden.append(character)
            continue
        if hidden:
            pieces.append(_shown(hidden))
            hidden = []
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks <= MAX_MARKS:
            pieces.append(character)
    if hidden:
        pieces.append(_shown(hidden))
    if cut > 0:
        pieces.append(f"…‹+{cut}›")
    shown = "".join(pieces)
    return f"{_FSI}{shown}{_PDI}" if _runs_right_to_left(shown) else shown


def clean_or(value: object, otherwise: str, limit: int = MAX_NAME) -> str:
    """:func:`clean`, or ``otherwise`` when there is nothing to show."""
    return clean(value, limit) if isinstance(value, str) and value.strip() else otherwise


def suspicions(value: object) -> tuple[str, ...]:
    """What is odd about a name, as catalogue words: ``hidden`` characters, ``direction`` overrides, ``mixed`` scripts
    inside one word, ``lookalike`` letters throughout. Empty for most names; plain ASCII costs nothing.
    """
    if not isinstance(value, str) or (value.isascii() and value.isprintable()):
        return ()
    text = value[:MAX_TEXT]
    found: list[str] = []
    if any(_is_override(character) for character in text):
        found.append("direction")
    if any(not _is_visible(character, "") and not _is_override(character) for character in text):
        found.append("hidden")
    words = "".join(character if character.isalpha() else " " for character in text).split()
    if any(_mixes_scripts(word) for word in words):
        found.append("mixed")
    elif any(_reads_as_latin(word) for word in words):
        found.append("lookalike")
    return tuple(found)


def _is_visible(character: str, before: str) -> bool:
    if character == "\ufe0f":
        # An emoji's colour selector is no hiding place when it follows a symbol, and one only.
        return bool(before) and unicodedata.category(before) == "So"
    if character in _HIDDEN_LETTERS or any(low <= character <= high for low, high in _SELECTORS):
        return False
    category = unicodedata.category(character)
    return category[0] != "C" and category not in ("Zl", "Zp") and (category != "Zs" or character in " \u00a0\u202f")


def _is_override(character: str) -> bool:
    return "\u202a" <= character <= "\u202e" or "\u2066" <= character <= "\u2069" or character in "\u200e\u200f\u061c"


def _shown(hidden: list[str]) -> str:
    """A run of invisible characters: each by its code point when there are few, the first and how many otherwise."""
    if len(hidden) <= 4 and len(set(hidden)) == len(hidden):
        return "".join(f"‹U+{ord(character):04X}›" for character in hidden)
    return f"‹U+{ord(hidden[0]):04X} … ×{len(hidden)}›"


def _runs_right_to_left(text: str) -> bool:
    return any(unicodedata.bidirectional(character) in ("R", "AL", "AN") for character in text)


def _mixes_scripts(word: str) -> bool:
    scripts = {script for script in map(_script, word) if script}
    # Japanese and Korean write several scripts in one word by nature.
    return len(scripts & {"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC"}) > 1


def _script(character: str) -> str | None:
    name = unicodedata.name(character, "")
    return name.split(" ", 1)[0] if name and character.isalpha() else None


def _reads_as_latin(word: str) -> bool:
    """Whether a word without a Latin letter could be read, letter by letter, as a Latin one (whole-script confusable).

    Short words do so by accident in Cyrillic, so three letters are the least.
    """
    if len(word) < 3 or word.isascii() or {_script(letter) for letter in word} - {"CYRILLIC", "GREEK", "ARMENIAN"}:
        return False
    return all(map(_has_ascii_twin, word))


def _has_ascii_twin(letter: str) -> bool:
    from confusable_homoglyphs import confusables  # type: ignore[import-untyped]  # the library ships no types

    found = confusables.is_confusable(letter, greedy=True, preferred_aliases=[])
    return any(twin["c"].isascii() and twin["c"].isalpha() for item in found or () for twin in item["homoglyphs"])
