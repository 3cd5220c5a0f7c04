"""RFC 3161 client: one request to one authority, and the checks that make its answer acceptable.

The engine would take a stamp from the future, a 64 MiB answer, or wait 30 seconds (facts §3). Here every answer is
bounded in time and size and compared with the request: status, nonce, imprint, both of its times, signature. Whether
the authority is *trusted* is the verifier's question, not asked here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tanba.errors import NetworkRefused, ResolverError, TanbaError, TimestampError, UsageError

if TYPE_CHECKING:
    from rfc3161_client import TimeStampResponse

    from tanba.net import GuardedClient

MAX_BYTES = 64 * 1024
"""A token with its certificates is below 10 KiB; more is refused unread."""
MAX_SKEW = timedelta(seconds=60)
"""How far an authority's time may be from ours, either way."""
DEFAULT_SECONDS = 5.0

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Token:
    """An answer that passed every check."""

    url: str
    response: bytes
    """The TimeStampResp, DER."""
    time: datetime
    """``genTime``, UTC."""
    serial: str
    """Serial number of the token, hex."""
    policy: str
    """The authority's policy, a dotted OID."""


def failed(what: str, url: str, message: str, hint: str | None = None) -> TimestampError:
    """``tanba.timestamp.<what>`` with the authority's host, never a path that might hold a key."""
    host = urlsplit(url).hostname or ""
    retryable = what in {"down", "slow"}
    error = TimestampError(
        f"time-stamp authority {host}: {message}",
        code=f"tanba.timestamp.{what}",
        hint=hint or ("try again later, or name a second authority" if retryable else "use another authority"),
        details={"authority": host},
    )
    error.retryable = retryable
    return error


def check_urls(urls: Sequence[str]) -> tuple[str, ...]:
    """The operator's authorities in order of preference. Raises :class:`UsageError`."""
    for url in urls:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username:
            raise UsageError(
                "not the address of a time-stamp authority", hint="give http://HOST[:PORT]/PATH or https://…"
            )
    if not urls:
        raise UsageError("no time-stamp authority is named", hint="give --timestamp URL")
    return tuple(urls)


def build_request(message: bytes) -> bytes:
    """A TimeStampReq over SHA-256 of ``message`` with a nonce and the wish for certificates, DER."""
    from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

    return TimestampRequestBuilder().data(message).hash_algorithm(HashAlgorithm.SHA256).nonce().build().as_bytes()


def fetch(request: bytes, url: str, *, seconds: float = DEFAULT_SECONDS, clock: Clock | None = None) -> Token:
    """Send a TimeStampReq to one authority and check what it answers.

    ``seconds`` bounds the whole exchange. Raises :class:`TimestampError` with one of the codes
    ``tanba.timestamp.`` ``down`` ``slow`` ``too_large`` ``garbage`` ``rejected`` ``nonce`` ``imprint`` ``future``
    ``skewed`` ``signature``.
    """
    body = _post(request, url, seconds)
    return check(request, body, url, now=(clock or _now)())


def fetch_any(
    request: bytes, urls: Sequence[str], *, seconds: float = DEFAULT_SECONDS, clock: Clock | None = None
) -> Token:
    """The first acceptable answer, trying authorities in order. Raises the first one's error when none answers."""
    first: TimestampError | None = None
    for url in check_urls(urls):
        try:
            return fetch(request, url, seconds=seconds, clock=clock)
        except TimestampError as error:
            first = first or error
    assert first is not None
    raise first


def check(request: bytes, body: bytes, url: str, *, now: datetime) -> Token:
    """Hold an answer against its request (RFC 3161 section 2.4.2). Raises :class:`TimestampError`."""
    from rfc3161_client import PKIStatus, decode_timestamp_response

    asked_digest, asked_nonce = _asked(request)
    try:
        answer = decode_timestamp_response(body)
        status = PKIStatus(answer.status)
    except ValueError as error:
        raise failed("garbage", url, "its answer is not an RFC 3161 response") from error
    if status is not PKIStatus.GRANTED:
        words = "; ".join(answer.status_string)[:200]
        raise failed("rejected", url, f"it refused ({status.name.lower()}{': ' + words if words else ''})")
    try:
        info = answer.tst_info
        nonce, digest = info.nonce, info.message_imprint.message
        times = _times(answer)
        token = Token(url, body, times[0], f"{info.serial_number:x}", info.policy.dotted_string)
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise failed("garbage", url, "its answer holds no readable time-stamp token") from error
    if asked_nonce is not None and nonce != asked_nonce:
        raise failed("nonce", url, "its answer is for another request (wrong nonce)")
    if digest != asked_digest:
        raise failed("imprint", url, "its answer stamps other data (wrong message imprint)")
    _check_times(times, url, now)
    _check_signature(answer, asked_digest, url)
    return token


