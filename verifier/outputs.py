"""Where the files of ``tanba verify`` may go: never over what is being checked, and no two to one place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tanba.errors import UsageError

OPTIONS = {
    "html_path": "--report",
    "pdf_path": "--pdf",
    "csv_path": "--csv",
    "sign_path": "--sign",
    "resume": "--resume",
}
_HERE = "-"
"""Value of ``--sign`` without a file name."""
_HEAD = 4096


def named(options: Mapping[str, Any]) -> dict[str, Path]:
    """Option -> the file it writes."""
    found = {word: options[name] for name, word in OPTIONS.items()}
    return {word: Path(path) for word, path in found.items() if path and str(path) != _HERE}


def check(inputs: Iterable[str], options: Mapping[str, Any]) -> None:
    """Refuse outputs that would replace a file being checked. Originals are evidence.

    Inside a folder that is checked, only a file that an earlier run wrote may be replaced. Raises :class:`UsageError`.
    """
    taken: dict[Path, str] = {}
    given = [Path(name).resolve() for name in inputs if name != _HERE]
    if options.get("manifest"):
        given.append(Path(options["manifest"]).resolve())
    for word, path in named(options).items():
        place = path.resolve()
        if place in taken:
            raise UsageError(f"{word} and {taken[place]} name the same file", hint="give each a file of its own")
        taken[place] = word
        inside = any(folder in place.parents for folder in given if folder.is_dir())
        if place in given or (inside and place.exists() and not _from_an_earlier_run(place, word)):
            raise UsageError(
                f"{word} would replace a file that is being checked",
                hint="originals are never changed: name another file",
                details={"name": path.name},
            )


def _from_an_earlier_run(path: Path, word: str) -> bool:
    """Whether the file begins as what this option writes."""
    from verifier.ledger import SCHEMA
    from verifier.render import csv

    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD)
    except OSError:
        return False
    match word:
        case "--report":
            return head.lstrip().startswith(b"<!doctype html>") and b" \xe2\x80\x94 Tanba</title>" in head
        case "--csv":
            return head.removeprefix(csv.BOM.encode()).startswith(csv.header().encode())
        case "--resume":
            return SCHEMA.encode() in head.partition(b"\n")[0]
        case _:
            return False
