"""Verification results in memory: bounded, timed, keyed by content digest, trust digest and settings digest.

Under zero retention this is the only place where a result lives, and it ends with the process. Entries hold the report
without a file name.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

_NEGATIVE_SECONDS = 300
"""How long "no label" or "could not check" is remembered: short, because readers and lists get better."""


@dataclass(frozen=True, slots=True)
class CachedReport:
    """One result."""

    key: str
    """The ETag: SHA-256 over content, trust, settings and format."""
    report: dict[str, Any]
    body: bytes
    """The report as JSON, ready to send."""
    expires: float
    """Monotonic seconds."""
    content: tuple[str, str]
    """Content digest and basis: what :meth:`ReportCache.by_content` finds it by."""


def encode(report: dict[str, Any]) -> bytes:
    """A plain report as the bytes of an answer; lone surrogates out of a file are escaped."""
    try:
        return json.dumps(report, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        return json.dumps(report, separators=(",", ":")).encode()


def with_name(body: bytes, name: str | None) -> bytes:
    """An encoded report with a file name in it. Nothing out of a file stands before the asset's name, which is null."""
    if name is None:
        return body
    before, mark, after = body.partition(b'"asset":{"name":')
    return before + mark + json.dumps(name).encode() + after.removeprefix(b"null")


def cache_key(content_sha256: str, trust_digest: str, settings_digest: str, media_type: str) -> str:
    """One key for one answer: anything that could change the report changes the key."""
    parts = f"{content_sha256}\n{trust_digest}\n{settings_digest}\n{media_type}"
    return hashlib.sha256(parts.encode()).hexdigest()


def lifetime(report: dict[str, Any], now: datetime, longest: int) -> float:
    """Seconds for which a report stays true: never past the end of an un-time-stamped signer's certificate."""
    if report["verdict"] not in {"valid", "trusted", "invalid"}:
        return min(longest, _NEGATIVE_SECONDS)
    ends = report["answers"]["signer"].get("not_after")
    if ends and report["answers"]["time"]["state"] != "timestamped":
        left = (datetime.fromisoformat(ends) - now).total_seconds()
        return max(0.0, min(longest, left)) if left > 0 else float(longest)
    return float(longest)


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

    def put(self, content_sha256: str, basis: str, key: str, report: dict[str, Any], ttl: float) -> None:
        """Remember one result for ``ttl`` seconds."""
        if ttl <= 0:
            return
        entry = CachedReport(key, report, encode(report), self._clock() + ttl, (content_sha256, basis))
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
