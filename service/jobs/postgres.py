"""The production engine: PgQueuer's durable queue in the service's own PostgreSQL, in a schema of its own.

A task is inserted by the same transaction that made the row it is about, so neither can exist without the other.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from service.jobs.engine import Engine, Task, rows

SCHEMA = "pgqueuer"


def _names() -> Any:
    """Names of the engine's objects. Its ``PGQUEUER_…`` environment variables are overruled: the migration fixed them."""
    from pgqueuer.domain.settings import DBSettings, Durability

    return DBSettings(db_schema=SCHEMA, prefix="", durability=Durability.durable)


def _builders() -> dict[str, Any]:
    from pgqueuer.adapters.persistence import qb

    names = _names()
    return {
        "qbe": qb.QueryBuilderEnvironment(names),
        "qbq": qb.QueryQueueBuilder(names),
        "qbs": qb.QuerySchedulerBuilder(names),
    }


def install_sql() -> str:
    """The engine's schema, for our migration."""
    from pgqueuer.adapters.persistence import qb

    return str(qb.QueryBuilderEnvironment(_names()).build_install_query(create_schema=True))


class _SessionDriver:
    """PgQueuer's synchronous driver port over the connection of a SQLAlchemy session, inside its transaction."""

    def __init__(self, session: Session) -> None:
        self._connection = session.connection().connection.driver_connection

    def fetch(self, query: str, *args: object) -> list[dict[str, object]]:
        """Run one statement of the engine's (placeholders ``$1``, ``$2``)."""
        from psycopg import RawCursor
        from psycopg.rows import dict_row

        assert self._connection is not None
        cursor = RawCursor(self._connection, row_factory=dict_row)
        cursor.execute(query, args or None)
        return cursor.fetchall()


@dataclass
class PostgresEngine(Engine):
    """See :class:`Engine`. ``url`` is the database's (``postgresql://…``)."""

    url: str = ""

    def enqueue(self, session: Session, tasks: Sequence[Task]) -> None:
        """Insert in the caller's transaction."""
        from pgqueuer.queries import SyncQueries

        if not tasks:
            return
        SyncQueries(_SessionDriver(session), qbq=_builders()["qbq"]).enqueue(**rows(tasks))

    @asynccontextmanager
    async def _manager(self) -> AsyncIterator[Any]:
        # asyncpg, although the rest of the service uses psycopg: the engine's psycopg driver holds its connection while it
        # waits for notifications, and every query waits with it (2 tasks a second against hundreds, measured).
        import asyncpg
        from pgqueuer import AsyncpgDriver, PgQueuer, Queries

        connection = await asyncpg.connect(self.url.replace("postgresql+psycopg://", "postgresql://", 1))
        try:
            driver = AsyncpgDriver(connection)
            queries = Queries(driver, **_builders())
            await queries.apply_upgrade()  # a newer release of the engine may want more than our migration made
            yield PgQueuer(connection=driver, queries=queries)
        finally:
            await connection.close()