def _check_times(times: Sequence[datetime], url: str, now: datetime) -> None:
    """Both ``genTime`` and the CMS signing time, which the engine prefers (facts §3)."""
    clock_hint = "check this machine's clock; if it is right, the authority's is not"
    for time in times:
        if time - now > MAX_SKEW:
            raise failed("future", url, f"its time lies {int((time - now).total_seconds())} s ahead", clock_hint)
        if now - time > MAX_SKEW:
            raise failed("skewed", url, f"its time lies {int((now - time).total_seconds())} s behind", clock_hint)


def _check_signature(answer: TimeStampResponse, digest: bytes, url: str) -> None:
    """The token is signed by the key of a time-stamping certificate that it carries itself."""
    from cryptography import x509
    from rfc3161_client import VerificationError, VerifierBuilder

    try:
        carried = [x509.load_der_x509_certificate(item) for item in answer.signed_data.certificates]
    except (ValueError, TypeError, x509.InvalidVersion) as error:
        raise failed("garbage", url, "a certificate in its answer cannot be read") from error
    if not carried:
        raise failed("garbage", url, "its answer carries no certificate")
    try:
        VerifierBuilder(roots=carried).build().verify(answer, digest)
    except (VerificationError, ValueError, TypeError) as error:
        raise failed("signature", url, "the signature of its token does not verify") from error


def _times(answer: TimeStampResponse) -> list[datetime]:
    from asn1crypto import cms

    times = [answer.tst_info.gen_time.replace(tzinfo=UTC)]
    signed: Any = cms.ContentInfo.load(answer.time_stamp_token())["content"]
    attributes = signed["signer_infos"][0]["signed_attrs"]
    claimed = (item["values"][0].native for item in attributes if item["type"].native == "signing_time")
    return [*times, *(item.astimezone(UTC) for item in claimed)]


def _asked(request: bytes) -> tuple[bytes, int | None]:
    from asn1crypto import tsp

    try:
        parsed: Any = tsp.TimeStampReq.load(request)
        return bytes(parsed["message_imprint"]["hashed_message"].native), parsed["nonce"].native
    except (ValueError, TypeError) as error:
        raise UsageError("not an RFC 3161 request") from error


def _post(request: bytes, url: str, seconds: float) -> bytes:
    client = _client(url, seconds)
    try:
        answer = client.post(url, request, headers={"content-type": "application/timestamp-query"})
        answer.raise_for_status()
    except NetworkRefused as error:
        raise _network(error, url, seconds) from error
    except ResolverError as error:
        status = error.details.get("status")
        raise failed("down", url, f"it answered HTTP {status}" if status else "it cannot be reached") from error
    if answer.media_type != "application/timestamp-reply":
        raise failed("garbage", url, f"it answered with {answer.media_type[:60] or 'no media type'}")
    return answer.body


def _network(error: TanbaError, url: str, seconds: float) -> TimestampError:
    if error.code == "tanba.network.too_large":
        return failed("too_large", url, f"its answer is larger than {MAX_BYTES} bytes")
    if error.code == "tanba.network.timeout":
        return failed("slow", url, f"it did not answer within {seconds:g} s")
    return failed("down", url, f"the request was refused: {error.message}")


def _client(url: str, seconds: float) -> GuardedClient:
    """An operator named this authority, so it may be on any port and on a private address; nothing else may."""
    from tanba.net import NetworkPolicy, guarded_client

    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    host = parts.hostname or ""
    policy = NetworkPolicy(
        max_redirects=0,
        connect_seconds=min(2.0, seconds),
        read_seconds=seconds,
        total_seconds=seconds,
        max_bytes=MAX_BYTES,
    ).allowing(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
    return guarded_client(policy)


def _now() -> datetime:
    return datetime.now(UTC)
