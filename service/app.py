"""The application: middleware, routes, and what happens at start and at the end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import structlog
from fastapi import Depends, FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from service import log_key, observability, problems
from service.admission import Admission
from service.api import (
    contests,
    explain,
    health,
    identities,
    labels,
    later,
    lookup,
    profiles,
    samples,
    trust,
    verifications,
)
from service.api import jobs as jobs_api
from service.api import log as log_api
from service.api.schemas import Batch
from service.bodies import BodyGuard
from service.config import Settings
from service.db.session import is_current, upgrade
from service.deps import get_reader
from service.head import Head
from service.hot import HotRoutes
from service.jobs import runtime
from service.origins import Origins
from service.state import State, build, utc_now
from service.usecases import batches
from service.usecases.labels import purge
from service.web import pages
from tanba import __version__
from tanba.errors import StorageError, TanbaError
from tanba.protocols import Clock

_FORM_OVERHEAD = 256 << 10
_HOUSEKEEPING_SECONDS = 300
_DESCRIPTION = """\
Marks AI-made images and texts so that machines and people can tell, and checks such marks (C2PA-compatible).

* **Label**: `POST /v1/labels` with a key. You get a receipt; the labelled bytes are at `…/content`.
* **Verify**: `POST /v1/verifications` with a file, a text, an address or a hash. 200 whatever the verdict.
* **No label found never means made by a human.**

Errors are problem documents (RFC 9457) with a stable `code`; look it up under `/v1/explain/{code}`.
"""

log = structlog.get_logger("tanba.service")


class Service(FastAPI):
    """FastAPI inside our guards, which also stand before the hot endpoints that go past it."""

    def surround(self, state: State, metrics: observability.Metrics) -> None:
        """Put the guards around, outermost last. Every request and the lifespan go through them."""
        settings = state.settings
        app: ASGIApp = Head(super().__call__)
        if not settings.otel:
            app = HotRoutes(app, exact={**verifications.HOT, **labels.HOT}, below=verifications.HOT_BELOW)
        app = BodyGuard(app, seconds=settings.body_seconds, most=settings.limits.asset_bytes + _FORM_OVERHEAD)
        app = Admission(app, queues=state.queues)
        app = Origins(
            app,
            allow_origin_regex=settings.extension_origins,
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type", "If-None-Match", "Idempotency-Key", "X-Request-Id"],
            expose_headers=["ETag", "Retry-After", "X-Request-Id", "X-Label-Id", "Location", "Link"],
            max_age=86400,
        )
        self.guarded = observability.Observe(app, metrics=metrics)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["app"] = self
        await self.guarded(scope, receive, send)


def create_app(settings: Settings | None = None, *, clock: Clock = utc_now) -> Service:
    """Build the application. Opens the spool and the database's engine, but starts nothing before the first request."""
    settings = settings or Settings()
    metrics = observability.Metrics()
    state = build(settings, metrics=metrics, clock=clock)
    app = Service(
        title="Tanba",
        version=__version__,
        description=_DESCRIPTION,
        lifespan=_lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        # Logs stay off even then: they would hold the messages of exceptions.
        telemetry={
            "tracing": settings.otel,
            "metrics": settings.otel,
            "operation_spans": settings.otel,
            "auto_configure": settings.otel,
            "logs": False,
        },
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )
    app.state.tanba = state
    app.state.jobs = jobs = runtime.build(state)
    app.state.probe = health.Probe()
    problems.install(app)
    app.include_router(jobs_api.router(jobs))
    for module in (verifications, labels, lookup, contests, trust, profiles, identities, explain, health, later):
        app.include_router(module.routes)
    app.include_router(log_api.router(state.db, state.log, guards=[Depends(get_reader)]))
    pages.install(app)
    _describe(app)
    app.surround(state, metrics)
    return app


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    state: State = app.state.tanba
    await run_in_threadpool(prepare, state)
    jobs: runtime.Jobs = app.state.jobs
    tidy = asyncio.create_task(_housekeeping(state, jobs))
    await asyncio.gather(*(pool.ready() for pool in state.pools))
    jobs.start()
    log.info("started", environment=state.settings.environment, workers=sum(pool.slots for pool in state.pools))
    try:
        yield
    finally:
        tidy.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await tidy
        await run_in_threadpool(jobs.close)
        for pool in state.pools:
            await run_in_threadpool(pool.close)
        await run_in_threadpool(state.claims.close)
        await run_in_threadpool(state.publisher.close)
        await run_in_threadpool(state.db.close)
        log.info("stopped")


def prepare(state: State) -> None:
    """Before the first request: migrations (development only), the development identity, the spool swept.

    Raises :class:`StorageError` when the database needs a migration that only an operator may run, or when the label log
    was begun with another key.
    """
    settings = state.settings
    state.spool.sweep(older_than=0 if settings.environment == "development" else 3600)
    if settings.environment == "development":
        upgrade(state.db.url)
        if settings.labelling:
            import keys

            keys.ensure_development_identity(settings.keys_dir, settings.trust_dir)
    elif not is_current(state.db):
        raise StorageError(
            "the database is not at the newest migration",
            code="tanba.storage.migration_needed",
            hint="run `tanba db upgrade` once, then start the service",
        )
    log_key.require(state.db, state.log, accept=settings.accept_log_key)


async def _housekeeping(state: State, jobs: runtime.Jobs) -> None:
    """Every few minutes: bytes, keys and results past their time go."""
    while True:
        await asyncio.sleep(_HOUSEKEEPING_SECONDS)
        try:
            await run_in_threadpool(purge, state)
            await run_in_threadpool(batches.purge, jobs)
            await run_in_threadpool(state.spool.sweep)
        except TanbaError as error:
            log.warning("housekeeping", code=error.code)


def _describe(app: FastAPI) -> None:
    """OpenAPI with our problem document in place of FastAPI's validation error, and the shapes read by hand."""

    def openapi() -> dict[str, object]:
        if app.openapi_schema:
            return app.openapi_schema
        document = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
            license_info=app.license_info,
        )
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        schemas["Problem"] = problems.Problem.model_json_schema()
        for model in (Batch, jobs_api.ObjectBatch):
            body = model.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas |= body.pop("$defs", {})
            schemas[model.__name__] = body
        samples.add(document)
        app.openapi_schema = document
        return document

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI's documented way to change the document
