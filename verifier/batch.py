"""Many files: worker processes with an engine each, bounded memory, resume, duplicates by hash.

Paths are consumed as workers become free, results are handed out as they arrive and not kept: ten thousand files need
the memory of a few. A file that kills or stalls its worker costs that file only.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, is_dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tanba import exits, report
from tanba.errors import Deadline, EngineError, TanbaError
from tanba.processes import Pool, TookTooLong, light
from tanba.report import Verdict, VerificationReport
from tanba.stored import load_report
from tanba.wire import to_plain

if TYPE_CHECKING:
    from verifier.ledger import Ledger
    from verifier.procedure import Settings

INLINE_FILES = 64
"""Up to this many files are checked in this process: starting workers would take longer."""
_INLINE_BYTES = 64 << 20
"""The same for what is in them."""
_PRELOAD = ("verifier.procedure", "verifier.text", "tanba.x509", "tanba.timestamps", "tanba.revocation")
"""What every worker needs."""


@dataclass(frozen=True, slots=True)
class Result:
    """One finished file: a report, or the error that kept us from making one."""

    path: Path
    report: VerificationReport | None
    error: dict[str, Any] | None = None
    exit_code: int = exits.OK
    duplicate_of: str | None = None
    """The first path with the same bytes, in this run or those that belong to it."""
    resumed: bool = False


light(Result, *(kind for kind in vars(report).values() if isinstance(kind, type) and is_dataclass(kind)))


@dataclass(slots=True)
class Counts:
    """What became of a run."""

    files: int = 0
    resumed: int = 0
    duplicates: int = 0
    errors: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    exit_codes: set[int] = field(default_factory=set)

    @property
    def exit_code(self) -> int:
        """The gravest of all files."""
        return exits.gravest(self.exit_codes)

    def add(self, other: Counts) -> None:
        """Join another run's numbers (``--watch``)."""
        self.files += other.files
        self.resumed += other.resumed
        self.duplicates += other.duplicates
        self.errors += other.errors
        self.verdicts += other.verdicts
        self.exit_codes |= other.exit_codes


def run(
    paths: Iterable[Path],
    settings: Settings,
    *,
    jobs: int | None = None,
    resume: Path | None = None,
    required: Verdict = Verdict.VALID,
    on_result: Callable[[Result], None],
    seen: dict[str, str] | None = None,
) -> Counts:
    """Verify every path; ``on_result`` is called in this process, in order of completion.

    ``seen`` maps the SHA-256 of finished files to their paths; give the same one to runs that belong together. Raises what ``on_result`` raises, and :class:`TanbaError` for a ledger that cannot be used; never for a file.
    """
    counts = Counts()
    seen = {} if seen is None else seen
    with _ledger(resume, settings) as ledger:
        for result in _results(paths, settings, jobs or default_jobs(), ledger):
            done = _grade(result, seen, required)
            if ledger is not None and not done.resumed:
                ledger.put(done.path, {"report": to_plain(done.report), "error": done.error})
            _count(counts, done)
            on_result(done)
    return counts


