"""``tanba worker``: a process that does the items of batch jobs and sends web hooks."""

from __future__ import annotations

import click

from tanba import exits
from tanba.errors import StorageError, UsageError


@click.command()
@click.option("--at-once", type=click.IntRange(1, 256), help="Items in hand at the same time; one per core by default.")
def worker(at_once: int | None) -> int:
    """Do the items of batch jobs until SIGTERM; what is in hand is finished first.

    Needs PostgreSQL: with SQLite, `tanba serve` does the work itself. Start as many workers as you like.
    """
    import asyncio

    from service import log_key, observability
    from service.config import Settings
    from service.db.session import is_current
    from service.jobs import runtime
    from service.state import build

    settings = Settings()
    if at_once is not None:
        settings = settings.model_copy(update={"workers": at_once})
    observability.configure_logging(json_lines=settings.environment == "production")
    state = build(settings, metrics=observability.Metrics())
    try:
        if state.db.is_sqlite:
            raise UsageError(
                "a separate worker needs PostgreSQL",
                hint="with SQLite `tanba serve` does the work itself; set TANBA_DATABASE_URL=postgresql://… for workers",
            )
        if not is_current(state.db):
            raise StorageError(
                "the database is not at the newest migration",
                code="tanba.storage.migration_needed",
                hint="run `tanba db upgrade` once, then start workers",
            )
        log_key.require(state.db, state.log, accept=settings.accept_log_key)
        asyncio.run(runtime.work(runtime.build(state)))
    finally:
        for pool in state.pools:
            pool.close()
        state.publisher.close()
        state.db.close()
    return exits.OK
