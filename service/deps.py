"""What endpoints depend on: the state, the caller, and a place in the caller's limits. FastAPI dependencies only."""

from __future__ import annotations

import contextlib
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


async def get_state(request: Request) -> State:
    """The running service. Async, like every dependency here: a plain function would cost a thread's hop."""
    state = request.app.state.tanba
    assert isinstance(state, State)
    return state


StateDep = Annotated[State, Depends(get_state)]


def address(request: Request) -> str:
    """The caller's address as the server saw it (uvicorn puts the forwarded one here for trusted proxies)."""
    return request.client.host if request.client else "unknown"


async def get_caller(
    request: Request, _given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Caller:
    """Who asks. A missing key is the anonymous caller; a wrong key is always refused."""
    return await identify(request, await get_state(request))


async def identify(request: Request, state: State) -> Caller:
    """The caller of a request. Raises :class:`Unauthenticated`."""
    given = request.headers.get("authorization")
    if not given:
        return anonymous(state)
    scheme, _, key = given.partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthenticated("only bearer keys are known here", hint="send Authorization: Bearer tnb_…")
    caller = state.accounts.remembered(key.strip())
    if caller is None:
        caller = await run_in_threadpool(state.accounts.recognise, key.strip())
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


@contextlib.asynccontextmanager
async def admit(request: Request, state: State, caller: Caller, scope: Scope) -> AsyncIterator[None]:
    """Scope, rate and one of the caller's parallel places; the place is given back at the end.

    Raises :class:`Unauthenticated`, :class:`Forbidden`, :class:`TooManyRequests`.
    """
    _scoped(caller, scope)
    who = f"c:{caller.id}" if caller.id else state.rates.address_key(address(request))
    rate, most = (
        (caller.label_rate, caller.label_concurrency)
        if scope is Scope.LABEL
        else (caller.verify_rate, caller.verify_concurrency)
    )
    await state.rates.hit(scope.value, who, rate)
    async with state.rates.slot(scope.value, who, most):
        yield


def _limited(scope: Scope) -> Callable[..., AsyncIterator[Caller]]:
    async def dependency(request: Request, caller: CallerDep) -> AsyncIterator[Caller]:
        async with admit(request, await get_state(request), caller, scope):
            yield caller

    return dependency


Labeller = Annotated[Caller, Depends(_limited(Scope.LABEL))]
"""A caller that may label, holding one of its places."""

Verifier = Annotated[Caller, Depends(_limited(Scope.VERIFY))]
"""A caller that may verify, holding one of its places."""


async def get_reader(request: Request, caller: CallerDep) -> Caller:
    """Count one reading of public records. Raises :class:`TooManyRequests`."""
    state = await get_state(request)
    who = f"c:{caller.id}" if caller.id else state.rates.address_key(address(request))
    await state.rates.hit("read", who, caller.verify_rate if caller.id else state.settings.rates.anonymous_read)
    return caller


Reader = Annotated[Caller, Depends(get_reader)]
"""Anyone, within a rate: what is public about labels and the log."""


async def _withdrawer(caller: CallerDep) -> Caller:
    _scoped(caller, Scope.WITHDRAW)
    return caller


async def _admin(caller: CallerDep) -> Caller:
    _scoped(caller, Scope.ADMIN)
    return caller


Withdrawer = Annotated[Caller, Depends(_withdrawer)]
Admin = Annotated[Caller, Depends(_admin)]
