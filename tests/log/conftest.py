"""A log with its key, and records to put in it."""

from __future__ import annotations

import hashlib
import uuid
from datetime import UTC, datetime

import pytest

from service.log import LabelLog, LogEvent, LogRecord, NoteSigner
from tests.databases import database, database_url, postgres_server

__all__ = ["database", "database_url", "postgres_server"]

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture
def log() -> LabelLog:
    return LabelLog(NoteSigner.create("labels.example/log"))


def record(
    number: int, *, kind: str = "generated", profiles: tuple[str, ...] = ("kz",), identity: str = "a"
) -> LogRecord:
    digest = hashlib.sha256(b"%d" % number).hexdigest()
    return LogRecord(
        event=LogEvent.ISSUED,
        label_id=f"urn:c2pa:{uuid.UUID(int=number, version=4)}",
        input_sha256=digest,
        output_sha256=digest[::-1],
        manifest_sha256=digest[32:] + digest[:32],
        kind=kind,
        profiles=profiles,
        identity=identity * 64,
    )


def receipt(log: LabelLog, session, index: int) -> dict:
    """The parts of a receipt (contracts) that the log speaks about."""
    proof = log.proof(session, index)
    names = ("label_id", "input_sha256", "output_sha256", "manifest_sha256")
    return {name: proof["entry"][name] for name in names} | {"log": proof}
