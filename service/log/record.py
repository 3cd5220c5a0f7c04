"""What one entry of the log stands for, and the exact bytes that are hashed.

The tree holds only the hash of these bytes. The record itself stands in the receipt and in an auditor's export; it names
hashes, a random label identifier, dates and codes: no content, no file name, no person.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from service.log.merkle import Hash, leaf_hash
from tanba.errors import InputError

_TEXTS = ("label_id", "input_sha256", "output_sha256", "manifest_sha256", "kind", "identity", "at")
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def canonical(record: Mapping[str, Any]) -> bytes:
    """The bytes of a record that are hashed."""
    return _CANONICAL.encode(record).encode()


class LogEvent(StrEnum):
    ISSUED = "issued"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One event. Field order does not matter: the bytes are canonical JSON (RFC 8785 for this ASCII-only shape)."""

    event: LogEvent
    label_id: str
    """``urn:c2pa:<uuid>``: its 122 random bits keep anyone from guessing a record out of its hash."""
    input_sha256: str
    output_sha256: str
    manifest_sha256: str
    kind: str
    """What was disclosed: generated, modified, composite, assisted, human."""
    profiles: tuple[str, ...]
    identity: str
    """SHA-256 fingerprint of the signing certificate, not a name."""
    at: str = ""
    """RFC 3339 UTC; set by the log when the entry is appended, never earlier than the entry before."""

    def to_dict(self) -> dict[str, Any]:
        """The JSON object, profiles sorted."""
        plain: dict[str, Any] = {name: getattr(self, name) for name in _TEXTS}
        return plain | {"event": str(self.event), "profiles": sorted(self.profiles), "v": 1}

    def to_bytes(self) -> bytes:
        """What is hashed."""
        return canonical(self.to_dict())

    @property
    def leaf(self) -> Hash:
        """The leaf hash in the tree."""
        return leaf_hash(self.to_bytes())

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> LogRecord:
        """Read a record out of a receipt or an export. Raises :class:`InputError`."""
        try:
            if data["v"] != 1:
                raise ValueError("unknown version")
            texts = {name: str(data[name]) for name in _TEXTS}
            profiles = tuple(str(profile) for profile in data["profiles"])
            return cls(event=LogEvent(data["event"]), profiles=profiles, **texts)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError("this is not a record of the label log", code="tanba.log.record_malformed") from error
