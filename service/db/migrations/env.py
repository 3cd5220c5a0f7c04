"""Alembic's entry: runs our migrations against the URL that :func:`service.db.session.alembic_config` carries."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context

from service.db import types
from service.db.models import METADATA
from service.db.session import Database


def render_item(kind: str, item: Any, autogen_context: Any) -> str | Literal[False]:
    """Print our column types by name, as the migration template imports them."""
    del autogen_context
    names = {id(types.JsonValue): "JsonValue", id(types.BigSerial): "BigSerial"}
    if kind == "type" and (id(item) in names or isinstance(item, (types.UtcDateTime, types.Digest))):
        return names.get(id(item)) or f"{type(item).__name__}()"
    return False


database = Database(context.config.attributes["url"])
try:
    with database.engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=METADATA,
            render_as_batch=True,
            compare_type=True,
            render_item=render_item,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()
finally:
    database.close()
