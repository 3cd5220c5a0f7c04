"""The embedded engine: PgQueuer's in-process queue on a thread of its own, for one server on SQLite.

It forgets everything when the process ends. That loses nothing: what is unfinished stands in our tables, and the first
thing a new process does is to hand it over again.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Session

from service.jobs.engine import Engine, Task


@dataclass
class MemoryEngine(Engine):
    """See :class:`Engine`. :meth:`start` and :meth:`close` run it beside a server."""

    _manager_now: Any = field(default=None, init=False)
    _loop: asyncio.AbstractEventLoop | None = field(default=None, init=False)
    _stop: asyncio.Event | None = field(default=None, init=False)
    _thread: threading.Thread | None = field(default=None, init=False)

    def enqueue(self, session: Session, tasks: Sequence[Task]) -> None:
        """Hand over after the commit; a crash in between is what :attr:`resume` is for."""
        wanted = list(tasks)

        def committed(_: Session) -> None:
            loop, manager = self._loop, self._manager_now
            if loop is not None and manager is not None and not loop.is_closed():
                asyncio.run_coroutine_threadsafe(self.again(manager, wanted), loop)

        event.listen(session, "after_commit", committed, once=True)

    async def again(self, manager: Any, tasks: Sequence[Task]) -> None:
        """See :class:`Engine`."""
        await manager.queries.clear_queue_log()  # the engine would keep a line for every task it ever had
        await super().again(manager, tasks)

    @asynccontextmanager
    async def _manager(self) -> AsyncIterator[Any]:
        from pgqueuer import PgQueuer

        self._loop = asyncio.get_running_loop()
        self._manager_now = PgQueuer.in_memory()
        try:
            yield self._manager_now
        finally:
            self._manager_now = None

    def start(self) -> None:
        """Begin to work on a thread of our own."""
        ready = threading.Event()

        def work() -> None:
            async def main() -> None:
                self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
                ready.set()
                await self.run(self._stop)

            asyncio.run(main())

        self._thread = threading.Thread(target=work, name="tanba-jobs", daemon=True)
        self._thread.start()
        ready.wait()

    def close(self, timeout: float = 20.0) -> None:
        """Finish what is in hand and end; what is not done after ``timeout`` seconds is resumed by the next process."""
        if self._thread is None or self._loop is None or self._stop is None:
            return
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(timeout)
        self._thread = None
