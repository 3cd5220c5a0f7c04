"""Large bytes: uploads that wait for a worker, labelled files, the largest manifest stores. The database knows their digests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote, urlsplit

from tanba.errors import UsageError

if TYPE_CHECKING:
    from service.config import S3Settings


class BlobStore(Protocol):
    """What every store can do. Names are SHA-256 digests, and what :meth:`keep` gives; an object never changes.

    Every method blocks and raises :class:`tanba.errors.StorageError` when the store fails.
    """

    def put_file(self, digest: str, path: Path) -> None:
        """Store a file under its digest, durably; nothing happens when it is there already."""
        ...

    def put(self, digest: str, data: bytes) -> None:
        """Store bytes under their digest, durably; nothing happens when they are there already."""
        ...

    def put_all(self, items: Sequence[tuple[str, bytes | Path]]) -> None:
        """Store several, durably, each as :meth:`put` or :meth:`put_file` does; after an error some may be there."""
        ...

    def keep(self, items: Sequence[tuple[str, bytes | Path]], until: datetime) -> list[str | None]:
        """Store several, durably, until then or a little longer; returns the name of each, None for its digest.

        The store may put small ones together, and forgets those by itself (:meth:`sweep`).
        """
        ...

    def sweep(self, now: datetime) -> int:
        """Forget what :meth:`keep` put together and whose time is past; returns how many objects went."""
        ...

    def get(self, digest: str) -> bytes | None:
        """All bytes, or None."""
        ...

    def stream(self, name: str) -> Iterator[bytes] | None:
        """Chunks, or None when it is not there (known before the first chunk)."""
        ...

    def delete(self, name: str) -> None:
        """Remove it; nothing happens when it is not there, or goes with others later."""
        ...

    def check(self) -> None:
        """Prove that the store answers."""
        ...


def open_store(url: str, s3: S3Settings) -> BlobStore:
    """The store of a URL. Raises :class:`UsageError` for an unknown scheme."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        from service.blobs.file import FileBlobs

        return FileBlobs(Path(unquote(parts.path)))
    if parts.scheme == "s3":
        from service.blobs.s3 import ObjectBlobs

        return ObjectBlobs.s3(parts.netloc, parts.path.strip("/"), s3)
    raise UsageError(f"blobs in {parts.scheme!r} are not supported", hint="use file:///path or s3://bucket/prefix")
