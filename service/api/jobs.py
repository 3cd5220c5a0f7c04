"""``/v1/labels/batch`` and ``/v1/jobs``: hand in many items at once, watch them, cancel them, get a signed message."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from service.api import label_form, uploads
from service.api.label_form import LabelForm
from service.api.labels import IdempotencyKey
from service.bodies import bare_name
from service.checks import checked
from service.deps import CallerDep, Labeller
from service.headers import media_type
from service.jobs.runtime import Jobs
from service.problems import Forbidden, Unauthenticated, documented
from service.security import Caller
from service.usecases import batches
from service.usecases.batches import Wish
from tanba.errors import InputError

_JSON_BYTES = 16 << 20
_WEBHOOK = "Public https address that gets a signed message when the job is finished."
JobId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$", description="The job's id.")]


class JobSummary(BaseModel):
    """How far a batch is."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "job_id": "9f2c4e6a8b0d1f3e5a7c9b1d3f5e7a9c",
                "state": "running",
                "total": 250,
                "done": 117,
                "failed": 1,
                "cancelled": 0,
                "created_at": "2026-11-23T12:00:00Z",
                "finished_at": None,
            }
        }
    )

    job_id: str
    state: Literal["queued", "running", "finished", "cancelled"]
    total: int
    done: int
    failed: int
    cancelled: int
    created_at: str
    finished_at: str | None


class JobItemAnswer(BaseModel):
    """One item: `label_id` when it is done (its receipt is at `/v1/labels/{label_id}`), `error` when it failed."""

    index: int
    name: str | None = None
    object: str | None = None
    input_sha256: str | None = None
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    label_id: str | None = None
    error: dict[str, Any] | None = None


class JobItems(BaseModel):
    """A page of items in the order in which they were handed in."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "items": [
                    {
                        "index": 0,
                        "name": "a.jpg",
                        "input_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                        "state": "done",
                        "label_id": "urn:c2pa:0b6a4b52-8a6e-4c39-9d8f-2f6f2f0a7c11",
                    },
                    {
                        "index": 1,
                        "name": "b.xyz",
                        "state": "failed",
                        "error": {"code": "tanba.input.unsupported_format", "message": "…", "retryable": False},
                    },
                ],
                "next": None,
            }
        }
    )

    items: list[JobItemAnswer]
    next: int | None = Field(description="`start` of the next page; null at the end.")


class ObjectItem(BaseModel):
    """An object in the operator's inbox, and statements that differ from the batch's."""

    model_config = ConfigDict(extra="forbid")

    object: str = Field(min_length=1, max_length=1000, description="Key under `<inbox>/<your client id>/`.")
    label: dict[str, Any] = Field(default_factory=dict, description="Fields of `POST /v1/labels` for this item alone.")


class ObjectBatch(BaseModel):
    """A batch of object references."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "label": {"as": "generated", "system": "Painter", "profile": ["kz"]},
                "items": [{"object": "2026/11/a.jpg"}, {"object": "2026/11/b.png", "label": {"title": "A river"}}],
                "webhook_url": "https://platform.example/hooks/tanba",
            }
        },
    )

    label: dict[str, Any] = Field(description="Fields of `POST /v1/labels` for every item.")
    items: list[ObjectItem] = Field(min_length=1)
    webhook_url: str | None = Field(
        None,
        max_length=2048,
        description=_WEBHOOK,
    )


class WebhookSecret(BaseModel):
    """What a client checks messages with."""

    secret: str = Field(description="As Standard Webhooks writes it: `whsec_` and Base64.")


_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["as"],
                    "properties": {
                        "file": {
                            "type": "array",
                            "items": {"type": "string", "format": "binary"},
                            "description": "The files, one part each.",
                        },
                        "text": {
                            "type": "array",
                            "items": {"type": "string"},
                            "description": "Texts, one part each.",
                        },
                        "webhook_url": {
                            "type": "string",
                            "description": _WEBHOOK,
                        },
                        **label_form.openapi_properties(),
                    },
                }
            },
            "application/json": {"schema": {"$ref": "#/components/schemas/ObjectBatch"}},
        },
    }
}


