"""A killable worker for reads that could take long: c2pa has no time-out and no cancel (facts: a cancelled read
returns ``Invalid`` and poisons its Context), so the process is ended instead.
"""

from __future__ import annotations

import atexit
import os
import threading

from tanba.asset import Asset
from tanba.engine.read import Evidence, read_here
from tanba.errors import Deadline
from tanba.limits import Limits
from tanba.processes import Pool, TookTooLong
from tanba.trust import TrustStore

_Task = tuple[Asset, TrustStore, Limits, bytes | None, bool]

_lock = threading.Lock()
_pool: Pool[_Task, Evidence] | None = None


def read_in_worker(
    asset: Asset, trust: TrustStore, limits: Limits, manifest: bytes | None, thumbnails: bool
) -> Evidence:
    """Read in a process that is killed after ``limits.seconds``. Raises :class:`Deadline`. One such read at a time."""
    with _lock:
        pool = _worker(limits)
        pool.submit((asset, trust, limits, manifest, thumbnails), limits.seconds)
        _, found = pool.next()
    if isinstance(found, TookTooLong):
        raise Deadline(
            f"reading took longer than {limits.seconds:g} s and was stopped",
            hint="the file may be built to exhaust readers; raise TANBA_LIMITS__SECONDS if you trust it",
        ) from found
    if isinstance(found, Exception):
        raise Deadline("reading needed more memory than allowed and was stopped", code="tanba.limit.memory") from found
    return found


def _worker(limits: Limits) -> Pool[_Task, Evidence]:
    global _pool  # noqa: PLW0603 -- one worker process per process, built on first need
    if _pool is None:
        arguments = (limits.worker_memory_bytes,)
        _pool = Pool(_read, jobs=1, begin=_limit_memory, arguments=arguments, preload=(__name__,))
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


def _read(task: _Task) -> Evidence:
    return read_here(*task)
