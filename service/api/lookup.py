"""``GET /v1/labels?sha256=``: did you label this?"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool

from service.api.schemas import AskedSha256, Found, record
from service.deps import StateDep, Verifier
from service.problems import documented
from service.usecases import labels

routes = APIRouter(prefix="/v1/labels", tags=["labels"], responses=documented(401, 403, 422, 429, 503))


@routes.get("", summary="Did you label this?")
async def by_hash(
    sha256: Annotated[
        AskedSha256, Query(description="SHA-256 of the file before or after labelling, or of its manifest.")
    ],
    state: StateDep,
    _caller: Verifier,
) -> Found:
    """Labels issued here for this hash. An empty list says nothing about the content."""
    rows = await run_in_threadpool(labels.find_by_hash, state, sha256)
    return Found(sha256=sha256, labels=[record(row) for row in rows])
