"""Work that costs the same for one as for many (a flush to disk, a transaction) is done for many at once.

What arrives while the last group is being done is the next group. Nobody waits to fill it, unless waiting is free.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")
_PATIENCE = 2.0
"""Seconds for doing the members of a failed group one by one; the rest then share the group's error."""
_COMPANY = 0.02
"""Seconds that the first of a group may wait for others."""


@dataclass(frozen=True, slots=True)
class _Waiting(Generic[T, R]):
    """One item and whoever waits for it."""

    item: T
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[R]


class Grouped(Generic[T, R]):
    """One thread that does what came in meanwhile together.

    ``together`` returns one outcome for each item, in order: a result, or an exception that concerns this item alone.
    When it raises it must have done nothing; the items are then done one by one, so that only whose fault it was fails.

    While ``crowded()``, a group waits up to :data:`_COMPANY` seconds for more items: as PostgreSQL's ``commit_delay`` with
    its ``commit_siblings``, that saves work when work is what everybody waits for. It must not block.
    """

    def __init__(
        self,
        together: Callable[[Sequence[T]], Sequence[R | Exception]],
        *,
        name: str,
        most: int = 32,
        crowded: Callable[[], bool] = lambda: False,
    ) -> None:
        self._together = together
        self._crowded = crowded
        self._name = name
        self._most = most
        self._queue: queue.SimpleQueue[_Waiting[T, R] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    async def do(self, item: T) -> R:
        """Wait until it is done. Raises what doing it raises. Whoever stops waiting before its turn is left out."""
        loop = asyncio.get_running_loop()
        waiting: _Waiting[T, R] = _Waiting(item, loop, loop.create_future())
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
            self._queue.put(waiting)
        return await waiting.future

    def close(self, timeout: float = 20.0) -> None:
        """Finish what was handed in, then end."""
        with self._lock:
            thread, self._thread = self._thread, None
            if thread is not None:
                self._queue.put(None)
        if thread is not None:
            thread.join(timeout)

    def _run(self) -> None:
        more = True
        while more:
            group, more = self._next()
            taken = [waiting for waiting in group if not waiting.future.cancelled()]
            if taken:
                self._finish(taken)

    def _next(self) -> tuple[list[_Waiting[T, R]], bool]:
        """Wait for one item and take what else is there, or comes soon; False when the end has come."""
        group: list[_Waiting[T, R]] = []
        ends = 0.0
        while len(group) < self._most:
            try:
                if not group:
                    found = self._queue.get()
                    ends = time.monotonic() + _COMPANY
                elif self._crowded():
                    found = self._queue.get(timeout=max(0.0, ends - time.monotonic()))
                else:
                    found = self._queue.get_nowait()
            except queue.Empty:
                break
            if found is None:
                return group, False
            group.append(found)
        return group, True

    def _finish(self, taken: list[_Waiting[T, R]]) -> None:
        items = [waiting.item for waiting in taken]
        outcomes: Sequence[R | Exception]
        try:
            outcomes = self._together(items)
        except Exception as error:  # noqa: BLE001 -- whatever it raises is handed to whom it concerns
            outcomes = [error] if len(items) == 1 else self._one_by_one(items, error)
        # One message for each event loop: waking it up costs more than what it is told.
        told: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[R], R | Exception]]] = {}
        for waiting, outcome in zip(taken, outcomes, strict=True):
            told.setdefault(waiting.loop, []).append((waiting.future, outcome))
        for loop, answers in told.items():
            with suppress(RuntimeError):  # the loop is closed: nobody waits there any more
                loop.call_soon_threadsafe(_tell, answers)

    def _one_by_one(self, items: list[T], cause: Exception) -> list[R | Exception]:
        ends = time.monotonic() + _PATIENCE
        outcomes: list[R | Exception] = []
        for item in items:
            if time.monotonic() > ends:  # a database that is away would make each of them wait for its time-out
                outcomes.append(cause)
                continue
            try:
                outcomes += self._together([item])
            except Exception as error:  # noqa: BLE001 -- as above
                outcomes.append(error)
        return outcomes


def _tell(answers: Sequence[tuple[asyncio.Future[R], R | Exception]]) -> None:
    """On the event loop: everybody gets the own outcome, except who left."""
    for future, outcome in answers:
        if future.cancelled():
            continue
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)
