"""Column types that mean the same on SQLite and PostgreSQL. Nothing else may be used in a model."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Integer, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator

_HEX = re.compile(r"[0-9a-f]{64}\Z")


class Encoded(str):
    """A JSON document that is encoded already, for a column of :data:`JsonValue`."""

    __slots__ = ()


def encode_json(value: Any) -> str:
    """How JSON columns are written: :class:`Encoded` as it is, everything else encoded."""
    return value if isinstance(value, Encoded) else json.dumps(value)


JsonValue = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
"""A JSON document; SQL NULL for None."""

BigSerial = BigInteger().with_variant(Integer(), "sqlite")
"""A 64-bit key that SQLite can still count up by itself (only ``INTEGER PRIMARY KEY`` does there)."""


class UtcDateTime(TypeDecorator[datetime]):
    """A moment. Refuses naive values, stores UTC, returns aware UTC on both databases."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive time has no place in the database")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Digest(TypeDecorator[str]):
    """A SHA-256 as 64 lower-case hex characters."""

    impl = String(64)
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        del dialect
        if value is None:
            return None
        if not isinstance(value, str) or not _HEX.match(value):
            raise ValueError("a digest is 64 lower-case hexadecimal characters")
        return value
