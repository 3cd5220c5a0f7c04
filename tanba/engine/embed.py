"""Embedding a manifest into JPEG and PNG ourselves, when the file provably holds none yet: half the cost of the engine.

The engine reads a JPEG three times to place and hash a manifest. Here the manifest is inserted as one block, so the
hard binding over the output without that block *is* the digest of the input, computed once. The block's length must be
known before signing; it is estimated from the last label of the same shape and met exactly with COSE padding.
Everything else, and whatever does not fit, goes to the engine. The labeler reads every output
back through the engine, so a mistake here could not leave the house.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

from tanba.engine import places
from tanba.engine.write import DataHash, Ingredient, StoredIngredient, sign_detached
from tanba.engine.write import sign as sign_by_engine
from tanba.jumbf import Repadder
from tanba.protocols import Signer

_CHUNK = 1 << 20
_SEGMENT = 65_517
"""Payload of one APP11 segment: 65,535 less length, CI, En, Z and the repeated box header (ISO/IEC 19566-5 annex D)."""
_SEGMENT_HEADER = 20
_SLACK = 48
"""Bytes declared beyond the estimate: the padding's own header (6 to 9) and the spread between signatures."""
_TRIES = 4
_MAX_ESTIMATES = 256

_lock = threading.Lock()
_estimates: OrderedDict[tuple[object, ...], int] = OrderedDict()


def sign(
    source: BinaryIO,
    media_type: str,
    definition: Mapping[str, Any],
    signer: Signer,
    destination: BinaryIO,
    *,
    ingredients: Sequence[Ingredient | StoredIngredient] = (),
    timestamp_url: str | None = None,
    digest: bytes | None = None,
) -> bytes:
    """Embed a signed manifest into a copy of ``source``; the raw manifest store is returned.

    Same contract as :func:`tanba.engine.write.sign`, which does it wherever this module cannot. ``digest`` is the
    SHA-256 of ``source`` when the caller knows it; a wrong one would be signed, and found by reading back.
    """
    at = insertion_point(source, media_type)
    if at is not None:
        job = _Job(media_type, at, digest or _digest(source), definition, signer, tuple(ingredients), timestamp_url)
        store = job.run()
        if store is not None:
            _write(source, destination, at, block(media_type, store))
            return store
    source.seek(0)
    return sign_by_engine(
        source, media_type, definition, signer, destination, ingredients=ingredients, timestamp_url=timestamp_url
    )


def insertion_point(source: BinaryIO, media_type: str) -> int | None:
    """The offset at which a manifest may be inserted; None when the file is no JPEG or PNG, not understood, or already
    holds JUMBF (C2PA 2.4 annex A.3.1: APP11 segments; A.3.2: ``caBX`` before the image data).
    """
    if media_type not in ("image/jpeg", "image/png"):
        return None
    size = source.seek(0, 2)
    source.seek(0)
    ranges = places.store_ranges(source, size, media_type)
    if ranges is None or ranges:
        return None
    source.seek(0)
    head = source.read(33)
    if media_type == "image/png":
        return 33 if head[8:16] == b"\0\0\0\x0dIHDR" else None
    # JFIF wants its APP0 segment directly after SOI.
    if head[2:4] == b"\xff\xe0":
        return 4 + int.from_bytes(head[4:6])
    return 2


def block(media_type: str, store: bytes) -> bytes:
    """The bytes that carry a store in the container."""
    if media_type == "image/png":
        import zlib

        body = b"caBX" + store
        return len(store).to_bytes(4) + body + zlib.crc32(body).to_bytes(4)
    header, body = store[:8], store[8:]
    pieces = [body[start : start + _SEGMENT] for start in range(0, len(body), _SEGMENT)]
    return b"".join(
        b"\xff\xeb" + (len(piece) + 18).to_bytes(2) + b"JP\0\x01" + number.to_bytes(4) + header + piece
        for number, piece in enumerate(pieces, start=1)
    )


def block_length(media_type: str, store_length: int) -> int:
    """The length of :func:`block` for a store of that many bytes."""
    if media_type == "image/png":
        return 12 + store_length
    return store_length - 8 + _SEGMENT_HEADER * -(-(store_length - 8) // _SEGMENT)


def padded(padder: Repadder, bare_store: bytes, gap: int) -> bytes | None:
    """A store without COSE padding, grown by exactly ``gap`` bytes of zero padding; None when no padding is that long.

    ``padder`` is of that store, with any padding.

    The entry ``"pad": h'00...'`` takes five, six or seven bytes beside its zeros (RFC 8949 section 3: the length of a
    byte string's head depends on its length).
    """
    if gap == 0:
        return bare_store
    for head in (5, 6, 7):
        zeros = gap - head
        if zeros >= 0 and head == 5 + (zeros > 23) + (zeros > 255):
            grown = padder.build(bytes(zeros))
            return grown if len(grown) == len(bare_store) + gap else None
    return None


class _Job:
    """One signing with a declared block length."""

    def __init__(
        self,
        media_type: str,
        at: int,
        digest: bytes,
        definition: Mapping[str, Any],
        signer: Signer,
        ingredients: tuple[Ingredient | StoredIngredient, ...],
        timestamp_url: str | None,
    ) -> None:
        self.media_type, self.at, self.digest = media_type, at, digest
        self.definition, self.signer = definition, signer
        self.ingredients, self.timestamp_url = ingredients, timestamp_url
        self.key = (media_type, signer.algorithm, len(signer.chain_pem), len(json.dumps(definition)), timestamp_url,
                    len(ingredients))  # fmt: skip

    def run(self) -> bytes | None:
        """The fitted store: one signature in the common case, two for a new shape; None when it will not fit."""
        length = _estimates.get(self.key) or self.measure(self.sign(1 << 12).build(None)) + _SLACK
        for _ in range(_TRIES):
            padder = self.sign(length)
            bare = padder.build(None)
            fitted = padded(padder, bare, length - self.measure(bare))
            if fitted is not None:
                self._remember(length)
                return fitted
            length = max(length + 1, self.measure(bare) + _SLACK)
        return None

    def sign(self, length: int) -> Repadder:
        """Sign with a hard binding that leaves out ``length`` bytes at the insertion point."""
        for item in self.ingredients:
            if isinstance(item, Ingredient):
                item.stream.seek(0)
        binding = DataHash(self.digest, ((self.at, length),), name="jumbf manifest")
        store = sign_detached(
            b"",
            self.definition,
            self.signer,
            data_hash=binding,
            ingredients=self.ingredients,
            timestamp_url=self.timestamp_url,
        )
        return Repadder.of(store)

    def measure(self, store: bytes) -> int:
        return block_length(self.media_type, len(store))

    def _remember(self, length: int) -> None:
        with _lock:
            _estimates[self.key] = length
            while len(_estimates) > _MAX_ESTIMATES:
                _estimates.popitem(last=False)


def _digest(source: BinaryIO) -> bytes:
    digest = hashlib.sha256()
    source.seek(0)
    while chunk := source.read(_CHUNK):
        digest.update(chunk)
    return digest.digest()


def _write(source: BinaryIO, destination: BinaryIO, at: int, inserted: bytes) -> None:
    source.seek(0)
    destination.write(source.read(at))
    destination.write(inserted)
    while chunk := source.read(_CHUNK):
        destination.write(chunk)
