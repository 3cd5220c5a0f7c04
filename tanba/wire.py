"""Reports and receipts as JSON: one shape for ``--json``, HTTP bodies and stored rows (``docs/contracts.md``)."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from typing import Any


def rfc3339(moment: datetime) -> str:
    """RFC 3339, UTC, whole seconds unless there are fractions, with ``Z``."""
    text = moment.astimezone(UTC).isoformat()
    return text.removesuffix("+00:00") + "Z"


_PLAIN = frozenset({str, int, float, bool, type(None)})


@cache
def _fields(kind: type) -> tuple[str, ...] | None:
    """Field names of a dataclass, None for any other type; looked up once, because reports hold hundreds of values."""
    return tuple(item.name for item in dataclasses.fields(kind)) if dataclasses.is_dataclass(kind) else None


def to_plain(value: Any) -> Any:
    """Frozen dataclasses, enums, times and tuples as JSON types; unknown objects raise TypeError."""
    kind: type = type(value)
    if kind in _PLAIN:
        return value
    names = _fields(kind)
    if names is not None:
        return {name: to_plain(getattr(value, name)) for name in names}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [to_plain(item) for item in value]
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    raise TypeError(f"{type(value).__name__} has no JSON form")


def to_json(value: Any, *, indent: int | None = 2) -> str:
    """JSON text; non-ASCII kept, lone surrogates escaped so that the text always encodes as UTF-8."""
    plain = to_plain(value)
    text = json.dumps(plain, ensure_ascii=False, indent=indent)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return json.dumps(plain, ensure_ascii=True, indent=indent)
    return text


def to_compact(value: Any) -> bytes:
    """JSON without blanks as UTF-8, for machines; what :func:`to_json` writes otherwise. Lone surrogates are escaped."""
    try:
        return _COMPACT.encode(value).encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":"), default=_members).encode()


def _members(value: Any) -> Any:
    """What the JSON encoder does not know, one level deep: it calls again for what is inside. Cheaper than :func:`to_plain`."""
    kind: type = type(value)
    names = _fields(kind)
    if names is not None:
        return {name: getattr(value, name) for name in names}
    if isinstance(value, Mapping):
        return {str(key): item for key, item in value.items()}
    if isinstance(value, (set, frozenset)):
        return list(value)
    return to_plain(value)


_COMPACT = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":"), default=_members)
