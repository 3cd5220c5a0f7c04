"""The seam to the queue engine: hand over tasks inside a transaction, run handlers until told to stop.

Both engines are PgQueuer: on PostgreSQL its durable queue, on SQLite its in-process one, refilled from our tables after a
crash. Leases, heartbeats, retries, back-off, concurrency and schedules are the engine's; nothing of that is written here.
"""

from __future__ import annotations

import asyncio
import functools
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

RESUME = "resume"
"""Name of the periodic look for items that nobody works on."""


@dataclass(frozen=True, slots=True)
class Task:
    """One thing to do: which handler, on which row."""

    kind: str
    key: str

    @property
    def dedupe_key(self) -> str:
        """The engine holds at most one unfinished task of this name."""
        return f"{self.kind}:{self.key}"


def rows(tasks: Sequence[Task]) -> dict[str, Any]:
    """Tasks as arguments of PgQueuer's ``enqueue``; one that waits already is not queued twice."""
    return {
        "entrypoint": [task.kind for task in tasks],
        "payload": [task.key.encode() for task in tasks],
        "priority": [0] * len(tasks),
        "dedupe_key": [task.dedupe_key for task in tasks],
        "on_conflict": "skip",
    }


@dataclass(frozen=True, slots=True)
class Handler:
    """What to do for one kind. ``run(key, last)`` raises to be called again later, unless ``last`` is true."""

    run: Callable[[str, bool], Awaitable[None]]
    tries: int
    first_delay: timedelta
    longest_delay: timedelta
    multiplier: float = 2.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How a worker works."""

    at_once: int = 2
    """Tasks of one kind that are worked on at the same time."""
    ahead: int = 10
    """Tasks fetched at once. The engine pauses 0.1 s between fetches, so one at a time would be ten a second."""
    heartbeat: timedelta = timedelta(seconds=10)
    """Silence after which another worker takes a task over."""
    poll: timedelta = timedelta(seconds=5)
    """Longest wait between two looks at the queue when no notification comes."""


@dataclass
class Engine(ABC):
    """One queue. ``handlers`` and ``resume`` are set once, before anything runs."""

    pace: Pace = field(default_factory=Pace)
    handlers: Mapping[str, Handler] = field(default_factory=dict)
    resume: Callable[[], Awaitable[Sequence[Task]]] | None = None

    @abstractmethod
    def enqueue(self, session: Session, tasks: Sequence[Task]) -> None:
        """Make tasks real with the caller's commit; unfinished duplicates are left out. Blocks."""

    @abstractmethod
    def _manager(self) -> Any:
        """An asynchronous context manager that yields a connected ``PgQueuer``."""

    async def again(self, manager: Any, tasks: Sequence[Task]) -> None:
        """Enqueue from within the running engine."""
        if tasks:
            await manager.queries.enqueue(**rows(tasks))

    async def run(self, stop: asyncio.Event) -> None:
        """Work until ``stop`` is set; a lost connection is taken up again. Tasks in hand are finished first."""
        import pgqueuer

        ahead = max(self.pace.ahead, self.pace.at_once)
        await pgqueuer.run(
            self._connected,
            dequeue_timeout=self.pace.poll,
            batch_size=ahead,
            max_concurrent_tasks=2 * ahead,  # the engine wants room for the next batch while one is in hand
            heartbeat_timeout=self.pace.heartbeat,
            restart_on_failure=True,
            restart_delay=timedelta(seconds=2),
            shutdown=stop,
        )

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Any]:
        async with self._manager() as manager:
            self._register(manager)
            if self.resume is not None:
                await self.again(manager, await self.resume())
            yield manager

    def _register(self, manager: Any) -> None:
        from pgqueuer.executors import DatabaseRetryEntrypointExecutor

        for kind, handler in self.handlers.items():
            executor = functools.partial(
                DatabaseRetryEntrypointExecutor,
                max_attempts=handler.tries - 1,
                initial_delay=handler.first_delay,
                max_delay=handler.longest_delay,
                backoff_multiplier=handler.multiplier,
            )
            room = asyncio.Semaphore(self.pace.at_once)
            manager.entrypoint(kind, executor_factory=executor)(_entry(handler, room))

        @manager.schedule(RESUME, "* * * * *")  # type: ignore[untyped-decorator] # the engine's manager is untyped here
        async def look(_: Any) -> None:
            if self.resume is not None:
                await self.again(manager, await self.resume())


def _entry(handler: Handler, room: asyncio.Semaphore) -> Callable[[Any], Awaitable[None]]:
    async def entry(job: Any) -> None:
        async with room:
            await handler.run((job.payload or b"").decode(), job.attempts >= handler.tries - 1)

    return entry
