"""The choke point: resolve once, judge every address, connect to exactly those, and keep one deadline over all of it.

Imported only when a request is really made. Everything the HTTP library does passes through :class:`GuardedBackend`,
so a redirect, an odd spelling of an address or a name server that changes its mind cannot reach around the check.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import httpcore2

from tanba.errors import NetworkRefused, ResolverError
from tanba.net.guard import check_addresses

Resolver = Callable[[str, int], Sequence[str]]
"""Host and port to literal addresses. Raises :class:`OSError` when the name has none."""

_MAX_ADDRESSES = 4
_WRITE_CHUNK = 1 << 16


def system_resolver(host: str, port: int) -> Sequence[str]:
    """The operating system's resolver; decimal, octal and hexadecimal IPv4 spellings come out as plain addresses."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Deadline:
    """One monotonic end for a whole request."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._end = clock() + seconds

    def clamp(self, seconds: float | None) -> float:
        """``seconds`` or what is left, whichever is shorter. Raises :class:`NetworkRefused` when nothing is left."""
        left = self._end - self._clock()
        if left <= 0:
            raise too_slow()
        return left if seconds is None else min(seconds, left)


def too_slow() -> NetworkRefused:
    """The error for every bound of time."""
    return NetworkRefused("the server took too long", code="tanba.network.timeout", hint="try again later")


class GuardedBackend(httpcore2.NetworkBackend):
    """Connects for one request. ``excepted`` lifts the address rule for a host that the operator named."""

    def __init__(
        self, resolve: Resolver, inner: httpcore2.NetworkBackend, deadline: Deadline, *, excepted: bool = False
    ) -> None:
        self._resolve = resolve
        self._inner = inner
        self._deadline = deadline
        self._excepted = excepted

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        """Resolve, check, connect. Raises :class:`NetworkRefused` or :class:`ResolverError`."""
        addresses = _within(self._resolve, host, port, self._deadline.clamp(timeout))
        if not self._excepted:
            check_addresses(addresses)
        for address in addresses[:_MAX_ADDRESSES]:
            try:
                stream = self._inner.connect_tcp(
                    address, port, self._deadline.clamp(timeout), local_address, socket_options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue
            return _BoundedStream(stream, self._deadline)
        raise ResolverError(
            f"could not connect to {host}", code="tanba.network.unreachable", hint="check the address, or try later"
        )


class _BoundedStream(httpcore2.NetworkStream):
    """A stream whose every wait is cut to what the request has left, so that a slow drip ends too."""

    def __init__(self, inner: httpcore2.NetworkStream, deadline: Deadline) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._deadline.clamp(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), _WRITE_CHUNK):
            self._inner.write(buffer[start : start + _WRITE_CHUNK], self._deadline.clamp(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        return _BoundedStream(
            self._inner.start_tls(ssl_context, server_hostname, self._deadline.clamp(timeout)), self._deadline
        )

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _within(resolve: Resolver, host: str, port: int, seconds: float) -> Sequence[str]:
    """Run the blocking resolver with a bound. The daemon thread is left behind when a name server hangs."""
    found: list[Sequence[str]] = []

    def look_up() -> None:
        try:
            found.append(resolve(host, port))
        except (OSError, UnicodeError):
            found.append(())

    thread = threading.Thread(target=look_up, name="tanba-resolve", daemon=True)
    thread.start()
    thread.join(seconds)
    if not found:
        raise too_slow()
    if not found[0]:
        raise ResolverError(f"{host} has no address", code="tanba.network.unresolvable", hint="check the spelling")
    return found[0]
