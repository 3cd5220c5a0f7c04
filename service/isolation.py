"""Killable worker processes around the engine, with a deadline, a memory limit and a bounded queue.

c2pa has no cancel and no time-out; a file built to exhaust it costs its own worker and nobody else anything. Work is
a module-level function of :mod:`service.work` with small, picklable arguments; large contents travel as spool files.

The event loop talks to each worker over a socket pair (:mod:`service.parcels`), without a thread in between: a hand-over
and its answer cost less than 0.1 ms (docs/adr/0009).
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

from service import parcels
from service.problems import Overloaded, WorkerDied
from tanba import starts
from tanba.allocator import keep_freed_memory
from tanba.collector import collect_rarely
from tanba.errors import Deadline

T = TypeVar("T")
_START_SECONDS = 40.0
"""What a worker may need to start, on a busy machine."""
_KILLED_FROM_OUTSIDE = {signal.SIGKILL, signal.SIGTERM, signal.SIGINT}
_PRELOAD = ("service.work", "labeler.pipeline", "labeler.text_road", "verifier.procedure", "verifier.text", "keys")
"""What every worker needs."""


class Workers:
    """The pool. ``run`` never waits for a place in the queue: a full queue is an answer (503), not a longer queue.

    Safe from every thread and event loop. A worker does one task at a time. One that was killed, by its deadline or
    from outside, is replaced in the background; the others never notice.
    """

    def __init__(self, *, slots: int, queue: int, seconds: float, memory_bytes: int) -> None:
        self.slots = slots
        self.capacity = slots + queue
        self.seconds = seconds
        self._memory_bytes = memory_bytes
        self._inside = 0
        self._lock = threading.Lock()
        self._started = self._closed = False
        self._idle: list[_Worker] = []
        self._waiting: deque[tuple[asyncio.AbstractEventLoop, asyncio.Future[_Worker]]] = deque()

    @property
    def busy(self) -> int:
        """Requests inside: running and waiting."""
        return self._inside

    def refusal(self) -> Overloaded | None:
        """The answer to work that would find the queue full just now, before anything of it is read."""
        return overloaded() if self.full() else None

    def full(self, *, soon: int = 0) -> bool:
        """Whether every worker and every place in the queue is taken.

        ``soon`` requests are on their way in. They count when the queue is half full already: before that, they may as well be
        of the kind that needs no worker, because their results are known.
        """
        inside = self._inside
        return inside + (soon if 2 * inside >= self.capacity else 0) >= self.capacity

    async def ready(self) -> None:
        """Start every worker, and wait until they can work. Raises :class:`WorkerDied`."""
        self._start()
        taken = await asyncio.gather(*(self._take() for _ in range(self.slots)), return_exceptions=True)
        for worker in taken:
            if isinstance(worker, _Worker):
                self._offer(worker)
        for failed in taken:
            if isinstance(failed, BaseException):
                raise failed

    async def run(self, work: Callable[..., T], *args: Any, seconds: float | None = None) -> T:
        """Run ``work(*args)`` in a worker.

        Raises what the work raises; :class:`Overloaded` at once when the queue is full; :class:`Deadline` when the
        process was killed for its time or memory; :class:`WorkerDied` when it was killed from outside.
        """
        with self._lock:
            if self._inside >= self.capacity:
                raise overloaded()
            self._inside += 1
        try:
            self._start()
            ok, result = await self._ask(parcels.pack((work, args)), seconds or self.seconds)
        finally:
            with self._lock:
                self._inside -= 1
        if ok:
            done: T = result
            return done
        if isinstance(result, MemoryError):
            raise _memory() from result
        raise result

    async def _ask(self, task: parcels.Parcel, allowed: float) -> tuple[bool, Any]:
        worker = await self._take()
        try:
            async with asyncio.timeout(allowed):
                found = await worker.ask(task)
        except TimeoutError as error:
            self._replace(worker)
            raise Deadline(
                f"the work took longer than {allowed:g} s and was stopped",
                hint="the file may be built to exhaust readers",
            ) from error
        except (EOFError, OSError) as error:
            code = await asyncio.to_thread(worker.exit_code)
            self._replace(worker)
            if code is None or -code in _KILLED_FROM_OUTSIDE:
                raise _died("the worker was stopped; nothing was published") from error
            raise _memory() from error
        except BaseException:
            self._replace(worker)  # nobody waits for its answer any more, and the next task must not get it
            raise
        self._offer(worker)
        return found

    async def _take(self) -> _Worker:
        """A living worker of our own until it is offered again or replaced."""
        loop = asyncio.get_running_loop()
        while True:
            with self._lock:
                worker = self._idle.pop() if self._idle else None
                if worker is None:
                    waiting: asyncio.Future[_Worker] = loop.create_future()
                    self._waiting.append((loop, waiting))
            if worker is None:
                try:
                    worker = await waiting
                except asyncio.CancelledError:
                    if waiting.done() and not waiting.cancelled() and waiting.exception() is None:
                        self._offer(waiting.result())
                    raise
            if worker.alive:
                return worker
            self._replace(worker)

    def _offer(self, worker: _Worker) -> None:
        """Give a worker to whoever waits longest, or keep it."""
        while True:
            with self._lock:
                if self._closed or not self._waiting:
                    break
                loop, waiting = self._waiting.popleft()
            with contextlib.suppress(RuntimeError):  # the loop of who waited is closed: on to the next
                loop.call_soon_threadsafe(self._hand_over, waiting, worker)
                return
        with self._lock:
            keep = not self._closed
            if keep:
                self._idle.append(worker)
        if not keep:
            worker.end()

    def _hand_over(self, waiting: asyncio.Future[_Worker], worker: _Worker) -> None:
        if waiting.done():
            self._offer(worker)
        else:
            waiting.set_result(worker)

    def _start(self) -> None:
        with self._lock:
            first, self._started = not self._started, True
        for _ in range(self.slots if first else 0):
            self._launch()

    def _replace(self, worker: _Worker) -> None:
        worker.kill()
        self._launch()

    def _launch(self) -> None:
        """One more worker, in the background: starting a process takes its time."""
        threading.Thread(target=self._bring_up, name="tanba-worker-start", daemon=True).start()

    def _bring_up(self) -> None:
        while not self._closed:
            try:
                worker = _Worker(self._memory_bytes)
            except (EOFError, OSError):
                self._refuse_waiting()
                time.sleep(1.0)
            else:
                self._offer(worker)
                return

    def _refuse_waiting(self) -> None:
        """Workers do not start: an answer now is better than one after the caller's own patience."""

        def refuse(waiting: asyncio.Future[_Worker]) -> None:
            if not waiting.done():
                waiting.set_exception(_died("no worker could be started"))

        with self._lock:
            waiting, self._waiting = self._waiting, deque()
        for loop, future in waiting:
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(refuse, future)

    def close(self, timeout: float = 20.0) -> None:
        """Finish what was accepted, then end; what is not done after ``timeout`` seconds is stopped."""
        ends = time.monotonic() + timeout
        while self._inside and time.monotonic() < ends:
            time.sleep(0.02)
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.end()
        self._refuse_waiting()


