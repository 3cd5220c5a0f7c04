"""Routes of the contract that a later release fills: an honest 501 until then, and no promise in the OpenAPI document."""

from __future__ import annotations

from typing import NoReturn

from fastapi import APIRouter

from service.problems import NotBuilt

routes = APIRouter(include_in_schema=False)


@routes.post("/v1/recoveries", response_model=None)
async def recoveries() -> NoReturn:
    """Finding the stored label of a stripped copy."""
    raise NotBuilt(
        "finding the stored label of a stripped copy comes with a later release",
        hint="verify the file itself: POST /v1/verifications; `unmarked` never means made by a human",
    )


@routes.api_route("/c2pa/{path:path}", methods=["GET", "POST"], response_model=None)
async def soft_bindings(path: str) -> NoReturn:
    """The C2PA Soft Binding Resolution API 2.4."""
    del path
    raise NotBuilt(
        "the C2PA Soft Binding Resolution API comes with a later release",
        hint="a manifest store by its label: GET /v1/labels/{id}/manifest",
    )
