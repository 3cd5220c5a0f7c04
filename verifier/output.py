"""Where one report goes: standard output in words or JSON, and the files the user asked for."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from tanba.report import VerificationReport
from tanba.wire import to_json


def write_outputs(report: VerificationReport, source: str, options: dict[str, Any]) -> None:
    """Print the report and write ``--report``, ``--pdf``, ``--csv`` and ``--sign``. Files appear atomically."""
    from tanba.i18n import pick_language

    lang = pick_language(options["lang"], os.environ)
    if options["as_json"] or options["as_jsonl"]:
        sys.stdout.write(to_json(report, indent=None if options["as_jsonl"] else 2) + "\n")
    elif not options["quiet"]:
        from verifier.render import terminal

        color = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        sys.stdout.write(terminal.render(report, lang=lang, verbosity=options["verbose"], color=color))
    write_files(report, source, options, lang)


def write_files(report: VerificationReport, source: str, options: dict[str, Any], lang: str) -> None:
    """The files of one report."""
    if options["html_path"] or options["pdf_path"]:
        from verifier.render.preview import preview_of

        preview = preview_of(source) if source != "-" else None
        if options["html_path"]:
            from verifier.render import html

            write_atomically(options["html_path"], html.render(report, lang=lang, preview=preview).encode())
        if options["pdf_path"]:
            from verifier.render import pdf

            write_atomically(options["pdf_path"], pdf.render(report, lang=lang, preview=preview))
    if options["csv_path"]:
        from verifier.render import csv

        write_atomically(options["csv_path"], (csv.header(bom=True) + csv.row(report, lang)).encode())
    if options["sign_path"]:
        from verifier.signing import sign_report

        target = sign_report(report, source, options)
        if not options["quiet"]:
            sys.stderr.write(f"tanba: the signed report is in {target}\n")


def write_atomically(path: Path, data: bytes) -> None:
    """Write beside the target, flush to disk, then rename: the file is there whole or not at all."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
