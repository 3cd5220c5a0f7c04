"""Structured logs, request ids, metrics and the outermost ASGI middleware. Never content, names, prompts or keys.

Logs and metrics know a request by its route template (``/v1/verifications/by-hash/{sha256}``), never by its path:
a path can hold a content hash, and which hashes someone asks about is nobody's business.
"""

from __future__ import annotations

import logging
import re
import sys
import time
import traceback
import uuid
from pathlib import Path

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service import problems
from service.headers import header

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}\Z")
log = structlog.get_logger("tanba.service")

CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; connect-src 'self'"
)
"""Nothing from elsewhere, no inline script, no framing."""

HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", CSP.encode()),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)
"""On every answer that does not say otherwise. Names are lower-case, as ASGI has them."""


def configure_logging(*, json_lines: bool) -> None:
    """Once, at the edge: structlog to standard error. JSON for machines, also when standard error is no terminal; colourless
    lines for a developer who reads along.
    """
    json_lines = json_lines or not sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer()
            if json_lines
            else structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


class Metrics:
    """The service's own registry: nothing global, so several apps can live in one test process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        one = self.registry
        self.requests = Counter("tanba_requests_total", "Requests", ["route", "method", "status"], registry=one)
        self.seconds = Histogram("tanba_request_seconds", "Seconds per request", ["route"], registry=one)
        self.labels = Counter("tanba_labels_total", "Labels issued", ["involvement", "carrier"], registry=one)
        self.verifications = Counter("tanba_verifications_total", "Verifications", ["verdict", "cached"], registry=one)
        self.errors = Counter("tanba_errors_total", "Errors by code", ["code"], registry=one)
        self.in_flight = Gauge("tanba_worker_requests", "Requests inside the worker queue", registry=one)
        self.identity_days = Gauge("tanba_identity_days_left", "Days until the signing certificate ends", registry=one)


class Observe:
    """Outermost pure ASGI middleware: request id, security headers, access log, metrics, and the last catch."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = header(scope, b"x-request-id").decode("latin-1")
        request_id = given if _REQUEST_ID.match(given) else str(uuid.uuid4())
        scope["tanba.request_id"] = request_id
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        started, status = time.perf_counter(), 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = list(message.get("headers", ()))
                there = {name for name, _ in headers}
                headers += [item for item in HEADERS if item[0] not in there]
                message["headers"] = [*headers, (b"x-request-id", request_id.encode())]
            await send(message)

        try:
            await self.app(scope, receive, sending)
        except Exception as error:  # noqa: BLE001 -- the last catch: the caller gets a problem, the log the kind
            # Never the message or the variables: they can hold content.
            log.error("unexpected", error=type(error).__name__, where=_frames(error))  # noqa: TRY400
            scope["tanba.error_code"] = "tanba.bug"
            if not status:
                await problems.bug(request_id)(scope, receive, sending)
        finally:
            self._account(scope, status, time.perf_counter() - started)

    def _account(self, scope: Scope, status: int, seconds: float) -> None:
        template = getattr(scope.get("route"), "path", None) or scope.get("tanba.route", "unmatched")
        code = scope.get("tanba.error_code")
        self.metrics.requests.labels(template, scope["method"], status).inc()
        self.metrics.seconds.labels(template).observe(seconds)
        if code:
            self.metrics.errors.labels(code).inc()
        log.info(
            "request",
            route=template,
            method=scope["method"],
            status=status,
            ms=round(seconds * 1000, 1),
            client=scope.get("tanba.client"),
            code=code,
        )


def _frames(error: BaseException) -> list[str]:
    """Where an error happened, innermost last: file, line and function, nothing else."""
    frames = traceback.extract_tb(error.__traceback__)[-8:]
    return [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
