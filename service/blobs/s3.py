"""Blobs in S3-compatible object storage through ``obstore`` (extra ``s3``). Conditional puts: the first writer wins."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tanba.errors import StorageError, UsageError

if TYPE_CHECKING:
    from service.config import S3Settings

_AT_ONCE = 8
"""Parallel requests of one :meth:`ObjectBlobs.put_all`."""


class ObjectBlobs:
    """Content-addressed objects under one prefix of one store of ``obstore``."""

    def __init__(self, store: Any, prefix: str = "") -> None:
        self._store = store
        self._prefix = f"{prefix}/" if prefix else ""

    @classmethod
    def s3(cls, bucket: str, prefix: str, settings: S3Settings) -> ObjectBlobs:
        """A bucket. Raises :class:`UsageError` when the extra is not installed."""
        try:
            from obstore.store import S3Store
        except ImportError as error:
            raise UsageError("object storage needs the extra: pip install 'tanba[s3]'") from error
        options: dict[str, Any] = {"region": settings.region}
        if settings.endpoint:
            options |= {"endpoint": settings.endpoint, "virtual_hosted_style_request": False}
        if settings.access_key_id and settings.secret_access_key:
            options |= {
                "access_key_id": settings.access_key_id,
                "secret_access_key": settings.secret_access_key.get_secret_value(),
            }
        client = {"allow_http": settings.allow_http, "timeout": "10s", "connect_timeout": "2s"}
        return cls(S3Store(bucket, client_options=client, retry_config={"max_retries": 2}, **options), prefix)  # type: ignore[arg-type] # obstore types its options as literals

    def _key(self, digest: str) -> str:
        return f"{self._prefix}{digest[:2]}/{digest}"

    def put_file(self, digest: str, path: Path) -> None:
        self._put(digest, path)

    def put(self, digest: str, data: bytes) -> None:
        self._put(digest, data)

    def put_all(self, items: Sequence[tuple[str, bytes | Path]]) -> None:
        with ThreadPoolExecutor(min(_AT_ONCE, max(1, len(items)))) as threads:
            list(threads.map(lambda item: self._put(*item), items))

    def keep(self, items: Sequence[tuple[str, bytes | Path]], until: datetime) -> list[str | None]:
        del until
        self.put_all(items)
        return [None] * len(items)

    def sweep(self, now: datetime) -> int:
        del now
        return 0

    def _put(self, digest: str, data: bytes | Path) -> None:
        import obstore
        from obstore.exceptions import AlreadyExistsError, BaseError

        try:
            # A conditional put cannot be a multipart upload; files here are bounded by limits.asset_bytes.
            obstore.put(self._store, self._key(digest), data, mode="create", use_multipart=False)
        except AlreadyExistsError:
            return
        except (BaseError, OSError) as error:
            raise _failed() from error

    def get(self, digest: str) -> bytes | None:
        found = self._get(digest)
        return None if found is None else bytes(found.bytes())

    def stream(self, name: str) -> Iterator[bytes] | None:
        found = self._get(name)
        return None if found is None else (bytes(chunk) for chunk in found.stream(min_chunk_size=256 << 10))

    def _get(self, digest: str) -> Any | None:
        import obstore
        from obstore.exceptions import BaseError, NotFoundError

        try:
            return obstore.get(self._store, self._key(digest))
        except (NotFoundError, FileNotFoundError):
            return None
        except (BaseError, OSError) as error:
            raise _failed() from error

    def delete(self, name: str) -> None:
        import obstore
        from obstore.exceptions import BaseError, NotFoundError

        try:
            obstore.delete(self._store, self._key(name))
        except (NotFoundError, FileNotFoundError):
            return
        except (BaseError, OSError) as error:
            raise _failed() from error

    def check(self) -> None:
        """Ask for an object that cannot be there."""
        self._get("0" * 64)


def _failed() -> StorageError:
    return StorageError("the object storage did not answer", code="tanba.storage.objects", hint="try again shortly")
