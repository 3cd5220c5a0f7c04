"""How often Python looks for reference cycles in processes that are ours alone; a library leaves that to its host."""

from __future__ import annotations

import gc

_OBJECTS = 20_000
"""New objects between two looks. With Python's own 700 they cost a tenth of the check of a small picture."""


def collect_rarely(*, freeze: bool = False) -> None:
    """Look for cycles less often; with ``freeze``, never among what is there already (imported modules)."""
    if freeze:
        gc.freeze()
    gc.set_threshold(_OBJECTS, 10, 10)
