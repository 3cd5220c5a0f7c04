"""The engine's way to a time-stamp authority: a relay on the loopback address that hands over checked tokens only.

The engine can be given one URL, waits 30 seconds for it and believes what it says (facts §3, service facts §5.3). The
relay is that URL: it asks the operator's authorities in order of preference, checks what they answer, and keeps the
typed reason when none will do. It answers nobody who does not know its random path, and listens only while it is open.
"""

from __future__ import annotations

import secrets
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from keys import timestamp
from keys.timestamp import DEFAULT_SECONDS, Clock, Token
from tanba.errors import TanbaError, TimestampError, UsageError

if TYPE_CHECKING:
    from http.server import BaseHTTPRequestHandler

T = TypeVar("T")
_MAX_REQUEST = 4096
_REMEMBERED = 64
_ENGINE_WAITS = 25.0
"""Together the authorities must answer before the engine gives up at 30 seconds."""


class Policy(StrEnum):
    """What to do when no authority gives an acceptable answer."""

    FAIL = "fail"
    """No stamp, no label."""
    WITHOUT = "without"
    """Sign without a stamp, and say so."""
    QUEUE = "queue"
    """Sign without a stamp, say so; the caller queues the label for :mod:`keys.late`."""


class Timestamping:
    """An open relay. Safe to use from several threads: every call has its own address and its own outcome."""

    def __init__(self, urls: Sequence[str], *, seconds: float, policy: Policy, clock: Clock | None, base: str) -> None:
        self.policy = policy
        self._urls = list(urls)
        self._seconds = min(seconds, _ENGINE_WAITS / len(urls))
        self._clock = clock
        self._base = base
        self._lock = threading.Lock()
        self._errors: dict[str, TimestampError] = {}
        self._tokens: dict[str, Token] = {}
        self._missing: deque[TimestampError] = deque(maxlen=_REMEMBERED)

    @property
    def url(self) -> str:
        """One address for the engine, when calls come one after another. :meth:`sign` gives each call its own."""
        return f"{self._base}/shared"

    @property
    def last_token(self) -> Token | None:
        """The last accepted token of :attr:`url` or :meth:`sign`."""
        with self._lock:
            return next(reversed(self._tokens.values()), None)

    @property
    def missing(self) -> tuple[TimestampError, ...]:
        """Why the last labels were signed without a stamp, one entry per label."""
        return tuple(self._missing)

    def raise_if_failed(self) -> None:
        """Raise the typed reason of a failure at :attr:`url`, if there was one. Raises :class:`TimestampError`."""
        with self._lock:
            error = self._errors.pop("shared", None)
        if error is not None:
            raise error

    def sign(self, call: Callable[[str | None], T]) -> T:
        """The result of :meth:`attempt` alone; why there was no stamp stands in :attr:`missing`."""
        return self.attempt(call)[0]

    @property
    def queues(self) -> bool:
        """Whether what could not be stamped shall be stamped later."""
        return self.policy is Policy.QUEUE

    def attempt(
        self, call: Callable[[str | None], T], *, later: Callable[[], bool] = lambda: True
    ) -> tuple[T, TimestampError | None]:
        """Run ``call(url)`` under the policy: when no stamp could be had, raise the typed reason, or call again with
        None and give the reason beside the result. Under ``queue`` that is only done for what ``later`` says can be
        stamped later. Errors of ``call`` that have another cause pass through.
        """
        mine = secrets.token_urlsafe(9)
        try:
            return call(f"{self._base}/{mine}"), None
        except TanbaError as error:
            with self._lock:
                cause = self._errors.pop(mine, None) or self._not_reached(mine, error)
            if cause is None:
                raise
            if self.queues and not later():
                cause.hint = "this label could not be stamped later: use a sidecar, or --timestamp-policy without"
                raise cause from error
            if self.policy is Policy.FAIL:
                raise cause from error
            with self._lock:
                self._missing.append(cause)
        return call(None), cause

    def token(self, request: bytes) -> Token:
        """The first acceptable answer to a TimeStampReq (DER), in the same order and time as for the engine.

        Raises :class:`TimestampError`.
        """
        mine = secrets.token_urlsafe(9)
        found = self.answer(mine, request)
        if found is None:
            with self._lock:
                raise self._errors.pop(mine)
        return found

    def answer(self, place: str, request: bytes) -> Token | None:
        """What the relay says to one request of the engine; None stands for an error that was kept."""
        with self._lock:
            order = tuple(self._urls)
        first: TimestampError | None = None
        for url in order:
            try:
                token = timestamp.fetch(request, url, seconds=self._seconds, clock=self._clock)
            except TimestampError as error:
                first = first or error
                self._put_last(url)
            else:
                with self._lock:
                    self._errors.pop(place, None)
                    self._tokens.pop(place, None)
                    self._tokens[place] = token
                    while len(self._tokens) > _REMEMBERED:
                        self._tokens.pop(next(iter(self._tokens)))
                return token
        assert first is not None
        with self._lock:
            self._errors[place] = first
        return None

    def _not_reached(self, mine: str, error: TanbaError) -> TimestampError | None:
        """The engine failed over our address without having come here: it obeys proxies of the environment."""
        if f"{self._base}/{mine}" not in error.message:
            return None
        return TimestampError(
            "the engine could not reach Tanba's own time-stamp relay on 127.0.0.1",
            code="tanba.timestamp.relay",
            hint="a proxy is set in the environment: add NO_PROXY=127.0.0.1",
        )

    def _put_last(self, url: str) -> None:
        """An authority that failed is asked last from now on, so that a batch does not wait for it every time."""
        with self._lock:
            if url in self._urls:
                self._urls.remove(url)
                self._urls.append(url)


@contextmanager
def timestamping(
    urls: Sequence[str],
    *,
    timeout: float = DEFAULT_SECONDS,
    policy: Policy | str = Policy.FAIL,
    clock: Clock | None = None,
) -> Iterator[Timestamping]:
    """Open a relay to the operator's authorities. ``timeout``: seconds for each of them, 25 for all together.

    Raises :class:`UsageError` for addresses that are none, or an unknown policy.
    """
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    places = timestamp.check_urls(urls)
    if timeout <= 0:
        raise UsageError("the time limit must be above zero seconds")
    try:
        chosen = Policy(policy)
    except ValueError as error:
        raise UsageError(f"unknown time-stamp policy {policy!r}", hint="use fail, without or queue") from error
    path = secrets.token_urlsafe(18)
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.daemon_threads = True
    base = f"http://127.0.0.1:{server.server_address[1]}/{path}"
    relay = Timestamping(places, seconds=timeout, policy=chosen, clock=clock, base=base)
    server.RequestHandlerClass = _handler(relay, path)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield relay
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=2)


def _handler(relay: Timestamping, path: str) -> type[BaseHTTPRequestHandler]:
    from http.server import BaseHTTPRequestHandler

    class Handler(BaseHTTPRequestHandler):
        timeout = 5

        def do_POST(self) -> None:
            known, _, place = self.path.removeprefix("/").partition("/")
            length = self.headers.get("content-length", "")
            if not secrets.compare_digest(known, path) or not length.isdigit() or int(length) > _MAX_REQUEST:
                self.send_error(404)
                return
            try:
                token = relay.answer(place, self.rfile.read(int(length)))
            except TanbaError:
                token = None
            if token is None:
                self.send_error(502)
                return
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(token.response)))
            self.end_headers()
            self.wfile.write(token.response)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: the path is a secret."""

    return Handler
