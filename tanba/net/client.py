"""The guarded HTTP client: one short-lived connection per hop, no proxy or credentials from the environment, no cookies.

It never decodes a content encoding, never keeps a connection for another caller, and never reads more than it may.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO

from tanba.errors import NetworkRefused, ResolverError
from tanba.net.guard import Target, check_redirect, check_url
from tanba.net.policy import PUBLIC, NetworkPolicy

if TYPE_CHECKING:
    import httpcore2

    from tanba.net.backend import Deadline, Resolver

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_NOT_FORWARDED = frozenset({"authorization", "cookie", "proxy-authorization"})
_OURS = frozenset({"host", "accept-encoding", "connection", "content-length", "transfer-encoding"})
_USER_AGENT = "tanba"


@dataclass(frozen=True, slots=True)
class Response:
    """A whole answer. ``body`` is empty when it was written to a destination instead."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case; a repeated header keeps its last value."""
    body: bytes
    size: int
    url: str
    """Where the answer came from, after redirects."""

    @property
    def media_type(self) -> str:
        """``Content-Type`` without parameters, in lower case; empty when absent."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def raise_for_status(self) -> Response:
        """Return itself when the status is 2xx. Raises :class:`ResolverError` otherwise."""
        if 200 <= self.status < 300:
            return self
        raise ResolverError(
            f"the server answered {self.status}",
            code="tanba.network.status",
            hint="try again later" if self.status >= 500 else None,
            details={"status": self.status},
        )


class GuardedClient:
    """Makes requests under one policy. Safe to share between threads: it holds no connection and no state.

    ``resolve``, ``backend`` and ``ssl_context`` replace the operating system's resolver and sockets and the platform's
    certificate store, for tests and for operators with their own certificate authority.
    """

    def __init__(
        self,
        policy: NetworkPolicy = PUBLIC,
        *,
        resolve: Resolver | None = None,
        backend: httpcore2.NetworkBackend | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self.policy = policy
        self._resolve = resolve
        self._backend = backend
        self._ssl_context = ssl_context

    def get(
        self, url: str, *, headers: Mapping[str, str] | None = None, destination: BinaryIO | None = None
    ) -> Response:
        """Fetch. See :meth:`request`."""
        return self.request("GET", url, headers=headers, destination=destination)

    def post(self, url: str, content: bytes, *, headers: Mapping[str, str] | None = None) -> Response:
        """Send. See :meth:`request`; a redirect is an answer like any other here."""
        return self.request("POST", url, content=content, headers=headers)

    def request(
        self,
        method: str,
        url: str,
        *,
        content: bytes = b"",
        headers: Mapping[str, str] | None = None,
        destination: BinaryIO | None = None,
    ) -> Response:
        """One request with its redirects, whatever the status of the answer.

        Raises :class:`NetworkRefused` when the guard stops it (address, size, time, type, redirects) and
        :class:`ResolverError` when the server cannot be reached or breaks HTTP.
        """
        from tanba.net.backend import Deadline

        deadline = Deadline(self.policy.total_seconds)
        sent = {name.lower(): value for name, value in (headers or {}).items() if name.lower() not in _OURS}
        target = check_url(url, self.policy)
        for _ in range(self.policy.max_redirects + 1):
            answer, location = self._hop(method, target, content, sent, destination, deadline)
            if answer is not None:
                return answer
            following = check_url(_join(target.url, location), self.policy)
            check_redirect(target, following)
            if following.origin != target.origin:
                sent = {name: value for name, value in sent.items() if name not in _NOT_FORWARDED}
            target = following
        raise NetworkRefused("too many redirects", code="tanba.network.too_many_redirects")

    def _hop(
        self,
        method: str,
        target: Target,
        content: bytes,
        headers: Mapping[str, str],
        destination: BinaryIO | None,
        deadline: Deadline,
    ) -> tuple[Response | None, str]:
        """One exchange on its own connection: an answer, or where a redirect points."""
        import httpcore2

        from tanba.net.backend import GuardedBackend, system_resolver, too_slow

        backend = GuardedBackend(
            self._resolve or system_resolver,
            self._backend or httpcore2.SyncBackend(),
            deadline,
            excepted=target.excepted,
        )
        context = (self._ssl_context or _platform_certificates()) if target.scheme == "https" else None
        wait, silence = self.policy.connect_seconds, self.policy.read_seconds
        try:
            with (
                httpcore2.ConnectionPool(ssl_context=context, network_backend=backend, max_connections=1) as pool,
                pool.stream(
                    method,
                    httpcore2.URL(
                        scheme=target.scheme.encode(),
                        host=target.host.encode(),
                        port=target.port,
                        target=target.path,
                    ),
                    headers=_wire_headers(target, method, content, headers),
                    content=content or None,
                    extensions={"timeout": {"connect": wait, "read": silence, "write": silence, "pool": wait}},
                ) as raw,
            ):
                received = {
                    name.decode("latin-1").lower(): value.decode("latin-1", "replace") for name, value in raw.headers
                }
                location = received.get("location", "")
                if raw.status in _REDIRECTS and location and method in {"GET", "HEAD"}:
                    return None, location
                return self._take(raw, received, target, destination), ""
        except httpcore2.TimeoutException as error:
            raise too_slow() from error
        except (httpcore2.NetworkError, httpcore2.ProtocolError, ssl.SSLError, OSError) as error:
            raise ResolverError(
                "the connection failed or the server broke HTTP", code="tanba.network.failed", hint="try again later"
            ) from error

    def _take(
        self,
        raw: httpcore2.Response,
        headers: Mapping[str, str],
        target: Target,
        destination: BinaryIO | None,
    ) -> Response:
        """Judge the head of an answer, then read its body under the cap."""
        answer = Response(raw.status, headers, b"", 0, target.url)
        if headers.get("content-encoding", "identity").strip().lower() not in {"", "identity"}:
            raise NetworkRefused("the answer is compressed", code="tanba.network.encoding_refused")
        if 200 <= raw.status < 300 and not self.policy.accepts(answer.media_type):
            raise NetworkRefused(
                f"an answer of type {answer.media_type[:80] or 'unknown'!r} is not wanted here",
                code="tanba.network.content_type_refused",
            )
        announced = headers.get("content-length", "")
        if announced.isascii() and announced.isdigit() and int(announced[:20]) > self.policy.max_bytes:
            raise self._too_large()
        sink = destination if destination is not None else BytesIO()
        size = 0
        for chunk in raw.iter_stream():
            size += len(chunk)
            if size > self.policy.max_bytes:
                raise self._too_large()
            sink.write(chunk)
        body = sink.getvalue() if isinstance(sink, BytesIO) and destination is None else b""
        return Response(raw.status, headers, body, size, target.url)

    def _too_large(self) -> NetworkRefused:
        return NetworkRefused(
            f"the answer is larger than {self.policy.max_bytes} bytes",
            code="tanba.network.too_large",
            details={"max_bytes": self.policy.max_bytes},
        )


def guarded_client(policy: NetworkPolicy = PUBLIC) -> GuardedClient:
    """The client every caller should use: the platform's resolver, sockets and certificates under ``policy``."""
    return GuardedClient(policy)


