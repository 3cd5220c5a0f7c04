"""Work that costs the same for one as for many (a flush to disk, a transaction) is done for many at once.

Nobody waits to fill a group: what arrives while the last group is being done is the next group.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")
_PATIENCE = 2.0
"""Seconds for doing the members of a failed group one by one; the rest then share the group's error."""


class Grouped(Generic[T, R]):
    """One thread that does what came in meanwhile together.

    ``together`` returns one outcome for each item, in order: a result, or an exception that concerns this item alone.
    When it raises it must have done nothing; the items are then done one by one, so that only whose fault it was fails.
    """

    def __init__(
        self, together: Callable[[Sequence[T]], Sequence[R | Exception]], *, name: str, most: int = 32
    ) -> None:
        self._together = together
        self._name = name
        self._most = most
        self._queue: queue.SimpleQueue[tuple[T, Future[R]] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    async def do(self, item: T) -> R:
        """Wait until it is done. Raises what doing it raises. Whoever stops waiting before its turn is left out."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
            waiting: Future[R] = Future()
            self._queue.put((item, waiting))
        return await asyncio.wrap_future(waiting)

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
            taken = [(item, waiting) for item, waiting in group if waiting.set_running_or_notify_cancel()]
            if taken:
                self._finish(taken)

    def _next(self) -> tuple[list[tuple[T, Future[R]]], bool]:
        """Wait for one item and take what else is there; False when the end has come."""
        group: list[tuple[T, Future[R]]] = []
        while len(group) < self._most:
            try:
                found = self._queue.get(block=not group)
            except queue.Empty:
                break
            if found is None:
                return group, False
            group.append(found)
        return group, True

    def _finish(self, taken: list[tuple[T, Future[R]]]) -> None:
        outcomes: Sequence[R | Exception]
        try:
            outcomes = self._together([item for item, _ in taken])
        except Exception as error:  # noqa: BLE001 -- whatever it raises is handed to whom it concerns
            outcomes = [error] if len(taken) == 1 else self._one_by_one([item for item, _ in taken], error)
        for (_, waiting), outcome in zip(taken, outcomes, strict=True):
            if isinstance(outcome, Exception):
                waiting.set_exception(outcome)
            else:
                waiting.set_result(outcome)

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
