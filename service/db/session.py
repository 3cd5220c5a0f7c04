"""The one door to the database: engine settings, read and write sessions that commit once, migrations.

Must never be used on the event loop: every call blocks. Endpoints go through worker threads.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from service.db.types import encode_json
from tanba.errors import StorageError, UsageError

_BEGIN = "tanba_sqlite_begin"


def normal_url(url: str) -> str:
    """The URL with our driver in it (``postgresql://`` means psycopg). Raises :class:`UsageError` for others."""
    scheme, _, rest = url.partition("://")
    match scheme:
        case "sqlite" | "sqlite+pysqlite":
            return f"sqlite+pysqlite://{rest}"
        case "postgres" | "postgresql" | "postgresql+psycopg":
            return f"postgresql+psycopg://{rest}"
        case _:
            raise UsageError(
                f"the database {scheme!r} is not supported",
                hint="use sqlite:////path/to/tanba.db or postgresql://user@host/name",
            )


class Database:
    """An engine and its two kinds of session. ``write()`` takes SQLite's write lock at once (``BEGIN IMMEDIATE``),
    so a writer waits for its turn instead of failing half-way; ``read()`` never blocks a writer.
    """

    def __init__(self, url: str, *, pool_size: int = 10, connect_seconds: float = 3.0) -> None:
        self.url = normal_url(url)
        options: dict[str, Any] = {"json_serializer": encode_json}
        if self.is_sqlite:
            options["connect_args"] = {"timeout": 10.0, "check_same_thread": False}
        else:
            options["connect_args"] = {"connect_timeout": max(1, int(connect_seconds))}
            options |= {"pool_pre_ping": True}
            options |= {"pool_size": pool_size, "max_overflow": pool_size, "pool_timeout": connect_seconds}
        self.engine: Engine = create_engine(self.url, **options)
        self._passing = create_engine(self.url, **options) if self.is_sqlite else self.engine
        if self.is_sqlite:
            # FULL: a label that was answered for must survive power loss (NORMAL may lose the last commits in WAL mode).
            _prepare(self.engine, "FULL")
            _prepare(self._passing, "NORMAL")
        # SQLite has one writer; threads that wait here in line do not starve in its sleeping busy handler.
        self._turn: AbstractContextManager[Any] = threading.Lock() if self.is_sqlite else nullcontext()
        self._reading = self.engine.execution_options(**{_BEGIN: "DEFERRED"})

    @property
    def is_sqlite(self) -> bool:
        return self.url.startswith("sqlite")

    @contextmanager
    def write(self, *, durable: bool = True) -> Iterator[Session]:
        """One transaction, committed when the block ends well. Raises :class:`StorageError`.

        Without ``durable`` the commit does not wait for the disk: it outlives this process, and every durable commit after
        it makes it durable, too; but a machine that stops at that moment may have lost it.
        """
        engine = self.engine if durable else self._passing
        with self._turn, _mapped(), Session(engine, expire_on_commit=False) as session, session.begin():
            if not durable and not self.is_sqlite:
                session.execute(text("SET LOCAL synchronous_commit TO off"))
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that is never committed. Raises :class:`StorageError`."""
        with _mapped(), Session(self._reading, expire_on_commit=False) as session:
            yield session

    def close(self) -> None:
        self.engine.dispose()
        self._passing.dispose()


@contextmanager
def _mapped() -> Iterator[None]:
    """Database trouble as our own error. Integrity errors pass: they are answers, and their callers read them."""
    try:
        yield
    except IntegrityError:
        raise
    except (DBAPIError, PoolTimeout) as error:
        raise StorageError(
            "the database did not answer", code="tanba.storage.database", hint="try again shortly"
        ) from error
    except SQLAlchemyError as error:
        raise StorageError("the database refused the work", code="tanba.storage.database") from error


def _prepare(engine: Engine, synchronous: str) -> None:
    def connected(connection: Any, record: Any) -> None:
        del record
        connection.isolation_level = None  # the driver's own BEGIN would come too late and be DEFERRED
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", f"synchronous={synchronous}", "foreign_keys=ON", "busy_timeout=10000"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", _on_begin)


def _on_begin(connection: Any) -> None:
    connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get(_BEGIN, 'IMMEDIATE')}")


def alembic_config(url: str) -> Any:
    """Alembic's configuration for our migrations folder; no ini file is needed."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["url"] = normal_url(url)
    return config


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database to ``revision`` (safe to repeat). Raises :class:`StorageError`."""
    from alembic import command

    with _mapped():
        command.upgrade(alembic_config(url), revision)


def downgrade(url: str, revision: str) -> None:
    """Take the database back to ``revision``. Raises :class:`StorageError`."""
    from alembic import command

    with _mapped():
        command.downgrade(alembic_config(url), revision)


def is_current(database: Database) -> bool:
    """Whether the database stands at the newest migration."""
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    with _mapped(), database.engine.connect() as connection:
        here = MigrationContext.configure(connection).get_current_heads()
    return set(here) == set(ScriptDirectory.from_config(alembic_config(database.url)).get_heads())
