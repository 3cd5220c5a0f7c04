"""OCSP at signing time: ask about our own certificate, and staple the answer to a label (C2PA 2.4 sections 13.2, 14.6).

A stapled answer lets a reader without a network see that the certificate was good when it signed. It travels in the
*unprotected* COSE header ``rVals``: it is signed by the responder, not by us, and adding it leaves the claim signature
as it is. The engine offers no way to hand one over, so it is put into the finished store.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tanba.errors import NetworkRefused, ProviderUnavailable, ResolverError, UsageError

if TYPE_CHECKING:
    from tanba.net import GuardedClient
    from tanba.report import RevocationState

MAX_BYTES = 64 * 1024
DEFAULT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Staple:
    """An answer about our certificate that passed the checks of :func:`tanba.revocation.read_ocsp`."""

    response: bytes
    """OCSPResponse, DER."""
    state: RevocationState
    since: datetime | None
    reason: str | None
    this_update: datetime | None
    next_update: datetime | None


def fetch(chain_pem: bytes, *, now: datetime, url: str | None = None, seconds: float = DEFAULT_SECONDS) -> Staple:
    """Ask the responder about the first certificate of a chain (leaf, issuer, …).

    ``url`` is an operator's own responder and may be on any port and a private address; without it the address in the
    certificate is asked, which must be public. Raises :class:`ProviderUnavailable` when there is no usable answer and
    :class:`UsageError` when the chain names no responder or no issuer.
    """
    from keys.certificates import load_chain
    from tanba import revocation
    from tanba.report import RevocationState
    from tanba.x509 import facts

    chain = load_chain(chain_pem)
    if len(chain) < 2:
        raise UsageError("an OCSP request needs the issuer's certificate too", hint="give the whole chain")
    leaf, issuer = chain[:2]
    address = url or next(iter(facts(leaf).ocsp_urls), None)
    if address is None:
        raise UsageError("the certificate names no OCSP responder", hint="give its address, or ask the CA for one")
    body = _post(address, revocation.ocsp_request(leaf, issuer), seconds, operator=url is not None)
    answer = revocation.read_ocsp(body, leaf, issuer, now)
    if answer.state is RevocationState.UNKNOWN:
        raise ProviderUnavailable(
            f"the OCSP responder gave no usable answer ({answer.problem})",
            code="tanba.keys.ocsp_unusable",
            hint="ask the CA, or label without a stapled answer",
            details={"problem": answer.problem},
        )
    return Staple(body, answer.state, answer.since, answer.reason, answer.this_update, answer.next_update)


def staple(store: bytes, response: bytes) -> bytes:
    """The same manifest store with an OCSP response in the ``rVals`` header of the active manifest's signature.

    Only unprotected header bytes and box lengths change, so the claim signature stays valid. The store grows: use it
    for sidecars, or before a store is embedded, never on bytes a hard binding has already counted. Raises
    :class:`tanba.errors.MalformedAsset`.
    """
    from keys import headers

    return headers.add(store, "rVals", {"ocspVals": [response]})


def _post(url: str, request: bytes, seconds: float, *, operator: bool) -> bytes:
    try:
        answer = _client(url, seconds, operator=operator).post(
            url, request, headers={"content-type": "application/ocsp-request"}
        )
        return answer.raise_for_status().body
    except (NetworkRefused, ResolverError) as error:
        slow = error.code == "tanba.network.timeout"
        raise ProviderUnavailable(
            f"the OCSP responder {'did not answer in time' if slow else 'cannot be asked'}: {error.message}",
            code="tanba.keys.ocsp_slow" if slow else "tanba.keys.ocsp_down",
            hint="try again later, or label without a stapled answer",
        ) from error


def _client(url: str, seconds: float, *, operator: bool) -> GuardedClient:
    from tanba.net import NetworkPolicy, guarded_client

    policy = NetworkPolicy(
        max_redirects=0,
        connect_seconds=min(2.0, seconds),
        read_seconds=seconds,
        total_seconds=seconds,
        max_bytes=MAX_BYTES,
    )
    if operator:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise UsageError("not the address of an OCSP responder", hint="give http://HOST[:PORT]/")
        host, port = parts.hostname, parts.port or {"http": 80, "https": 443}[parts.scheme]
        policy = policy.allowing(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
    return guarded_client(policy)
