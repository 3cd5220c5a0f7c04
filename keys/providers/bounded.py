"""A time limit for calls that cannot be interrupted, such as a driver's C functions."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from tanba.errors import ProviderUnavailable

T = TypeVar("T")


def within(seconds: float, what: str, call: Callable[[], T]) -> T:
    """Run ``call`` in a thread and wait at most ``seconds``; its own exception passes through.

    A call that never returns keeps its (daemon) thread: nothing can be done about a driver that hangs, but the label
    is not made and the caller goes on. Raises :class:`ProviderUnavailable`.
    """
    done: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            done.append(call())
        except BaseException as error:  # noqa: BLE001  # handed to the caller's thread below
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if failed:
        raise failed[0]
    if not done:
        raise slow(what, seconds)
    return done[0]


def slow(what: str, seconds: float) -> ProviderUnavailable:
    """The error for a provider that did not answer in time."""
    return ProviderUnavailable(
        f"{what} did not answer within {seconds:g} s", code="tanba.keys.provider_slow", hint="try again later"
    )
