"""Killable worker processes around the engine: spawned, with a deadline, a memory limit and a bounded queue.

c2pa has no cancel and no time-out; a file built to exhaust it costs its own worker and nobody else anything. Work is
a module-level function of :mod:`service.work` with small, picklable arguments; bytes travel as spool files.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from multiprocessing import get_context
from typing import Any, TypeVar

from pebble import ProcessExpired, ProcessPool

from service.problems import Overloaded, WorkerDied
from tanba.errors import Deadline

T = TypeVar("T")
_START_SECONDS = 40.0
"""What a task may wait for its worker to be started, on a busy machine."""
_KILLED_FROM_OUTSIDE = {signal.SIGKILL, signal.SIGTERM, signal.SIGINT}


class Workers:
    """The pool. ``run`` never waits for a place in the queue: a full queue is an answer (503), not a longer queue.

    Safe from every thread and event loop. At most ``slots`` tasks are inside Pebble's pool at a time, because a pool
    whose idle worker is killed from outside breaks as a whole; it is then replaced and its tasks are done again, which
    is safe: work in a worker publishes nothing.
    """

    def __init__(self, *, slots: int, queue: int, seconds: float, memory_bytes: int) -> None:
        self.slots = slots
        self.capacity = slots + queue
        self.seconds = seconds
        self._memory_bytes = memory_bytes
        self._inside = 0
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(max_workers=slots, thread_name_prefix="tanba-slot")
        self._pool = self._new_pool()

    def _new_pool(self) -> Any:
        return ProcessPool(
            max_workers=self.slots,
            context=get_context("spawn"),
            initializer=_prepare,
            initargs=(self._memory_bytes,),
        )

    @property
    def busy(self) -> int:
        """Requests inside: running and waiting."""
        return self._inside

    async def run(self, work: Callable[..., T], *args: Any, seconds: float | None = None) -> T:
        """Run ``work(*args)`` in a worker.

        Raises what the work raises; :class:`Overloaded` at once when the queue is full; :class:`Deadline` when the
        process was killed for its time or memory; :class:`WorkerDied` when it was killed from outside.
        """
        with self._lock:
            if self._inside >= self.capacity:
                raise Overloaded("all workers are busy", hint="try again shortly", details={"retry_after": 1})
            self._inside += 1
        try:
            waiting = self._threads.submit(self._twice, work, args, seconds or self.seconds)
        except BaseException:
            self._leave()
            raise
        waiting.add_done_callback(lambda _: self._leave())
        result: T = await asyncio.wrap_future(waiting)
        return result

    def _leave(self) -> None:
        with self._lock:
            self._inside -= 1

    def _twice(self, work: Callable[..., T], args: tuple[Any, ...], allowed: float) -> T:
        try:
            return self._once(work, args, allowed)
        except _Broken:
            try:
                return self._once(work, args, allowed)
            except _Broken as error:
                raise WorkerDied("the workers were stopped; nothing was published", hint="send it again") from error

    def _once(self, work: Callable[..., T], args: tuple[Any, ...], allowed: float) -> T:
        """One try in the present pool. Raises :class:`_Broken` after replacing a pool that does not work any more."""
        pool = self._pool
        try:
            future = pool.schedule(work, args=args, timeout=allowed)
        except RuntimeError as error:
            self._replace(pool)
            raise _Broken from error
        try:
            result: T = future.result(allowed + _START_SECONDS)
            return result
        except (FutureTimeout, TimeoutError) as error:
            if not future.done():
                self._replace(pool)
                raise _Broken from error
            raise Deadline(
                f"the work took longer than {allowed:g} s and was stopped",
                hint="the file may be built to exhaust readers",
            ) from error
        except BrokenExecutor as error:
            self._replace(pool)
            raise _Broken from error
        except ProcessExpired as error:
            if -(error.exitcode or 0) in _KILLED_FROM_OUTSIDE:
                raise WorkerDied("the worker was stopped; nothing was published", hint="send it again") from error
            raise _memory() from error
        except MemoryError as error:
            raise _memory() from error

    def _replace(self, broken: Any) -> None:
        with self._lock:
            if self._pool is not broken:
                return  # another thread was first
            self._pool = self._new_pool()
        threading.Thread(target=_end, args=(broken,), daemon=True).start()

    def close(self, timeout: float = 20.0) -> None:
        """Finish what was accepted, then end; what is not done after ``timeout`` seconds is stopped."""
        self._pool.close()
        try:
            self._pool.join(timeout=timeout)
        except (FutureTimeout, TimeoutError):
            _end(self._pool)
        self._threads.shutdown(wait=False, cancel_futures=True)


class _Broken(Exception):
    """The pool as a whole stopped working."""


def _end(pool: Any) -> None:
    pool.stop()
    pool.join(timeout=5)


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
