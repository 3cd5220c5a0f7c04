"""A killable worker for reads that could take long: c2pa has no time-out and no cancel (facts: a cancelled read
returns ``Invalid`` and poisons its Context), so the process is ended instead.
"""

from __future__ import annotations

import atexit
import threading
from concurrent.futures import TimeoutError as FutureTimeout
from multiprocessing import get_context
from typing import TYPE_CHECKING

from tanba.asset import Asset
from tanba.errors import Deadline
from tanba.limits import Limits
from tanba.trust import TrustStore

if TYPE_CHECKING:
    from pebble import ProcessPool

    from tanba.engine.read import Evidence

_lock = threading.Lock()
_pool: ProcessPool | None = None


def read_in_worker(
    asset: Asset, trust: TrustStore, limits: Limits, manifest: bytes | None, thumbnails: bool
) -> Evidence:
    """Read in a spawned process that is killed after ``limits.seconds``. Raises :class:`Deadline`."""
    future = _worker(limits).schedule(_read, args=(asset, trust, limits, manifest, thumbnails), timeout=limits.seconds)
    try:
        evidence: Evidence = future.result()
    except FutureTimeout as error:
        raise Deadline(
            f"reading took longer than {limits.seconds:g} s and was stopped",
            hint="the file may be built to exhaust readers; raise TANBA_LIMITS__SECONDS if you trust it",
        ) from error
    except (MemoryError, RuntimeError, OSError) as error:
        raise Deadline("reading needed more memory than allowed and was stopped", code="tanba.limit.memory") from error
    return evidence


def _worker(limits: Limits) -> ProcessPool:
    global _pool  # noqa: PLW0603 -- one worker process per process, built on first need
    with _lock:
        if _pool is None:
            from pebble import ProcessPool

            _pool = ProcessPool(
                max_workers=1,
                context=get_context("spawn"),
                initializer=_limit_memory,
                initargs=(limits.worker_memory_bytes,),
            )
            atexit.register(_close)
        return _pool


def _close() -> None:
    if _pool is not None:
        _pool.stop()
        _pool.join(timeout=2)


def _limit_memory(extra: int) -> None:
    try:
        import resource
    except ImportError:  # Windows has no rlimits; the deadline still holds
        return
    resource.setrlimit(resource.RLIMIT_AS, (extra, extra))


def _read(asset: Asset, trust: TrustStore, limits: Limits, manifest: bytes | None, thumbnails: bool) -> Evidence:
    from tanba.engine.read import read_here

    return read_here(asset, trust, limits, manifest, thumbnails)
