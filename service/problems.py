"""Errors over HTTP: RFC 9457 problem documents, and the one table from our errors to status codes.

A problem never holds content, a server's paths or another library's text.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from tanba import errors
from tanba.errors import TanbaError

MEDIA_TYPE = "application/problem+json"


class ServiceError(TanbaError):
    """An answer of the HTTP layer itself."""

    default_code = "tanba.http.error"


class Unauthenticated(ServiceError):
    """No key, or not a valid one."""

    default_code = "tanba.auth.required"


class Forbidden(ServiceError):
    """The key may not do this."""

    default_code = "tanba.auth.forbidden"


class NotFound(ServiceError):
    """No such thing here."""

    default_code = "tanba.http.not_found"


class NotSeen(NotFound):
    """No result for this hash here. Never a statement about the content."""

    default_code = "tanba.verification.not_seen"


class Gone(ServiceError):
    """It was here; it is no longer kept."""

    default_code = "tanba.label.content_gone"


class NotBuilt(ServiceError):
    """The contract names it; a later release brings it."""

    default_code = "tanba.recovery.not_built"


class Conflict(ServiceError):
    """It contradicts what is already there."""

    default_code = "tanba.http.conflict"


class InFlight(Conflict):
    """The same request is being worked on right now."""

    default_code = "tanba.idempotency.in_flight"
    retryable = True


class TooManyRequests(ServiceError):
    """A rate or concurrency limit of the caller is used up."""

    default_code = "tanba.rate.limited"
    retryable = True


class Overloaded(ServiceError):
    """All workers are busy and the queue is full."""

    default_code = "tanba.service.overloaded"
    retryable = True


class WorkerDied(ServiceError):
    """The worker process was ended from outside; nothing was published."""

    default_code = "tanba.service.worker_died"
    retryable = True


class NotReady(ServiceError):
    """A part this deployment needs does not work now."""

    default_code = "tanba.service.not_ready"
    retryable = True


STATUS: Mapping[type[TanbaError], int] = {
    errors.UnsupportedFormat: 415,
    errors.AssetTooLarge: 413,
    errors.InputError: 422,
    errors.AlreadyLabelled: 409,
    errors.RequirementUnmet: 422,
    errors.SelfCheckFailed: 500,
    errors.OutputRefused: 500,
    errors.LabelingError: 422,
    errors.IdentityNotFound: 422,
    errors.TransitionRefused: 409,
    errors.CredentialError: 503,
    errors.TimestampError: 503,
    errors.TrustError: 503,
    errors.ResolverError: 422,  # the address that the caller named did not answer usefully
    errors.NetworkRefused: 422,
    errors.StorageError: 503,
    errors.PolicyNotMet: 422,
    errors.Deadline: 422,
    errors.InstallationError: 500,
    errors.EngineError: 500,
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    Gone: 410,
    NotBuilt: 501,
    Conflict: 409,
    TooManyRequests: 429,
    Overloaded: 503,
    WorkerDied: 503,
    NotReady: 503,
}
"""Class to status; the nearest ancestor counts. A test holds that every leaf of the tree is covered."""

_BY_CODE: Mapping[str, int] = {
    "tanba.storage.full": 507,
    # Tampering with the label log: asking again is no use, and an auditor must not take it for a passing failure.
    "tanba.log.entry_missing": 410,
    "tanba.log.node_missing": 410,
    "tanba.log.head_missing": 500,
    "tanba.log.damaged": 500,
    "tanba.log.entry_changed": 500,
    "tanba.log.key_changed": 500,
}

_HTTP_CODES: Mapping[int, tuple[str, str]] = {
    404: ("tanba.http.not_found", "see the API documentation under /docs"),
    405: ("tanba.http.method_not_allowed", "see the API documentation under /docs"),
    408: ("tanba.http.body_timeout", "send the body faster, or on a better connection"),
    413: ("tanba.input.too_large", "send a smaller file"),
    415: ("tanba.input.unsupported_media_type", "see the API documentation under /docs"),
    422: ("tanba.input.invalid", "see the API documentation under /docs"),
}


class Problem(BaseModel):
    """A problem document (RFC 9457)."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "example": {
                "type": "/v1/explain/tanba.input.too_large",
                "title": "Content Too Large",
                "status": 413,
                "code": "tanba.input.too_large",
                "detail": "the body is larger than this service takes",
                "hint": "send a smaller file",
                "request_id": "0199f1d2-7c1e-7d3e-9a51-2f3c1a5e7b10",
                "retryable": False,
            }
        },
    )

    type: str = Field(description="Where the code is explained.")
    title: str = Field(description="The status in words.")
    status: int
    code: str = Field(description="Stable code, `tanba.<area>.<what>`.")
    detail: str = Field(description="What went wrong, for the developer.")
    hint: str | None = Field(default=None, description="What to do next.")
    request_id: str | None = Field(default=None, description="Quote it when asking for help.")
    retryable: bool = Field(default=False, description="Whether the same request may work later.")


