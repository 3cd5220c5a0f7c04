"""Putting the jobs together for one process: which engine, which handlers, at which pace; beside a server or as a worker."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from starlette.concurrency import run_in_threadpool

from service.jobs import ledger, webhooks
from service.jobs.engine import Engine, Handler, Pace, Task
from service.jobs.inputs import Inputs
from service.jobs.items import Issue, ItemWork
from service.jobs.memory import MemoryEngine
from service.jobs.postgres import PostgresEngine
from service.security import Caller
from service.state import State
from service.usecases import labels, publishing
from service.usecases.issued import Issued
from tanba.net import GuardedClient

_ITEM_TRIES = 8
_UNTOUCHED = timedelta(minutes=10)
"""An item in hand for longer than this is offered again; the engine leaves it out when it is still being worked on."""


@dataclass(frozen=True, slots=True)
class Jobs:
    """What the API and the worker need."""

    state: State
    engine: Engine
    keys: webhooks.WebhookKeys
    client: GuardedClient

    @property
    def embedded(self) -> bool:
        """Whether work happens in this process."""
        return isinstance(self.engine, MemoryEngine)

    def start(self) -> None:
        """Begin to work beside a server, when this process is the one that works."""
        if isinstance(self.engine, MemoryEngine):
            self.engine.start()

    def close(self) -> None:
        """Finish what is in hand."""
        if isinstance(self.engine, MemoryEngine):
            self.engine.close()


async def _issue(state: State, caller: Caller, request: labels.LabelRequest, within: publishing.Within) -> Issued:
    return await labels.issue(state, caller, request, within=within)


def build(state: State, *, pace: Pace | None = None, issue: Issue = _issue) -> Jobs:
    """Wire engine and handlers for this process. Nothing runs yet."""
    settings = state.settings.jobs
    pace = pace or Pace(at_once=state.settings.workers, heartbeat=timedelta(seconds=settings.heartbeat_seconds))
    engine: Engine = MemoryEngine(pace) if state.db.is_sqlite else PostgresEngine(pace, url=state.db.url)
    keys = (
        webhooks.WebhookKeys(settings.webhook_secret.get_secret_value().encode())
        if settings.webhook_secret is not None
        else webhooks.WebhookKeys.load_or_create(state.settings.service_dir / "webhook.key")
    )
    client = webhooks.client(tuple(settings.webhook_allow))
    inputs = Inputs(
        blobs=state.blobs,
        spool=state.spool,
        limit=state.limits.asset_bytes,
        inbox_url=settings.inbox_url,
        inbox_options=_inbox_options(state) if (settings.inbox_url or "").startswith("s3:") else None,
    )
    items = ItemWork(state, engine, inputs, issue)
    deliveries = webhooks.Delivery(state, keys, client)
    engine.handlers = {
        ledger.ITEM: Handler(items.run, _ITEM_TRIES, timedelta(seconds=1), timedelta(minutes=2)),
        # 30 s, 2 min, 8 min, 32 min, 2 h, 8 h, 8 h: eight attempts over some 19 hours.
        ledger.WEBHOOK: Handler(
            deliveries.run, webhooks.TRIES, timedelta(seconds=30), timedelta(hours=8), multiplier=4.0
        ),
    }
    engine.resume = _Resume(state, embedded=isinstance(engine, MemoryEngine))
    return Jobs(state, engine, keys, client)


class _Resume:
    """What nobody works on. The first look of an embedded engine takes everything: its memory died with its process."""

    def __init__(self, state: State, *, embedded: bool) -> None:
        self._state = state
        self._first = embedded

    async def __call__(self) -> Sequence[Task]:
        since = self._state.clock() - (timedelta() if self._first else _UNTOUCHED)
        self._first = False
        return await run_in_threadpool(self._look, since)

    def _look(self, since: datetime) -> list[Task]:
        with self._state.db.read() as session:
            return ledger.unfinished(session, since)


def _inbox_options(state: State) -> dict[str, object]:
    s3 = state.settings.s3
    options: dict[str, object] = {"region": s3.region, "client_options": {"allow_http": s3.allow_http}}
    if s3.endpoint:
        options |= {"endpoint": s3.endpoint, "virtual_hosted_style_request": False}
    if s3.access_key_id and s3.secret_access_key:
        options |= {"access_key_id": s3.access_key_id, "secret_access_key": s3.secret_access_key.get_secret_value()}
    return options


async def work(jobs: Jobs) -> None:
    """Work until SIGTERM or SIGINT; what is in hand is finished first. This is ``tanba worker``."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with suppress(NotImplementedError):  # Windows has no handlers on the loop; Ctrl-C still ends the process
            loop.add_signal_handler(number, stop.set)
    # As a server does: a fresh engine process spends seconds on imports, and they must not count against an item's deadline.
    await asyncio.gather(*(pool.ready() for pool in jobs.state.pools))
    await jobs.engine.run(stop)
