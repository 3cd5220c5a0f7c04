"""Private files: directories 0700, files 0600, written beside and then replaced, changed under a lock.

Everything secret that Tanba keeps goes through here. Nothing here logs, and no error names a file's content.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tanba.errors import CredentialError, StorageError

MAX_BYTES = 1 << 20
"""No key, chain or keyring is larger; anything above is not one."""


def private_directory(path: Path) -> Path:
    """Create a directory (and its parents) that only its owner may enter. Raises :class:`StorageError`."""
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.chmod(0o700)
    except OSError as error:
        raise StorageError(
            "the keys directory cannot be created", code="tanba.keys.unwritable", hint="check its owner and permissions"
        ) from error
    return path


def write(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Replace a file at once: readers see the old bytes or the new ones. Raises :class:`StorageError`."""
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            Path(temporary).chmod(mode)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise StorageError(f"{path.name} cannot be written", code="tanba.keys.unwritable") from error


def read(path: Path, *, secret: bool = False, limit: int = MAX_BYTES) -> bytes:
    """Read at most ``limit`` bytes. A secret that others may read is refused. Raises :class:`CredentialError`."""
    try:
        with path.open("rb") as stream:
            if secret and os.name == "posix" and stat.S_IMODE(os.fstat(stream.fileno()).st_mode) & 0o077:
                raise CredentialError(
                    f"{path.name} can be read by other users",
                    code="tanba.keys.permissions",
                    hint=f"chmod 600 on {path.name}; then change the key if others had access",
                )
            content = stream.read(limit + 1)
    except OSError as error:
        raise CredentialError(
            f"{path.name} cannot be read", code="tanba.keys.unreadable", hint="does it exist, and may you read it?"
        ) from error
    if len(content) > limit:
        raise CredentialError(f"{path.name} is too large", code="tanba.keys.too_large")
    return content


@contextlib.contextmanager
def locked(directory: Path, *, seconds: float = 10.0) -> Iterator[None]:
    """Hold the directory's lock, across threads and processes. Raises :class:`StorageError` after ``seconds``."""
    from filelock import FileLock, Timeout

    private_directory(directory)
    try:
        with FileLock(directory / ".lock", timeout=seconds, mode=0o600):
            yield
    except Timeout as error:
        raise StorageError("another process is changing the keyring", code="tanba.keys.locked") from error
