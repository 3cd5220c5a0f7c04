"""``/v1/profiles``: labelling laws that a label can be made for, with their sources."""

from __future__ import annotations

from datetime import date
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from tanba.profiles import loader
from tanba.wire import to_plain

routes = APIRouter(prefix="/v1", tags=["basis"])


class ProfileView(BaseModel):
    """One profile in short."""

    id: str
    version: str
    title: str
    jurisdiction: str
    status: str = Field(description="in_force, provisional or house (not a law).")
    as_of: date
    summary: str
    languages: list[str]
    requirements: list[dict[str, Any]]
    sources: list[dict[str, Any]]


@routes.get("/profiles", summary="Labelling laws known here")
async def profiles() -> list[ProfileView]:
    """What each asks for, article by article, and when its text was read. Not legal advice."""
    return await run_in_threadpool(_all)


def _all() -> list[ProfileView]:
    fields = ProfileView.model_fields
    return [
        ProfileView.model_validate({name: to_plain(_dated(getattr(profile, name))) for name in fields})
        for profile in map(loader.load, loader.available())
    ]


def _dated(value: Any) -> Any:
    """Dates as ISO text: the wire form knows moments only."""
    import dataclasses
    from collections.abc import Mapping

    if isinstance(value, date):
        return value.isoformat()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {item.name: _dated(getattr(value, item.name)) for item in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {key: _dated(item) for key, item in value.items()}
    if isinstance(value, (tuple, list, frozenset, set)):
        return [_dated(item) for item in value]
    return value
