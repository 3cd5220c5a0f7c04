"""Auditing a log from outside: what it says now against what it said before, its own entries, and receipts.

The procedure, in order: (1) the checkpoint's signature; (2) against the last one seen: not smaller, not another root for
the same size; (3) the consistency proof between the two; (4) the entries really hash to the signed root; (5) each receipt
is included in the log that its own checkpoint describes, that log is this one, and it still gives the entry out. A log that
says that a row is gone or that its tables contradict each other has been tampered with; one that does not answer could not
be checked. A failing audit never forgets the last good checkpoint: together with the new one it is the evidence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from service.log.checkpoint import Checkpoint
from service.log.merkle import Frontier, Hash, verify_consistency, verify_inclusion
from service.log.note import NoteVerifier
from service.log.record import LogRecord
from service.log.source import DatabaseLog, LogSource, all_leaves
from service.log.store import Damaged
from tanba.errors import InputError, ResolverError, TanbaError

MAX_ENTRIES = 20_000_000
"""Entries one audit is willing to read."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What an auditor keeps between two audits."""

    key: str
    checkpoint: str
    frontier: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The state file's content."""
        return {
            "schema": "tanba.log.state/1",
            "key": self.key,
            "checkpoint": self.checkpoint,
            "frontier": [*self.frontier],
        }

    @classmethod
    def from_dict(cls, data: Any) -> Seen:
        """Read a state file. Raises :class:`InputError`."""
        try:
            if data["schema"] != "tanba.log.state/1":
                raise ValueError("unknown schema")
            return cls(str(data["key"]), str(data["checkpoint"]), tuple(str(item) for item in data["frontier"]))
        except (KeyError, TypeError, ValueError) as error:
            raise InputError("this is not an auditor's state file", code="tanba.log.state_malformed") from error

    def restore(self) -> tuple[Checkpoint, Frontier]:
        """The checkpoint and the tree behind it. Raises :class:`InputError` when the file contradicts itself."""
        checkpoint = Checkpoint.open(self.checkpoint, NoteVerifier.parse(self.key))
        try:
            frontier = Frontier(checkpoint.size, [bytes.fromhex(text) for text in self.frontier])
        except ValueError as error:
            raise InputError("the state file's tree does not fit", code="tanba.log.state_malformed") from error
        if frontier.root() != checkpoint.root:
            raise InputError("the state file's tree does not fit", code="tanba.log.state_malformed")
        return checkpoint, frontier


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing that is wrong with the log."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class AuditResult:
    """What an audit found. ``seen`` is what to keep for the next one: the old state when anything was wrong."""

    complaints: tuple[Complaint, ...]
    note: str
    """The checkpoint as received: evidence when something is wrong. Empty when the log could not make one."""
    size: int
    entries_read: int
    receipts: int
    seen: Seen | None

    @property
    def good(self) -> bool:
        """Nothing to complain about."""
        return not self.complaints


def audit(
    source: LogSource,
    *,
    seen: Seen | None = None,
    key: str | None = None,
    full: bool = False,
    receipts: Sequence[Mapping[str, Any]] = (),
) -> AuditResult:
    """Audit a log. ``full`` reads every entry again instead of only those since ``seen``.

    Without a ``key`` and without a state the log's own word for its key is taken, once. Raises :class:`ResolverError`
    when the log does not answer and :class:`InputError` when the state or key given is unusable.
    """
    if seen is not None and key is not None and seen.key != key:
        raise InputError("the key differs from the one in the state file", code="tanba.log.key_changed")
    try:
        pinned = key or (seen.key if seen else source.key())
    except Damaged as error:
        return AuditResult((_complaint(error),), "", 0, 0, 0, seen)
    verifier = NoteVerifier.parse(pinned)
    old, frontier = seen.restore() if seen else (None, Frontier())
    note = ""
    complaints: list[Complaint] = []
    try:
        note = source.checkpoint()
        now = Checkpoint.open(note, verifier)
    except (InputError, Damaged) as error:
        return AuditResult((_complaint(error),), note, 0, 0, 0, seen)
    if old is not None:
        complaints += _compare(source, old, now)
    start = Frontier() if full else frontier
    read = 0
    if not complaints and now.size - start.size > MAX_ENTRIES:
        raise InputError("the log is too long for one audit", code="tanba.log.too_long")
    if not complaints or full:
        read, wrong = _rebuild(source, start, now)
        complaints += wrong
    if isinstance(source, DatabaseLog) and not complaints:
        complaints += _check_tables(source, now)
    for receipt in receipts:
        complaints += _check_receipt(source, receipt, verifier, now)
    kept = seen if complaints else Seen(pinned, note, tuple(value.hex() for value in start.hashes))
    return AuditResult(tuple(complaints), note, now.size, read, len(receipts), kept)


