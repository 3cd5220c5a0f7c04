"""Verifying bytes, addresses and hashes; results cached in memory, nothing stored unless the operator wants it.

A verification never raises for what it finds. The file's name is put into the answer and kept nowhere else.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from starlette.concurrency import run_in_threadpool

from service import work
from service.bodies import Spooled, bare_name
from service.cache import CachedReport, cache_key, encode, lifetime, with_name
from service.db import repositories
from service.db.models import LabelState, StoredVerification
from service.problems import NotSeen
from service.state import State
from tanba.errors import StorageError
from tanba.formats.sniff import sniff
from tanba.wire import rfc3339

_HEAD = 4096
_STATUS_SECONDS = 5.0
_MOST_STATUSES = 10_000
_OWN = "urn:c2pa:"


@dataclass(frozen=True, slots=True)
class Answer:
    """A report ready to be sent."""

    etag: str
    report: dict[str, Any]
    body: bytes
    """The report without a name as JSON, ready to send."""
    cached: bool
    max_age: int

    def body_named(self, name: str | None) -> bytes:
        """:meth:`named` as JSON."""
        return with_name(self.body, name)

    def named(self, name: str | None) -> dict[str, Any]:
        """The report with the name that the caller gave in this request."""
        return {**self.report, "asset": {**self.report["asset"], "name": name}}


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
        return await _answer(state, found.report, found.key, cached=True, expires=found.expires, body=found.body)
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
    ttl = lifetime(report, state.clock(), state.settings.cache_seconds)
    state.cache.put(file.sha256, basis, key, report, ttl)
    if not state.settings.zero_retention:
        await run_in_threadpool(_store, state, key, report, ttl)
    held = state.cache.get(key)
    body = held.body if held is not None and held.report is report else None
    return await _answer(state, report, key, cached=False, expires=time.monotonic() + ttl, body=body)


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
    own = await own_status(state, done.report)
    if own is None:
        return PageAnswer(done.view, done.html, done.report, None)
    shown = _with_status(done.report, own)
    if own["state"] == LabelState.WITHDRAWN:  # the card and the filed report must say it too
        done = await state.workers.run(work.show_for_page, task, shown, lang)
    return PageAnswer(done.view, done.html, shown, own)


async def by_hash(state: State, sha256: str) -> Answer:
    """The cached result for content with this digest. Raises :class:`NotSeen`, which says nothing about the content."""
    found = state.cache.by_content(sha256, state.basis)
    if found is None:
        raise NotSeen(
            "this service holds no result for this hash; that says nothing about the content",
            hint="send the bytes to POST /v1/verifications",
        )
    return await _answer(state, found.report, found.key, cached=True, expires=found.expires, body=found.body)


async def fetch(state: State, url: str) -> Spooled:
    """Fetch an address through the guarded client into the spool; the caller removes the file.

    Raises :class:`NetworkRefused`, :class:`ResolverError`. The address is neither logged nor stored.
    """
    return await run_in_threadpool(_fetch, state, url)


def _fetch(state: State, url: str) -> Spooled:
    import hashlib

    from service.bodies import storage_error

    path = state.spool.path()
    try:
        with path.open("xb") as out:
            answer = state.fetch.get(url, destination=out)
        answer.raise_for_status()
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        path.unlink(missing_ok=True)
        raise storage_error(error) from error
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return Spooled(path, bare_name(answer.url.partition("?")[0].partition("#")[0]), digest, answer.size)


async def _cached(state: State, key: str, sha256: str, basis: str) -> CachedReport | None:
    found = state.cache.get(key)
    if found is not None or state.settings.zero_retention:
        return found
    report = await run_in_threadpool(_stored, state, key)
    if report is None:
        return None
    state.cache.put(sha256, basis, key, report, lifetime(report, state.clock(), state.settings.cache_seconds))
    return state.cache.get(key)


async def _answer(
    state: State, report: dict[str, Any], key: str, *, cached: bool, expires: float, body: bytes | None = None
) -> Answer:
    """Put in what may change from one moment to the next: whether a label of ours was withdrawn."""
    verdict = report["verdict"]
    state.metrics.verifications.labels(verdict, str(cached).lower()).inc()
    status = await own_status(state, report)
    shown = _with_status(report, status) if status else report
    if body is None or (status is not None and status["state"] != LabelState.ISSUED):
        body = encode(shown)
    elif status is not None:
        body = body[:-1] + b',"label":' + encode(status) + b"}"
    max_age = max(0, int(min(expires - time.monotonic(), state.settings.cache_seconds)))
    etag = f"{key}-{status['state']}" if status else key
    return Answer(etag, shown, body, cached, max_age)


async def own_status(state: State, report: dict[str, Any]) -> dict[str, Any] | None:
    """The state now of the label in a report, when this service issued it; None otherwise.

    Anybody can write a label's number into a manifest of their own, so the number counts only when the label is intact
    and was signed with the certificate that stands in our record.
    """
    label_id = next((item.get("label") for item in report.get("history", [])), None)
    if not label_id or not label_id.startswith(_OWN) or report["answers"]["integrity"]["state"] != "intact":
        return None
    now = time.monotonic()
    found = state.statuses.get(label_id)
    if found is None or found[0] < now:
        try:
            status = await run_in_threadpool(_read_status, state, label_id)
        except StorageError:  # verification goes on without the database; the status is then simply not said
            return None
        if len(state.statuses) > _MOST_STATUSES:
            state.statuses.clear()
        state.statuses[label_id] = found = (now + _STATUS_SECONDS, status)
    status = found[1]
    return status if status and status["fingerprint"] == report["answers"]["signer"]["fingerprint"] else None


def _read_status(state: State, label_id: str) -> dict[str, Any] | None:
    with state.db.read() as session:
        row = repositories.label(session, label_id)
    if row is None:
        return None
    return {
        "id": row.id,
        "state": row.state,
        "issued_at": rfc3339(row.created_at),
        "withdrawn_at": rfc3339(row.withdrawn_at) if row.withdrawn_at else None,
        "withdrawn_reason": row.withdrawn_reason,
        "fingerprint": row.cert_fingerprint,
    }


def _with_status(report: dict[str, Any], status: dict[str, Any]) -> dict[str, Any]:
    shown = {**report, "label": status}
    if status["state"] == LabelState.WITHDRAWN:
        finding = {
            "code": "tanba.label.withdrawn",
            "bucket": "informational",
            "layer": "tanba",
            "subject": status["id"],
            "text": "the issuer withdrew this label",
            "params": {"at": status["withdrawn_at"], "day": status["withdrawn_at"][:10]},
        }
        shown["findings"] = [*report["findings"], finding]
    return shown


def _media_type(file: Spooled) -> str:
    return sniff(file.head(_HEAD), name=file.name).media_type


def _stored(state: State, key: str) -> dict[str, Any] | None:
    with state.db.read() as session:
        return repositories.verification(session, key, state.clock())


def _store(state: State, key: str, report: dict[str, Any], ttl: float) -> None:
    now = state.clock()
    row = StoredVerification(
        key=key,
        asset_sha256=report["asset"]["sha256"],
        verdict=report["verdict"],
        report=report,
        created_at=now,
        expires_at=now + timedelta(seconds=ttl),
    )
    with state.db.write() as session:
        repositories.store_verification(session, row)
