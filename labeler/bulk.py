"""Many files: worker processes, one bad file never stops the rest, bounded memory, resumable.

Processes, not threads: signing holds the interpreter's lock too often to scale in threads, and a worker that dies
takes one file with it. They are spawned (the engine does not survive ``fork``) and open the identity themselves, once.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from labeler.ledger import Item, Ledger
from labeler.options import Labelled, LabelOptions
from labeler.stamping import Stamper, StamperSource, stamped
from tanba import exits
from tanba.asset import Asset
from tanba.engine.definition import DISCLOSURE_LABEL
from tanba.engine.read import read
from tanba.errors import TanbaError, UsageError
from tanba.formats.sniff import Kind
from tanba.limits import Limits
from tanba.model import Disclosure, LabelReceipt
from tanba.processes import Pool
from tanba.protocols import Signer
from tanba.trust import TrustStore
from tanba.wire import to_plain

SignerSource = Callable[[], AbstractContextManager[Signer]]
"""Opens the signer, once in every worker process; must be picklable."""

_PRELOAD = ("labeler.pipeline", "labeler.text_road", "keys", "tanba.x509")
"""What every worker needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What is said about every file of a batch, and how it is done. Picklable."""

    disclosure: Disclosure
    options: LabelOptions
    trust: TrustStore
    limits: Limits
    identity: str = ""
    stamper: StamperSource | None = None
    on_label: Callable[[Labelled], None] | None = None
    """Called in the worker for every label made; must be picklable."""

    @property
    def digest(self) -> str:
        """Identifies the work for the ledger: another disclosure, profile or identity is other work."""
        options = to_plain(replace(self.options, parent=None, profiles=(), overwrite=False))
        profiles = [item.version for item in self.options.profiles]
        parent = self.options.parent.sha256 if self.options.parent else None
        parts = [to_plain(self.disclosure), options, profiles, parent, self.identity]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file."""

    item: Item
    receipt: LabelReceipt | None = None
    error: dict[str, Any] | None = None
    exit_code: int = exits.OK
    done_before: bool = False


def collect(
    inputs: Sequence[Path], output: Path | None, *, recursive: bool, in_place: bool = False
) -> tuple[list[Item], list[Path]]:
    """The files of a batch with their targets, and what was passed over in folders (hidden, sidecars, no media).

    Raises :class:`UsageError` for a folder without ``recursive`` and for two inputs with one target.
    """
    items: list[Item] = []
    passed: list[Path] = []
    for entry in inputs:
        if not entry.is_dir():
            items.append(Item(entry, _target(entry, Path(entry.name), output, in_place)))
            continue
        if not recursive:
            raise UsageError(f"{entry.name} is a folder", hint="add -r to label what is in it")
        for path in _walk(entry, output):
            if _wanted(path):
                items.append(Item(path, _target(path, path.relative_to(entry), output, in_place)))
            else:
                passed.append(path)
    seen: dict[Path, Path] = {}
    for item in items:
        if item.target in seen:
            raise UsageError(
                f"{seen[item.target]} and {item.source} would both become {item.target}",
                hint="label them into different folders",
            )
        seen[item.target] = item.source
    return items, passed


def run(
    items: Iterable[Item], recipe: Recipe, signer: SignerSource, *, jobs: int = 1, ledger: Ledger | None = None
) -> Iterator[Outcome]:
    """Label every item and yield outcomes as they are ready. Never raises for one file's trouble."""
    if jobs <= 1:
        with ExitStack() as stack:
            worker = _Worker.open(recipe, signer, stack)
            for item in items:
                yield _with_ledger(item, ledger, worker.label)
        return
    yield from _parallel(items, recipe, signer, jobs, ledger)


def _with_ledger(item: Item, ledger: Ledger | None, work: Callable[[Item, str], Outcome]) -> Outcome:
    if ledger is not None and ledger.done(item, _content_id_reader):
        return Outcome(item, done_before=True)
    content_id = str(uuid.uuid4())
    stat = ledger.begun(item, content_id) if ledger else None
    outcome = work(item, content_id)
    if ledger is not None and outcome.receipt is not None:
        ledger.finished(item, content_id, stat)
    return outcome