def _compare(source: LogSource, old: Checkpoint, now: Checkpoint) -> list[Complaint]:
    """Steps (2) and (3)."""
    if now.size < old.size:
        return [Complaint("tanba.log.shrunk", f"the log had {old.size} entries and now says {now.size}")]
    if now.size == old.size:
        same = now.root == old.root
        return [] if same else [Complaint("tanba.log.forked", f"two different logs of {now.size} entries are signed")]
    try:
        proof = _ask(source, old.size, now.size)
    except Damaged as error:
        return [_complaint(error)]
    if proof is not None and verify_consistency(old.size, now.size, old.root, now.root, proof):
        return []
    return [
        Complaint(
            "tanba.log.inconsistent", f"the log of {now.size} entries does not continue the log of {old.size} entries"
        )
    ]


def _rebuild(source: LogSource, frontier: Frontier, now: Checkpoint) -> tuple[int, list[Complaint]]:
    """Step (4): grow ``frontier`` to the signed size out of the entries themselves."""
    before = frontier.size
    try:
        for leaf in all_leaves(source, frontier.size, now.size):
            frontier.append(leaf)
    except Damaged as error:
        return frontier.size - before, [_complaint(error)]
    read = frontier.size - before
    if frontier.size < now.size:
        return read, [Complaint("tanba.log.entry_missing", f"entry {frontier.size} of {now.size} is not given out")]
    if frontier.root() != now.root:
        return read, [Complaint("tanba.log.entries_mismatch", "the entries given out are not the ones that are signed")]
    return read, []


def _check_tables(source: DatabaseLog, now: Checkpoint) -> list[Complaint]:
    """Beside (4), when the tables themselves can be read."""
    try:
        source.check(now.size)
    except Damaged as error:
        return [_complaint(error)]
    return []


def _check_receipt(
    source: LogSource, receipt: Mapping[str, Any], verifier: NoteVerifier, now: Checkpoint
) -> list[Complaint]:
    """Step (5)."""
    try:
        then = check_receipt(receipt, verifier)
    except InputError as error:
        return [Complaint(error.code, error.message)]
    if then.size > now.size:
        return [Complaint("tanba.log.shrunk", f"a receipt proves {then.size} entries, the log now says {now.size}")]
    index, leaf = int(receipt["log"]["index"]), LogRecord.from_dict(receipt["log"]["entry"]).leaf
    try:
        proof = _ask(source, then.size, now.size)
        given = source.leaves(index, index + 1)
    except Damaged as error:
        return [_complaint(error)]
    if proof is None or not verify_consistency(then.size, now.size, then.root, now.root, proof):
        return [Complaint("tanba.log.forked", f"the log of {then.size} entries that a receipt proves is not this log")]
    if not given:
        return [Complaint("tanba.log.entry_missing", f"entry {index}, which a receipt proves, is not given out")]
    if given[0] != leaf:
        return [Complaint("tanba.log.entries_mismatch", f"entry {index} is not the one that a receipt proves")]
    return []


def _complaint(error: TanbaError) -> Complaint:
    return Complaint(error.code, error.message)


def check_receipt(receipt: Mapping[str, Any], verifier: NoteVerifier) -> Checkpoint:
    """Check offline that a receipt's entry describes it and is included; returns the checkpoint that proves it.

    Raises :class:`InputError` (``tanba.log.receipt_malformed``, ``…receipt_mismatch``, ``…receipt_not_included``).
    """
    log = receipt.get("log")
    try:
        if not isinstance(log, Mapping):
            raise TypeError("no log part")
        record = LogRecord.from_dict(log["entry"])
        index = int(log["index"])
        proof = [bytes.fromhex(item) for item in log["proof"]]
        note = str(log["checkpoint"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError("the receipt carries no proof of the log", code="tanba.log.receipt_malformed") from error
    said = {name: receipt.get(name) for name in ("label_id", "input_sha256", "output_sha256", "manifest_sha256")}
    if any(getattr(record, name) != value for name, value in said.items()):
        raise InputError("the logged entry describes another label", code="tanba.log.receipt_mismatch")
    checkpoint = Checkpoint.open(note, verifier)
    if not verify_inclusion(index, checkpoint.size, record.leaf, proof, checkpoint.root):
        raise InputError("the receipt's proof does not lead to the log", code="tanba.log.receipt_not_included")
    return checkpoint


def _ask(source: LogSource, old: int, new: int) -> list[Hash] | None:
    """The consistency proof, or nothing when the log refuses or fails to make one: that is a finding, not our error."""
    if old in (0, new):
        return []
    try:
        return source.consistency(old, new)
    except (InputError, ResolverError) as error:
        if isinstance(error, ResolverError) and error.code != "tanba.network.status":
            raise
        return None
