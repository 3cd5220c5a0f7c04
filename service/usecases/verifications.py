"""Verifying bytes, addresses and hashes; results cached in memory, nothing stored unless the operator wants it.

A verification never raises for what it finds. The file's name is put into the answer and kept nowhere else.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from starlette.concurrency import run_in_threadpool

from service import work
from service.bodies import Spooled, bare_name
from service.cache import CachedReport, cache_key
from service.db import repositories
from service.db.models import LabelState, StoredVerification
from service.problems import NotSeen
from service.reports import Written, with_name, written_before
from service.state import State
from tanba.errors import StorageError
from tanba.formats.sniff import sniff
from tanba.wire import rfc3339, to_compact, to_plain
from verifier.issuer import Told

_HEAD = 4096
_STATUS_SECONDS = 5.0
_MOST_STATUSES = 10_000


@dataclass(frozen=True, slots=True)
class Answer:
    """A report ready to be sent."""

    etag: str
    body: bytes
    """The report without a name as JSON, ready to send."""
    cached: bool
    max_age: int

    def body_named(self, name: str | None) -> bytes:
        """The report with the name that the caller gave in this request."""
        return with_name(self.body, name)

    def named(self, name: str | None) -> dict[str, Any]:
        """:meth:`body_named` as JSON types."""
        found: dict[str, Any] = json.loads(self.body_named(name))
        return found


async def verify(
    state: State,
    file: Spooled,
    *,
    manifest: bytes | None = None,
    as_of: datetime | None = None,
    thumbnails: bool = False,
) -> Answer:
    """The report on one spooled file. Raises :class:`Deadline`, :class:`Overloaded`, :class:`WorkerDied`."""
    basis, digest = state.basis, state.trust.current()[1]
    plain = manifest is None and as_of is None and not thumbnails
    key = cache_key(file.sha256, digest, state.settings_digest, _media_type(file))
    if plain and (found := await _cached(state, key, file.sha256, basis)) is not None:
        return await _answer(state, found.report, found.key, cached=True, expires=found.expires)
    task = work.VerifyTask(
        file=file.ref(),
        trust=work.TrustRef(folder=state.trust.folder, digest=digest),
        limits=state.limits,
        manifest=manifest,
        as_of=as_of,
        thumbnails=thumbnails,
    )
    report = await state.workers.run(work.verify, task)
    if not plain:
        return await _answer(state, report, "", cached=False, expires=0)
    ttl = report.lifetime(state.clock(), state.settings.cache_seconds)
    state.cache.put(file.sha256, basis, key, report, ttl)
    if not state.settings.zero_retention:
        await run_in_threadpool(_store, state, key, report, ttl)
    return await _answer(state, report, key, cached=False, expires=time.monotonic() + ttl)


@dataclass(frozen=True, slots=True)
class PageAnswer:
    """What the page needs for one card."""

    view: Any
    html: str
    report: dict[str, Any]
    own: dict[str, Any] | None
    """State of the label, when this service issued it."""


async def verify_for_page(state: State, file: Spooled, lang: str, *, manifest: bytes | None = None) -> PageAnswer:
    """Verify one spooled file for a reader, with its label from beside it if any.

    Never cached, because the name stands in it. Raises as :func:`verify`.
    """
    task = work.VerifyTask(
        file=file.ref(),
        trust=work.TrustRef(folder=state.trust.folder, digest=state.trust.current()[1]),
        limits=state.limits,
        manifest=manifest,
        thumbnails=True,
    )
    done = await state.workers.run(work.verify_for_page, task, lang)
    state.metrics.verifications.labels(done.report["verdict"], "false").inc()
    own = await own_labels(state, done.labels)
    shown = own.put_into(done.report)
    if own.findings:  # the card and the filed report must say it too
        done = await state.workers.run(work.show_for_page, task, shown, lang)
    return PageAnswer(done.view, done.html, shown, own.newest)


async def by_hash(state: State, sha256: str) -> Answer:
    """The cached result for content with this digest. Raises :class:`NotSeen`, which says nothing about the content."""
    found = state.cache.by_content(sha256, state.basis)
    if found is None:
        raise NotSeen(
            "this service holds no result for this hash; that says nothing about the content",
            hint="send the bytes to POST /v1/verifications",
        )
    return await _answer(state, found.report, found.key, cached=True, expires=found.expires)


async def fetch(state: State, url: str) -> Spooled:
    """Fetch an address through the guarded client into the spool; the caller removes the file.

    Raises :class:`NetworkRefused`, :class:`ResolverError`. The address is neither logged nor stored.
    """
    return await run_in_threadpool(_fetch, state, url)


def _fetch(state: State, url: str) -> Spooled:
    with state.spool.fresh() as (path, out):
        answer = state.fetch.get(url, destination=out)
        answer.raise_for_status()
        out.seek(0)
        digest = hashlib.file_digest(out, "sha256").hexdigest()
    return Spooled(path, bare_name(answer.url.partition("?")[0].partition("#")[0]), digest, answer.size)


async def _cached(state: State, key: str, sha256: str, basis: str) -> CachedReport | None:
    found = state.cache.get(key)
    if found is not None or state.settings.zero_retention:
        return found
    plain = await run_in_threadpool(_stored, state, key)
    if plain is None:
        return None
    report = written_before(plain)
    state.cache.put(sha256, basis, key, report, report.lifetime(state.clock(), state.settings.cache_seconds))
    return state.cache.get(key)


async def _answer(state: State, report: Written, key: str, *, cached: bool, expires: float) -> Answer:
    """Put in what may change from one moment to the next: which labels of ours were withdrawn."""
    state.metrics.verifications.labels(report.verdict, str(cached).lower()).inc()
    own = await own_labels(state, report.labels)
    body = report.body
    if own.findings:
        body = to_compact(own.put_into(report.plain()))
    elif own.newest is not None:
        body = body[:-1] + b',"label":' + to_compact(own.newest) + b"}"
    max_age = max(0, int(min(expires - time.monotonic(), state.settings.cache_seconds)))
    return Answer(key + own.mark, body, cached, max_age)


@dataclass(frozen=True, slots=True)
class Own:
    """What this service knows of the labels in a report."""

    newest: dict[str, Any] | None = None
    """State of the file's own label, when it was issued here."""
    findings: tuple[dict[str, Any], ...] = ()
    """What readers are told of those that were withdrawn, the newest and any in the history."""

    @property
    def mark(self) -> str:
        """The state as part of an ETag."""
        gone = "".join(item["subject"] for item in self.findings)
        digest = f"-{hashlib.sha256(gone.encode()).hexdigest()[:8]}" if gone else ""
        return (f"-{self.newest['state']}" if self.newest else "") + digest

    def put_into(self, report: dict[str, Any]) -> dict[str, Any]:
        """The report with what is known."""
        if self.newest is None and not self.findings:
            return report
        label = {"label": self.newest} if self.newest is not None else {}
        return {**report, **label, "findings": [*report["findings"], *self.findings]}


