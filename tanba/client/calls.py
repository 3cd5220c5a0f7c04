"""The requests of a Tanba service as values: what is sent, how the answer is read, when it may be sent again.

Both clients send these; nothing here opens a connection.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import httpx2

from tanba.errors import ResolverError, TanbaError
from tanba.report import VerificationReport
from tanba.stored import load_report

T = TypeVar("T")
_PROBLEM = "application/problem+json"
NOT_SEEN = "tanba.verification.not_seen"
"""The code by which a service says that it holds no result for a digest."""
_WAITABLE = {408, 429, 503}


class ServiceProblem(TanbaError):
    """The service refused: its problem document (RFC 9457) with code, hint, ``status`` and ``request_id``."""

    default_code = "tanba.service.problem"

    def __init__(self, status: int, document: Mapping[str, Any]) -> None:
        super().__init__(
            str(document.get("detail") or f"the service answered {status}"),
            code=str(document.get("code") or self.default_code),
            hint=document.get("hint"),
            details={"status": status, "request_id": document.get("request_id"), **(document.get("details") or {})},
        )
        self.status = status
        self.retryable = bool(document.get("retryable"))


@dataclass(frozen=True, slots=True)
class Labelled:
    """A label made by the service."""

    label_id: str
    receipt: Mapping[str, Any]
    """``tanba.receipt/1``, with the proof that the label stands in the service's log."""
    content: bytes = field(repr=False)
    """The labelled bytes, checked against the receipt's digest."""
    replayed: bool = False
    """An earlier request with the same Idempotency-Key had made it."""


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One request and how its answer is read."""

    method: str
    path: str
    read: Callable[[httpx2.Response], T]
    more: Mapping[str, Any] = field(default_factory=dict)


Content = bytes | str | Path
"""Bytes; a text; or a file by its path."""


def _part(content: Content, name: str | None) -> tuple[str, bytes]:
    if isinstance(content, Path):
        return name or content.name, content.read_bytes()
    if isinstance(content, str):
        return name or "text.txt", content.encode("utf-8")
    return name or "file", content


def _fields(values: Mapping[str, Any]) -> list[tuple[str, tuple[None, str]]]:
    fields: list[tuple[str, tuple[None, str]]] = []
    for name, value in values.items():
        items = [value] if isinstance(value, (str, bool, int)) or value is None else list(value)
        words = (str(item).lower() if isinstance(item, bool) else str(item) for item in items if item is not None)
        fields.extend((name, (None, word)) for word in words)
    return fields


def _json(answer: httpx2.Response) -> Any:
    return answer.json()


def _report(answer: httpx2.Response) -> VerificationReport:
    return load_report(answer.json())


def as_bytes(answer: httpx2.Response) -> bytes:
    return answer.content


def label(
    content: Content, statement: Mapping[str, Any], name: str | None, parent: Content | None, key: str | None
) -> Call[httpx2.Response]:
    """One label."""
    parts: list[tuple[str, Any]] = [("file", _part(content, name)), *_fields(statement)]
    if parent is not None:
        parts.append(("parent", _part(parent, None)))
    headers = {"Idempotency-Key": key or str(uuid.uuid4())}
    return Call("POST", "/v1/labels", lambda answer: answer, {"files": parts, "headers": headers})


def labelled(answer: httpx2.Response, content: bytes) -> Labelled:
    """The answer with its bytes. Raises :class:`ResolverError` when they are not the receipt's."""
    import hashlib

    receipt = answer.json()
    if hashlib.sha256(content).hexdigest() != receipt["output_sha256"]:
        raise ResolverError("the bytes are not those of the receipt", code="tanba.service.digest_mismatch")
    return Labelled(receipt["label_id"], receipt, content, "idempotent-replayed" in answer.headers)


def content(label_id: str) -> Call[bytes]:
    """The labelled bytes."""
    return Call("GET", f"/v1/labels/{label_id}/content", as_bytes)


def verify(content: Content, name: str | None, manifest: Content | None, as_of: str | None) -> Call[VerificationReport]:
    """One verification."""
    parts: list[tuple[str, Any]] = [("file", _part(content, name))]
    if manifest is not None:
        parts.append(("manifest", _part(manifest, None)))
    query = {"as_of": as_of} if as_of else {}
    return Call("POST", "/v1/verifications", _report, {"files": parts, "params": query})


def verify_url(url: str) -> Call[VerificationReport]:
    """One verification by address."""
    return Call("POST", "/v1/verifications/url", _report, {"json": {"url": url}})


def verify_hash(sha256: str) -> Call[VerificationReport]:
    """One question to the cache."""
    return Call("GET", f"/v1/verifications/by-hash/{sha256}", _report)


def verify_batch(items: Sequence[Mapping[str, str]]) -> Call[list[dict[str, Any]]]:
    """Many questions at once."""

    def read(answer: httpx2.Response) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    return Call("POST", "/v1/verifications/batch", read, {"json": {"items": [dict(item) for item in items]}})


def get(path: str, **params: Any) -> Call[dict[str, Any]]:
    """A document."""
    return Call("GET", path, _json, {"params": {name: value for name, value in params.items() if value is not None}})


def post(path: str, body: Mapping[str, Any]) -> Call[dict[str, Any]]:
    """A document for a document."""
    return Call("POST", path, _json, {"json": dict(body)})


def problem(answer: httpx2.Response) -> ServiceProblem:
    if answer.headers.get("content-type", "").startswith(_PROBLEM):
        return ServiceProblem(answer.status_code, answer.json())
    return ServiceProblem(answer.status_code, {})


def wait(answer: httpx2.Response | None, attempt: int) -> float:
    """Seconds before the next try: what the service asks for, else 0.5, 1, 2, …; never more than half a minute."""
    asked = answer.headers.get("retry-after", "") if answer is not None else ""
    return min(30.0, float(asked) if asked.isdigit() else 0.5 * 2**attempt)


def may_repeat(call: Call[Any], answer: httpx2.Response | None) -> bool:
    """Whether a repeat is safe and useful. Only labels carry a key that makes their POST repeatable."""
    repeatable = call.method == "GET" or "Idempotency-Key" in call.more.get("headers", {}) or "verif" in call.path
    if answer is None:
        return repeatable
    in_flight = answer.status_code == 409 and "retry-after" in answer.headers
    return repeatable and (answer.status_code in _WAITABLE or in_flight)


def unreachable(error: Exception) -> ResolverError:
    return ResolverError(
        "the Tanba service cannot be reached",
        code="tanba.service.unreachable",
        hint="is `tanba serve` running at that address?",
        details={"kind": type(error).__name__},
    )


class Settings:
    """What both clients share."""

    def __init__(self, url: str, key: str | None, seconds: float, tries: int) -> None:
        headers = {"User-Agent": "tanba-client", **({"Authorization": f"Bearer {key}"} if key else {})}
        # trust_env: a proxy or a .netrc of the environment must not see keys and content.
        self.options: dict[str, Any] = {
            "base_url": url.rstrip("/"),
            "headers": headers,
            "timeout": seconds,
            "trust_env": False,
            "follow_redirects": False,
        }
        self.tries = max(1, tries)
