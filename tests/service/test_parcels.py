"""Values between the service and its workers arrive whole, whatever their size, and contents arrive as bytes."""

from __future__ import annotations

import asyncio
import os
import pickle
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from service import parcels
from service.work import FileRef, LabelDone
from tanba.model import Carrier, IdentityRef, LabelReceipt
from tanba.wire import to_plain

SIZES = [0, 1, 4095, 4096, 70_000, 500_000, parcels.ROOM, 3 << 20]


def file(data: bytes | None) -> FileRef:
    return FileRef(path=None if data else Path("spool/x.part"), name="a.jpg", sha256="0" * 64, size=7, data=data)


@pytest.fixture
def ends():
    here, there = parcels.pair()
    with here, there:
        yield here, there


def sent(ends, value):
    """What arrives of a value that one thread sends and another receives."""
    thread = threading.Thread(target=parcels.send, args=(ends[0], parcels.pack(value)))
    thread.start()
    try:
        return parcels.unpack(parcels.receive(ends[1]))
    finally:
        thread.join()


def asent(ends, value):
    """The same between two tasks of an event loop."""

    async def both():
        for end in ends:
            end.setblocking(False)
        room = bytearray(parcels.ROOM)
        _, found = await asyncio.gather(parcels.asend(ends[0], parcels.pack(value)), parcels.areceive(ends[1], room))
        return parcels.unpack(found)

    return asyncio.run(both())


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("how", [sent, asent])
def test_a_value_arrives_as_it_was_sent(ends, how, size):
    value = ("task", {"n": 1}, os.urandom(size))
    assert how(ends, value) == value


@pytest.mark.parametrize("size", SIZES[1:])
@pytest.mark.parametrize("how", [sent, asent])
def test_a_content_travels_beside_the_pickle_and_arrives_as_bytes(ends, how, size):
    data = os.urandom(size)
    _, body, *apart = parcels.pack(file(data))
    assert [bytes(part) for part in apart] == ([data] if size >= 4096 else [])
    assert len(body) < 1000 + (size if size < 4096 else 0)
    found = how(ends, file(data))
    assert found == file(data)
    assert type(found.data) is bytes


@pytest.mark.parametrize("how", [sent, asent])
def test_more_contents_than_a_header_counts_arrive_too(ends, how):
    many = [file(os.urandom(5000)) for _ in range(11)]
    assert how(ends, many) == many


@pytest.mark.parametrize("how", [sent, asent])
def test_what_lies_in_the_spool_is_named_not_sent(ends, how):
    assert how(ends, file(None)) == file(None)


@pytest.mark.parametrize("content", [os.urandom(9000), Path("spool/out.part")])
def test_a_label_arrives_whole(ends, content):
    receipt = LabelReceipt(
        label_id="urn:c2pa:x", input_sha256="1" * 64, output_sha256="2" * 64, manifest_sha256="3" * 64,
        media_type="image/jpeg", carrier=Carrier.EMBEDDED, profile=("eu",), layers=("c2pa",),
        identity=IdentityRef("dev", "4" * 64), claimed_at=datetime(2026, 11, 25, tzinfo=UTC),
    )  # fmt: skip
    done = LabelDone(to_plain(receipt), os.urandom(20_000), content, 9000)
    assert sent(ends, done) == done


@pytest.mark.parametrize("cut", [0, 10, 63, 64, 100, 5000])
def test_an_end_that_closes_in_the_middle_is_an_error(ends, cut):
    whole = b"".join(parcels.pack(file(os.urandom(9000))))
    ends[0].sendall(whole[:cut])
    ends[0].close()
    with pytest.raises(EOFError):
        parcels.receive(ends[1])


@pytest.mark.parametrize("cut", [0, 10, 63, 64, 100, 5000])
def test_an_end_that_closes_in_the_middle_is_an_error_on_an_event_loop(ends, cut):
    whole = b"".join(parcels.pack(file(os.urandom(9000))))
    ends[0].sendall(whole[:cut])
    ends[0].close()
    ends[1].setblocking(False)
    with pytest.raises(EOFError):
        asyncio.run(parcels.areceive(ends[1], bytearray(parcels.ROOM)))


def test_what_cannot_be_pickled_says_so_before_anything_is_sent():
    with pytest.raises((TypeError, AttributeError, pickle.PicklingError)):
        parcels.pack(threading.Lock())
