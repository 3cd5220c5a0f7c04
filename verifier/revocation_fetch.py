"""Online OCSP and CRL answers, when the user allowed the network: guarded requests, small answers, an honest cache.

Only the addresses that the signer's certificate names are asked, and they are as hostile as any: public addresses only,
no redirects, small and quick, nothing decoded. A cached answer is judged again, signature and all, each time.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path

from cryptography import x509

from tanba.errors import TanbaError
from tanba.net import PUBLIC, GuardedClient, NetworkPolicy, Response, guarded_client
from tanba.report import RevocationState
from tanba.revocation import DEFAULT_LIFETIME, Answer, ocsp_request, read_crl, read_ocsp
from tanba.x509 import facts

OCSP_POLICY: NetworkPolicy = replace(PUBLIC, max_redirects=0, max_bytes=64 << 10)
CRL_POLICY: NetworkPolicy = replace(PUBLIC, max_redirects=0, max_bytes=16 << 20)
_OCSP_HEADERS = {"content-type": "application/ocsp-request", "accept": "application/ocsp-response"}
_MAX_URLS = 2
"""Addresses tried per certificate and kind."""


@dataclass(frozen=True, slots=True)
class Online:
    """An answer from the network or its cache, and where from (``ocsp`` or ``crl``)."""

    answer: Answer
    source: str | None
    problem: str | None = None
    """Why there is no answer: ``no_address`` or the error code of the last attempt."""


def ask(
    leaf: x509.Certificate,
    issuer: x509.Certificate,
    *,
    now: datetime,
    cache_dir: Path | None = None,
    ocsp_client: GuardedClient | None = None,
    crl_client: GuardedClient | None = None,
) -> Online:
    """Ask the certificate's OCSP responders, then its CRLs. Never raises for what the network does."""
    addresses = facts(leaf)
    problem = "no_address"
    request = ocsp_request(leaf, issuer)
    for url in addresses.ocsp_urls[:_MAX_URLS]:
        cached = _cached(cache_dir, url, leaf)
        client = ocsp_client or guarded_client(OCSP_POLICY)
        found, problem = _judged(
            partial(client.post, url, request, headers=_OCSP_HEADERS),
            lambda data: read_ocsp(data, leaf, issuer, now),
            cached,
            now,
        )
        if found is not None and found[0].state is not RevocationState.UNKNOWN:
            _keep(cached, found, now)
            return Online(found[0], "ocsp")
    for url in addresses.crl_urls[:_MAX_URLS]:
        cached = _cached(cache_dir, url, None)
        client = crl_client or guarded_client(CRL_POLICY)
        found, problem = _judged(partial(client.get, url), lambda data: read_crl(data, leaf, issuer, now), cached, now)
        if found is not None and found[0].state is not RevocationState.UNKNOWN:
            _keep(cached, found, now)
            return Online(found[0], "crl")
    return Online(Answer(RevocationState.UNKNOWN), None, problem)


def _judged(
    fetch: Callable[[], Response], judge: Callable[[bytes], Answer], cached: Path | None, now: datetime
) -> tuple[tuple[Answer, bytes] | None, str]:
    """The cached answer while it may be used, else a fetched one; with it, or in its place, what went wrong."""
    if (data := _fresh(cached)) is not None:
        answer = judge(data)
        if answer.state is not RevocationState.UNKNOWN and _current(answer, now):
            return (answer, data), ""
    try:
        body = fetch().raise_for_status().body
    except TanbaError as error:
        return None, error.code
    answer = judge(body)
    return (answer, body), answer.problem or ""


def _current(answer: Answer, now: datetime) -> bool:
    """Whether a cached answer may still be used: until ``nextUpdate``, or a day without one."""
    if answer.this_update is None:
        return False
    return now < (answer.next_update or answer.this_update + DEFAULT_LIFETIME)


def _cached(cache_dir: Path | None, url: str, leaf: x509.Certificate | None) -> Path | None:
    if cache_dir is None:
        return None
    about = format(leaf.serial_number, "x") if leaf is not None else ""
    name = hashlib.sha256(f"{url}\n{about}".encode()).hexdigest()
    return cache_dir / "revocation" / f"{name}.der"


def _fresh(path: Path | None) -> bytes | None:
    if path is None:
        return None
    try:
        return path.read_bytes()
    except OSError:
        return None


def _keep(path: Path | None, found: tuple[Answer, bytes], now: datetime) -> None:
    """Write an answer to the cache; a cache that cannot be written is no cache, and no error."""
    if path is None or not _current(found[0], now):
        return
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "wb") as stream:
            stream.write(found[1])
        Path(temporary).replace(path)
