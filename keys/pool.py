"""Identities kept open in a long-running process: a pass-phrase, a PIN or a connection costs once, not per label.

The keyring is looked at on every use. When it changed (a rotation, a revocation), the next use opens anew, and what was
open is closed as soon as its last user leaves. So it is when a signature failed: the session may be lost. Nothing crosses
a fork: every process keeps its own, and closes it when it ends.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from keys import keyring, opening
from keys.identity import SigningIdentity
from keys.keyring import CLAIM
from keys.providers.base import DEFAULT_SECONDS, Secrets

_Place = tuple[int, Path, str | None, str, str]
_Stamp = tuple[int, int, int]


@dataclass
class _Open:
    """One open identity. ``stack`` holds what must be closed."""

    stamp: _Stamp
    identity: SigningIdentity
    stack: ExitStack
    users: int = 0
    stale: bool = False


_lock = threading.RLock()
_kept: dict[_Place, _Open] = {}


@contextmanager
def kept_identity(
    name: str | None = None,
    *,
    home: Path | None = None,
    purpose: str = CLAIM,
    tenant: str | None = None,
    clock: Callable[[], datetime] | None = None,
    secrets: Secrets | None = None,
    seconds: float = DEFAULT_SECONDS,
) -> Iterator[SigningIdentity]:
    """Like :func:`keys.open_identity`, but the identity stays open for the next caller of this process.

    After a signature that failed it is closed, so that the next caller starts afresh; an error of the caller's own (a
    file that cannot be labelled) costs no opening. Raises what ``open_identity`` raises.
    """
    from keys.development import utc_now
    from tanba.paths import keys_dir

    folder = home or keys_dir()
    place = (os.getpid(), folder, name, purpose, tenant or "")
    with _lock:
        kept = _kept.get(place)
        stamp = _stamp(folder)
        if kept is not None and kept.stamp != stamp:
            _drop(place, kept)
            kept = None
        if kept is None:
            stack = ExitStack()
            opened = opening.open_identity(
                name, home=folder, purpose=purpose, tenant=tenant, clock=clock, secrets=secrets, seconds=seconds
            )
            kept = _kept[place] = _Open(stamp, stack.enter_context(opened), stack)
        keyring.usable(kept.identity.info, (clock or utc_now)())
        kept.users += 1
    try:
        yield kept.identity
    finally:
        with _lock:
            kept.users -= 1
            if kept.identity.key_failed:
                _drop(place, kept)
            _close_if_done(kept)


@atexit.register
def close_kept() -> None:
    """Close everything of this process that nobody uses; what is in use closes with its last user."""
    with _lock:
        for place, kept in list(_kept.items()):
            if place[0] == os.getpid():
                _drop(place, kept)


def _drop(place: _Place, kept: _Open) -> None:
    kept.stale = True
    if _kept.get(place) is kept:
        del _kept[place]
    _close_if_done(kept)


def _close_if_done(kept: _Open) -> None:
    if kept.stale and kept.users == 0:
        kept.stack.close()


def _stamp(home: Path) -> _Stamp:
    try:
        found = (home / keyring.FILE).stat()
    except OSError:
        return (0, 0, 0)
    return found.st_mtime_ns, found.st_ino, found.st_size