def default_jobs() -> int:
    """Cores this process may use, at most 8."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS or Windows
        cores = os.cpu_count() or 1
    return max(1, min(8, cores))


def files_in(roots: Iterable[Path], *, recursive: bool, outputs: Iterable[Path] = ()) -> Iterator[Path]:
    """Files named, and those of folders in a stable order; hidden files, sidecars and our own ``outputs`` are left out."""
    ours = frozenset(path.resolve() for path in outputs)
    yield from (path for path in _walk(roots, recursive=recursive) if not ours or path.resolve() not in ours)


def _walk(roots: Iterable[Path], *, recursive: bool) -> Iterator[Path]:
    for root in roots:
        if not root.is_dir():
            yield root
            continue
        for folder, folders, names in os.walk(root):
            folders[:] = sorted(name for name in folders if not name.startswith(".")) if recursive else []
            for name in sorted(names):
                path = Path(folder, name)
                if not name.startswith(".") and not _is_sidecar(path) and path.is_file():
                    yield path


def _is_sidecar(path: Path) -> bool:
    """``photo.jpg.c2pa`` or ``photo.c2pa`` belongs to the file beside it, which is checked with it."""
    if path.suffix != ".c2pa":
        return False
    return path.with_suffix("").is_file() or any(
        item.stem == path.stem and item != path for item in path.parent.glob(f"{path.stem}.*")
    )


def _results(paths: Iterable[Path], settings: Settings, jobs: int, ledger: Ledger | None) -> Iterator[Result]:
    def fresh() -> Iterator[Path | Result]:
        for path in paths:
            entry = ledger.get(path) if ledger is not None else None
            yield path if entry is None else _from_ledger(path, entry)

    todo = fresh()
    first = list(islice(todo, INLINE_FILES + 1))
    few = len(first) <= INLINE_FILES and sum(_size(item) for item in first) <= _INLINE_BYTES
    if jobs == 1 or few:
        for item in chain(first, todo):
            yield item if isinstance(item, Result) else verify_one(item, settings)
        return
    yield from _in_processes(chain(first, todo), settings, jobs)


def _in_processes(todo: Iterator[Path | Result], settings: Settings, jobs: int) -> Iterator[Result]:
    limits = settings.limits
    arguments = (replace(settings, isolate=False), limits.worker_memory_bytes)
    pool: Pool[Path, Result] = Pool(_work, jobs=jobs, begin=_begin, arguments=arguments, preload=_PRELOAD)
    with pool:
        while True:
            while pool.free and (item := next(todo, None)) is not None:
                if isinstance(item, Result):
                    yield item
                else:
                    pool.submit(item, _patience(item, limits.seconds))
            if not pool.pending:
                return
            yield _outcome(*pool.next())


def _patience(path: Path, seconds: float) -> float:
    """The limit for one file plus time to read it: hashing alone takes a second per 300 MB on a slow disk."""
    return seconds + 5 + _size(path) / (20 << 20)


def _size(item: Path | Result) -> int:
    """Bytes still to be read; 0 for what is done or cannot be read."""
    try:
        return item.stat().st_size if isinstance(item, Path) else 0
    except OSError:
        return 0


def _outcome(path: Path, found: Result | Exception) -> Result:
    if isinstance(found, Result):
        return found
    if isinstance(found, TookTooLong):
        hint = "the file may be built to exhaust readers; raise TANBA_LIMITS__SECONDS if you trust it"
        return _failed(path, Deadline("checking took too long and was stopped", hint=hint))
    died = EngineError(f"the worker ended: {type(found).__name__}", code="tanba.engine.worker_died")
    return _failed(path, died)


_settings: Settings | None = None


def _begin(settings: Settings, memory: int) -> None:
    """Runs once in each worker: keep the settings, bound the memory."""
    global _settings  # noqa: PLW0603 -- a worker's one set of settings, sent once instead of with every file
    _settings = settings
    try:
        import resource
    except ImportError:  # Windows has no rlimits; the deadline still holds
        return
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def _work(path: Path) -> Result:
    assert _settings is not None
    return verify_one(path, _settings)


def verify_one(path: Path, settings: Settings) -> Result:
    """One file in this process. An error of ours becomes a result: the other files still count."""
    from verifier import verify

    try:
        return Result(path, verify(path, settings))
    except TanbaError as error:
        return _failed(path, error)
    except Exception as error:  # noqa: BLE001 -- a bug met in one file must not lose the answers for the others
        found = EngineError(f"unexpected {type(error).__name__}: this is a bug of Tanba", code="tanba.bug")
        return _failed(path, found)


def _failed(path: Path, error: TanbaError) -> Result:
    return Result(path, None, error.to_dict(), exits.for_error(error))


def _from_ledger(path: Path, entry: Any) -> Result:
    body, error = entry.get("report"), entry.get("error")
    code = exits.COULD_NOT if error else exits.OK
    return Result(path, load_report(body) if body else None, error, code, resumed=True)


def _grade(result: Result, seen: dict[str, str], required: Verdict) -> Result:
    """Exit code against ``--require``, and whether the same bytes came before."""
    if result.report is None:
        return result
    first = seen.setdefault(result.report.asset.sha256, str(result.path))
    return replace(
        result,
        exit_code=exits.for_report(result.report, required),
        duplicate_of=first if first != str(result.path) else None,
    )


def _count(counts: Counts, result: Result) -> None:
    counts.files += 1
    counts.resumed += result.resumed
    counts.duplicates += result.duplicate_of is not None
    counts.errors += result.error is not None
    counts.verdicts[result.report.verdict.value if result.report is not None else "error"] += 1
    counts.exit_codes.add(result.exit_code)


def _ledger(resume: Path | None, settings: Settings) -> Any:
    from contextlib import nullcontext

    if resume is None:
        return nullcontext(None)
    from verifier.ledger import Ledger

    return Ledger(resume, settings)
