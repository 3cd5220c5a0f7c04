"""Writing results to disk so that a reader sees the whole file or none of it.

A result is written to a hidden file beside its target, flushed to the disk, and renamed. Nothing is ever written into
an existing file, through a symbolic link, or over a file that the caller did not agree to replace.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import re
import secrets
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from tanba.asset import Asset
from tanba.errors import OutputRefused
from tanba.formats.sniff import Format

_STALE_SECONDS = 24 * 3600
_SWEEP_SECONDS = 60.0
_MAX_SWEPT = 1000
_PART = re.compile(r"^\.(?P<host>[0-9a-f]{6})-(?P<pid>\d+)-[0-9a-f]{12}\.tanba-part$")


@dataclass(slots=True)
class Staged:
    """A hidden file that becomes ``target`` on :meth:`commit`, or disappears."""

    target: Path
    part: Path
    stream: BinaryIO
    replace: bool
    committed: bool = False

    def asset(self, format: Format) -> Asset:
        """What stands in the hidden file so far."""
        self.stream.flush()
        return Asset(name=self.target.name, format=format, size=self.part.stat().st_size, path=self.part)

    def commit(self) -> None:
        """Flush to disk and give the file its name, atomically. Raises :class:`OutputRefused`."""
        try:
            self.stream.flush()
            os.fsync(self.stream.fileno())
            self.stream.close()
            _permissions(self.part, self.target)
            if self.replace:
                self.part.replace(self.target)
            else:
                _link(self.part, self.target)
        except FileExistsError as error:
            raise _exists(self.target) from error
        except OSError as error:
            raise _refused(self.target, error) from error
        self.committed = True
        _sync_directory(self.target.parent)


@dataclass(slots=True)
class Buffer:
    """A result that stays in memory; same use as :class:`Staged`."""

    name: str | None = None
    stream: io.BytesIO = field(default_factory=io.BytesIO)

    def asset(self, format: Format) -> Asset:
        """What stands in the buffer so far."""
        data = self.stream.getvalue()
        return Asset(name=self.name, format=format, size=len(data), data=data)

    def commit(self) -> None:
        """Nothing to do: the caller takes the bytes."""


@contextlib.contextmanager
def stage(target: Path, *, overwrite: bool = False, source: Path | None = None) -> Iterator[Staged]:
    """A hidden file beside ``target``; it is removed on leaving unless it was committed.

    ``source`` is the input: writing over it is allowed without ``overwrite``, because the caller named the same path
    twice. Raises :class:`OutputRefused` for an existing file, a symbolic link, a directory, or a full disk.
    """
    replace = check(target, overwrite=overwrite, source=source)
    part: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _sweep_now_and_then(target.parent)
        part = target.parent / f".{_host()}-{os.getpid()}-{secrets.token_hex(6)}.tanba-part"
        descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    except OSError as error:
        raise _refused(target, error) from error
    with os.fdopen(descriptor, "w+b") as stream:
        staged = Staged(target, part, stream, replace)
        try:
            yield staged
        except OSError as error:
            raise _refused(target, error) from error
        finally:
            if not staged.committed:
                with contextlib.suppress(OSError):
                    stream.close()
                part.unlink(missing_ok=True)


def check(target: Path, *, overwrite: bool = False, source: Path | None = None) -> bool:
    """Whether ``target`` will be replaced (True) or newly made (False). Raises :class:`OutputRefused`."""
    if target.is_symlink():
        raise OutputRefused(
            f"{target.name} is a symbolic link", hint="give the path of the real file: links are never written through"
        )
    if target.is_dir():
        raise OutputRefused(f"{target.name} is a directory", hint="give a file name, or end the path with /")
    if not target.exists():
        return False
    if overwrite or (source is not None and _same(target, source)):
        return True
    raise _exists(target)


def sweep(directory: Path) -> None:
    """Remove hidden files that a killed run left: their process is gone, or they are a day old."""
    for entry in directory.glob(".*.tanba-part"):
        if (match := _PART.match(entry.name)) is None:
            continue
        orphaned = match["host"] == _host() and not _alive(int(match["pid"]))
        with contextlib.suppress(OSError):
            if orphaned or time.time() - entry.stat().st_mtime > _STALE_SECONDS:
                entry.unlink()


_swept: dict[Path, float] = {}


def _sweep_now_and_then(directory: Path) -> None:
    """Sweep a directory at most once a minute: listing it for every file would make a batch quadratic."""
    now = time.monotonic()
    if now - _swept.get(directory, -_SWEEP_SECONDS) >= _SWEEP_SECONDS:
        if len(_swept) > _MAX_SWEPT:
            _swept.clear()
        _swept[directory] = now
        sweep(directory)


def _same(left: Path, right: Path) -> bool:
    try:
        return left.samefile(right)
    except OSError:
        return False


def _host() -> str:
    """A short name of this machine, so that a process number of another one on a shared disk is not mistaken."""
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:6]


def _alive(pid: int) -> bool:
    if os.name == "nt":
        return True  # os.kill would end the process there; age alone decides
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    try:  # a killed process that nobody has buried still has its number
        return b") Z " not in Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return True


def _permissions(part: Path, target: Path) -> None:
    """A replaced file keeps its permissions; a new one has the user's default ones already."""
    with contextlib.suppress(FileNotFoundError):
        part.chmod(target.stat().st_mode & 0o777)


def _link(part: Path, target: Path) -> None:
    """Name the file without ever replacing one that appeared meanwhile; file systems without links rename."""
    try:
        os.link(part, target)
    except FileExistsError:
        raise
    except OSError:
        if target.exists():
            raise FileExistsError(target) from None
        part.rename(target)
    else:
        part.unlink()


def _sync_directory(directory: Path) -> None:
    """Make the new name durable; systems that cannot open directories do this themselves."""
    with contextlib.suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _exists(target: Path) -> OutputRefused:
    return OutputRefused(f"{target.name} exists already", hint="give another name, or --overwrite to replace it")


def _refused(target: Path, error: OSError) -> OutputRefused:
    return OutputRefused(
        f"cannot write {target.name}: {error.strerror or type(error).__name__}",
        hint="nothing was written there; check space and permissions",
    )


def hand_out(target: Staged | Buffer, sidecar: bytes | None, output: Path | None, *, replaces: bool) -> None:
    """The last step: names appear. The sidecar is staged first, so that it cannot fail after the content went out."""
    if sidecar is None or output is None:
        target.commit()
        return
    with stage(sidecar_of(output), overwrite=replaces) as beside:
        beside.stream.write(sidecar)
        beside.stream.flush()
        target.commit()
        beside.commit()


def sidecar_of(path: Path) -> Path:
    """Where the sidecar of a file stands: its whole name with ``.c2pa`` behind it."""
    return path.with_name(path.name + ".c2pa")
