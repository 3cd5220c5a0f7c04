"""``/v1/trust``: which lists this service goes by, from when, with their digests."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from service.deps import StateDep
from service.problems import documented

routes = APIRouter(prefix="/v1", tags=["basis"], responses=documented(503))


class TrustListView(BaseModel):
    """One named list."""

    name: str
    purpose: str = Field(description="manifest (signers), tsa (time stamps) or cawg (identities).")
    date: str | None
    sha256: str
    source: str | None
    frozen: bool = Field(description="Its publisher no longer maintains it.")


class TrustView(BaseModel):
    """All lists. With none, every signer is unknown: nothing is built in."""

    digest: str = Field(description="Over all lists and key usages; part of every ETag.")
    lists: list[TrustListView]
    checked_at: datetime


@routes.get("/trust", summary="Trust lists in use")
async def trust(state: StateDep) -> TrustView:
    """The lists the operator chose. `trusted` in a report means: vouched for by one of these."""
    store, digest = await run_in_threadpool(state.trust.current)
    lists = [
        TrustListView(
            name=item.name,
            purpose=item.purpose.value,
            date=item.date,
            sha256=item.sha256,
            source=item.source,
            frozen=item.frozen,
        )
        for item in store.lists
    ]
    return TrustView(digest=digest, lists=lists, checked_at=state.clock())
