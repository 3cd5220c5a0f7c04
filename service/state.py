"""What one running service consists of: one frozen object, built once, passed to every request.

No global; several services can live in one process (tests do).
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from service.accounts import Accounts
from service.blobs import BlobStore, open_store
from service.bodies import Spool
from service.cache import ReportCache
from service.config import Settings
from service.db.session import Database
from service.isolation import Workers
from service.log import LabelLog, NoteSigner
from service.observability import Metrics
from service.rates import RateGuard
from service.usecases.claims import Claims
from service.usecases.publishing import Publisher
from tanba import __version__, trustdir
from tanba.limits import Limits
from tanba.net import PUBLIC, GuardedClient, guarded_client
from tanba.protocols import Clock
from tanba.trust import TrustStore

_TRUST_SECONDS = 5.0


def utc_now() -> datetime:
    """The current time, aware."""
    return datetime.now(UTC)


class TrustWatch:
    """The trust lists on disk, looked at again every few seconds: a new list counts without a restart."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.folder = folder
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: tuple[tuple[str, int, int], ...] | None = None
        self._store = TrustStore.empty()
        self._digest = self._store.digest
        self._next = 0.0

    def current(self) -> tuple[TrustStore, str]:
        """The store and its digest. Raises :class:`tanba.errors.TrustError` for a damaged list."""
        with self._lock:
            if self._clock() >= self._next:
                seen = self._look()
                if seen != self._seen:
                    self._store = trustdir.load(self.folder)
                    self._digest, self._seen = self._store.digest, seen
                self._next = self._clock() + _TRUST_SECONDS
            return self._store, self._digest

    def _look(self) -> tuple[tuple[str, int, int], ...]:
        if not self.folder.is_dir():
            return ()
        files = ((path.name, path.stat()) for path in sorted(self.folder.iterdir()) if path.is_file())
        return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in files)


@dataclass(frozen=True, slots=True)
class State:
    """Everything that use cases need."""

    settings: Settings
    limits: Limits
    settings_digest: str
    """What else could change a report besides content and trust: our version and the limits."""
    db: Database
    blobs: BlobStore
    spool: Spool
    workers: Workers
    label_workers: Workers
    """For labels; the same as the others unless they have their own."""
    rates: RateGuard
    metrics: Metrics
    cache: ReportCache
    accounts: Accounts
    trust: TrustWatch
    log: LabelLog
    claims: Claims
    publisher: Publisher
    fetch: GuardedClient
    clock: Clock = field(default=utc_now)
    statuses: dict[str, tuple[float, dict[str, Any] | None]] = field(default_factory=dict)
    """Label id -> (monotonic end, state of a label of ours or None): asked on every verification, so remembered briefly."""

    @property
    def pools(self) -> tuple[Workers, ...]:
        """Every pool of workers once."""
        return tuple(dict.fromkeys((self.workers, self.label_workers)))

    @property
    def queues(self) -> dict[str, Workers]:
        """Where a file or a text goes to a worker: the paths of uploads. Questions by hash are JSON and need none."""
        verifying = dict.fromkeys(("/v1/verifications", "/v1/verifications/batch"), self.workers)
        return {"/v1/labels": self.label_workers, **verifying}

    @property
    def basis(self) -> str:
        """Trust and settings as one word; part of every cache key."""
        return f"{self.trust.current()[1]}:{self.settings_digest}"


def build(settings: Settings, *, metrics: Metrics, clock: Clock = utc_now) -> State:
    """Open everything. Raises :class:`tanba.errors.TanbaError` when a part cannot be opened."""
    limits = settings.limits.as_limits()
    settings.service_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    db = Database(settings.effective_database_url)
    blobs = open_store(settings.effective_blobs_url, settings.s3)
    workers = _pool(settings, settings.workers)
    own = settings.effective_label_workers
    label_workers = _pool(settings, own) if own else workers

    def crowded() -> bool:
        """Whether the next task of each core is in line already (there is one worker more than cores): what comes a
        little later holds nobody up then.
        """
        return workers.busy > workers.slots and workers.busy >= 2 * workers.slots - 1

    log = LabelLog(NoteSigner.load_or_create(settings.service_dir / "log.key", settings.log_origin))
    return State(
        settings=settings,
        limits=limits,
        settings_digest=hashlib.sha256(f"{__version__}|{limits}".encode()).hexdigest()[:16],
        db=db,
        blobs=blobs,
        spool=Spool(settings.spool_dir),
        workers=workers,
        label_workers=label_workers,
        rates=RateGuard(settings.rates.storage),
        metrics=metrics,
        cache=ReportCache(settings.cache_entries),
        accounts=Accounts(db, clock=clock),
        trust=TrustWatch(settings.trust_dir),
        log=log,
        claims=Claims(db=db, settings=settings, clock=clock, crowded=crowded),
        publisher=Publisher(
            db=db,
            blobs=blobs,
            log=log,
            settings=settings,
            clock=clock,
            crowded=crowded,
        ),
        fetch=guarded_client(replace(PUBLIC, max_bytes=min(limits.asset_bytes, PUBLIC.max_bytes))),
        clock=clock,
    )


def _pool(settings: Settings, slots: int) -> Workers:
    limits = settings.limits
    return Workers(slots=slots, queue=settings.queue, seconds=limits.seconds, memory_bytes=limits.worker_memory_bytes)
