"""What endpoints depend on: the state, the caller, and a place in the caller's limits. FastAPI dependencies only."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Annotated, TypeVar

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.concurrency import run_in_threadpool

from service.problems import Unauthenticated
from service.security import Caller, Scope
from service.state import State

T = TypeVar("T")

_bearer = HTTPBearer(auto_error=False, description="An API key: `Authorization: Bearer tnb_…`", bearerFormat="tnb_…")


def get_state(request: Request) -> State:
    """The running service."""
    state = request.app.state.tanba
    assert isinstance(state, State)
    return state


StateDep = Annotated[State, Depends(get_state)]


def address(request: Request) -> str:
    """The caller's address as the server saw it (uvicorn puts the forwarded one here for trusted proxies)."""
    return request.client.host if request.client else "unknown"


async def get_caller(
    request: Request, state: StateDep, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Caller:
    """Who asks. A missing key is the anonymous caller; a wrong key is always refused."""
    if given is None:
        if request.headers.get("authorization"):
            raise Unauthenticated("only bearer keys are known here", hint="send Authorization: Bearer tnb_…")
        return anonymous(state)
    caller = state.accounts.remembered(given.credentials)
    if caller is None:
        caller = await run_in_threadpool(state.accounts.recognise, given.credentials)
    request.scope["tanba.client"] = caller.name
    return caller


def anonymous(state: State) -> Caller:
    """The caller without a key."""
    settings = state.settings
    return Caller(
        id=None,
        name="anonymous",
        scopes=frozenset({Scope.VERIFY.value}) if settings.anonymous_verify else frozenset(),
        verify_rate=settings.rates.anonymous_verify,
        verify_concurrency=settings.rates.anonymous_concurrency,
    )


CallerDep = Annotated[Caller, Depends(get_caller)]


def _scoped(caller: Caller, scope: Scope) -> None:
    if caller.id is None and not caller.may(scope):
        raise Unauthenticated(
            "this needs an API key", hint="send Authorization: Bearer tnb_…; `tanba clients new NAME` makes one"
        )
    caller.require(scope)


def _limited(kind: str, scope: Scope) -> Callable[..., AsyncIterator[Caller]]:
    async def dependency(request: Request, state: StateDep, caller: CallerDep) -> AsyncIterator[Caller]:
        _scoped(caller, scope)
        who = f"c:{caller.id}" if caller.id else state.rates.address_key(address(request))
        labelling = scope is Scope.LABEL
        rate, most = (
            (caller.label_rate, caller.label_concurrency)
            if labelling
            else (caller.verify_rate, caller.verify_concurrency)
        )
        await state.rates.hit(kind, who, rate)
        async with state.rates.slot(kind, who, most):
            yield caller

    return dependency


Labeller = Annotated[Caller, Depends(_limited("label", Scope.LABEL))]
"""A caller that may label, holding one of its places."""

Verifier = Annotated[Caller, Depends(_limited("verify", Scope.VERIFY))]
"""A caller that may verify, holding one of its places."""


async def _withdrawer(caller: CallerDep) -> Caller:
    _scoped(caller, Scope.WITHDRAW)
    return caller


async def _admin(caller: CallerDep) -> Caller:
    _scoped(caller, Scope.ADMIN)
    return caller


Withdrawer = Annotated[Caller, Depends(_withdrawer)]
Admin = Annotated[Caller, Depends(_admin)]
