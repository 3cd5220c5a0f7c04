"""Refusing an upload in the protocol, before the application hears of it: what a full service does most must cost least.

Under ten times its capacity a service refuses nine requests for every one that it takes, on the event loop that the taken
ones need as well. The answer is the one that :class:`service.admission.Admission` gives to every request that is not plain
enough for this road; it costs a fifth here.

Refusals are counted and logged together, once a second: a line for each would be a second flood.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping

import structlog

from service import observability, problems
from service.admission import SHORT
from service.isolation import Workers, overloaded

_NOT_PLAIN = frozenset({b"expect", b"origin", b"x-request-id", b"transfer-encoding", b"upgrade"})
"""Headers that make an answer of its own necessary."""
_ID = str(uuid.UUID(int=0))
"""Stands where the request's own id goes."""
_LOG_SECONDS = 1.0
_TICK, _EACH_TICK = 0.02, 50
"""So many refusals in each tick (seconds) cost their connection nothing, the others of it wait, and so many of those go on with
the next one: five thousand refusals a second at most, a sixth of one core. Two hundred clients that never wait get each answer
within some 50 ms, two thousand (uvicorn's limit here) within half a second."""
log = structlog.get_logger("tanba.service")


class Refusals:
    """Answers to plain uploads while the queue is full. Used on one event loop."""

    def __init__(self, queues: Mapping[str, Workers], metrics: observability.Metrics) -> None:
        """``queues`` names the workers of every path that takes uploads."""
        self._queues = {path.encode(): (path, workers) for path, workers in queues.items()}
        self._metrics = metrics
        self._code, self._pieces = _in_pieces()
        self._uncounted: Counter[str] = Counter()
        self._held: deque[Callable[[], None]] = deque()
        self._tick_ends, self._in_tick = 0.0, 0
        self._just_taken: Counter[Workers] = Counter()
        """Uploads that went to the application since it last had its turn on the event loop."""

    def answer(self, url: bytes, headers: Iterable[tuple[bytes, bytes]]) -> bytes | None:
        """The response to a POST, from behind its ``Date``; None when the application must answer."""
        path, workers = self._queues.get(url.partition(b"?")[0], ("", None))
        if workers is None:
            return None
        if not workers.full(soon=self._just_taken[workers]):
            self._take(workers)
            return None
        length = b""
        for name, value in headers:
            if name == b"content-length":
                length = value
            elif name in _NOT_PLAIN or (name == b"content-type" and b"json" in value.lower()):
                return None
        if not length.isdigit() or int(length[:20]) > SHORT:
            return None
        self._count(path)
        return str(uuid.uuid4()).encode().join(self._pieces)

    def _take(self, workers: Workers) -> None:
        """Two hundred heads can arrive at once, before the first of their requests could take a place in the queue."""
        if not self._just_taken:
            asyncio.get_running_loop().call_soon(self._just_taken.clear)
        self._just_taken[workers] += 1

    def hasty(self, now: float) -> bool:
        """Whether refusals come too fast, so that the connection of one given just now should be held for a while.

        Who comes again when ``Retry-After`` says so never notices. Who asks again at once waits its turn, instead of taking
        the event loop from those whose work was accepted. ``now`` is the event loop's clock.
        """
        if now >= self._tick_ends:
            self._tick_ends, self._in_tick = now + _TICK, 0
        self._in_tick += 1
        return self._in_tick > _EACH_TICK

    def hold(self, read_on: Callable[[], None]) -> None:
        """Call this function when a held connection may be read from again."""
        if not self._held:
            asyncio.get_running_loop().call_later(_TICK, self._let_go)
        self._held.append(read_on)

    def _let_go(self) -> None:
        for _ in range(min(len(self._held), _EACH_TICK)):
            self._held.popleft()()
        if self._held:
            asyncio.get_running_loop().call_later(_TICK, self._let_go)

    def _count(self, path: str) -> None:
        if not self._uncounted:
            asyncio.get_running_loop().call_later(_LOG_SECONDS, self._account)
        self._uncounted[path] += 1

    def _account(self) -> None:
        for path, count in self._uncounted.items():
            self._metrics.requests.labels(path, "POST", 503).inc(count)
            self._metrics.errors.labels(self._code).inc(count)
            log.info("refused", route=path, method="POST", status=503, code=self._code, count=count)
        self._uncounted.clear()


def _in_pieces() -> tuple[str, list[bytes]]:
    """The code of the answer, and the answer around the places of the request's id."""
    error = overloaded()
    answer = problems.response(*problems.from_error(error, _ID))
    headers = [*answer.raw_headers, *observability.HEADERS, (b"vary", b"Origin"), (b"x-request-id", _ID.encode())]
    head = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
    return error.code, (head + b"\r\n" + bytes(answer.body)).split(_ID.encode())
