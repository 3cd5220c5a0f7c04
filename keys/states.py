"""The life of an identity: which change is allowed, and what each state may do.

    pending -> active -> retiring -> retired          and from every one of these -> revoked

A retiring identity still signs for work that began with it; it is never chosen for new work.
"""

from __future__ import annotations

from enum import StrEnum

from tanba.errors import TransitionRefused


class State(StrEnum):
    """Where an identity stands."""

    PENDING = "pending"
    ACTIVE = "active"
    RETIRING = "retiring"
    RETIRED = "retired"
    REVOKED = "revoked"


ALLOWED: frozenset[tuple[State, State]] = frozenset(
    {
        (State.PENDING, State.ACTIVE),
        (State.ACTIVE, State.RETIRING),
        (State.RETIRING, State.RETIRED),
        (State.PENDING, State.REVOKED),
        (State.ACTIVE, State.REVOKED),
        (State.RETIRING, State.REVOKED),
        (State.RETIRED, State.REVOKED),
    }
)
"""Every change there is. Revoked is final: a key that was called compromised is never trusted again."""

MAY_SIGN: frozenset[State] = frozenset({State.ACTIVE, State.RETIRING})

_WHY: dict[tuple[State, State], str] = {
    (State.PENDING, State.RETIRING): "it was never active; revoke it, or activate it first",
    (State.PENDING, State.RETIRED): "it was never active; revoke it, or activate it first",
    (State.ACTIVE, State.RETIRED): "rotate first, so that another identity takes over",
    (State.RETIRING, State.ACTIVE): "make a new key with `tanba keys rotate` instead of bringing an old one back",
    (State.RETIRED, State.ACTIVE): "make a new key with `tanba keys rotate` instead of bringing an old one back",
}


def check(name: str, old: State, new: State) -> None:
    """Raises :class:`TransitionRefused` unless ``old -> new`` is in :data:`ALLOWED`."""
    if (old, new) in ALLOWED:
        return
    hint = _WHY.get((old, new), "identities only move forward: pending, active, retiring, retired; or revoked")
    if old is State.REVOKED:
        hint = "a revoked identity stays revoked; make a new one"
    elif old is new:
        hint = f"it is {old.value} already"
    raise TransitionRefused(
        f"{name} is {old.value} and cannot become {new.value}",
        hint=hint,
        details={"identity": name, "from": old.value, "to": new.value},
    )
