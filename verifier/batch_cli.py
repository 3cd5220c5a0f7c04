"""``tanba verify`` for several files, folders and ``--watch``: results as they arrive, a summary at the end."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Protocol, Self

import click

from tanba import __version__, exits
from tanba.engine.native import versions
from tanba.errors import UsageError
from tanba.i18n import pick_language, sentence
from tanba.report import Basis, Verdict, VerificationReport
from tanba.wire import to_plain
from verifier import outputs
from verifier.batch import Counts, Result, files_in, run
from verifier.procedure import Settings

_SETTLE_MS = 1_600
"""A file must be quiet for this long before --watch checks it: it may still be arriving."""


_SPOOL = 1 << 20


class Sink(Protocol):
    """Where results go."""

    def add(self, result: Result) -> None: ...
    def refresh(self) -> None:
        """Show what there is so far; ``--watch`` may never end."""

    def close(self) -> None: ...


def run_batch(
    files: tuple[str, ...],
    settings: Settings,
    wanted: Verdict,
    options: Mapping[str, Any],
    complete: Callable[[VerificationReport], VerificationReport] = lambda report: report,
) -> int:
    """Verify what was named; ``complete`` adds to every report what others know of it. Returns the gravest exit code.

    Raises :class:`UsageError` and StorageError.
    """
    _check(files, options)
    lang = pick_language(options["lang"], os.environ)
    roots = [Path(name) for name in files]
    with ExitStack() as stack:
        sinks = _sinks(options, settings, lang, stack)
        progress = Progress(lang, enabled=sys.stderr.isatty() and not options["quiet"])
        seen: dict[str, str] = {}
        own = list(outputs.named(options).values())

        def on_result(result: Result) -> None:
            if result.report is not None:
                result = replace(result, report=complete(result.report))
            for sink in sinks:
                sink.add(result)
            progress.step(result)

        def check(paths: Iterator[Path]) -> Counts:
            found = run(
                paths, settings, jobs=options["jobs"], resume=options["resume"], required=wanted, on_result=on_result,
                seen=seen,
            )  # fmt: skip
            if options["watch"]:
                for sink in sinks:
                    sink.refresh()
            return found

        counts = check(files_in(roots, recursive=options["recursive"], outputs=own))
        if options["watch"]:
            click.echo(sentence("summary-watching", lang), err=True)
            for arrived in _arrivals(roots, own, recursive=options["recursive"]):
                counts.add(check(arrived))
        for sink in sinks:
            sink.close()
        progress.clear()
    if not options["quiet"]:
        _say(counts, lang)
    return counts.exit_code


def _check(files: tuple[str, ...], options: Mapping[str, Any]) -> None:
    if "-" in files:
        raise UsageError("standard input cannot be mixed with other files", hint="check it in a call of its own")
    missing = next((name for name in files if not Path(name).exists()), None)
    if missing is not None and len(files) == 1:
        raise UsageError("there is no such file or folder", details={"name": Path(missing).name})
    if options["sign_path"]:
        raise UsageError("--sign signs the report of one file", hint="sign file by file; the summary is not evidence")
    if options["pdf_path"]:
        raise UsageError("--pdf makes the report of one file", hint="--report writes a summary page for a folder")
    if options["watch"] and not any(Path(name).is_dir() for name in files):
        raise UsageError("--watch needs a folder")
    if options["watch"] and options["as_json"]:
        raise UsageError("--watch never ends, so it has no one JSON document", hint="use --jsonl")


def _arrivals(roots: list[Path], own: list[Path], *, recursive: bool) -> Iterator[Iterator[Path]]:
    """What arrives or changes, a group at a time, until the user stops it (Ctrl-C, or SIGTERM from a service manager)."""
    from watchfiles import Change, watch

    folders = [root for root in roots if root.is_dir()]
    stop = threading.Event()
    with _stopped_by_sigterm(stop):
        for changes in watch(
            *folders, recursive=recursive, step=200, debounce=_SETTLE_MS, raise_interrupt=False, stop_event=stop
        ):
            arrived = sorted({Path(name) for change, name in changes if change is not Change.deleted})
            visible = [path for path in arrived if path.is_file() and not path.name.startswith(".")]
            if found := list(files_in(visible, recursive=False, outputs=own)):
                yield iter(found)


@contextmanager
def _stopped_by_sigterm(stop: threading.Event) -> Iterator[None]:
    """SIGTERM ends the watch as Ctrl-C does, so that the files still get written; in the main thread only."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda *_: stop.set())
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _sinks(options: Mapping[str, Any], settings: Settings, lang: str, stack: ExitStack) -> list[Sink]:
    sinks: list[Sink] = []
    if options["as_json"] or options["as_jsonl"]:
        sinks.append(JsonSink(sys.stdout, lines=bool(options["as_jsonl"]), stack=stack))
    elif not options["quiet"]:
        sinks.append(LineSink(lang))
    if options["csv_path"]:
        sinks.append(CsvSink(stack.enter_context(Replacing(options["csv_path"])), lang))
    if options["html_path"]:
        from verifier.summary_sink import SummarySink

        sinks.append(SummarySink(Path(options["html_path"]), lang, stack=stack, basis=_basis(settings)))
    return sinks


