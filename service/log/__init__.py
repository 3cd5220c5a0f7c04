"""The label log: an append-only Merkle tree (RFC 6962) over the labels a service issued and withdrew.

It holds hashes, never content and never personal data. Anyone may audit it: ``docs/label-log.md``.
"""

from service.log.label_log import LabelLog
from service.log.note import NoteSigner, NoteVerifier
from service.log.record import LogEvent, LogRecord

__all__ = ["LabelLog", "LogEvent", "LogRecord", "NoteSigner", "NoteVerifier"]
