"""Named trust lists: public certificates that the user chose, with source, date and purpose. Nothing is built in."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from tanba.errors import TrustError
from tanba.report import TrustListRef

DEFAULT_EKUS: tuple[str, ...] = (
    "1.3.6.1.5.5.7.3.4",  # emailProtection
    "1.3.6.1.5.5.7.3.36",  # documentSigning
    "1.3.6.1.4.1.62558.2.1",  # c2pa claim signing
    "1.3.6.1.4.1.311.76.59.1.9",  # Microsoft C2PA signing
    "1.3.6.1.5.5.7.3.8",  # timeStamping
    "1.3.6.1.5.5.7.3.9",  # OCSPSigning
)
"""The six extended key usages of the published ``store.cfg`` (C2PA 2.4 section 14.4.1)."""

URI_PREFIX = "https://tanba.invalid/trust/"
"""Internal names by which the engine tells us which list matched; ``.invalid`` can never be fetched (RFC 2606)."""


class Purpose(StrEnum):
    """What a list may vouch for. Signer trust and time-stamp trust are separate questions."""

    MANIFEST = "manifest"
    TSA = "tsa"
    CAWG = "cawg"


@lru_cache(maxsize=64)
def _digest(parts: tuple[str, ...]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class TrustList:
    """One named list of anchors (PEM), and optionally of end-entity certificates (``allowed_pem``)."""

    name: str
    purpose: Purpose
    anchors_pem: str
    source: str | None = None
    """Where the user got it, in words or as a URL; never fetched from here."""
    date: str | None = None
    """ISO date of the snapshot."""
    dated: bool = True
    """False when nobody gave a date and the day of adding stands in for it."""
    allowed_pem: str | None = None
    """End-entity certificates (or base64 SHA-256 lines) that are trusted directly."""
    frozen: bool = False
    """The list's publisher no longer maintains it (the interim list)."""
    ekus: tuple[str, ...] | None = None
    """Extended key usages that this list vouches for; None: those of the store (C2PA 2.4 section 14.4.1)."""

    @property
    def sha256(self) -> str:
        """SHA-256 of the list's file, lower-case hex; of a list of two files, over both with a zero byte between."""
        return _digest(tuple(text for text in (self.anchors_pem, self.allowed_pem) if text))

    @property
    def uri(self) -> str:
        """The name under which the engine knows this list."""
        return f"{URI_PREFIX}{self.purpose.value}/{self.sha256[:16]}"

    @property
    def ref(self) -> TrustListRef:
        return TrustListRef(self.name, self.date, self.sha256, self.source, self.purpose.value, self.dated)

    @classmethod
    def from_file(
        cls, name: str, path: Path, *, purpose: Purpose = Purpose.MANIFEST, date: str | None = None
    ) -> TrustList:
        """Read a PEM file. Raises :class:`TrustError` when it is unreadable or holds no certificate."""
        try:
            text = path.read_bytes().decode("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise TrustError(
                f"the trust list {name!r} cannot be read", hint="give a PEM file with CERTIFICATE blocks"
            ) from error
        if "-----BEGIN CERTIFICATE-----" not in text:
            raise TrustError(f"the trust list {name!r} holds no certificate", hint="give a PEM file")
        return cls(name=name, purpose=purpose, anchors_pem=text, source=path.name, date=date)


@dataclass(frozen=True, slots=True)
class TrustStore:
    """All lists of one verification. The empty store is a valid, explicit choice: every signer is then unknown."""

    lists: tuple[TrustList, ...] = ()
    ekus: tuple[str, ...] = DEFAULT_EKUS

    @classmethod
    def empty(cls) -> TrustStore:
        return cls()

    @property
    def digest(self) -> str:
        """One digest over all lists, their purposes and the EKUs; part of every cache key and report."""
        parts = [f"{item.purpose.value}:{item.name}:{item.sha256}:{item.ekus or ''}" for item in self.lists]
        return hashlib.sha256("\n".join([*sorted(parts), *self.ekus]).encode()).hexdigest()

    @property
    def engine_ekus(self) -> tuple[str, ...]:
        """Every usage that some list accepts: the engine knows one set only; :func:`tanba.x509.find_path` narrows it."""
        own = (usage for item in self.lists for usage in item.ekus or ())
        return tuple(dict.fromkeys((*self.ekus, *own)))

    def of(self, purpose: Purpose) -> tuple[TrustList, ...]:
        return tuple(item for item in self.lists if item.purpose is purpose)

    def by_uri(self, uri: str) -> TrustList | None:
        """The list an engine named in its ``trustListUri``, or None."""
        return next((item for item in self.lists if item.uri == uri), None)

    def refs(self) -> tuple[TrustListRef, ...]:
        return tuple(item.ref for item in self.lists)

    def plus(self, *lists: TrustList) -> TrustStore:
        return TrustStore((*self.lists, *lists), self.ekus)
