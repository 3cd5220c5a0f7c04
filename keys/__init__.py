"""Signing identities: made, kept, opened, rotated, revoked; and the time stamps that outlive them.

This folder holds code. Keys live in the user's data directory (``tanba.paths.keys_dir()``), never here.
"""

from __future__ import annotations

from keys.history import Use, record_use, record_uses
from keys.identity import SigningIdentity
from keys.keyring import IdentityInfo
from keys.late import queue_stamp
from keys.lifecycle import ensure_development_identity
from keys.opening import list_identities, open_identity
from keys.pool import close_kept, kept_identity
from keys.states import State
from keys.timestamp_relay import timestamping

__all__ = [
    "IdentityInfo",
    "SigningIdentity",
    "State",
    "Use",
    "close_kept",
    "ensure_development_identity",
    "kept_identity",
    "list_identities",
    "open_identity",
    "queue_stamp",
    "record_use",
    "record_uses",
    "timestamping",
]