class _Worker:
    """One process and our end of the socket to it. Owned by one task at a time."""

    def __init__(self, memory_bytes: int) -> None:
        """Start it and wait until it is warm. Raises :class:`OSError`, :class:`EOFError`."""
        self._socket, theirs = parcels.pair()
        self._room = bytearray(parcels.ROOM)
        self._process = starts.context(_PRELOAD).Process(
            target=_serve, args=(theirs, memory_bytes), name="tanba-worker", daemon=True
        )
        try:
            with theirs:
                starts.start(self._process)
            self._socket.settimeout(_START_SECONDS)
            if not self._socket.recv(1):
                raise EOFError("the worker ended before it was ready")
        except BaseException:
            self.kill()
            raise
        self._socket.setblocking(False)

    @property
    def alive(self) -> bool:
        """Whether its end is open: asking the system about the process would cost ten times as much."""
        try:
            return bool(self._socket.recv(1, socket.MSG_PEEK))
        except BlockingIOError:
            return True
        except OSError:
            return False

    async def ask(self, task: parcels.Parcel) -> tuple[bool, Any]:
        """Send a task and wait for its answer. Raises :class:`EOFError`, :class:`OSError` when the process ends."""
        await parcels.asend(self._socket, task)
        found: tuple[bool, Any] = parcels.unpack(await parcels.areceive(self._socket, self._room))
        return found

    def exit_code(self) -> int | None:
        """The process's exit code when it has just ended; negative for a signal. Blocks for a moment."""
        self._process.join(2)
        code: int | None = self._process.exitcode
        return code

    def kill(self) -> None:
        """Stop it whatever it does."""
        if self._process.pid is not None:
            self._process.kill()
            threading.Thread(target=self._process.join, args=(10,), daemon=True).start()  # no zombie stays
        self._socket.close()

    def end(self) -> None:
        """Let it go: it ends when our side of the socket is closed."""
        self._socket.close()
        self._process.join(5)
        if self._process.is_alive():
            self._process.kill()
            self._process.join(5)


def overloaded() -> Overloaded:
    """What is said when every worker and every place in the queue is taken."""
    return Overloaded("all workers are busy", hint="try again shortly", details={"retry_after": 1})


def _died(what: str) -> WorkerDied:
    return WorkerDied(what, hint="send it again")


def _memory() -> Deadline:
    return Deadline(
        "the work needed more memory than allowed and was stopped",
        code="tanba.limit.memory",
        hint="the file may be built to exhaust readers",
    )


def _serve(channel: socket.socket, memory_bytes: int) -> None:
    """The whole life of a worker process: one task after the other until the service's end of the socket closes."""
    _prepare(memory_bytes)
    with channel, contextlib.suppress(EOFError, ConnectionError):
        channel.sendall(b"+")
        while True:
            parcels.send(channel, _do(parcels.receive(channel)))


def _do(task: list[bytes]) -> parcels.Parcel:
    try:
        work, args = parcels.unpack(task)
        return parcels.pack((True, work(*args)))
    except Exception as error:  # noqa: BLE001 -- whatever the work raises is its answer
        try:
            return parcels.pack((False, error))
        except Exception:  # noqa: BLE001 -- an exception of a library may hold what cannot be pickled
            return parcels.pack((False, RuntimeError(f"unexpected {type(error).__name__}")))


def _prepare(memory_bytes: int) -> None:
    """In a fresh worker: load the engine once, then close the door on memory. Interrupts belong to the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    from service import work

    work.warm()
    collect_rarely(freeze=True)
    keep_freed_memory()
    try:
        import resource
    except ImportError:  # Windows has no rlimits; the deadline still holds
        return
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
