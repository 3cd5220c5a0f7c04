"""Worker processes that can be killed: one pipe each, a deadline for each task, a replacement for each that dies.

How they are started: :mod:`tanba.starts`.
"""

from __future__ import annotations

import contextlib
import copyreg
import os
import pickle
import selectors
import signal
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import cache
from multiprocessing.connection import Connection
from typing import Any, Generic, TypeVar

from tanba import starts
from tanba.allocator import keep_freed_memory
from tanba.collector import collect_rarely
from tanba.errors import EngineError

T = TypeVar("T")
R = TypeVar("R")
_AHEAD = 2
"""Tasks that one worker holds at least: the one it does and the next, so that it never waits for us."""
_AHEAD_MOST = 16
_AHEAD_SECONDS = 0.04
"""Where tasks are short, a worker holds as many as it does in this time."""
_NAP_SECONDS = 0.01
"""How long answers may wait to be read together: waking up for every one of them costs as much as reading it."""
_START_SECONDS = 60.0
_MOST_STARTS = 3
"""Starts in a row that may fail before the pool gives up."""


class TookTooLong(Exception):
    """The task was stopped at its deadline."""


class WorkerEnded(Exception):
    """The process of the task ended; ``exit_code`` is negative for a signal."""

    def __init__(self, exit_code: int | None) -> None:
        super().__init__(f"exit code {exit_code}")
        self.exit_code = exit_code


def light(*classes: type) -> None:
    """Make frozen dataclasses with slots cheap to pickle: ``dataclasses`` itself looks every field up for every object.

    They travel as a tuple of their fields and arrive without ``__init__``: they were checked when they were made.
    """
    for kind in classes:
        copyreg.pickle(kind, _leave)


def _leave(item: Any) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    kind: type = type(item)
    return _arrive, (kind, *[get(item) for get, _ in _slots(kind)])


def _arrive(kind: type, *values: Any) -> Any:
    found: Any = object.__new__(kind)
    for (_, put), value in zip(_slots(kind), values, strict=True):
        put(found, value)
    return found


@cache
def _slots(kind: type) -> tuple[tuple[Callable[..., Any], Callable[..., Any]], ...]:
    slots = (getattr(kind, item.name) for item in fields(kind))
    return tuple((slot.__get__, slot.__set__) for slot in slots)


class Pool(Generic[T, R]):
    """Workers for one kind of task. Used by one thread; a context manager that leaves no process behind.

    Tasks should be small (paths, not contents) unless one is handed in at a time.

    ``work`` is a module-level function; ``begin(*arguments)`` runs once in each process before its first task. Both
    travel by pickle.
    """

    def __init__(
        self,
        work: Callable[[T], R],
        *,
        jobs: int,
        begin: Callable[..., None] | None = None,
        arguments: tuple[Any, ...] = (),
        preload: Sequence[str] = (),
    ) -> None:
        self._start = (work, begin, arguments)
        self._context = starts.context(preload)
        self._again: deque[_Task[T]] = deque()
        self._failed_starts = 0
        self._found: deque[tuple[T, R | Exception]] = deque()
        self._jobs = jobs
        self._workers: list[_Worker[T]] = []
        self._look = selectors.DefaultSelector()

    def __enter__(self) -> Pool[T, R]:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def free(self) -> bool:
        """Whether another task can be handed in."""
        to_start = _AHEAD * (self._jobs - len(self._workers))
        return self.pending - len(self._found) < to_start + sum(worker.room for worker in self._workers)

    @property
    def pending(self) -> int:
        """Tasks handed in and not yet returned by :meth:`next`."""
        return len(self._found) + len(self._again) + sum(len(worker.tasks) for worker in self._workers)

    def submit(self, item: T, seconds: float | None = None) -> None:
        """Hand in a task that may take so many seconds, counted from when a worker begins it."""
        self._again.append(_Task(item, seconds))
        self._feed()

    def next(self) -> tuple[T, R | Exception]:
        """Wait for the next finished task. What the work raised comes as a value, like :class:`TookTooLong` and
        :class:`WorkerEnded`. Raises :class:`EngineError` when no worker can be started.
        """
        assert self.pending, "nothing was handed in"
        while not self._found:
            self._feed()
            if self._workers and all(worker.busy_for(2 * _NAP_SECONDS) for worker in self._workers):
                time.sleep(_NAP_SECONDS)
            ends = [worker.deadline for worker in self._workers if worker.deadline is not None]
            patience = max(0.0, min(ends) - time.monotonic()) if ends else None
            while ready := self._look.select(patience):  # until no answer is left: one that is there is in time
                patience = 0
                for key, _ in ready:
                    self._keep(self._receive(key.data))
            now = time.monotonic()
            for worker in list(self._workers):
                if worker.deadline is not None and worker.deadline <= now:
                    self._keep(self._lost(worker, TookTooLong()))
        return self._found.popleft()

    def _keep(self, found: tuple[T, R | Exception] | None) -> None:
        if found is not None:
            self._found.append(found)

    def _feed(self) -> None:
        """Every worker gets a task before any gets a second one."""
        while self._again:
            worker = min(self._workers, key=lambda item: len(item.tasks), default=None)
            if len(self._workers) < self._jobs and (worker is None or worker.tasks):
                worker = _Worker(self._context, self._start)
                self._workers.append(worker)
                self._look.register(worker.pipe, selectors.EVENT_READ, worker)
            if worker is None or len(worker.tasks) >= worker.room:
                return
            worker.give(self._again.popleft())

    def _receive(self, worker: _Worker[T]) -> tuple[T, R | Exception] | None:
        try:
            kind, value = worker.pipe.recv()
        except (EOFError, OSError):
            if worker.ready:
                return self._lost(worker, WorkerEnded(worker.exit_code()))
            self._failed_starts += 1
            if self._failed_starts >= _MOST_STARTS:
                raise EngineError(
                    "no worker process can be started",
                    code="tanba.engine.worker_died",
                    hint="functions of a script that are given to workers need `if __name__ == '__main__':` around its start",
                ) from None
            self._drop(worker)
            return None
        except Exception as error:  # noqa: BLE001 -- an answer that cannot be unpickled is the task's failure
            kind, value = "done", error
        if kind == "ready":
            self._failed_starts = 0
            worker.is_ready()
            return None
        return worker.finished().item, value

    def _lost(self, worker: _Worker[T], why: Exception) -> tuple[T, R | Exception] | None:
        """The first task is the one that cost the process its life; the next one is done elsewhere."""
        task = worker.tasks.popleft() if worker.tasks else None
        self._drop(worker)
        return (task.item, why) if task is not None else None

    def _drop(self, worker: _Worker[T]) -> None:
        self._workers.remove(worker)
        self._look.unregister(worker.pipe)
        self._again.extendleft(reversed(worker.tasks))
        worker.kill()

    def close(self) -> None:
        """End every process, whatever it does."""
        for worker in list(self._workers):
            self._drop(worker)
        self._again.clear()
        self._found.clear()


