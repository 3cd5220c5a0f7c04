"""Killable worker processes around the engine: spawned, with a deadline, a memory limit and a bounded queue.

c2pa has no cancel and no time-out; a file built to exhaust it costs its own worker and nobody else anything. Work is
a module-level function of :mod:`service.work` with small, picklable arguments; bytes travel as spool files.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable
from concurrent.futures import TimeoutError as FutureTimeout
from multiprocessing import get_context
from typing import Any, TypeVar

from pebble import ProcessExpired, ProcessPool

from service.problems import Overloaded, WorkerDied
from tanba.errors import Deadline

T = TypeVar("T")
_KILLED_FROM_OUTSIDE = {signal.SIGKILL, signal.SIGTERM, signal.SIGINT}


class Workers:
    """The pool. ``run`` never waits for a free place: a full queue is an answer (503), not a longer queue."""

    def __init__(self, *, slots: int, queue: int, seconds: float, memory_bytes: int) -> None:
        self.slots = slots
        self.capacity = slots + queue
        self.seconds = seconds
        self._waiting = 0
        self._lock = threading.Lock()
        self._pool: Any = ProcessPool(
            max_workers=slots, context=get_context("spawn"), initializer=_prepare, initargs=(memory_bytes,)
        )

    @property
    def busy(self) -> int:
        """Requests inside: running and waiting."""
        return self._waiting

    async def run(self, work: Callable[..., T], *args: Any, seconds: float | None = None) -> T:
        """Run ``work(*args)`` in a worker.

        Raises what the work raises; :class:`Overloaded` at once when the queue is full; :class:`Deadline` when the
        process was killed for its time or memory; :class:`WorkerDied` when it was killed from outside.
        """
        with self._lock:
            if self._waiting >= self.capacity:
                raise Overloaded("all workers are busy", hint="try again shortly", details={"retry_after": 1})
            self._waiting += 1
        allowed = seconds or self.seconds
        try:
            result: T = await asyncio.wrap_future(self._pool.schedule(work, args=args, timeout=allowed))
            return result
        except (FutureTimeout, TimeoutError) as error:
            raise Deadline(
                f"the work took longer than {allowed:g} s and was stopped",
                hint="the file may be built to exhaust readers",
            ) from error
        except ProcessExpired as error:
            if -(error.exitcode or 0) in _KILLED_FROM_OUTSIDE:
                raise WorkerDied("the worker was stopped; nothing was published", hint="send it again") from error
            raise _memory() from error
        except MemoryError as error:
            raise _memory() from error
        finally:
            with self._lock:
                self._waiting -= 1

    def close(self, timeout: float = 20.0) -> None:
        """Finish what was accepted, then end; what is not done after ``timeout`` seconds is stopped."""
        self._pool.close()
        try:
            self._pool.join(timeout=timeout)
        except FutureTimeout:
            self._pool.stop()
            self._pool.join(timeout=5)


def _memory() -> Deadline:
    return Deadline(
        "the work needed more memory than allowed and was stopped",
        code="tanba.limit.memory",
        hint="the file may be built to exhaust readers",
    )


def _prepare(memory_bytes: int) -> None:
    """In a fresh worker: load the engine once, then close the door on memory. Interrupts belong to the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    from service import work

    work.warm()
    try:
        import resource
    except ImportError:  # Windows has no rlimits; the deadline still holds
        return
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