def router(jobs: Jobs) -> APIRouter:
    """The routes; the batch route has its own limit on the body."""
    routes = APIRouter(prefix="/v1", tags=["jobs"], responses=documented(401, 403, 422, 503))

    @routes.post(
        "/labels/batch",
        status_code=202,
        summary="Label many files",
        response_model=JobSummary,
        openapi_extra=_BODY,
        responses=documented(400, 408, 409, 413, 415, 429, 507),
        max_body_size=jobs.state.settings.jobs.batch_bytes,
    )
    async def create(request: Request, caller: Labeller, idempotency_key: IdempotencyKey = None) -> Response:
        """Files as `file` parts that share their statements, or JSON that names objects in the operator's inbox.

        The answer comes at once; the work goes on when clients, workers or the server go away. Every item is labelled
        exactly once: the same bytes with the same statements are the same label, in this batch and in a repeated one.
        """
        if not jobs.state.settings.labelling:
            raise Forbidden("this deployment does not label", code="tanba.label.disabled")
        async with _wishes(request, jobs) as (wishes, webhook_url):
            summary, replayed = await run_in_threadpool(
                batches.accept, jobs, caller, wishes, webhook_url=webhook_url, idempotency_key=idempotency_key
            )
        headers = {"Location": f"/v1/jobs/{summary['job_id']}", "Cache-Control": "no-store"}
        return JSONResponse(summary, 202, headers | ({"Idempotent-Replayed": "true"} if replayed else {}))

    @routes.get("/jobs/{job_id}", summary="How far is it?", responses=documented(404))
    async def get(job_id: JobId, caller: CallerDep) -> JobSummary:
        """Counts and state; `finished_at` is set when every item has an end. A client sees its own jobs."""
        return JobSummary(**await run_in_threadpool(batches.status, jobs, _known(caller), job_id))

    @routes.get("/jobs/{job_id}/items", summary="Results, item by item", responses=documented(404))
    async def items(
        job_id: JobId,
        caller: CallerDep,
        start: Annotated[int, Query(ge=0, le=(1 << 31) - 1, description="First item; `next` of the page before.")] = 0,
        limit: Annotated[int, Query(ge=1, le=1000, description="Items on a page.")] = 100,
        state: Annotated[
            Literal["queued", "running", "done", "failed", "cancelled"] | None,
            Query(description="Only items in this state."),
        ] = None,
    ) -> JobItems:
        """In the order in which they were handed in. An item that is done names its label, one that failed says why."""
        found, following = await run_in_threadpool(
            batches.page, jobs, _known(caller), job_id, start=start, limit=limit, state=state
        )
        return JobItems(items=[JobItemAnswer(**item) for item in found], next=following)

    @routes.delete("/jobs/{job_id}", summary="Cancel what has not begun", responses=documented(404))
    async def cancel(job_id: JobId, caller: CallerDep) -> JobSummary:
        """What is in hand is finished; labels that were issued stay. Safe to repeat."""
        return JobSummary(**await run_in_threadpool(batches.cancel, jobs, _known(caller), job_id))

    @routes.get("/webhook-secret", summary="The secret that signs messages to you")
    async def secret(caller: CallerDep) -> WebhookSecret:
        """Yours alone, and always the same. Check every message with it before you believe it."""
        return WebhookSecret(secret=jobs.keys.secret(_known(caller).id or ""))

    return routes


def _known(caller: Caller) -> Caller:
    if caller.id is None:
        raise Unauthenticated("jobs belong to a client", hint="send Authorization: Bearer tnb_…")
    return caller


@contextlib.asynccontextmanager
async def _wishes(request: Request, jobs: Jobs) -> AsyncIterator[tuple[list[Wish], str | None]]:
    if media_type(request.scope) == "application/json":
        batch = await _json(request)
        forms = [checked(LabelForm, {**batch.label, **item.label}, "body") for item in batch.items]
        yield (
            [
                Wish(form=form, name=bare_name(item.object), object_key=item.object)
                for form, item in zip(forms, batch.items, strict=True)
            ],
            batch.webhook_url,
        )
        return
    async with uploads.receive(request, jobs.state, most_files=jobs.state.settings.jobs.items + 1) as upload:
        fields = dict(upload.fields)
        given = fields.pop("webhook_url", [])
        webhook_url = given[-1] if given else None
        query = {name: request.query_params.getlist(name) for name in request.query_params if name != "name"}
        form = label_form.parse(fields, query)
        files = upload.files.get("file", [])
        yield [Wish(form=form, name=spooled.name, upload=spooled) for spooled in files], webhook_url


async def _json(request: Request) -> ObjectBatch:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _JSON_BYTES:
            raise InputError("the list of objects is too long", hint="send several batches")
    try:
        values = json.loads(bytes(body))
    except (ValueError, RecursionError) as error:
        raise InputError("the body is not JSON", code="tanba.input.json") from error
    return checked(ObjectBatch, values, "body")
