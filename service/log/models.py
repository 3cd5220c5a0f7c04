"""The label log's tables: entries, the inner nodes of the tree, and the one row that appending takes its turn on."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from service.db.base import Base
from service.db.types import BigSerial, Digest


class LogEntry(Base):
    """One leaf. ``record`` is kept so that receipts can be given again and audited periods exported."""

    __tablename__ = "log_entry"
    __table_args__ = (Index("ix_log_entry_created_at", "created_at"),)

    index: Mapped[int] = mapped_column(BigSerial, primary_key=True, autoincrement=False)
    leaf_hash: Mapped[str] = mapped_column(Digest)
    label_id: Mapped[str] = mapped_column(String(100), index=True)
    record: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]


class LogNode(Base):
    """The hash of a complete subtree above the leaves."""

    __tablename__ = "log_node"

    level: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    index: Mapped[int] = mapped_column(BigSerial, primary_key=True, autoincrement=False)
    hash: Mapped[str] = mapped_column(Digest)


class LogHead(Base):
    """The single row with the current size. Its lock is what makes writers take turns."""

    __tablename__ = "log_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    size: Mapped[int] = mapped_column(BigSerial)
    frontier: Mapped[list[str]]
    """Hashes of the complete subtrees, largest first."""
    at: Mapped[datetime]
    """Time of the last entry: the log's time never runs back."""
