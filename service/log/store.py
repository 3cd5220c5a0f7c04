"""The tree in the database: append in the caller's transaction, roots and proofs of any past size.

An entry is never updated or deleted here. Appending takes the lock on ``log_head`` and holds it until the caller commits,
so it should be the last thing a transaction does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import and_, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from service.db.base import table
from service.log import merkle
from service.log.merkle import Frontier, Hash, Node
from service.log.models import LogEntry, LogHead, LogNode
from service.log.record import LogRecord, canonical
from tanba.errors import InputError, StorageError

_HEAD = 1
_BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
_HEADS, _ENTRIES, _NODES = table(LogHead), table(LogEntry), table(LogNode)
# Statements on tables, made once: as many of the ORM's cost a label three times as much.
_HEAD_ROW = select(_HEADS.c.size, _HEADS.c.frontier, _HEADS.c.at).where(_HEADS.c.id == _HEAD)
_LOCKED_HEAD = _HEAD_ROW.with_for_update()
_NEW_HEAD = update(_HEADS).where(_HEADS.c.id == _HEAD)
_NEW_ENTRIES, _NEW_NODES = insert(_ENTRIES), insert(_NODES)
_SIZE = select(
    select(_HEADS.c.size).where(_HEADS.c.id == _HEAD).scalar_subquery(),
    select(func.max(_ENTRIES.c.index)).scalar_subquery(),
)
"""What the head says and where the entries end, in one statement: two would see a label that is issued in between."""
_LOOKUPS = 200  # terms in one statement; a proof needs some 40


class Damaged(StorageError):
    """The tree's tables contradict each other: somebody changed them by hand. Asking again does not mend them."""

    default_code = "tanba.log.damaged"
    retryable = False


class RowGone(Damaged):
    """A row of the tree that must be there is not: somebody deleted it. Asking again does not bring it back."""

    default_code = "tanba.log.entry_missing"


@dataclass
class Known:
    """The head that this process saw last, and that agreed with the tree: it need not be held against it again."""

    head: tuple[int, tuple[Hash, ...], datetime] | None = None


def size(session: Session) -> int:
    """Entries in the log, as this transaction sees it. Raises :class:`Damaged`, :class:`RowGone` for a deleted head."""
    head, last = session.execute(_SIZE).one()
    if head is None and last is not None:
        raise _head_gone()
    if last is not None and last >= head:
        raise Damaged("the label log has entries behind its end", hint=_HINT)
    return head or 0


def check(session: Session) -> None:
    """Hold the head against the entries and the tree, as before an append. Raises :class:`Damaged`."""
    if size(session):
        _agrees(session, *_head(session.execute(_HEAD_ROW).one()))


def append(session: Session, records: Sequence[LogRecord], at: datetime, *, known: Known | None = None) -> int:
    """Append records in order; returns the index of the first. Becomes real with the caller's commit.

    Their ``at`` becomes the log's time: ``at`` (aware), or the last entry's when a clock runs behind. Raises
    :class:`Damaged` when the stored tree contradicts itself. Concurrent writers wait for each other.
    """
    return _append(session, records, at, known)


@dataclass(frozen=True, slots=True)
class Proved:
    """One appended record and its proof for the tree that it ends."""

    index: int
    record: dict[str, Any]
    """As it was written, with the log's time."""
    path: list[Hash]
    root: Hash


def append_proved(
    session: Session, records: Sequence[LogRecord], at: datetime, *, known: Known | None = None
) -> list[Proved]:
    """Append records in order and prove each.

    The same as :func:`append`, :func:`inclusion_proof` and :func:`root` without asking the database again: the path of
    the newest leaf is the frontier before it, smallest subtree first.
    """
    proofs: list[Proved] = []
    _append(session, records, at, known, proofs)
    return proofs


