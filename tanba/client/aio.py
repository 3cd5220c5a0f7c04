"""The client for asyncio; the same methods as the synchronous one."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Self, TypeVar

import httpx2

from tanba.client import calls
from tanba.client.calls import Call, Content, Labelled, ServiceProblem, Settings
from tanba.report import VerificationReport

T = TypeVar("T")


class AsyncClient:
    """The same for asyncio; an asynchronous context manager."""

    def __init__(self, url: str, key: str | None = None, *, seconds: float = 60.0, tries: int = 4) -> None:
        self._settings = Settings(url, key, seconds, tries)
        self._http = httpx2.AsyncClient(**self._settings.options)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _send(self, call: Call[T]) -> T:
        for attempt in range(self._settings.tries):
            last = attempt + 1 == self._settings.tries
            try:
                answer = await self._http.request(call.method, call.path, **call.more)
            except httpx2.TransportError as error:
                if last or not calls.may_repeat(call, None):
                    raise calls.unreachable(error) from error
                await asyncio.sleep(calls.wait(None, attempt))
                continue
            if answer.is_success:
                return call.read(answer)
            if last or not calls.may_repeat(call, answer):
                raise calls.problem(answer)
            await asyncio.sleep(calls.wait(answer, attempt))
        raise AssertionError("unreachable: the last try returns or raises")

    async def label(
        self,
        content: Content,
        statement: Mapping[str, Any],
        *,
        name: str | None = None,
        parent: Content | None = None,
        idempotency_key: str | None = None,
    ) -> Labelled:
        """See :meth:`Client.label`."""
        answer = await self._send(calls.label(content, statement, name, parent, idempotency_key))
        return calls.labelled(answer, await self._send(calls.content(answer.json()["label_id"])))

    async def verify(
        self, content: Content, *, name: str | None = None, manifest: Content | None = None, as_of: str | None = None
    ) -> VerificationReport:
        """See :meth:`Client.verify`."""
        return await self._send(calls.verify(content, name, manifest, as_of))

    async def verify_url(self, url: str) -> VerificationReport:
        """See :meth:`Client.verify_url`."""
        return await self._send(calls.verify_url(url))

    async def verify_hash(self, sha256: str) -> VerificationReport | None:
        """See :meth:`Client.verify_hash`."""
        try:
            return await self._send(calls.verify_hash(sha256))
        except ServiceProblem as problem:
            if problem.code != calls.NOT_SEEN:
                raise
            return None

    async def verify_batch(self, items: Sequence[Mapping[str, str]]) -> list[dict[str, Any]]:
        """See :meth:`Client.verify_batch`."""
        return await self._send(calls.verify_batch(items))

    async def get(self, label_id: str) -> dict[str, Any]:
        """See :meth:`Client.get`."""
        return await self._send(calls.get(f"/v1/labels/{label_id}"))

    async def content(self, label_id: str) -> bytes:
        """See :meth:`Client.content`."""
        return await self._send(calls.content(label_id))

    async def manifest(self, label_id: str) -> bytes:
        """See :meth:`Client.manifest`."""
        return await self._send(Call("GET", f"/v1/labels/{label_id}/manifest", calls.as_bytes))

    async def find(self, sha256: str) -> list[dict[str, Any]]:
        """See :meth:`Client.find`."""
        labels: list[dict[str, Any]] = (await self._send(calls.get("/v1/labels", sha256=sha256)))["labels"]
        return labels

    async def status(self, label_id: str) -> dict[str, Any]:
        """See :meth:`Client.status`."""
        return await self._send(calls.get(f"/v1/labels/{label_id}/status"))

    async def proof(self, label_id: str, size: int | None = None) -> dict[str, Any]:
        """See :meth:`Client.proof`."""
        return await self._send(calls.get(f"/v1/labels/{label_id}/proof", size=size))

    async def withdraw(self, label_id: str, reason: str) -> dict[str, Any]:
        """See :meth:`Client.withdraw`."""
        return await self._send(calls.post(f"/v1/labels/{label_id}/withdraw", {"reason": reason}))

    async def contest(self, label_id: str, reason: str, statement: str, *, lang: str = "en") -> dict[str, Any]:
        """See :meth:`Client.contest`."""
        body = {"reason": reason, "statement": statement, "lang": lang}
        return await self._send(calls.post(f"/v1/labels/{label_id}/contest", body))

    async def follow(self, number: str) -> dict[str, Any]:
        """See :meth:`Client.follow`."""
        return await self._send(calls.get(f"/v1/contests/{number}"))

    async def trust(self) -> dict[str, Any]:
        """See :meth:`Client.trust`."""
        return await self._send(calls.get("/v1/trust"))

    async def explain(self, code: str, *, lang: str = "en") -> dict[str, Any]:
        """See :meth:`Client.explain`."""
        return await self._send(calls.get(f"/v1/explain/{code}", lang=lang))
