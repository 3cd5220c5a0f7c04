"""``/healthz`` (alive), ``/readyz`` (really signs and verifies a probe) and ``/metrics``."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from service import log_key, problems, work
from service.config import Settings
from service.db import repositories
from service.db.session import is_current
from service.deps import StateDep, get_state
from service.log import store
from service.problems import NotFound, documented
from service.state import State
from tanba.errors import TanbaError

routes = APIRouter(tags=["operations"])
_PROBE_SECONDS = 20.0
_STAMP_SECONDS = 300.0


class Health(BaseModel):
    """Alive."""

    status: str = "ok"


class Readiness(BaseModel):
    """Each part and whether it works now."""

    status: str
    checks: dict[str, str]
    identity_days_left: float | None = None


@routes.get("/healthz", summary="Is the process alive?")
async def healthz() -> Health:
    """No I/O at all."""
    return Health()


class Probe:
    """The last answers, kept for a few seconds: readiness must not become a way to burn signatures."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.until = 0.0
        self.answer: Readiness | None = None
        self.stamped_until = 0.0
        """How long an authority's last good answer counts: asking is somebody else's work, too."""


async def get_probe(request: Request) -> Probe:
    """The app's own probe."""
    probe = request.app.state.probe
    assert isinstance(probe, Probe)
    return probe


@routes.get("/readyz", summary="Can this deployment do its work?", response_model=Readiness, responses=documented(503))
async def readyz(
    request: Request, state: Annotated[State, Depends(get_state)], probe: Annotated[Probe, Depends(get_probe)]
) -> Response:
    """Database, storage, label log, and a probe text that is signed with the active identity and verified.

    When labels need a time stamp, an authority is asked every five minutes; its clock may differ by a minute.
    """
    async with probe.lock:
        if probe.answer is None or time.monotonic() >= probe.until:
            probe.answer = await _check(state, probe)
            probe.until = time.monotonic() + (_PROBE_SECONDS if probe.answer.status == "ready" else 1.0)
        answer = probe.answer
    if answer.status == "ready":
        return Response(answer.model_dump_json(), media_type="application/json", headers={"Cache-Control": "no-store"})
    document = problems.body(
        503,
        "tanba.service.not_ready",
        "a part that this deployment needs does not work now",
        hint="see checks",
        request_id=request.scope.get("tanba.request_id"),
        retryable=True,
        extra={"checks": answer.checks},
    )
    return problems.response(503, document, {"Retry-After": "5"})


async def _check(state: State, kept: Probe) -> Readiness:
    days: list[float | None] = [None]

    async def probe() -> None:
        found = await state.label_workers.run(
            work.probe, state.settings.keys_dir, state.settings.identity, state.limits.seconds
        )
        days[0] = found["days_left"]
        if found["verdict"] not in {"valid", "trusted"}:
            raise problems.NotReady(f"the probe came back {found['verdict']}", code="tanba.service.probe_failed")
        if days[0] is not None:
            state.metrics.identity_days.set(days[0])

    async def stamp() -> None:
        if time.monotonic() >= kept.stamped_until:
            await run_in_threadpool(_stamp, settings)
            kept.stamped_until = time.monotonic() + _STAMP_SECONDS

    settings = state.settings
    parts: dict[str, Callable[[], Awaitable[Any]]] = {
        "database": lambda: run_in_threadpool(_database, state),
        "storage": lambda: run_in_threadpool(state.blobs.check),
        "trust": lambda: run_in_threadpool(state.trust.current),
        "log": lambda: run_in_threadpool(_log, state),
    }
    if state.settings.labelling:
        parts["signing"] = probe
        if settings.timestamp_urls and settings.timestamp_policy == "fail":
            parts["timestamp"] = stamp
    checks = dict(zip(parts, await asyncio.gather(*(_one(part) for part in parts.values())), strict=True))
    status = "ready" if all(value == "ok" for value in checks.values()) else "not_ready"
    return Readiness(status=status, checks=checks, identity_days_left=days[0])


async def _one(part: Callable[[], Awaitable[Any]]) -> str:
    try:
        await asyncio.wait_for(part(), 10)
    except TanbaError as error:
        return error.code
    except TimeoutError:
        return "tanba.service.timeout"
    return "ok"


def _stamp(settings: Settings) -> None:
    from keys import timestamp

    request = timestamp.build_request(b"Tanba readiness probe.\n")
    timestamp.fetch_any(request, settings.timestamp_urls, seconds=settings.timestamp_seconds)


def _database(state: State) -> None:
    with state.db.read() as session:
        repositories.ping(session)
    if not is_current(state.db):
        raise problems.NotReady("the database is not at the newest migration", code="tanba.storage.migration_needed")


def _log(state: State) -> None:
    with state.db.read() as session:
        store.check(session)
        if not state.settings.accept_log_key:
            log_key.check(session, state.log)


@routes.get("/metrics", summary="Prometheus metrics", response_class=Response, responses=documented(404))
async def metrics(state: StateDep) -> Response:
    """Only with TANBA_METRICS=true. Route templates, codes and counts; nothing about any content."""
    if not state.settings.metrics:
        raise NotFound("metrics are off", hint="the operator sets TANBA_METRICS=true")
    state.metrics.in_flight.set(sum(pool.busy for pool in state.pools))
    return Response(generate_latest(state.metrics.registry), media_type=CONTENT_TYPE_LATEST)
