"""What one network request may do: a frozen value, passed in, never global and never read from the environment."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tanba.errors import UsageError
from tanba.limits import MIB


@dataclass(frozen=True, slots=True)
class NetworkPolicy:
    """Bounds and exceptions for one kind of request. The defaults suit a URL that a stranger sent us."""

    schemes: frozenset[str] = frozenset({"http", "https"})
    """URL schemes. Take ``https`` alone where secrets travel (web hooks)."""
    ports: frozenset[int] = frozenset({80, 443})
    """Ports that may be reached on public addresses."""
    exceptions: frozenset[tuple[str, int]] = frozenset()
    """(host, port) pairs an *operator* named: address, port and scheme rules do not apply to them. They count only for
    the URL that was asked for, never for a redirect that leads to them from elsewhere. Must stay empty in a policy
    for URLs that strangers choose."""
    url_characters: int = 2048
    """Longest URL."""
    max_redirects: int = 3
    """Redirects followed for GET and HEAD; each hop passes every check again. Other methods are never redirected."""
    connect_seconds: float = 2.0
    """Time for name resolution, for one TCP connection, and for one TLS handshake, each."""
    read_seconds: float = 3.0
    """Longest silence while reading or writing."""
    total_seconds: float = 8.0
    """Longest whole request, redirects and body included."""
    max_bytes: int = 32 * MIB
    """Largest answer body."""
    content_types: frozenset[str] | None = None
    """Media types accepted in an answer, such as ``image/jpeg`` or ``image/*``; ``None`` accepts any."""

    def allowing(self, *endpoints: str) -> NetworkPolicy:
        """Add operator exceptions, each ``host:port`` or ``[v6]:port``. Raises :class:`UsageError`."""
        return replace(self, exceptions=self.exceptions | {_endpoint(text) for text in endpoints})

    def accepts(self, media_type: str) -> bool:
        """Whether an answer of this media type (no parameters, lower case) is wanted."""
        if self.content_types is None:
            return True
        return media_type in self.content_types or f"{media_type.partition('/')[0]}/*" in self.content_types


def _endpoint(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]").lower()
    if not colon or not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise UsageError(f"not a host:port pair: {text!r}", hint="name the endpoint like 127.0.0.1:3161")
    return host, int(port)


PUBLIC = NetworkPolicy()
"""For URLs from strangers: public addresses only, no exceptions."""
