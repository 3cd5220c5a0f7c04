"""``/v1/identities``: the public side of the signing identities of this deployment."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from service.deps import Labeller, StateDep
from service.problems import documented

routes = APIRouter(prefix="/v1", tags=["basis"], responses=documented(401, 403, 429, 503))


class IdentityView(BaseModel):
    """One signing identity. Public facts only."""

    name: str
    state: str = Field(description="pending, active, retiring, retired or revoked.")
    algorithm: str
    subject: str
    organization: str
    fingerprint: str = Field(description="SHA-256 of the certificate.")
    not_before: datetime | None
    not_after: datetime | None
    development: bool = Field(description="Made on this machine: trusted here, unknown everywhere else.")


@routes.get("/identities", summary="Signing identities")
async def identities(state: StateDep, caller: Labeller) -> list[IdentityView]:
    """Those that the caller may use. Needs the scope `label`."""
    return await run_in_threadpool(lambda: [item for item in _all(state) if caller.may_sign_as(item.name)])


def _all(state: StateDep) -> list[IdentityView]:
    import keys

    fields = set(IdentityView.model_fields) - {"state"}
    return [
        IdentityView(state=str(item.state), **{name: getattr(item, name) for name in fields})
        for item in keys.list_identities(home=state.settings.keys_dir)
    ]
