"""Whether this process signs checkpoints with the key that the log was begun with.

A second key under the same name would be a second log: a server or a worker on another machine that made a key of its own,
or a key that was lost. Every receipt holds a signed checkpoint, so the newest one tells.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from service.db import repositories
from service.db.session import Database
from service.log import LabelLog
from service.log.note import NoteVerifier
from service.log.store import Damaged
from tanba.errors import InputError


def check(session: Session, log: LabelLog) -> None:
    """Raises :class:`Damaged` (``tanba.log.key_changed``) when the newest label was logged with another key."""
    note = repositories.newest_checkpoint(session)
    if note is None:
        return
    try:
        NoteVerifier.parse(log.key).open(note)
    except InputError as error:
        raise Damaged(
            "log.key is not the key that signed this label log so far",
            code="tanba.log.key_changed",
            hint="copy log.key from the server that began the log, or from its backup, into the service's folder; if it "
            "is lost for good, start once with TANBA_ACCEPT_LOG_KEY=true and tell your auditors",
        ) from error


def require(database: Database, log: LabelLog, *, accept: bool) -> None:
    """:func:`check` before the first label. ``accept``: the operator knows, and begins with another key."""
    if not accept:
        with database.read() as session:
            check(session, log)
