"""``/v1/labels``: make a label, get it back, withdraw it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from service.api import label_form, uploads
from service.api.schemas import LabelRecord, LabelStatus, Receipt, Withdrawal, record
from service.checks import checked
from service.deps import Reader, StateDep, Withdrawer, admit, get_state, identify
from service.hot import Endpoint
from service.problems import Forbidden, documented
from service.security import Scope
from service.usecases import contests, labels
from tanba.model import Carrier

routes = APIRouter(prefix="/v1/labels", tags=["labels"], responses=documented(422, 503))

LABEL_ID = re.compile(r"^urn:c2pa:[0-9a-zA-Z:._-]{8,80}$")
LabelId = Annotated[
    str,
    Path(
        pattern=LABEL_ID.pattern,
        description="The label's id, as the receipt gives it.",
        examples=["urn:c2pa:0b6a4b52-8a6e-4c39-9d8f-2f6f2f0a7c11"],
    ),
]

_Key = Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,255}$")]
_KEY = "Any unique word of yours. The same key with the same request gets the same label again."
IdempotencyKey = Annotated[_Key | None, Header(description=_KEY)]


class Asked(BaseModel):
    """What the headers ask for."""

    idempotency_key: _Key | None = Field(None, alias="idempotency-key", description=_KEY)
    accept: str | None = Field(None, description="Ask for the file's own media type to get the bytes.")


_BODY = uploads.openapi_body(
    {
        **label_form.openapi_properties(),
        "parent": {"type": "string", "format": "binary", "description": "The original that the file was made from."},
    },
    description="A form with `file` or `text` and the statements; or the bytes alone, with the statements as query "
    "parameters of the same names.",
)


@routes.post(
    "",
    status_code=201,
    summary="Label a file or a text",
    response_model=Receipt,
    openapi_extra=_BODY
    | {
        "security": [{"HTTPBearer": []}],
        "parameters": [
            {"name": name, "in": "query", "required": False, "schema": schema}
            for name, schema in label_form.openapi_properties().items()
        ]
        + [
            {
                "name": "name",
                "in": "query",
                "required": False,
                "description": "File name of a raw body; helps to tell text formats.",
                "schema": {"type": "string", "maxLength": 200},
            }
        ],
    },
    responses=documented(401, 403, 408, 409, 413, 415, 429, 500, 507),
)
async def create(request: Request, asked: Annotated[Asked, Header()]) -> Response:
    """Sign a label into a file or a text and record it in the label log.

    The answer is the receipt. With `Accept: application/octet-stream` (or the file's own media type) it is the
    labelled bytes, and the label's id stands in `X-Label-Id`; the receipt is at `Location` either way. When the manifest
    cannot stand in the bytes, `Link` names it (`rel="c2pa-manifest"`).
    """
    state = await get_state(request)
    caller = await identify(request, state)
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(admit(request, state, caller, Scope.LABEL))
        if not state.settings.labelling:
            raise Forbidden("this deployment does not label", code="tanba.label.disabled")
        upload = await stack.enter_async_context(uploads.receive(request, state))
        query = {name: request.query_params.getlist(name) for name in request.query_params if name != "name"}
        form = label_form.parse(upload.fields, query)
        caller.require_profiles(tuple(form.profile))
        identity = caller.identity(form.identity, state.settings.identity)
        issued = await labels.issue(
            state,
            caller,
            labels.LabelRequest(
                file=upload.asset(),
                parent=upload.one("parent"),
                disclosure=form.disclosure(),
                options=form.options(state.settings.timestamp_url),
                profiles=tuple(form.profile),
                identity=identity,
                idempotency_key=asked.idempotency_key,
            ),
        )
    headers = {
        "Location": f"/v1/labels/{issued.label_id}",
        "X-Label-Id": issued.label_id,
        "Cache-Control": "no-store",
        **({"Idempotent-Replayed": "true"} if issued.replayed else {}),
        **_apart(issued.label_id, issued.receipt["carrier"]),
    }
    if _wants_bytes(asked.accept, issued.media_type):
        if issued.content is not None:
            return Response(issued.content, 201, headers, media_type=issued.media_type)
        row, chunks = await run_in_threadpool(labels.content, state, issued.label_id)
        headers["Content-Length"] = str(row.content_size)
        return StreamingResponse(chunks, 201, headers, media_type=issued.media_type)
    return Response(issued.body, 201, headers, media_type="application/json")


@routes.get("/{label_id}", summary="One label: record, receipt, status", responses=documented(401, 404, 429))
async def get(label_id: LabelId, state: StateDep, _caller: Reader) -> LabelRecord:
    """What was stated, when, by which certificate, and whether the label still stands."""
    return record(await run_in_threadpool(labels.find, state, label_id))


@routes.get(
    "/{label_id}/content",
    summary="The labelled bytes",
    response_class=Response,
    responses={
        200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}},
        **documented(401, 404, 410, 429),
    },
)
async def content(label_id: LabelId, state: StateDep, _caller: Reader) -> Response:
    """As long as they are kept (`content_until`). Whoever knows the label's id may fetch them."""
    row, chunks = await run_in_threadpool(labels.content, state, label_id)
    headers = {
        "ETag": f'"{row.output_sha256}"',
        "Content-Length": str(row.content_size),
        "Content-Disposition": "attachment",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        **_apart(row.id, row.carrier),
    }
    return StreamingResponse(chunks, 200, headers, media_type=row.media_type)


@routes.get(
    "/{label_id}/manifest",
    summary="The C2PA manifest store",
    response_class=Response,
    responses={
        200: {"content": {"application/c2pa": {"schema": {"type": "string", "format": "binary"}}}},
        **documented(401, 404, 429),
    },
)
async def manifest(label_id: LabelId, state: StateDep, _caller: Reader) -> Response:
    """The signed JUMBF bytes; kept for as long as the label's record."""
    row, store = await run_in_threadpool(labels.manifest, state, label_id)
    headers = {"ETag": f'"{row.manifest_sha256}"', "Cache-Control": "public, max-age=86400, immutable"}
    return Response(store, 200, headers, media_type="application/c2pa")


@routes.get(
    "/{label_id}/proof", summary="Inclusion proof in the label log", responses=documented(401, 404, 410, 429, 500)
)
async def proof(
    label_id: LabelId,
    state: StateDep,
    _caller: Reader,
    size: Annotated[int | None, Query(ge=1, le=(1 << 53) - 1, description="For the log of this size.")] = None,
) -> dict[str, Any]:
    """The entry, the audit path and the signed checkpoint that it leads to."""
    return await run_in_threadpool(labels.proof, state, label_id, size)


@routes.get("/{label_id}/status", summary="Does this label still stand?", responses=documented(401, 404, 429))
async def status(label_id: LabelId, state: StateDep, _caller: Reader) -> LabelStatus:
    """Issued or withdrawn, and how many contests are in which state."""
    row = await run_in_threadpool(labels.find, state, label_id)
    found = await run_in_threadpool(contests.of_label, state, label_id)
    counts: dict[str, int] = {}
    for case in found:
        counts[case.state] = counts.get(case.state, 0) + 1
    return LabelStatus(
        label_id=row.id,
        state=row.state,  # type: ignore[arg-type] # the column holds exactly these words
        issued_at=row.created_at,
        withdrawn_at=row.withdrawn_at,
        withdrawn_reason=row.withdrawn_reason,
        contests=counts,
    )


@routes.post("/{label_id}/withdraw", summary="Take a label back", responses=documented(401, 403, 404, 409))
async def withdraw(label_id: LabelId, body: Withdrawal, state: StateDep, caller: Withdrawer) -> LabelRecord:
    """For a label issued in error. The record stays, its status changes, and the label log gets an entry."""
    return record(await run_in_threadpool(labels.withdraw, state, caller, label_id, body.reason))


def _apart(label_id: str, carrier: str) -> dict[str, str]:
    """Where the manifest is when it is not in the bytes (C2PA 2.4 section 15.5: a link header)."""
    if carrier != Carrier.SIDECAR:
        return {}
    return {"Link": f'</v1/labels/{label_id}/manifest>; rel="c2pa-manifest"; type="application/c2pa"'}


def _wants_bytes(accept: str | None, media_type: str) -> bool:
    """Whether the caller asked for the content in place of the receipt."""
    wanted = {part.partition(";")[0].strip().lower() for part in (accept or "").split(",")}
    return bool(wanted & {"application/octet-stream", media_type, f"{media_type.partition('/')[0]}/*"})


async def _hot_create(request: Request) -> Response:
    given = {name: request.headers[name] for name in ("idempotency-key", "accept") if name in request.headers}
    return await create(request, checked(Asked, given, "header"))


HOT: Mapping[tuple[str, str], Endpoint] = {("POST", routes.prefix): _hot_create}
