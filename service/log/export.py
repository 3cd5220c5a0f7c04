"""An auditor's export: every record of a period, counted, with the proof that none is missing and none is added.

The records of a contiguous stretch of the log, with the frontier of the tree before it, hash to the signed checkpoint
behind it. One neighbour on each side is included, so that leaving out an edge shows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.log import store
from service.log.audit import Complaint
from service.log.checkpoint import Checkpoint
from service.log.label_log import LabelLog
from service.log.merkle import Frontier, range_nodes, verify_consistency
from service.log.models import LogEntry
from service.log.note import NoteVerifier
from service.log.record import LogRecord
from tanba.errors import InputError

SCHEMA = "tanba.log.export/1"
MAX_ENTRIES = 1_000_000
"""Records in one export; ask for a shorter period above that."""


def export(session: Session, log: LabelLog, start: datetime, end: datetime, *, now: datetime) -> dict[str, Any]:
    """The export document for ``start <= at < end`` (aware times). Raises :class:`InputError`, ``Damaged``."""
    size = store.size(session)
    inside = (LogEntry.created_at >= start, LogEntry.created_at < end)
    low, high = session.execute(select(func.min(LogEntry.index), func.max(LogEntry.index)).where(*inside)).one()
    first, last = (max(0, low - 1), min(size, high + 2)) if low is not None else _gap(session, end, size)
    if last - first > MAX_ENTRIES:
        raise InputError(
            "the period holds too many entries for one export",
            code="tanba.log.too_long",
            hint="export shorter periods one by one",
        )
    records = list(store.records(session, first, last))
    return {
        "schema": SCHEMA,
        "origin": log.origin,
        "key": log.key,
        "made_at": _text(now),
        "from": _text(start),
        "to": _text(end),
        "first_index": first,
        "frontier": [value.hex() for value in _frontier(session, first)],
        "entries": records,
        "counts": count(LogRecord.from_dict(record) for record in records if _inside(record, start, end)),
        "checkpoint": log.checkpoint(session, last),
        "current_checkpoint": log.checkpoint(session, size),
        "consistency": [value.hex() for value in store.consistency_proof(session, last, size)],
    }


def count(records: Iterable[LogRecord]) -> dict[str, Any]:
    """How many entries, by event, and the issued ones by profile, kind and signing identity."""
    events: Counter[str] = Counter()
    by: dict[str, Counter[str]] = {"profile": Counter(), "kind": Counter(), "identity": Counter()}
    for record in records:
        events[str(record.event)] += 1
        if record.event == "issued":
            by["profile"].update(record.profiles or ("none",))
            by["kind"][record.kind] += 1
            by["identity"][record.identity] += 1
    return {"event": dict(sorted(events.items()))} | {name: dict(sorted(found.items())) for name, found in by.items()}


def verify_export(document: Mapping[str, Any], key: str) -> list[Complaint]:
    """Check an export against a pinned key, with nothing but the document. Raises :class:`InputError` if malformed."""
    verifier = NoteVerifier.parse(key)
    try:
        start, end = datetime.fromisoformat(document["from"]), datetime.fromisoformat(document["to"])
        first = int(document["first_index"])
        frontier = Frontier(first, [bytes.fromhex(text) for text in document["frontier"]])
        records = [LogRecord.from_dict(record) for record in document["entries"]]
        notes = str(document["checkpoint"]), str(document["current_checkpoint"])
        proof = [bytes.fromhex(text) for text in document["consistency"]]
        counts = document["counts"]
        inside = [record for record in records if start <= datetime.fromisoformat(record.at) < end]
        before = records and first > 0 and datetime.fromisoformat(records[0].at) >= start
    except (KeyError, TypeError, ValueError) as error:
        raise InputError("this is not an export of a label log", code="tanba.log.export_malformed") from error
    complaints = []
    then, now = (Checkpoint.open(note, verifier) for note in notes)
    for record in records:
        frontier.append(record.leaf)
    if (frontier.size, frontier.root()) != (then.size, then.root):
        complaints.append(Complaint("tanba.log.entries_mismatch", "the records are not the entries that are signed"))
    if not verify_consistency(then.size, now.size, then.root, now.root, proof):
        complaints.append(Complaint("tanba.log.inconsistent", "the stretch is not part of the current log"))
    behind = then.size < now.size and (not records or datetime.fromisoformat(records[-1].at) < end)
    if before or behind:
        complaints.append(Complaint("tanba.log.entry_missing", "the export does not reach the edge of the period"))
    if counts != count(inside):
        complaints.append(Complaint("tanba.log.counts_mismatch", "the counts are not those of the records"))
    return complaints


def _gap(session: Session, end: datetime, size: int) -> tuple[int, int]:
    """Where an empty period lies: the entry before it and the entry after it."""
    after = session.scalar(select(func.min(LogEntry.index)).where(LogEntry.created_at >= end))
    middle = size if after is None else after
    return max(0, middle - 1), min(size, middle + 1)


def _frontier(session: Session, size: int) -> list[bytes]:
    if size == 0:
        return []
    nodes = range_nodes([(0, size)])
    found = store.nodes(session, nodes)
    return [found[node] for node in nodes]


def _inside(record: Mapping[str, Any], start: datetime, end: datetime) -> bool:
    return start <= datetime.fromisoformat(record["at"]) < end


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
