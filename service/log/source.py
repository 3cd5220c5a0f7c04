"""Where an auditor reads a log from: a service over HTTP, or a database (or a restored copy of one)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Protocol

from sqlalchemy.orm import Session

from service.log import store
from service.log.label_log import LabelLog
from service.log.merkle import Hash
from service.log.store import Damaged, RowGone
from tanba.errors import InputError, ResolverError
from tanba.net import GuardedClient

PAGE = 4096
"""Leaf hashes asked for, and given, at once."""


class LogSource(Protocol):
    """What an audit needs. Everything it returns is a claim to be checked."""

    def key(self) -> str:
        """The public note key the log says it has."""
        ...

    def checkpoint(self) -> str:
        """The current signed note."""
        ...

    def leaves(self, start: int, end: int) -> list[Hash]:
        """Leaf hashes from ``start``; at most :data:`PAGE`, fewer only at the end."""
        ...

    def consistency(self, old: int, new: int) -> list[Hash]:
        """The proof from one size to another."""
        ...

    def proof(self, index: int, size: int | None = None) -> dict[str, Any]:
        """Entry number, leaf hash, audit path, checkpoint."""
        ...


class HttpLog:
    """A service's log from outside, through the guarded client.

    Its methods raise :class:`ResolverError` when the log does not answer usefully, :class:`RowGone` when it says that a
    row of the tree is gone, and :class:`Damaged` when it says that its tables contradict each other.
    """

    def __init__(self, base_url: str, client: GuardedClient) -> None:
        self._base = base_url.rstrip("/") + "/v1/log"
        self._client = client

    def key(self) -> str:
        """See :class:`LogSource`. Raises :class:`ResolverError`."""
        return str(self._json("")["key"])

    def checkpoint(self) -> str:
        """See :class:`LogSource`. Raises :class:`ResolverError`."""
        return self._get("/checkpoint").decode("utf-8", "replace")

    def leaves(self, start: int, end: int) -> list[Hash]:
        """See :class:`LogSource`. Raises :class:`ResolverError`."""
        return _hashes(self._json(f"/entries?start={start}&end={min(end, start + PAGE)}")["leaf_hashes"])

    def consistency(self, old: int, new: int) -> list[Hash]:
        """See :class:`LogSource`. Raises :class:`ResolverError`."""
        return _hashes(self._json(f"/consistency?from={old}&to={new}")["proof"])

    def proof(self, index: int, size: int | None = None) -> dict[str, Any]:
        """See :class:`LogSource`. Raises :class:`ResolverError`."""
        return self._json(f"/entries/{index}" + (f"?size={size}" if size is not None else ""))

    def _get(self, path: str) -> bytes:
        answer = self._client.get(self._base + path)
        if answer.status == 410:
            raise _row_gone(answer.body)
        if answer.status == 500 and (code := _said(answer.body)[0]) in _DAMAGED:
            raise Damaged("the log says that its tables were changed", code=code)
        return answer.raise_for_status().body

    def _json(self, path: str) -> dict[str, Any]:
        try:
            body = json.loads(self._get(path))
        except (ValueError, RecursionError) as error:
            raise ResolverError("the log did not answer with JSON", code="tanba.log.bad_answer") from error
        if not isinstance(body, dict):
            raise ResolverError("the log did not answer with an object", code="tanba.log.bad_answer")
        return _Answer(body)


class DatabaseLog:
    """A log read from its own tables. Its methods raise :class:`Damaged` when these contradict each other."""

    def __init__(self, session: Session, log: LabelLog) -> None:
        self._session = session
        self._log = log

    def key(self) -> str:
        """See :class:`LogSource`."""
        return self._log.key

    def checkpoint(self) -> str:
        """See :class:`LogSource`. Raises :class:`RowGone`."""
        return self._log.checkpoint(self._session)

    def leaves(self, start: int, end: int) -> list[Hash]:
        """See :class:`LogSource`. Raises :class:`RowGone`."""
        return store.leaves(self._session, start, min(end, start + PAGE))

    def consistency(self, old: int, new: int) -> list[Hash]:
        """See :class:`LogSource`. Raises :class:`InputError`, :class:`RowGone`."""
        return store.consistency_proof(self._session, old, new)

    def proof(self, index: int, size: int | None = None) -> dict[str, Any]:
        """See :class:`LogSource`. Raises :class:`InputError`, :class:`RowGone`."""
        return public_proof(self._session, self._log, index, size)

    def check(self, size: int) -> None:
        """What only the tables show: the head fits the tree, and each record is what its leaf is the hash of. Raises
        :class:`Damaged`.
        """
        store.check(self._session)
        for _ in store.records(self._session, 0, size):
            pass


def public_proof(session: Session, log: LabelLog, index: int, size: int | None = None) -> dict[str, Any]:
    """What anyone may see of one entry: its leaf hash, never its record. Raises :class:`InputError`, :class:`RowGone`."""
    found = log.proof(session, index, size)
    del found["entry"]
    return {**found, "leaf_hash": store.entry(session, index).leaf_hash}


def all_leaves(source: LogSource, start: int, end: int) -> Iterator[Hash]:
    """Page through ``start`` to ``end``; stops early when the source does."""
    while start < end:
        page = source.leaves(start, end)[: end - start]
        if not page:
            return
        yield from page
        start += len(page)


_DAMAGED = frozenset({"tanba.log.damaged", "tanba.log.entry_changed", "tanba.log.head_missing"})


def _row_gone(problem: bytes) -> RowGone:
    """The log's word that a row is gone. Nothing of the stranger's text is repeated."""
    code, index = _said(problem)
    if code == "tanba.log.node_missing":
        return RowGone("the log says that an inner node of its tree is gone", code=code)
    which = f"entry {index}" if isinstance(index, int) else "an entry"
    return RowGone(f"the log says that {which} is gone")


def _said(problem: bytes) -> tuple[Any, Any]:
    """Code and entry number of a problem document; nothing for whatever else it may be."""
    try:
        said = json.loads(problem)
        code = said["code"]
        return code if isinstance(code, str) else None, said.get("details", {}).get("index")
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError):
        return None, None


class _Answer(dict[str, Any]):
    """A JSON object from a stranger: a missing member is the stranger's mistake, not ours."""

    def __missing__(self, key: str) -> Any:
        raise ResolverError(f"the log's answer lacks {key!r}", code="tanba.log.bad_answer")


def _hashes(values: Any) -> list[Hash]:
    try:
        found = [bytes.fromhex(value) for value in values]
    except (TypeError, ValueError) as error:
        raise InputError("the log answered with something that is not a hash", code="tanba.log.bad_answer") from error
    if any(len(value) != 32 for value in found):
        raise InputError("the log answered with something that is not a hash", code="tanba.log.bad_answer")
    return found
