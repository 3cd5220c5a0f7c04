"""Contesting a label: anyone may, without an account; the case has a number, a state and an answer.

A case holds the label's id, a reason and a statement; no name, no address. The number is random, so that only those
who were given it can follow the case.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from service import audit
from service.db import repositories
from service.db.models import Case, CaseState
from service.db.session import Database
from service.problems import Conflict, NotFound
from service.state import State
from tanba.errors import UsageError

_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
_NEXT = {
    CaseState.OPEN: {CaseState.IN_REVIEW, CaseState.UPHELD, CaseState.REJECTED},
    CaseState.IN_REVIEW: {CaseState.UPHELD, CaseState.REJECTED},
}


class Reason(StrEnum):
    """Why someone contests a label."""

    NOT_AI = "not_ai"
    """The content was not made or changed by AI as the label says."""
    WRONG_KIND = "wrong_kind"
    """AI was involved, but not in the way the label says."""
    WRONG_SOURCE = "wrong_source"
    """The label names a wrong system or provider."""
    MY_CONTENT = "my_content"
    """The content is mine and was labelled without my agreement."""
    DEPICTS_ME = "depicts_me"
    """The content shows me or imitates my voice."""
    OTHER = "other"


def open_case(state: State, label_id: str, reason: Reason, statement: str, language: str) -> Case:
    """Open a case. Raises :class:`NotFound` for a label that was not issued here."""
    with state.db.write() as session:
        if repositories.label(session, label_id) is None:
            raise NotFound("no such label was issued here", code="tanba.label.not_found")
        case = Case(
            number=_number(),
            label_id=label_id,
            created_at=state.clock(),
            reason=reason.value,
            statement=statement,
            language=language,
            state=CaseState.OPEN,
        )
        session.add(case)
    return case


def find(state: State, number: str) -> Case:
    """One case by its number, however it was typed. Raises :class:`NotFound`."""
    with state.db.read() as session:
        return _found(repositories.case(session, number.strip().upper()))


def inbox(state: State, wanted: CaseState | None = None) -> Sequence[Case]:
    """The operators' inbox, oldest first."""
    with state.db.read() as session:
        return repositories.cases(session, wanted)


def of_label(state: State, label_id: str) -> Sequence[Case]:
    """Cases of one label, oldest first."""
    with state.db.read() as session:
        return repositories.cases_of(session, label_id)


def answer(state: State, number: str, verdict: CaseState, text: str | None, *, actor: str) -> Case:
    """:func:`decide` for a running service."""
    return decide(state.db, number, verdict, text, actor=actor, now=state.clock())


def decide(db: Database, number: str, verdict: CaseState, text: str | None, *, actor: str, now: datetime) -> Case:
    """Take a case into review or decide it. A decision needs an answer that the reader will see.

    Raises :class:`NotFound`, :class:`UsageError`, :class:`Conflict` for a case that was decided before.
    """
    decided = verdict in {CaseState.UPHELD, CaseState.REJECTED}
    if decided and not (text or "").strip():
        raise UsageError("a decision needs an answer for the reader", code="tanba.case.answer_missing")
    with db.write() as session:
        case = _found(repositories.case(session, number.strip().upper()))
        if verdict not in _NEXT.get(CaseState(case.state), set()):
            raise Conflict(f"the case is {case.state}", code="tanba.case.decided")
        case.state = verdict
        if text:
            case.answer, case.answered_at = text.strip(), now
        audit.record(
            session, at=now, actor=actor, action="case.answered", subject=case.number, details={"state": verdict.value}
        )
    return case


def _found(case: Case | None) -> Case:
    if case is None:
        raise NotFound("no case has this number", code="tanba.case.not_found", hint="check the number")
    return case


def _number() -> str:
    text = "".join(secrets.choice(_ALPHABET) for _ in range(12))
    return f"{text[:4]}-{text[4:8]}-{text[8:]}"