def status_of(error: TanbaError) -> int:
    """The HTTP status of an error of ours; 500 for a class that the table does not know."""
    if (status := _BY_CODE.get(error.code)) is not None:
        return status
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)


def body(
    status: int,
    code: str,
    detail: str,
    *,
    hint: str | None = None,
    request_id: str | None = None,
    retryable: bool = False,
    extra: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The document itself."""
    from http import HTTPStatus

    document: dict[str, Any] = {
        "type": f"/v1/explain/{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        "hint": hint,
        "request_id": request_id,
        "retryable": retryable,
    }
    return {key: value for key, value in document.items() if value is not None} | dict(extra or {})


def from_error(error: TanbaError, request_id: str | None = None) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Status, document and extra headers for an error of ours."""
    status = status_of(error)
    details = {key: value for key, value in error.details.items() if key != "retry_after"}
    headers: dict[str, str] = {}
    if status in {429, 503} or isinstance(error, InFlight):
        headers["Retry-After"] = str(max(1, round(float(error.details.get("retry_after", 1)))))
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="tanba"'
    document = body(
        status,
        error.code,
        error.message,
        hint=error.hint,
        request_id=request_id,
        retryable=error.retryable or status in {429, 503},
        extra={"details": details} if details else None,
    )
    return status, document, headers


def response(status: int, document: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> JSONResponse:
    """A problem response; never cached."""
    return JSONResponse(dict(document), status, {"Cache-Control": "no-store", **(headers or {})}, media_type=MEDIA_TYPE)


def _http_code(error: HTTPException) -> str:
    return _HTTP_CODES.get(error.status_code, ("tanba.http.error", None))[0]


def from_http(error: HTTPException, request_id: str | None) -> JSONResponse:
    """The framework's own refusals in our words."""
    hint = _HTTP_CODES.get(error.status_code, ("", None))[1]
    detail = str(error.detail).lower() if error.status_code in _HTTP_CODES else "the request was not accepted"
    document = body(error.status_code, _http_code(error), detail, hint=hint, request_id=request_id)
    return response(error.status_code, document, error.headers)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI entries for the problems that a route can answer with."""
    from http import HTTPStatus

    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }


CAUGHT = (TanbaError, HTTPException, RequestValidationError)
"""Exceptions that :func:`answer` knows; every other one is a bug."""


def answer(scope: MutableMapping[str, Any], error: Exception) -> JSONResponse:
    """The problem response to one of :data:`CAUGHT`; leaves its code in the ASGI scope for log and metrics."""
    given = scope.get("tanba.request_id")
    request_id = given if isinstance(given, str) else None
    match error:
        case TanbaError():
            scope["tanba.error_code"] = error.code
            return response(*from_error(error, request_id))
        case RequestValidationError():
            document = _invalid(error, request_id)
            scope["tanba.error_code"] = document["code"]
            return response(422, document)
        case HTTPException():
            if error.status_code == 400:  # the framework's word for a body that does not parse; ours is 422
                error = HTTPException(422, "the body does not parse")
            scope["tanba.error_code"] = _http_code(error)
            return from_http(error, request_id)
        case _:
            raise error


def bug(request_id: str | None) -> JSONResponse:
    """The answer to what nobody expected."""
    document = body(
        500,
        "tanba.bug",
        "something unexpected happened: this is a bug of ours",
        hint="report it with the request_id",
        request_id=request_id,
    )
    return response(500, document)


def _invalid(error: RequestValidationError, request_id: str | None) -> dict[str, Any]:
    found = error.errors()
    if any(item["type"] == "json_invalid" for item in found):
        return body(422, "tanba.input.json", "the body is not JSON", request_id=request_id)
    # Only where and what kind: the input itself may be content or personal data, and is never echoed.
    fields = [
        {"where": ".".join(map(str, item["loc"])), "what": item["type"], "message": item["msg"]} for item in found[:20]
    ]
    first = "a field of the request is wrong"
    if fields:
        place, _, name = fields[0]["where"].partition(".")
        first = f"{(name or place)[:60]}: {fields[0]['message']}"
    return body(
        422,
        "tanba.input.invalid",
        first if len(fields) < 2 else f"{first} (and {len(fields) - 1} more, see details)",
        request_id=request_id,
        hint="see the API documentation under /docs",
        extra={"details": {"fields": fields}},
    )


def install(app: FastAPI) -> None:
    """Register the handlers, so that every error body is a problem document."""

    async def known(request: Request, error: Exception) -> JSONResponse:
        return answer(request.scope, error)

    async def unknown(request: Request, _error: Exception) -> JSONResponse:
        return bug(request.scope.get("tanba.request_id"))

    for kind in CAUGHT:
        app.add_exception_handler(kind, known)
    app.add_exception_handler(Exception, unknown)