def _append(
    session: Session,
    records: Sequence[LogRecord],
    at: datetime,
    known: Known | None,
    proofs: list[Proved] | None = None,
) -> int:
    frontier, last = _lock_head(session)
    if known is None or known.head != (frontier.size, tuple(frontier.hashes), last):
        _agrees(session, frontier, last)
    at = max(at, last)
    stamp = at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    first = frontier.size
    entries: list[dict[str, Any]] = []
    completed: list[dict[str, Any]] = []
    for record in records:
        written = record.to_dict() | {"at": stamp}
        leaf = merkle.leaf_hash(canonical(written))
        path = list(reversed(frontier.hashes))
        entries.append(
            {
                "index": frontier.size,
                "leaf_hash": leaf.hex(),
                "label_id": record.label_id,
                "record": written,
                "created_at": at,
            }
        )
        completed += [
            {"level": node.level, "index": node.index, "hash": value.hex()} for node, value in frontier.append(leaf)
        ]
        if proofs is not None:
            proofs.append(Proved(frontier.size - 1, written, path, frontier.root()))
    if not entries:
        return first
    connection = session.connection()
    try:
        connection.execute(_NEW_ENTRIES, entries)
        if completed:
            connection.execute(_NEW_NODES, completed)
    except IntegrityError as error:
        if not _is_duplicate(error):
            raise
        # Writers take turns, so nobody else can have written there.
        raise Damaged("the label log has rows behind its end", hint=_HINT) from error
    connection.execute(
        _NEW_HEAD, {"size": frontier.size, "at": at, "frontier": [value.hex() for value in frontier.hashes]}
    )
    if known is not None:
        known.head = (frontier.size, tuple(frontier.hashes), at)
    return first


def _is_duplicate(error: IntegrityError) -> bool:
    """Whether a key was there already; a database can refuse a row for other reasons."""
    name = str(getattr(error.orig, "sqlite_errorname", ""))
    return name.endswith(("_PRIMARYKEY", "_UNIQUE")) or getattr(error.orig, "sqlstate", None) == "23505"


def _lock_head(session: Session) -> tuple[Frontier, datetime]:
    """Wait for our turn. SQLite's ``BEGIN IMMEDIATE`` already gave it; PostgreSQL locks the row."""
    row = session.connection().execute(_LOCKED_HEAD).one_or_none()
    if row is None:
        size(session)  # a log that was begun has a head
        try:
            with session.begin_nested():
                session.execute(insert(LogHead), [{"id": _HEAD, "size": 0, "frontier": [], "at": _BEGINNING}])
        except IntegrityError:
            pass  # another writer made it first: read what it left
        row = session.connection().execute(_LOCKED_HEAD).one()
    return _head(row)


def _head(row: Any) -> tuple[Frontier, datetime]:
    try:
        return Frontier(row.size, [bytes.fromhex(text) for text in row.frontier]), row.at
    except (TypeError, ValueError) as error:
        raise Damaged("the head of the label log is damaged", hint=_HINT) from error


def _agrees(session: Session, frontier: Frontier, at: datetime) -> None:
    """Hold a head against the tree: what is appended to a wrong one is signed, and contradicts the log for ever."""
    if frontier.size == 0:
        return
    wanted = merkle.root_nodes(frontier.size)
    found = nodes(session, wanted)
    last = session.scalar(select(LogEntry.created_at).where(LogEntry.index == frontier.size - 1))
    if last is None:
        raise _entry_gone(frontier.size - 1)
    if [found[node] for node in wanted] != frontier.hashes or last != at:
        raise Damaged("the head of the label log does not fit its tree", hint=_HINT)


def root(session: Session, tree_size: int) -> Hash:
    """The tree head at a size up to the current one. Raises :class:`InputError`, :class:`RowGone`."""
    _check_size(session, tree_size)
    found = nodes(session, merkle.root_nodes(tree_size))
    return merkle.root(tree_size, found.__getitem__)


def inclusion_proof(session: Session, index: int, tree_size: int) -> list[Hash]:
    """``PATH(index, D[tree_size])``. Raises :class:`InputError`, :class:`RowGone`."""
    _check_size(session, tree_size)
    try:
        ranges = merkle.inclusion_ranges(index, tree_size)
    except ValueError as error:
        raise InputError("the log has no such entry at this size", code="tanba.log.no_entry") from error
    return merkle.hashes_of(ranges, nodes(session, merkle.range_nodes(ranges)).__getitem__)


def consistency_proof(session: Session, old: int, new: int) -> list[Hash]:
    """``PROOF(old, D[new])``; empty when ``old`` is 0. Raises :class:`InputError`, :class:`RowGone`."""
    _check_size(session, new)
    if old == 0:
        return []
    try:
        ranges = merkle.consistency_ranges(old, new)
    except ValueError as error:
        raise InputError(str(error), code="tanba.log.bad_range") from error
    return merkle.hashes_of(ranges, nodes(session, merkle.range_nodes(ranges)).__getitem__)


