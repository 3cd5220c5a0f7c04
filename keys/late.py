"""Time stamps that come later: what was signed without one, because no authority answered, is stamped afterwards.

A sidecar gets the stamp into its signature's unsigned headers; a file with an embedded label gets an update manifest.
Only intact labels of an identity whose certificate is still valid can be stamped: a stamp proves "not later than now".
The queue is one JSON line per label in the keys folder; it names paths, and nothing of their content.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, cast

from keys import files, headers, timestamp
from keys.timestamp import Clock, Token
from keys.timestamp_relay import Timestamping
from tanba.asset import Asset
from tanba.errors import OutputRefused, StorageError, UnsupportedFormat
from tanba.limits import DEFAULT_LIMITS
from tanba.protocols import Signer
from tanba.wire import rfc3339

QUEUE = "stamp-queue.jsonl"
_MAX_LINE = 8192


@dataclass(frozen=True, slots=True)
class Waiting:
    """A label that waits for its stamp."""

    path: str
    """Absolute path of the labelled file, or of the sidecar."""
    identity: str
    label_id: str
    queued_at: str
    """RFC 3339, UTC."""
    reason: str
    """Why there was no stamp: a ``tanba.timestamp.*`` code."""


def queue(home: Path, path: Path, *, identity: str, label_id: str, reason: str, now: datetime) -> Waiting:
    """Remember a label that was signed without a stamp. Raises :class:`StorageError`."""
    waiting = Waiting(str(path.resolve()), identity, label_id, rfc3339(now), reason)
    with files.locked(home):
        _store(home, [*_load(home), waiting])
    return waiting


def queued(home: Path) -> tuple[Waiting, ...]:
    """What waits, oldest first. Raises :class:`StorageError`."""
    return tuple(_load(home))


def done(home: Path, waiting: Waiting) -> None:
    """Forget one entry."""
    with files.locked(home):
        _store(home, [item for item in _load(home) if item != waiting])


def stamp_sidecar(
    path: Path, urls: tuple[str, ...], *, seconds: float = timestamp.DEFAULT_SECONDS, clock: Clock | None = None
) -> Token:
    """Add a time stamp to the signature of a ``.c2pa`` file. Needs no key: the stamp is over the signature.

    Raises :class:`tanba.errors.TimestampError`, :class:`tanba.errors.MalformedAsset` or :class:`StorageError`.
    """
    from asn1crypto import tsp

    store = files.read(path, limit=DEFAULT_LIMITS.manifest_bytes)
    request = timestamp.build_request(headers.countersigned(store))
    token = timestamp.fetch_any(request, urls, seconds=seconds, clock=clock)
    value = cast(bytes, tsp.TimeStampResp.load(token.response)["time_stamp_token"].dump())
    files.write(path, headers.add(store, "sigTst2", {"tstTokens": [{"val": value}]}), mode=0o644)
    return token


def stamp_embedded(path: Path, signer: Signer, stamps: Timestamping) -> Token | None:
    """Add a time-stamped update manifest to a labelled file, in its place and at once.

    Raises :class:`UnsupportedFormat` for text (label it again), what the engine and the signer raise,
    :class:`tanba.errors.TimestampError`, and :class:`OutputRefused` when the file cannot be replaced.
    """
    from tanba.engine.update import update
    from tanba.formats.sniff import Kind

    asset = Asset.from_path(path)
    if asset.format.kind is Kind.TEXT:
        raise UnsupportedFormat(
            "a label inside a text cannot be updated in place",
            hint="label the original text again, now that an authority answers",
        )

    def write(url: str | None, out: BinaryIO) -> None:
        assert url is not None, "the policy is to fail without a stamp"
        with asset.open() as source:
            update(source, asset.format.media_type, signer, out, timestamp_url=url)

    _replace(path, lambda out: stamps.sign(lambda url: write(url, out)))
    return stamps.last_token


def _replace(path: Path, write: Callable[[BinaryIO], None]) -> None:
    """Write beside, flush, replace; the old file stays when anything goes wrong."""
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise OutputRefused(f"{path.name} cannot be replaced") from error
    try:
        with os.fdopen(handle, "w+b") as stream:
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).chmod(path.stat().st_mode & 0o777)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _load(home: Path) -> list[Waiting]:
    path = home / QUEUE
    return list(_lines(path)) if path.exists() else []


def _lines(path: Path) -> Iterator[Waiting]:
    try:
        with path.open("r", encoding="utf-8") as stream:
            while line := stream.readline(_MAX_LINE):
                yield Waiting(**json.loads(line))
    except (OSError, ValueError, TypeError) as error:
        raise StorageError("the queue of time stamps cannot be read", code="tanba.keys.queue", hint=QUEUE) from error


def _store(home: Path, entries: list[Waiting]) -> None:
    text = "".join(json.dumps(asdict(item), ensure_ascii=False) + "\n" for item in entries)
    files.write(home / QUEUE, text.encode("utf-8"))
