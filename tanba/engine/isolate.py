"""A killable worker for reads that could take long: neither c2pa nor a parser has a time-out or a cancel (facts: a
cancelled read returns ``Invalid`` and poisons its Context), so the process is ended instead.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from tanba.errors import Deadline
from tanba.limits import Limits
from tanba.processes import Pool, TookTooLong

R = TypeVar("R")
_Task = tuple[Callable[..., Any], tuple[Any, ...]]

_lock = threading.Lock()
_pool: Pool[_Task, Any] | None = None


def in_worker(read: Callable[..., R], *arguments: Any, limits: Limits) -> R:
    """``read(*arguments)``, a module-level function, in a process that is killed after ``limits.seconds``.

    Raises :class:`Deadline`. One such read at a time.
    """
    with _lock:
        pool = _worker(limits)
        pool.submit((read, arguments), limits.seconds)
        _, found = pool.next()
    if isinstance(found, TookTooLong):
        raise Deadline(
            f"reading took longer than {limits.seconds:g} s and was stopped",
            hint="the file may be built to exhaust readers; raise TANBA_LIMITS__SECONDS if you trust it",
        ) from found
    if isinstance(found, Exception):
        raise Deadline("reading needed more memory than allowed and was stopped", code="tanba.limit.memory") from found
    done: R = found
    return done


def _worker(limits: Limits) -> Pool[_Task, Any]:
    global _pool  # noqa: PLW0603 -- one worker process per process, built on first need
    if _pool is None:
        arguments = (limits.worker_memory_bytes,)
        _pool = Pool(_do, jobs=1, begin=_limit_memory, arguments=arguments, preload=("tanba.engine.read",))
        atexit.register(_pool.close)
    return _pool


def _after_fork() -> None:
    """The worker of the parent is not ours to use, to wait for or to end."""
    global _pool, _lock
    if _pool is not None:
        atexit.unregister(_pool.close)
    _pool, _lock = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _limit_memory(extra: int) -> None:
    try:
        import resource
    except ImportError:  # Windows has no rlimits; the deadline still holds
        return
    resource.setrlimit(resource.RLIMIT_AS, (extra, extra))


def _do(task: _Task) -> Any:
    read, arguments = task
    return read(*arguments)