def entry(session: Session, index: int) -> LogEntry:
    """One entry. Raises :class:`InputError` when the log is not that long, :class:`Damaged`, :class:`RowGone`."""
    if not 0 <= index < size(session):
        raise InputError("the log has no such entry", code="tanba.log.no_entry")
    found = session.get(LogEntry, index)
    if found is None:
        raise _entry_gone(index)
    _written(index, found.leaf_hash, found.record)
    return found


def _written(index: int, leaf_hash: str, record: dict[str, Any]) -> dict[str, Any]:
    """The record of an entry, which must be what its leaf is the hash of. Raises :class:`Damaged`."""
    if merkle.leaf_hash(canonical(record)).hex() != leaf_hash:
        raise Damaged(
            f"the record of entry {index} of the label log was changed",
            code="tanba.log.entry_changed",
            hint=_HINT,
            details={"index": index},
        )
    return record


def records(session: Session, start: int, end: int) -> Iterator[dict[str, Any]]:
    """The records of entries ``start`` to ``end``, the end excluded. Raises :class:`Damaged`, :class:`RowGone`."""
    columns = (_ENTRIES.c.index, _ENTRIES.c.leaf_hash, _ENTRIES.c.record)
    wanted = select(*columns).where(_ENTRIES.c.index >= start, _ENTRIES.c.index < end).order_by(_ENTRIES.c.index)
    expected = start
    for index, leaf, record in session.execute(wanted):
        if index != expected:
            break
        yield _written(index, leaf, record)
        expected += 1
    if expected < end:
        raise _entry_gone(expected)


def leaves(session: Session, start: int, end: int) -> list[Hash]:
    """Leaf hashes of entries ``start`` to ``end``, the end excluded. Raises :class:`RowGone` rather than close a gap."""
    expected = range(start, min(end, size(session)))
    statement = (
        select(LogEntry.index, LogEntry.leaf_hash)
        .where(LogEntry.index >= expected.start, LogEntry.index < expected.stop)
        .order_by(LogEntry.index)
    )
    found = session.execute(statement).all()
    if len(found) != len(expected):
        there = {index for index, _ in found}
        raise _entry_gone(next(index for index in expected if index not in there))
    return [bytes.fromhex(text) for _, text in found]


def _check_size(session: Session, tree_size: int) -> None:
    if not 0 <= tree_size <= size(session):
        raise InputError("the log is not that long", code="tanba.log.bad_range")


def nodes(session: Session, wanted: Iterable[Node]) -> dict[Node, Hash]:
    """The hashes of complete subtrees, leaves included. Raises :class:`RowGone` when one is not there."""
    asked = sorted(set(wanted))
    found: dict[Node, Hash] = {}
    low = [node.index for node in asked if node.level == 0]
    high = [(node.level, node.index) for node in asked if node.level]
    for start in range(0, len(low), _LOOKUPS):
        chosen = select(LogEntry.index, LogEntry.leaf_hash).where(LogEntry.index.in_(low[start : start + _LOOKUPS]))
        found |= {Node(0, index): bytes.fromhex(text) for index, text in session.execute(chosen)}
    for start in range(0, len(high), _LOOKUPS):
        # Not a row-value IN: SQLite would scan the table for it, and uses the primary key for each term of an OR.
        pairs = or_(
            *(and_(LogNode.level == level, LogNode.index == at) for level, at in high[start : start + _LOOKUPS])
        )
        rows = session.execute(select(LogNode.level, LogNode.index, LogNode.hash).where(pairs))
        found |= {Node(level, index): bytes.fromhex(text) for level, index, text in rows}
    for node in asked:
        if node not in found:
            raise (
                _entry_gone(node.index)
                if node.level == 0
                else RowGone("an inner node of the label log's tree is gone", code="tanba.log.node_missing", hint=_HINT)
            )
    return found


_HINT = "restore the database from a backup; an auditor counts this as tampering"


def _head_gone() -> RowGone:
    return RowGone("the head of the label log is gone", code="tanba.log.head_missing", hint=_HINT)


def _entry_gone(index: int) -> RowGone:
    return RowGone(f"entry {index} of the label log is gone", hint=_HINT, details={"index": index})
