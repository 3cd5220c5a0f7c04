"""One item of a batch, done exactly once however often it is begun (facts §4.1, ADR 0007).

(1) take it in hand          a finished or cancelled item is left alone
(2) name the effect          SHA-256 over the client, the input and everything that the label says
(3) intent                   a durable row says what is about to be done; an effect that is done is not done again
(4) sign to the spool        nothing is published yet; bytes are stored under their own digests, first writer wins
(5) one transaction          label, log entry, effect, item, counters, and the message owed when it was the last item
(6) the engine forgets it

A process that dies anywhere leaves an intent and perhaps unpublished bytes. Whoever takes over begins again at (1); of
two that work at the same time, the second one's transaction (5) finds the effect done and is rolled back whole.

When a time-stamp authority or a key provider is away for longer than the engine's tries, the item goes back among those
that nobody has begun, and the engine's look for untouched items offers it again: what must have a stamp waits for it here,
before it is signed.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from service.api.label_form import LabelForm
from service.bodies import Spooled
from service.db import repositories
from service.db.models import Client, Label
from service.jobs import ledger
from service.jobs.engine import Engine
from service.jobs.inputs import Inputs
from service.jobs.ledger import ItemId
from service.security import Caller
from service.state import State
from service.usecases.issued import Issued
from service.usecases.labels import LabelRequest
from service.usecases.publishing import Within
from tanba.errors import ProviderUnavailable, TanbaError, TimestampError

logger = logging.getLogger(__name__)

Issue = Callable[[State, Caller, LabelRequest, Within], Awaitable[Issued]]
"""Make and publish one label."""


_AWAY = (TimestampError, ProviderUnavailable)
"""Trouble outside this service that may last for hours, and is nobody's fault here."""
_SILENT_SECONDS = 10.0


@dataclass(slots=True)
class Silence:
    """Until when no authority is asked (monotonic seconds)."""

    until: float = 0.0


class _DoneBefore(Exception):
    """Another worker published this effect first."""


@dataclass(frozen=True, slots=True)
class ItemWork:
    """The handler of items."""

    state: State
    engine: Engine
    inputs: Inputs
    issue: Issue
    silence: Silence = field(default_factory=Silence)

    async def run(self, key: str, last: bool) -> None:
        """Do one item. Raises to be called again, unless ``last``; every other outcome is written down."""
        item = ItemId.parse(key)
        begun = await run_in_threadpool(self._begin, item)
        if begun is None:
            return
        try:
            await self._label(item, begun)
        except TanbaError as error:
            if error.retryable and not last:
                raise
            if isinstance(error, _AWAY) and self.state.clock() < begun.waits_until:
                await run_in_threadpool(self._put_back, item)
                return
            await run_in_threadpool(self._failed, item, error.to_dict())
        except Exception:
            if not last:
                raise
            logger.exception("an item of a job failed unexpectedly")
            body = {"code": "tanba.bug", "message": "this is a bug of Tanba; the operator's log says more"}
            await run_in_threadpool(self._failed, item, body)
        if begun.object_key is None and begun.input_sha256 is not None:
            await run_in_threadpool(self._forget_input, begun.input_sha256)

    async def _label(self, item: ItemId, begun: _Begun) -> None:
        spooled = await run_in_threadpool(
            self.inputs.fetch, begun.client.id or "", begun.object_key, begun.input_sha256, begun.name
        )
        try:
            request = self._request(spooled, begun.statement)
            digest = effect(begun.client, request)
            earlier = await run_in_threadpool(self._intend, digest)
            if earlier is None:
                with suppress(_DoneBefore), self._asking(request):
                    await self.issue(self.state, begun.client, request, self._within(item, digest))
                    return
                earlier = await run_in_threadpool(self._intend, digest)
            await run_in_threadpool(self._finish, item, earlier)
        finally:
            spooled.discard()

    def _begin(self, item: ItemId) -> _Begun | None:
        with self.state.db.write() as session:
            row = ledger.begin(session, item, self.state.clock())
            if row is None:
                return None
            job = ledger.lock_job(session, item.job_id)
            assert job is not None
            client = session.get(Client, job.client_id)
            assert client is not None
            caller = Caller(id=client.id, name=client.name, scopes=frozenset(client.scopes))
            until = job.created_at + timedelta(hours=self.state.settings.jobs.wait_hours)
            return _Begun(caller, row.name, row.object_key, row.input_sha256, dict(row.statement or {}), until)

    def _put_back(self, item: ItemId) -> None:
        with self.state.db.write() as session:
            ledger.put_back(session, item, self.state.clock())

    @contextmanager
    def _asking(self, request: LabelRequest) -> Iterator[None]:
        """After an authority failed, the next items of this process do not ask for a moment: each question may take
        seconds of a worker.
        """
        if not request.options.get("timestamp_url"):
            yield
            return
        if time.monotonic() < self.silence.until:
            raise TimestampError("no time-stamp authority answered a moment ago", code="tanba.timestamp.down")
        try:
            yield
        except TimestampError:
            self.silence.until = time.monotonic() + _SILENT_SECONDS
            raise

    def _intend(self, digest: str) -> str | None:
        try:
            with self.state.db.write() as session:
                return ledger.intend(session, digest, self.state.clock())
        except IntegrityError:  # two first intents at once: the row is there, whoever wrote it
            with self.state.db.write() as session:
                return ledger.intend(session, digest, self.state.clock())

    def _within(self, item: ItemId, digest: str) -> Within:
        def publish(session: Session, label: Label) -> None:
            now = self.state.clock()
            session.flush()  # the label's row must stand before others point at it
            if not ledger.claim(session, digest, label.id, now):
                raise _DoneBefore
            self.engine.enqueue(session, ledger.finish(session, item, now, label_id=label.id))

        return publish

    def _finish(self, item: ItemId, label_id: str | None) -> None:
        with self.state.db.write() as session:
            self.engine.enqueue(session, ledger.finish(session, item, self.state.clock(), label_id=label_id))

    def _failed(self, item: ItemId, error: dict[str, Any]) -> None:
        with self.state.db.write() as session:
            self.engine.enqueue(session, ledger.finish(session, item, self.state.clock(), error=error))

    def _request(self, spooled: Spooled, statement: dict[str, Any]) -> LabelRequest:
        form = LabelForm.model_validate(statement)
        return LabelRequest(
            file=spooled,
            parent=None,
            disclosure=form.disclosure(),
            options=form.options(self.state.settings.timestamp_url),
            profiles=tuple(form.profile),
            identity=form.identity or self.state.settings.identity,
            idempotency_key=None,
        )

    def _forget_input(self, digest: str) -> None:
        """Uploaded bytes are kept no longer than an item needs them. Best effort: a sweep may follow."""
        with suppress(TanbaError), self.state.db.write() as session:
            kept = ledger.input_wanted(session, digest)
            if not kept and not repositories.content_wanted(session, digest, self.state.clock()):
                self.state.blobs.delete(digest)


@dataclass(frozen=True, slots=True)
class _Begun:
    client: Caller
    name: str | None
    object_key: str | None
    input_sha256: str | None
    statement: dict[str, Any]
    waits_until: datetime
    """Until when it is worth waiting for what is away."""


def effect(client: Caller, request: LabelRequest) -> str:
    """The name of what must happen once: who, which bytes, which label."""
    return hashlib.sha256(f"tanba.effect/1\n{client.id}\n{request.fingerprint}".encode()).hexdigest()
