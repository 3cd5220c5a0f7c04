"""Where an item's bytes come from: the blob store for uploads, the operator's inbox for object references.

An object reference is a key under ``<inbox>/<client id>/``; it can never name a host, another client or a parent folder.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from service.blobs import BlobStore
from service.bodies import Spool, Spooled
from tanba.errors import AssetTooLarge, AssetUnreadable, InputError, StorageError, UsageError

_CHUNK = 256 << 10
_KEY = re.compile(r"[^\x00-\x1f\x7f\\]{1,1000}\Z")


def check_key(key: str) -> str:
    """A usable object key. Raises :class:`UsageError`."""
    if not _KEY.match(key) or key.startswith("/") or any(part in {"", ".", ".."} for part in key.split("/")):
        raise UsageError("an object is named by a relative key without . and ..", code="tanba.jobs.bad_object")
    return key


@dataclass(frozen=True, slots=True)
class Inputs:
    """Fetches inputs into the spool."""

    blobs: BlobStore
    spool: Spool
    limit: int
    """Largest input, in bytes."""
    inbox_url: str | None = None
    """``file:///folder`` or ``s3://bucket/prefix``; without it object references are refused."""
    inbox_options: Any = None
    """Credentials and endpoint, as ``obstore`` takes them."""

    def fetch(self, client_id: str, key: str | None, digest: str | None, name: str | None) -> Spooled:
        """The bytes of an upload (``digest``) or of an object (``key``), hashed while they are written.

        Raises :class:`AssetUnreadable` when there is no such object, :class:`AssetTooLarge`, :class:`StorageError`.
        """
        chunks = self._object(client_id, key) if key is not None else self.blobs.stream(digest or "")
        if chunks is None:
            raise AssetUnreadable("the uploaded bytes are no longer kept", code="tanba.jobs.input_gone")
        found, size = hashlib.sha256(), 0
        with self.spool.fresh() as (path, out):
            for chunk in chunks:
                size += len(chunk)
                if size > self.limit:
                    raise AssetTooLarge(f"more than {self.limit:,} bytes")
                found.update(chunk)
                out.write(chunk)
            if key is None and found.hexdigest() != digest:
                raise StorageError("the stored upload is damaged", code="tanba.storage.lost")
        return Spooled(path, name, found.hexdigest(), size)

    def _object(self, client_id: str, key: str) -> Iterator[bytes]:
        if self.inbox_url is None:
            raise InputError(
                "this service has no inbox for object references",
                code="tanba.jobs.no_inbox",
                hint="upload the files, or the operator sets TANBA_JOBS__INBOX_URL",
            )
        try:
            import obstore
            from obstore.exceptions import BaseError, NotFoundError
            from obstore.store import from_url
        except ImportError as error:
            raise UsageError("object references need the extra: pip install 'tanba[s3]'") from error
        try:
            store = from_url(self.inbox_url, **(self.inbox_options or {}))
            found = obstore.get(store, f"{client_id}/{check_key(key)}")
            if found.meta["size"] > self.limit:
                raise AssetTooLarge(f"more than {self.limit:,} bytes")
            for chunk in found.stream(min_chunk_size=_CHUNK):
                yield bytes(chunk)
        except (NotFoundError, FileNotFoundError) as error:
            raise AssetUnreadable("there is no such object in the inbox", code="tanba.jobs.no_object") from error
        except (BaseError, OSError) as error:
            raise StorageError("the inbox did not answer", code="tanba.storage.objects") from error