async def own_labels(state: State, labels: Sequence[Told]) -> Own:
    """What is known now of labels (:func:`verifier.issuer.told`) that this service issued.

    Anybody can write a label's number into a manifest of their own, so a number counts only when the label holds and was
    signed with the certificate that stands in our record.
    """
    if not labels:
        return Own()
    now = time.monotonic()
    held = {label.number: state.statuses.get(label.number, (0.0, None)) for label in labels}
    asked = [number for number, (until, _) in held.items() if until < now]
    if asked:
        try:
            found = await run_in_threadpool(_read_statuses, state, asked)
        except StorageError:  # verification goes on without the database; the status is then simply not said
            return Own()
        if len(state.statuses) > _MOST_STATUSES:
            state.statuses.clear()
        fresh = {number: (now + _STATUS_SECONDS, found.get(number)) for number in asked}
        state.statuses.update(fresh)
        held |= fresh
    known = [(label, _known(label, held[label.number][1])) for label in labels]
    newest = next((status for label, status in known if label.newest), None)
    gone = [(label, status) for label, status in known if status and status["state"] == LabelState.WITHDRAWN]
    return Own(newest, tuple(_finding(label, status) for label, status in gone))


def _known(label: Told, status: dict[str, Any] | None) -> dict[str, Any] | None:
    return status if status and status["fingerprint"] == label.fingerprint else None


def _finding(label: Told, status: dict[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = to_plain(label.withdrawn(status["withdrawn_at"], status["withdrawn_reason"]))
    return plain


def _read_statuses(state: State, numbers: Sequence[str]) -> dict[str, dict[str, Any]]:
    with state.db.read() as session:
        rows = repositories.label_states(session, numbers)
    return {
        row.id: {
            "id": row.id,
            "state": row.state,
            "issued_at": rfc3339(row.created_at),
            "withdrawn_at": rfc3339(row.withdrawn_at) if row.withdrawn_at else None,
            "withdrawn_reason": row.withdrawn_reason,
            "fingerprint": row.cert_fingerprint,
        }
        for row in rows
    }


def _media_type(file: Spooled) -> str:
    return sniff(file.head(_HEAD), name=file.name).media_type


def _stored(state: State, key: str) -> dict[str, Any] | None:
    with state.db.read() as session:
        return repositories.verification(session, key, state.clock())


def _store(state: State, key: str, report: Written, ttl: float) -> None:
    now = state.clock()
    plain = report.plain()
    row = StoredVerification(
        key=key,
        asset_sha256=plain["asset"]["sha256"],
        verdict=report.verdict,
        report=plain,
        created_at=now,
        expires_at=now + timedelta(seconds=ttl),
    )
    with state.db.write() as session:
        repositories.store_verification(session, row)