def _wire_headers(target: Target, method: str, content: bytes, headers: Mapping[str, str]) -> list[tuple[str, str]]:
    default = {"http": 80, "https": 443}[target.scheme]
    host = f"[{target.host}]" if ":" in target.host else target.host
    fixed = {
        "host": host if target.port == default else f"{host}:{target.port}",
        "accept-encoding": "identity",
        "connection": "close",
        "user-agent": headers.get("user-agent", _USER_AGENT),
    }
    if content or method in {"POST", "PUT", "PATCH"}:
        fixed["content-length"] = str(len(content))
    merged = {**headers, **fixed}
    if any("\r" in value or "\n" in value or "\0" in value for value in merged.values()):
        raise NetworkRefused("a header value holds a line break", code="tanba.network.header_refused")
    return list(merged.items())


def _join(base: str, location: str) -> str:
    import httpx2

    try:
        return str(httpx2.URL(base).join(location))
    except (httpx2.InvalidURL, ValueError, UnicodeError) as error:
        raise NetworkRefused("the redirect does not parse", code="tanba.network.url_refused") from error


@lru_cache(maxsize=1)
def _platform_certificates() -> ssl.SSLContext:
    import httpx2

    make: Callable[..., ssl.SSLContext] = httpx2.create_ssl_context
    return make(trust_env=False)
