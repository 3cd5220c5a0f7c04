"""Which URLs and which addresses may be reached. Pure: it opens no socket and asks no name server.

An address is judged after resolution, on the very address that is then connected to (:mod:`tanba.net.backend`), so no
spelling of an address and no second answer of a name server can go around it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from tanba.errors import NetworkRefused
from tanba.net.policy import NetworkPolicy

# ``ipaddress.is_global`` follows the IANA special-purpose registries; these ranges it calls global, or they carry an
# IPv4 address inside, or some platforms route them locally.
_NOT_PUBLIC: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",  # RFC 1122 "this network"
        "100.64.0.0/10",  # RFC 6598 carrier-grade NAT; Alibaba metadata lives at 100.100.100.200
        "168.63.129.16/32",  # Azure's wire server: a public address that answers inside every Azure machine
        "192.0.0.0/24",  # RFC 6890; Oracle metadata lives at 192.0.0.192
        "192.88.99.0/24",  # RFC 7526 former 6to4 relay
        "240.0.0.0/4",  # RFC 1112 reserved
        "::/96",  # RFC 4291 IPv4-compatible
        "64:ff9b::/96",  # RFC 6052 NAT64
        "64:ff9b:1::/48",  # RFC 8215 local NAT64
        "100::/64",  # RFC 6666 discard
        "2001::/32",  # RFC 4380 Teredo
        "2002::/16",  # RFC 3056 6to4
        "3fff::/20",  # RFC 9637 documentation
        "5f00::/16",  # RFC 9602 segment routing
        "fc00::/7",  # RFC 4193 unique local; AWS metadata lives at fd00:ec2::254
        "fec0::/10",  # RFC 3879 site-local
    )
)


def is_public(address: str) -> bool:
    """Whether a literal IPv4 or IPv6 address belongs to the public unicast internet. Anything unparsable does not."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.scope_id is not None:
            return False
        if parsed.ipv4_mapped is not None:
            parsed = parsed.ipv4_mapped
    if parsed.is_multicast or parsed.is_reserved or parsed.is_unspecified or parsed.is_loopback or parsed.is_link_local:
        return False
    return parsed.is_global and not any(parsed in network for network in _NOT_PUBLIC)


@dataclass(frozen=True, slots=True)
class Target:
    """A URL that passed :func:`check_url`. ``host`` is what TLS and ``Host`` name, in its ASCII form."""

    url: str
    scheme: str
    host: str
    port: int
    path: bytes
    excepted: bool

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port."""
        return self.scheme, self.host, self.port


def check_url(url: str, policy: NetworkPolicy) -> Target:
    """Parse a URL and hold it against the policy. Raises :class:`NetworkRefused`; says nothing about addresses."""
    import httpx2

    if len(url) > policy.url_characters:
        raise _refused("url", "the URL is too long")
    if any(character.isspace() or not character.isprintable() or character == "\\" for character in url):
        raise _refused("url", "the URL holds a blank, a control character or a backslash")
    try:
        parsed = httpx2.URL(url)
        port = {"http": 80, "https": 443}.get(parsed.scheme, 0) if parsed.port is None else parsed.port
    except (httpx2.InvalidURL, ValueError, UnicodeError) as error:
        raise _refused("url", "the URL does not parse") from error
    if parsed.scheme not in {"http", "https"}:
        raise _refused("scheme", "only http and https URLs are fetched")
    if parsed.userinfo:
        raise _refused("url", "a URL with a user name or password in it is not fetched")
    host = parsed.raw_host.decode("ascii").lower().rstrip(".")
    if not host:
        raise _refused("url", "the URL names no host")
    excepted = (host, port) in policy.exceptions
    if not excepted and parsed.scheme not in policy.schemes:
        raise _refused("scheme", f"only {' and '.join(sorted(policy.schemes))} URLs are fetched")
    if not excepted and port not in policy.ports:
        raise _refused("port", f"port {port} is not allowed")
    return Target(str(parsed), parsed.scheme, host, port, parsed.raw_path, excepted)


def check_redirect(previous: Target, following: Target) -> None:
    """Rules between two hops. Raises :class:`NetworkRefused`."""
    if previous.scheme == "https" and following.scheme != "https":
        raise _refused("redirect", "a redirect from https to http is not followed")
    if following.excepted and following.origin != previous.origin:
        raise _refused("redirect", "a redirect to an endpoint that only the operator may name is not followed")


def check_addresses(addresses: Sequence[str]) -> None:
    """Refuse a host when *any* of its addresses is not public. Raises :class:`NetworkRefused`.

    The message never names the address: it would tell a stranger what an internal name resolves to.
    """
    if not all(is_public(address) for address in addresses):
        raise _refused("address", "the host has an address that is not on the public internet")


def _refused(what: str, message: str) -> NetworkRefused:
    return NetworkRefused(
        message,
        code=f"tanba.network.{what}_refused",
        hint="only public http and https addresses are fetched; an operator can name exceptions",
    )
