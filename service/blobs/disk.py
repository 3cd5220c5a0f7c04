"""Flushing files and folders to the disk, for the stores that keep bytes there."""

from __future__ import annotations

import os
from io import FileIO
from pathlib import Path

CHUNK = 256 << 10
"""Bytes read at once."""
_sync = getattr(os, "fdatasync", os.fsync)  # macOS and Windows have no fdatasync


def flush(path: Path) -> None:
    """A file or a folder onto the disk. Windows opens no folders; its file systems log names by themselves.

    Raises OSError, as :func:`append` does.
    """
    if os.name == "nt" and path.is_dir():
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def append(file: FileIO, content: bytes) -> None:
    """Write all of it; unbuffered files may take less at once."""
    rest = memoryview(content)
    while rest:
        rest = rest[file.write(rest) :]


def settle(file: FileIO) -> None:
    """What was written to an open file, and its length, onto the disk."""
    _sync(file.fileno())