@dataclass(slots=True)
class _Task(Generic[T]):
    item: T
    seconds: float | None


class _Worker(Generic[T]):
    """One process, our end of its pipe, and what it holds; the first task is the one it does."""

    def __init__(self, how: Any, start: tuple[Any, ...]) -> None:
        self.tasks: deque[_Task[T]] = deque()
        self.ready = False
        self.deadline: float | None = time.monotonic() + _START_SECONDS
        self._usual = _AHEAD_SECONDS
        """Seconds that a task takes of late."""
        self._since = 0.0
        self.pipe: Connection[Any, Any]
        self.pipe, theirs = how.Pipe()
        # The server process keeps the environment that it was started with.
        self.process = how.Process(target=_serve, args=(theirs, dict(os.environ), *start), daemon=True)
        with theirs:
            starts.start(self.process, start)

    @property
    def room(self) -> int:
        """Tasks that it may hold."""
        return max(_AHEAD, min(_AHEAD_MOST, int(_AHEAD_SECONDS / self._usual)))

    def busy_for(self, seconds: float) -> bool:
        """Whether what it holds lasts so long, to judge by what it did before. Never for tasks longer than that."""
        return self.ready and self._usual < seconds < self._usual * (len(self.tasks) - 1)

    def give(self, task: _Task[T]) -> None:
        self.tasks.append(task)
        with contextlib.suppress(OSError):  # it has just ended: the pipe says so at the next look
            self.pipe.send(task.item)
        if len(self.tasks) == 1 and self.ready:
            self._clock()

    def is_ready(self) -> None:
        self.ready = True
        self._clock()

    def finished(self) -> _Task[T]:
        task = self.tasks.popleft()
        self._usual = max(1e-4, 0.9 * self._usual + 0.1 * (time.monotonic() - self._since))
        self._clock()
        return task

    def _clock(self) -> None:
        self._since = time.monotonic()
        seconds = self.tasks[0].seconds if self.tasks else None
        self.deadline = time.monotonic() + seconds if seconds is not None else None

    def exit_code(self) -> int | None:
        self.process.join(2)
        code: int | None = self.process.exitcode
        return code

    def kill(self) -> None:
        self.pipe.close()
        self.process.kill()
        self.process.join(5)


def _serve(
    pipe: Connection[Any, Any],
    environment: dict[str, str],
    work: Callable[[Any], Any],
    begin: Callable[..., None] | None,
    arguments: tuple[Any, ...],
) -> None:
    """The life of a process: one task after the other until the pipe closes. Interrupts belong to the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.update(environment)
    for name in os.environ.keys() - environment.keys():
        del os.environ[name]
    if begin is not None:
        begin(*arguments)
    collect_rarely(freeze=True)
    keep_freed_memory()
    with contextlib.suppress(EOFError, OSError):
        pipe.send(("ready", None))
        while True:
            pipe.send_bytes(_done(work, pipe.recv()))


def _done(work: Callable[[Any], Any], item: Any) -> bytes:
    try:
        return pickle.dumps(("done", work(item)))
    except Exception as error:  # noqa: BLE001 -- whatever the work raises is its answer
        try:
            return pickle.dumps(("done", error))
        except Exception:  # noqa: BLE001 -- an exception of a library may hold what cannot be pickled
            return pickle.dumps(("done", RuntimeError(f"unexpected {type(error).__name__}")))
