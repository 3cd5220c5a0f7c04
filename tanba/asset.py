"""An asset: bytes or a path, with its sniffed format, size and lazy SHA-256. Opening it never decodes pixels."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from tanba.errors import AssetTooLarge, AssetUnreadable
from tanba.formats.sniff import Format, sniff
from tanba.limits import DEFAULT_LIMITS, Limits

_HEAD = 4096
_CHUNK = 1 << 20


@dataclass(slots=True, eq=False)
class Asset:
    """One input. ``name`` is a bare file name for people (never a path); bytes come from ``data`` or ``path``."""

    name: str | None
    format: Format
    size: int
    path: Path | None = None
    data: bytes | None = field(default=None, repr=False)
    _sha256: str | None = field(default=None, repr=False)

    @classmethod
    def from_bytes(cls, data: bytes, *, name: str | None = None, limits: Limits = DEFAULT_LIMITS) -> Asset:
        """Wrap bytes. Raises :class:`AssetTooLarge`."""
        _check_size(len(data), limits)
        return cls(name=name, format=sniff(data[:_HEAD], name=name), size=len(data), data=data)

    @classmethod
    def from_path(cls, path: Path, *, limits: Limits = DEFAULT_LIMITS) -> Asset:
        """Wrap a file. Raises :class:`AssetUnreadable` or :class:`AssetTooLarge`."""
        try:
            with path.open("rb") as stream:
                size = stream.seek(0, io.SEEK_END)
                _check_size(size, limits)
                stream.seek(0)
                head = stream.read(_HEAD)
        except OSError as error:
            raise AssetUnreadable(
                f"cannot read {path.name}: {error.strerror or 'I/O error'}", hint="check that the file exists"
            ) from error
        return cls(name=path.name, format=sniff(head, name=path.name), size=size, path=path)

    def open(self) -> BinaryIO:
        """A fresh readable, seekable stream at position 0; the caller closes it."""
        if self.data is not None:
            return io.BytesIO(self.data)
        assert self.path is not None
        try:
            return self.path.open("rb")
        except OSError as error:
            raise AssetUnreadable(f"cannot read {self.path.name}: {error.strerror or 'I/O error'}") from error

    def read(self) -> bytes:
        """All bytes, kept for later calls only when they came as bytes."""
        if self.data is not None:
            return self.data
        with self.open() as stream:
            return stream.read()

    @property
    def sha256(self) -> str:
        """SHA-256 of all bytes, lower-case hex; computed once."""
        if self._sha256 is None:
            if self.data is not None:
                self._sha256 = hashlib.sha256(self.data).hexdigest()
            else:
                with self.open() as stream:
                    self._sha256 = _digest(stream)
        return self._sha256


def _check_size(size: int, limits: Limits) -> None:
    if size > limits.asset_bytes:
        raise AssetTooLarge(
            f"{size:,} bytes are more than the limit of {limits.asset_bytes:,}",
            hint="raise TANBA_LIMITS__ASSET_BYTES if you trust the source",
        )


def _digest(stream: BinaryIO) -> str:
    digest = hashlib.sha256()
    while chunk := stream.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()
