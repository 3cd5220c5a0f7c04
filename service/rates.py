"""How much one caller may do: requests per time (library ``limits``) and requests at the same moment.

Counters are keyed by client id or by a salted hash of the address; addresses are never stored or logged.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import lru_cache

from limits import RateLimitItem, parse
from limits.aio.storage import Storage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.storage import storage_from_string

from service.problems import TooManyRequests


@lru_cache(maxsize=256)
def _parsed(rate: str) -> RateLimitItem:
    return parse(rate)


class RateGuard:
    """Counts and refuses. One per process; several processes share a Redis through ``rates.storage``."""

    def __init__(self, storage: str = "async+memory://") -> None:
        backend = storage_from_string(storage)
        assert isinstance(backend, Storage), "rates.storage must be an async+… URL"
        self._limiter = SlidingWindowCounterRateLimiter(backend)
        self._salt = secrets.token_bytes(16)
        self._active: Counter[tuple[str, str]] = Counter()

    def address_key(self, address: str) -> str:
        """A name for an address that cannot be turned back after this process ends."""
        return "a:" + hashlib.blake2b(address.encode(), key=self._salt, digest_size=12).hexdigest()

    async def hit(self, kind: str, who: str, rate: str, *, cost: int = 1) -> None:
        """Count ``cost`` requests. Raises :class:`TooManyRequests` with the seconds to wait."""
        item = _parsed(rate)
        if not await self._limiter.hit(item, kind, who, cost=cost):
            stats = await self._limiter.get_window_stats(item, kind, who)
            raise TooManyRequests(
                f"more than {item.amount} {kind} requests per {item.get_expiry()} s",
                hint="wait for the time in Retry-After",
                details={"retry_after": max(1.0, stats.reset_time - time.time())},
            )

    @asynccontextmanager
    async def slot(self, kind: str, who: str, most: int) -> AsyncIterator[None]:
        """Hold one of the caller's parallel requests. Raises :class:`TooManyRequests`."""
        key = (kind, who)
        if self._active[key] >= most:
            raise TooManyRequests(
                f"more than {most} {kind} requests at the same time",
                code="tanba.rate.concurrency",
                hint="send fewer requests in parallel",
                details={"retry_after": 1},
            )
        self._active[key] += 1
        try:
            yield
        finally:
            self._active[key] -= 1
            if self._active[key] <= 0:
                del self._active[key]
