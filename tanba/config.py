"""Settings that the commands share, read from the environment once, at the edge. The core takes values."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tanba.errors import UsageError
from tanba.limits import DEFAULT_LIMITS, Limits

_PREFIX = "TANBA_LIMITS__"


def limits_from_environment() -> Limits:
    """The default limits, each overridable as ``TANBA_LIMITS__<FIELD>``. Raises :class:`UsageError`."""
    changed: dict[str, Any] = {}
    for name in DEFAULT_LIMITS.__slots__:
        if raw := os.environ.get(_PREFIX + name.upper()):
            try:
                changed[name] = type(getattr(DEFAULT_LIMITS, name))(raw)
            except ValueError as error:
                raise UsageError(f"{_PREFIX}{name.upper()} must be a number") from error
    return replace(DEFAULT_LIMITS, **changed) if changed else DEFAULT_LIMITS


def timestamp_urls(environ: Mapping[str, str]) -> tuple[str, ...]:
    """``TANBA_TIMESTAMP_URL``: RFC 3161 authorities for signed reports, in order, separated by spaces; none by default."""
    return tuple(environ.get("TANBA_TIMESTAMP_URL", "").split())
