"""``/v1/verifications``: bytes, texts, addresses, hashes and batches of them. 200 whatever the verdict."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from service import problems
from service.api import uploads
from service.api.schemas import AskedSha256, Batch, BatchAnswer, BatchItem, BatchResult, Report, Url
from service.bodies import Spooled
from service.checks import checked, checked_json
from service.deps import StateDep, Verifier, address, admit, get_state, identify
from service.headers import media_type
from service.hot import Below, Endpoint
from service.problems import documented
from service.security import Scope
from service.state import State
from service.usecases import verifications
from tanba.errors import TanbaError, UsageError

routes = APIRouter(
    prefix="/v1/verifications", tags=["verification"], responses=documented(401, 403, 422, 429, 500, 503, 507)
)

_AS_OF = "Answer as of this moment instead of now (RFC 3339)."
AsOf = Annotated[datetime | None, Query(description=_AS_OF)]
_SHA256 = r"^[0-9a-f]{64}$"
_MOST_ITEMS = 100
_AT_ONCE = 4
_ASK_AGAIN = 300
"""Seconds after which a browser asks again (304 while nothing changed): a label may be withdrawn, a list may change."""

_SECURITY: dict[str, Any] = {"security": [{"HTTPBearer": []}, {}]}
"""A key, or none where the operator lets anybody verify."""

_BODY = uploads.openapi_body(
    {"manifest": {"type": "string", "format": "binary", "description": "A detached manifest (sidecar), if any."}},
    description="A form with `file` or `text`; or the bytes alone.",
)


class Asked(BaseModel):
    """How to verify."""

    as_of: datetime | None = Field(None, description=_AS_OF)
    name: str | None = Field(None, max_length=200, description="File name; helps to tell text formats.")


@routes.post(
    "",
    summary="Verify a file or a text",
    response_model=Report,
    openapi_extra=_BODY | _SECURITY,
    responses=documented(408, 413, 415),
)
async def create(request: Request, asked: Annotated[Asked, Query()]) -> Response:
    """The report: five answers and one verdict. Nothing of the content, its name or its address is kept."""
    state = await get_state(request)
    async with (
        admit(request, state, await identify(request, state), Scope.VERIFY),
        uploads.receive(request, state, most_files=2) as upload,
    ):
        asset, sidecar = upload.asset(), upload.one("manifest")
        answer = await verifications.verify(
            state,
            asset,
            manifest=uploads.manifest_bytes(state, sidecar) if sidecar else None,
            as_of=_aware(asked.as_of),
        )
        return _respond(answer, asset.name)


@routes.post("/url", summary="Verify what stands at an address", response_model=Report)
async def url(body: Url, state: StateDep, _caller: Verifier, as_of: AsOf = None) -> Response:
    """The server fetches the address through a guarded client: public addresses only, bounded, few redirects."""
    answer, name = await _by_url(state, body.url, _aware(as_of))
    return _respond(answer, name)


@routes.get(
    "/by-hash/{sha256}",
    summary="A cached result by content hash",
    response_model=Report,
    responses={304: {"description": "Not modified"}, **documented(404)},
    openapi_extra=_SECURITY,
)
async def by_hash(
    request: Request,
    sha256: Annotated[AskedSha256, Path(description="SHA-256 of the content, hex.")],
) -> Response:
    """Hash locally, send nothing. 404 `tanba.verification.not_seen` means only that no result is held here.

    Send the `ETag` of an earlier answer as `If-None-Match` to get 304 while it holds.
    """
    state = await get_state(request)
    async with admit(request, state, await identify(request, state), Scope.VERIFY):
        answer = await verifications.by_hash(state, sha256)
    headers = _headers(answer)
    known = request.headers.get("if-none-match")
    if known and headers["ETag"] in {tag.strip().removeprefix("W/") for tag in known[:1000].split(",")}:
        return Response(status_code=304, headers=headers)
    return Response(answer.body, 200, headers, media_type=JSONResponse.media_type)


@routes.post(
    "/batch",
    summary="Up to 100 hashes, addresses or files",
    responses=documented(408, 413, 415),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": {"$ref": "#/components/schemas/Batch"}},
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "properties": {
                            "file": {
                                "type": "array",
                                "items": {"type": "string", "format": "binary"},
                                "description": "The files, one part each; up to 100.",
                            }
                        },
                    }
                },
            },
        }
    },
)
async def batch(request: Request, state: StateDep, caller: Verifier) -> BatchAnswer:
    """JSON with hashes and addresses, or a form with several parts called `file`. Each item counts as one request."""
    gate = asyncio.Semaphore(_AT_ONCE)
    if media_type(request.scope) == "multipart/form-data":
        async with uploads.receive(request, state, most_files=_MOST_ITEMS) as upload:
            files = upload.files.get("file", [])
            if not files:
                raise UsageError("the form holds no part called file")
            await _charge(request, state, caller, len(files))
            jobs = [_file_item(state, gate, index, file) for index, file in enumerate(files)]
            return BatchAnswer(items=list(await asyncio.gather(*jobs)))
    body = checked_json(Batch, await request.body())
    await _charge(request, state, caller, len(body.items))
    return BatchAnswer(
        items=list(
            await asyncio.gather(*(_json_item(state, gate, index, item) for index, item in enumerate(body.items)))
        )
    )


async def _charge(request: Request, state: State, caller: Verifier, items: int) -> None:
    """The request itself counted as one; the others count too."""
    if items > 1:
        who = f"c:{caller.id}" if caller.id else state.rates.address_key(address(request))
        await state.rates.hit("verify", who, caller.verify_rate, cost=items - 1)


async def _file_item(state: State, gate: asyncio.Semaphore, index: int, file: Spooled) -> BatchResult:
    async def work() -> dict[str, Any]:
        return (await verifications.verify(state, file)).named(file.name)

    return await _guarded(gate, index, work)


async def _json_item(state: State, gate: asyncio.Semaphore, index: int, item: BatchItem) -> BatchResult:
    async def work() -> dict[str, Any]:
        match item:
            case BatchItem(sha256=str(digest), url=None):
                return (await verifications.by_hash(state, digest)).named(None)
            case BatchItem(sha256=None, url=str(where)):
                answer, name = await _by_url(state, where, None)
                return answer.named(name)
            case _:
                raise UsageError("give either sha256 or url")

    return await _guarded(gate, index, work)


async def _guarded(gate: asyncio.Semaphore, index: int, work: Any) -> BatchResult:
    """One item's failure is its own answer, not the batch's."""
    try:
        async with gate:
            return BatchResult(index=index, status=200, report=await work())
    except TanbaError as error:
        status, document, _ = problems.from_error(error)
        return BatchResult(index=index, status=status, problem=document)


async def _by_url(state: State, where: str, as_of: datetime | None) -> tuple[verifications.Answer, str | None]:
    file = await verifications.fetch(state, where)
    with contextlib.ExitStack() as stack:
        stack.callback(file.discard)
        return await verifications.verify(state, file, as_of=as_of), file.name


def _aware(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


def _headers(answer: verifications.Answer) -> dict[str, str]:
    if not answer.etag:
        return {"Cache-Control": "no-store"}
    return {"ETag": f'"{answer.etag}"', "Cache-Control": f"private, max-age={min(answer.max_age, _ASK_AGAIN)}"}


def _respond(answer: verifications.Answer, name: str | None) -> Response:
    return Response(answer.body_named(name), 200, _headers(answer), media_type=JSONResponse.media_type)


async def _hot_create(request: Request) -> Response:
    return await create(request, checked(Asked, dict(request.query_params), "query"))


async def _hot_by_hash(request: Request) -> Response:
    return await by_hash(request, request.path_params["sha256"])


HOT: Mapping[tuple[str, str], Endpoint] = {("POST", routes.prefix): _hot_create}
HOT_BELOW: Mapping[tuple[str, str], Below] = {
    ("GET", f"{routes.prefix}/by-hash"): Below("sha256", re.compile(_SHA256), _hot_by_hash)
}
"""A page with fifty pictures asks fifty times."""