def _parallel(
    items: Iterable[Item], recipe: Recipe, signer: SignerSource, jobs: int, ledger: Ledger | None
) -> Iterator[Outcome]:
    with signer():
        pass  # trouble with the identity is the batch's, and is raised here once instead of in every worker
    begun: dict[str, tuple[int, int] | None] = {}
    pool: Pool[tuple[Item, str], Outcome] = Pool(
        _work, jobs=jobs, begin=_open_worker, arguments=(recipe, signer), preload=_PRELOAD
    )
    todo = iter(items)
    with pool:
        while True:
            while pool.free and (item := next(todo, None)) is not None:
                if ledger is not None and ledger.done(item, _content_id_reader):
                    yield Outcome(item, done_before=True)
                    continue
                content_id = str(uuid.uuid4())
                begun[content_id] = ledger.begun(item, content_id) if ledger else None
                pool.submit((item, content_id))
            if not pool.pending:
                return
            (item, content_id), found = pool.next()
            # A dead worker is this one file's outcome, not the batch's end.
            outcome = found if isinstance(found, Outcome) else _failed(item, found)
            stat = begun.pop(content_id)
            if ledger is not None and outcome.receipt is not None:
                ledger.finished(item, content_id, stat)
            yield outcome


@dataclass(frozen=True, slots=True)
class _Worker:
    """What one process holds open."""

    recipe: Recipe
    signer: Signer
    stamper: Stamper | None

    @classmethod
    def open(cls, recipe: Recipe, signer: SignerSource, stack: ExitStack) -> _Worker:
        opened = stack.enter_context(signer())
        return cls(recipe, opened, stack.enter_context(recipe.stamper()) if recipe.stamper else None)

    def label(self, item: Item, content_id: str) -> Outcome:
        """One file. Never raises for its trouble."""
        recipe = self.recipe
        try:
            said = recipe.disclosure
            if said.content_id is None:
                said = replace(said, content_id=content_id)
            asset = Asset.from_path(item.source, limits=recipe.limits)
            done = stamped(
                self.stamper,
                asset,
                said,
                signer=self.signer,
                options=recipe.options,
                output=item.target,
                trust=recipe.trust,
                limits=recipe.limits,
            )
            if recipe.on_label is not None:
                recipe.on_label(done)
        except Exception as error:  # noqa: BLE001 -- one bad file never stops the rest
            return _failed(item, error)
        return Outcome(item, receipt=done.receipt)


_worker: _Worker | None = None
_held = ExitStack()


def _open_worker(recipe: Recipe, signer: SignerSource) -> None:
    """Runs once in every worker process."""
    global _worker  # noqa: PLW0603 -- a worker process has exactly one recipe and one open identity
    _worker = _Worker.open(recipe, signer, _held)


def _work(task: tuple[Item, str]) -> Outcome:
    assert _worker is not None
    return _worker.label(*task)


def _failed(item: Item, error: BaseException) -> Outcome:
    if isinstance(error, TanbaError):
        body = error.to_dict()
    else:
        body = {
            "code": "tanba.bug",
            "message": f"unexpected {type(error).__name__}: this is a bug of Tanba",
            "retryable": False,
        }
    return Outcome(item, error=body, exit_code=exits.for_error(error))


def _content_id_reader(path: Path) -> str | None:
    """The content id that the active label of a file states, or None."""
    try:
        evidence = read(Asset.from_path(path), trust=TrustStore.empty())
    except TanbaError:
        return None
    for assertion in evidence.manifest().get("assertions", ()):
        if assertion.get("label") == DISCLOSURE_LABEL:
            found = (assertion.get("data") or {}).get("content_id")
            return found if isinstance(found, str) else None
    return None


def _walk(folder: Path, output: Path | None) -> Iterator[Path]:
    """Regular files below a folder, in order; links to folders, hidden entries and the output are not entered."""
    skip = output.resolve() if output is not None else None
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith(".") or (skip is not None and entry.resolve() == skip):
            continue
        if entry.is_dir():
            if not entry.is_symlink():
                yield from _walk(entry, output)
        elif entry.is_file():
            yield entry


def _wanted(path: Path) -> bool:
    if path.suffix == ".c2pa":
        return False
    try:
        kind = Asset.from_path(path).format.kind
    except TanbaError:
        return True  # the trouble is reported when its turn comes
    return kind not in (Kind.UNKNOWN, Kind.STORE)


def _target(source: Path, relative: Path, output: Path | None, in_place: bool) -> Path:
    if in_place or output is None:
        return source
    return output / relative
