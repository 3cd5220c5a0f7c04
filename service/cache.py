"""Verification results in memory: bounded, timed, keyed by content digest, trust digest and settings digest.

Under zero retention this is the only place where a result lives, and it ends with the process. Entries hold the report
without a file name.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from service.reports import Written


@dataclass(frozen=True, slots=True)
class CachedReport:
    """One result."""

    key: str
    """The ETag: SHA-256 over content, trust, settings and format."""
    report: Written
    expires: float
    """Monotonic seconds."""
    content: tuple[str, str]
    """Content digest and basis: what :meth:`ReportCache.by_content` finds it by."""


def cache_key(content_sha256: str, trust_digest: str, settings_digest: str, media_type: str) -> str:
    """One key for one answer: anything that could change the report changes the key."""
    parts = f"{content_sha256}\n{trust_digest}\n{settings_digest}\n{media_type}"
    return hashlib.sha256(parts.encode()).hexdigest()


class ReportCache:
    """Least recently used goes first. Safe between threads."""

    def __init__(self, entries: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = entries
        self._clock = clock
        self._lock = threading.Lock()
        self._by_key: OrderedDict[str, CachedReport] = OrderedDict()
        self._by_content: dict[tuple[str, str], str] = {}

    def get(self, key: str) -> CachedReport | None:
        """A living entry, or None."""
        with self._lock:
            found = self._by_key.get(key)
            if found is None:
                return None
            if found.expires <= self._clock():
                self._drop(key)
                return None
            self._by_key.move_to_end(key)
            return found

    def by_content(self, content_sha256: str, basis: str) -> CachedReport | None:
        """The last living result for this content under the same trust and settings, or None."""
        key = self._by_content.get((content_sha256, basis))
        return self.get(key) if key else None

    def put(self, content_sha256: str, basis: str, key: str, report: Written, ttl: float) -> None:
        """Remember one result for ``ttl`` seconds."""
        if ttl <= 0:
            return
        entry = CachedReport(key, report, self._clock() + ttl, (content_sha256, basis))
        with self._lock:
            self._by_key[key] = entry
            self._by_key.move_to_end(key)
            self._by_content[content_sha256, basis] = key
            while len(self._by_key) > self._most:
                self._drop(next(iter(self._by_key)))

    def __len__(self) -> int:
        return len(self._by_key)

    def _drop(self, key: str) -> None:
        found = self._by_key.pop(key, None)
        if found is not None and self._by_content.get(found.content) == key:
            del self._by_content[found.content]
