"""The synchronous client."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, Self, TypeVar

import httpx2

from tanba.client import calls
from tanba.client.calls import Call, Content, Labelled, ServiceProblem, Settings
from tanba.report import VerificationReport

T = TypeVar("T")


class Client:
    """The synchronous client; a context manager. Safe to share between threads.

    Methods raise :class:`ServiceProblem` for refusals and :class:`ResolverError` when the service cannot be reached.
    Trouble that passes (429, 503, a lost connection) is tried again, ``tries`` times in all.
    """

    def __init__(self, url: str, key: str | None = None, *, seconds: float = 60.0, tries: int = 4) -> None:
        self._settings = Settings(url, key, seconds, tries)
        self._http = httpx2.Client(**self._settings.options)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _send(self, call: Call[T]) -> T:
        for attempt in range(self._settings.tries):
            last = attempt + 1 == self._settings.tries
            try:
                answer = self._http.request(call.method, call.path, **call.more)
            except httpx2.TransportError as error:
                if last or not calls.may_repeat(call, None):
                    raise calls.unreachable(error) from error
                time.sleep(calls.wait(None, attempt))
                continue
            if answer.is_success:
                return call.read(answer)
            if last or not calls.may_repeat(call, answer):
                raise calls.problem(answer)
            time.sleep(calls.wait(answer, attempt))
        raise AssertionError("unreachable: the last try returns or raises")

    def label(
        self,
        content: Content,
        statement: Mapping[str, Any],
        *,
        name: str | None = None,
        parent: Content | None = None,
        idempotency_key: str | None = None,
    ) -> Labelled:
        """Label bytes, a text or a file. ``statement`` holds the options of ``tanba label``: ``as``, ``system``, …"""
        answer = self._send(calls.label(content, statement, name, parent, idempotency_key))
        return calls.labelled(answer, self._send(calls.content(answer.json()["label_id"])))

    def verify(
        self, content: Content, *, name: str | None = None, manifest: Content | None = None, as_of: str | None = None
    ) -> VerificationReport:
        """The report on bytes, a text or a file."""
        return self._send(calls.verify(content, name, manifest, as_of))

    def verify_url(self, url: str) -> VerificationReport:
        """The report on what stands at an address; the service fetches it."""
        return self._send(calls.verify_url(url))

    def verify_hash(self, sha256: str) -> VerificationReport | None:
        """The cached report for a content digest; None when the service has not seen it, which says nothing else."""
        try:
            return self._send(calls.verify_hash(sha256))
        except ServiceProblem as problem:
            if problem.code != calls.NOT_SEEN:
                raise
            return None

    def verify_batch(self, items: Sequence[Mapping[str, str]]) -> list[dict[str, Any]]:
        """Up to 100 ``{"sha256": …}`` or ``{"url": …}``; each answer has a status and a report or a problem."""
        return self._send(calls.verify_batch(items))

    def get(self, label_id: str) -> dict[str, Any]:
        """The record of a label."""
        return self._send(calls.get(f"/v1/labels/{label_id}"))

    def content(self, label_id: str) -> bytes:
        """The labelled bytes, as long as they are kept."""
        return self._send(calls.content(label_id))

    def manifest(self, label_id: str) -> bytes:
        """The C2PA manifest store of a label."""
        return self._send(Call("GET", f"/v1/labels/{label_id}/manifest", calls.as_bytes))

    def find(self, sha256: str) -> list[dict[str, Any]]:
        """Did you label this? Records whose input, output or manifest has this digest."""
        labels: list[dict[str, Any]] = self._send(calls.get("/v1/labels", sha256=sha256))["labels"]
        return labels

    def status(self, label_id: str) -> dict[str, Any]:
        """Whether a label still stands."""
        return self._send(calls.get(f"/v1/labels/{label_id}/status"))

    def proof(self, label_id: str, size: int | None = None) -> dict[str, Any]:
        """The inclusion proof of a label in the service's log."""
        return self._send(calls.get(f"/v1/labels/{label_id}/proof", size=size))

    def withdraw(self, label_id: str, reason: str) -> dict[str, Any]:
        """Take a label back."""
        return self._send(calls.post(f"/v1/labels/{label_id}/withdraw", {"reason": reason}))

    def contest(self, label_id: str, reason: str, statement: str, *, lang: str = "en") -> dict[str, Any]:
        """Contest a label; keep the ``number`` of the answer."""
        body = {"reason": reason, "statement": statement, "lang": lang}
        return self._send(calls.post(f"/v1/labels/{label_id}/contest", body))

    def follow(self, number: str) -> dict[str, Any]:
        """The state of a contest."""
        return self._send(calls.get(f"/v1/contests/{number}"))

    def trust(self) -> dict[str, Any]:
        """The trust lists that the service goes by."""
        return self._send(calls.get("/v1/trust"))

    def explain(self, code: str, *, lang: str = "en") -> dict[str, Any]:
        """What a code means."""
        return self._send(calls.get(f"/v1/explain/{code}", lang=lang))
