"""Uploads on their way: small ones in memory while there is room, others on the disk, and nothing left of either."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator

import pytest

from service.bodies import Spool, Spooled
from service.work import IN_MEMORY
from tanba.errors import AssetTooLarge

LIMIT = 4 * IN_MEMORY


def take(spool: Spool, content: bytes, piece: int = 64 << 10, limit: int = LIMIT) -> Spooled:
    async def chunks() -> AsyncIterator[bytes]:
        for at in range(0, len(content), piece):
            yield content[at : at + piece]

    return asyncio.run(spool.take(chunks(), name=None, limit=limit))


def where(found: Spooled) -> str:
    return "memory" if found.path is None else "disk"


@pytest.mark.parametrize(
    ("size", "place"), [(0, "memory"), (1, "memory"), (IN_MEMORY, "memory"), (IN_MEMORY + 1, "disk"), (LIMIT, "disk")]
)
def test_a_content_is_whole_wherever_it_is(tmp_path, size, place):
    content = bytes(range(256)) * (size // 256 + 1)
    found = take(Spool(tmp_path), content[:size])
    assert (where(found), found.size, found.sha256) == (place, size, hashlib.sha256(content[:size]).hexdigest())
    assert (found.data if found.path is None else found.path.read_bytes()) == content[:size]
    found.discard()
    assert not list(tmp_path.iterdir())


def test_what_finds_no_room_in_memory_goes_to_the_disk_until_others_are_gone(tmp_path):
    spool = Spool(tmp_path, memory=1000)
    first, second = take(spool, b"a" * 600, 100), take(spool, b"b" * 600, 100)
    assert (where(first), where(second)) == ("memory", "disk")
    first.discard()
    assert where(take(spool, b"c" * 1000, 100)) == "memory"


def test_what_goes_to_the_disk_or_is_refused_takes_no_room(tmp_path):
    spool = Spool(tmp_path, memory=1000)
    take(spool, b"a" * 5000, 100)
    with pytest.raises(AssetTooLarge):
        take(spool, b"b" * 800, 100, limit=700)
    assert where(take(spool, b"c" * 1000, 100)) == "memory"


def test_a_sender_that_goes_away_leaves_its_room(tmp_path):
    spool = Spool(tmp_path, memory=1000)

    async def broken() -> AsyncIterator[bytes]:
        yield b"a" * 900
        raise ConnectionError

    with pytest.raises(ConnectionError):
        asyncio.run(spool.take(broken(), name=None, limit=LIMIT))
    assert where(take(spool, b"c" * 1000, 100)) == "memory"
