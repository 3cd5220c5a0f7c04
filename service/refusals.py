"""Refusing an upload in the protocol, before the application hears of it: what a full service does most must cost least.

Under ten times its capacity a service refuses nine requests for every one that it takes, on the event loop that the taken
ones need as well. The answer is the one that :class:`service.admission.Admission` gives to every request that is not plain
enough for this road; it costs a fifth here.

Refusals are counted like other requests, but logged together, once a second: a line for each would be a second flood.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import Iterable

import structlog

from service import observability, problems
from service.admission import SHORT, UPLOADS
from service.isolation import Workers
from tanba.errors import TanbaError

_PATHS = {path.encode(): path for path in UPLOADS}
_NOT_PLAIN = frozenset({b"expect", b"origin", b"x-request-id", b"transfer-encoding", b"upgrade"})
"""Headers that make an answer of its own necessary."""
_ID = str(uuid.UUID(int=0))
"""Stands where the request's own id goes."""
_LOG_SECONDS = 1.0
_SECONDS_EACH = 0.00025
"""Refusals are this far apart on average: four thousand a second take about a fifth of one core."""
_LONGEST = 1.0
"""What ``Retry-After`` says."""
_SHORTEST = 0.001
log = structlog.get_logger("tanba.service")


class Refusals:
    """Answers to plain uploads while the queue is full. Used on one event loop."""

    def __init__(self, workers: Workers, metrics: observability.Metrics) -> None:
        self._workers = workers
        self._metrics = metrics
        self._pieces: list[bytes] = []
        self._unlogged: Counter[str] = Counter()
        self._next = 0.0
        self.under_way = 0
        """Uploads that have arrived as a whole and are not yet answered. One that is still arriving holds no place, or slow
        senders could take all of them."""

    @staticmethod
    def concerns(method: bytes, url: bytes) -> bool:
        """Whether such a request may be refused here."""
        return method == b"POST" and url.partition(b"?")[0] in _PATHS

    def answer(self, url: bytes, headers: Iterable[tuple[bytes, bytes]]) -> bytes | None:
        """The response to an upload, from behind its ``Date``; None when the application must answer."""
        error = self._workers.refusal(soon=self.under_way)
        if error is None:
            return None
        path = _PATHS[url.partition(b"?")[0]]
        length = b""
        for name, value in headers:
            if name == b"content-length":
                length = value
            elif name in _NOT_PLAIN or (name == b"content-type" and b"json" in value.lower()):
                return None
        if not length.isdigit() or int(length[:20]) > SHORT:
            return None
        self._count(path, error.code)
        return str(uuid.uuid4()).encode().join(self._pieces or self._prepare(error))

    def pause(self, now: float) -> float:
        """Seconds for which the connection of a refusal given just now is not read from.

        Who comes again when ``Retry-After`` says so never notices. Who asks again at once waits its turn here, instead of
        taking the event loop from those whose work was accepted.
        """
        self._next = max(self._next, now) + _SECONDS_EACH
        wait = min(self._next - now, _LONGEST)
        return wait if wait > _SHORTEST else 0.0

    def _prepare(self, error: TanbaError) -> list[bytes]:
        answer = problems.response(*problems.from_error(error, _ID))
        headers = [*answer.raw_headers, *observability.HEADERS, (b"vary", b"Origin"), (b"x-request-id", _ID.encode())]
        head = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
        self._pieces = (head + b"\r\n" + bytes(answer.body)).split(_ID.encode())
        return self._pieces

    def _count(self, path: str, code: str) -> None:
        self._metrics.requests.labels(path, "POST", 503).inc()
        self._metrics.seconds.labels(path).observe(0.0)
        self._metrics.errors.labels(code).inc()
        if not self._unlogged:
            asyncio.get_running_loop().call_later(_LOG_SECONDS, self._log)
        self._unlogged[path] += 1

    def _log(self) -> None:
        for path, count in self._unlogged.items():
            log.info("refused", route=path, method="POST", status=503, count=count)
        self._unlogged.clear()