def _basis(settings: Settings) -> Basis:
    """What the whole run rests on, as of its start."""
    return Basis(
        tanba=__version__,
        engines=dict(versions()),
        trust_lists=settings.trust.refs(),
        as_of=settings.as_of,
        network=settings.network,
        checked_at=datetime.now(UTC),
        command=shlex.join(["tanba", *sys.argv[1:]]),
    )


class JsonSink:
    """One JSON array, or one object a line. ``path`` is added: names alone do not tell files of a folder apart.

    The array waits in a spool file until the run is over: a run that fails prints one error object and no half array.
    """

    def __init__(self, out: IO[str], *, lines: bool, stack: ExitStack) -> None:
        self._out, self._lines, self._first = out, lines, True
        spool = tempfile.SpooledTemporaryFile(_SPOOL, mode="w+", encoding="utf-8", newline="")  # noqa: SIM115  the stack closes it
        self._to: IO[str] = out if lines else stack.enter_context(spool)

    def add(self, result: Result) -> None:
        body: dict[str, Any] = {"path": str(result.path), "duplicate_of": result.duplicate_of}
        body |= to_plain(result.report) if result.report is not None else {"error": result.error}
        text = json.dumps(body, ensure_ascii=True)
        self._to.write(f"{text}\n" if self._lines else f"{'' if self._first else ','}\n{text}")
        self._first = False
        if self._lines:
            self._out.flush()

    def refresh(self) -> None:
        """Lines are out already; an array cannot be shown in parts."""

    def close(self) -> None:
        if self._lines:
            return
        self._to.seek(0)
        self._out.write("[")
        shutil.copyfileobj(self._to, self._out)
        self._out.write("\n]\n")


class LineSink:
    """One line per file for people."""

    def __init__(self, lang: str) -> None:
        self._lang = lang
        self._color = sys.stdout.isatty() and "NO_COLOR" not in os.environ

    def add(self, result: Result) -> None:
        from verifier.render import terminal
        from verifier.render.safe import clean

        if result.report is not None:
            text = terminal.line(named(result.report, result.path), self._lang, color=self._color)
        else:
            text = f"{sentence('summary-error', self._lang):<10} {clean(str(result.path))}  {clean((result.error or {}).get('message'))}"
        sys.stdout.write(text.rstrip("\n") + "\n")

    def refresh(self) -> None:
        sys.stdout.flush()

    def close(self) -> None:
        sys.stdout.flush()


class CsvSink:
    """A spreadsheet line per file, written as it arrives."""

    def __init__(self, file: Replacing, lang: str) -> None:
        from verifier.render import csv

        self._file, self._out, self._lang = file, file.stream, lang
        self._out.write(csv.header(bom=True))

    def add(self, result: Result) -> None:
        from verifier.render import csv

        if result.report is not None:
            self._out.write(csv.row(named(result.report, result.path), self._lang))
        else:
            self._out.write(csv.error_row(str(result.path), str((result.error or {}).get("code")), self._lang))

    def refresh(self) -> None:
        self._file.publish()

    def close(self) -> None:
        self._out.flush()


class Progress:
    """A counter on the terminal's last line; nothing at all when standard error is no terminal."""

    def __init__(self, lang: str, *, enabled: bool) -> None:
        self._lang, self._enabled, self._done = lang, enabled, 0

    def step(self, result: Result) -> None:
        self._done += not result.resumed
        if self._enabled:
            sys.stderr.write(f"\r\x1b[K{sentence('summary-progress', self._lang, count=self._done)}")
            sys.stderr.flush()

    def clear(self) -> None:
        if self._enabled:
            sys.stderr.write("\r\x1b[K")


class Replacing:
    """A text file that appears under its name only when everything was written."""

    def __init__(self, path: Path) -> None:
        self._path = Path(path)

    def __enter__(self) -> Self:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}.")
        self._temporary = Path(name)
        self.stream: IO[str] = os.fdopen(handle, "w", encoding="utf-8", newline="")
        return self

    def publish(self) -> None:
        """Put what was written so far under the name; writing goes on."""
        self.stream.flush()
        handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}.")
        with os.fdopen(handle, "wb") as copy, self._temporary.open("rb") as source:
            shutil.copyfileobj(source, copy)
        Path(name).replace(self._path)

    def __exit__(self, kind: type[BaseException] | None, *_rest: object) -> None:
        if kind is None:
            self.stream.flush()
            os.fsync(self.stream.fileno())
        self.stream.close()
        if kind is None:
            self._temporary.replace(self._path)
        else:
            self._temporary.unlink(missing_ok=True)


def named(report: VerificationReport, path: Path) -> VerificationReport:
    """The report with the path the user gave in place of the bare name; for this user's eyes only."""
    return replace(report, asset=replace(report.asset, name=str(path)))


def _say(counts: Counts, lang: str) -> None:
    words = [f"{number} {_word(name, lang)}" for name, number in counts.verdicts.most_common()]
    extra = [sentence("summary-say-duplicates", lang, count=counts.duplicates)] if counts.duplicates else []
    extra += [sentence("summary-say-resumed", lang, count=counts.resumed)] if counts.resumed else []
    said = ", ".join([*words, *extra]) or "—"
    click.echo(sentence("summary-say", lang, total=counts.files, found=said), err=True)
    if counts.exit_code == exits.NO_LABEL:
        click.echo(sentence("verdict-unmarked.note", lang), err=True)


def _word(name: str, lang: str) -> str:
    return sentence("summary-error" if name == "error" else f"verdict-{name}.word", lang)
