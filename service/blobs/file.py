"""Blobs as local files: temporary file, flush to disk, rename, flush of the folder; two characters of the digest make the
folders. Small contents that are kept for a while share files (:mod:`service.blobs.packs`).
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Self

from service.blobs.disk import CHUNK, flush
from service.blobs.packs import Packs, Place
from service.bodies import storage_error

_AT_ONCE = 8


class FileBlobs:
    """A folder of content-addressed files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # Disks take many flushes at once: eight of them last little longer than one.
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="tanba-blobs")
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._packs = Packs(folder / "packs")
        except OSError as error:
            raise storage_error(error) from error

    def _path(self, digest: str) -> Path:
        if len(digest) != 64 or not digest.isalnum():
            raise ValueError("a blob's key is a SHA-256 in hex")
        return self.folder / digest[:2] / digest

    def put_file(self, digest: str, path: Path) -> None:
        self._put_file(digest, path)
        self._settle([digest])

    def put(self, digest: str, data: bytes) -> None:
        self._put(digest, data)
        self._settle([digest])

    def put_all(self, items: Sequence[tuple[str, bytes | Path]]) -> None:
        if not items:
            return
        list(self._threads.map(lambda item: self._put_one(*item), items))
        self._settle([digest for digest, _ in items])

    def _settle(self, digests: Sequence[str]) -> None:
        """Flush the folders: a name is only on disk when its folder is. Each once, side by side, and also for what was there
        already: whoever put it there may not have come so far yet.
        """
        folders = {self._path(digest).parent for digest in digests}
        try:
            list(self._threads.map(flush, [self.folder, *folders]))
        except OSError as error:
            raise storage_error(error) from error

    def keep(self, items: Sequence[tuple[str, bytes | Path]], until: datetime) -> list[str | None]:
        self.put_all([(digest, content) for digest, content in items if isinstance(content, Path)])
        small = [content for _, content in items if isinstance(content, bytes)]
        places = iter(self._packs.add(small, until) if small else ())
        return [str(next(places)) if isinstance(content, bytes) else None for _, content in items]

    def _put_file(self, digest: str, path: Path) -> None:
        target = self._path(digest)
        if target.exists():
            return
        with _Part(target) as part:
            try:
                os.link(path, part.path)  # the spool is usually on the same file system: no second copy
            except OSError:
                shutil.copyfile(path, part.path)

    def _put(self, digest: str, data: bytes) -> None:
        target = self._path(digest)
        if target.exists():
            return
        with _Part(target) as part:
            part.path.write_bytes(data)

    def _put_one(self, digest: str, content: bytes | Path) -> None:
        if isinstance(content, bytes):
            self._put(digest, content)
        else:
            self._put_file(digest, content)

    def get(self, digest: str) -> bytes | None:
        try:
            return self._path(digest).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise storage_error(error) from error

    def stream(self, name: str) -> Iterator[bytes] | None:
        place = Place.parse(name)
        if place is not None:
            return self._packs.stream(place)
        try:
            source = self._path(name).open("rb")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise storage_error(error) from error

        def chunks() -> Iterator[bytes]:
            with source:
                while chunk := source.read(CHUNK):
                    yield chunk

        return chunks()

    def delete(self, name: str) -> None:
        place = Place.parse(name)
        if place is not None:
            self._packs.take_back(place)
            return
        try:
            self._path(name).unlink(missing_ok=True)
        except OSError as error:
            raise storage_error(error) from error

    def sweep(self, now: datetime) -> int:
        return self._packs.sweep(now)

    def check(self) -> None:
        """Write and remove a small file."""
        probe = self.folder / f".probe-{secrets.token_hex(6)}"
        try:
            probe.write_bytes(b"ok")
            probe.unlink()
        except OSError as error:
            raise storage_error(error) from error


class _Part:
    """A hidden file that becomes ``target`` when the block ends well, durably, and disappears otherwise."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.path = target.parent / f".{secrets.token_hex(12)}.part"

    def __enter__(self) -> Self:
        try:
            self.target.parent.mkdir(exist_ok=True, mode=0o700)
        except OSError as error:
            raise storage_error(error) from error
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        try:
            if kind is None:
                flush(self.path)
                self.path.replace(self.target)
        except OSError as failure:
            raise storage_error(failure) from failure
        finally:
            self.path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise storage_error(error) from error
