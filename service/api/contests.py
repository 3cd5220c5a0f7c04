"""Contests: open one for a label, follow it by its number, and the operators' inbox."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.concurrency import run_in_threadpool

from service.api.labels import LabelId
from service.api.schemas import CaseAnswer, CaseView, Contest, OperatorCase, case_view, operator_case
from service.db.models import CaseState
from service.deps import Admin, StateDep, address
from service.problems import documented
from service.usecases import contests

routes = APIRouter(prefix="/v1", tags=["contests"], responses=documented(422, 503))

Number = Annotated[
    str, Path(pattern=r"^[0-9A-Za-z-]{4,20}$", description="The case's number.", examples=["K7Q2-9FMX-4TBA"])
]


@routes.post(
    "/labels/{label_id}/contest", status_code=201, summary="Contest a label", responses=documented(404, 408, 413, 429)
)
async def create(request: Request, label_id: LabelId, body: Contest, state: StateDep) -> CaseView:
    """Anyone may, without an account. The number in the answer is the only way to follow the case: keep it."""
    await state.rates.hit("contest", state.rates.address_key(address(request)), state.settings.rates.contest)
    return case_view(
        await run_in_threadpool(contests.open_case, state, label_id, body.reason, body.statement, body.lang)
    )


@routes.get("/contests/{number}", summary="Follow a contest", responses=documented(404, 429))
async def get(request: Request, number: Number, state: StateDep) -> CaseView:
    """Its state and, once there is one, the answer."""
    await state.rates.hit("follow", state.rates.address_key(address(request)), state.settings.rates.anonymous_verify)
    return case_view(await run_in_threadpool(contests.find, state, number))


@routes.get("/contests", summary="The operators' inbox", responses=documented(401, 403))
async def inbox(
    state: StateDep,
    _caller: Admin,
    wanted: Annotated[CaseState | None, Query(alias="state", description="Only cases in this state.")] = None,
) -> list[OperatorCase]:
    """Oldest first, at most 100. Needs the scope `admin`."""
    return [operator_case(case) for case in await run_in_threadpool(contests.inbox, state, wanted)]


@routes.post("/contests/{number}/answer", summary="Answer a contest", responses=documented(401, 403, 404, 409))
async def answer(number: Number, body: CaseAnswer, state: StateDep, caller: Admin) -> OperatorCase:
    """Take a case into review or decide it. Withdrawing the label is a separate step. Needs the scope `admin`."""
    case = await run_in_threadpool(
        lambda: contests.answer(state, number, CaseState(body.state), body.answer, actor=caller.name)
    )
    return operator_case(case)
