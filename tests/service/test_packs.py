"""Packs: small contents that are kept for a while share files, durably, and go with them when their time is past."""

from __future__ import annotations

import errno
import os
import secrets
import stat
import threading
from datetime import UTC, datetime, timedelta

import pytest

from service.blobs import disk
from service.blobs.packs import Packs, Place
from tanba.errors import StorageError

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


@pytest.fixture
def packs(tmp_path) -> Packs:
    return Packs(tmp_path / "packs")


def read(packs: Packs, place: Place) -> bytes | None:
    chunks = packs.stream(place)
    return None if chunks is None else b"".join(chunks)


def names(packs: Packs) -> list[str]:
    return sorted(path.name for path in packs.folder.iterdir())


def test_contents_of_every_size_come_back_and_share_one_file(packs):
    contents = [secrets.token_bytes(size) for size in (1, 700_000, 0, 4096, 300_000)]
    places = [*packs.add(contents[:3], NOW), *packs.add(contents[3:], NOW)]
    assert [read(packs, place) for place in places] == contents
    assert names(packs) == [places[0].pack]
    assert (packs.folder / places[0].pack).stat().st_size == sum(map(len, contents))


def test_a_pack_holds_what_may_be_forgotten_within_the_same_hour_and_goes_then(packs):
    ends = [NOW, NOW + timedelta(minutes=1), NOW + timedelta(minutes=59), NOW + timedelta(minutes=61)]
    first, second, third, fourth = (packs.add([b"x"], end)[0] for end in ends)
    assert len(names(packs)) == 3
    assert second.pack == third.pack
    assert packs.sweep(NOW) == 0, "what is kept until a moment is there at that moment"
    assert packs.sweep(NOW + timedelta(seconds=1)) == 1
    assert [read(packs, place) for place in (first, second, fourth)] == [None, b"x", b"x"]
    assert packs.sweep(NOW + timedelta(hours=1)) == 0
    assert packs.sweep(NOW + timedelta(hours=1, seconds=1)) == 1
    assert [read(packs, place) for place in (third, fourth)] == [None, b"x"]
    assert packs.sweep(NOW + timedelta(hours=3)) == 1
    assert names(packs) == []


def test_a_reader_that_began_before_the_pack_went_reads_to_the_end(packs):
    content = secrets.token_bytes(1_000_000)
    chunks = packs.stream(packs.add([content], NOW)[0])
    assert packs.sweep(NOW + timedelta(days=1)) == 1
    assert b"".join(chunks) == content


def test_only_packs_are_swept(packs):
    others = ["readme.txt", "1-0123456789abcde", "1-0123456789ABCDEF", "x1-0123456789abcdef"]
    for name in others:
        (packs.folder / name).write_text("mine")
    (packs.folder / "1-0123456789abcdef").write_text("a pack of 1970")
    assert packs.sweep(NOW) == 1
    assert names(packs) == sorted(others)


def test_two_processes_never_write_into_one_pack(packs):
    other = Packs(packs.folder)
    mine, theirs = packs.add([b"mine"], NOW)[0], other.add([b"theirs"], NOW)[0]
    assert mine.pack != theirs.pack
    assert (read(other, mine), read(packs, theirs)) == (b"mine", b"theirs")
    packs.take_back(theirs)
    assert read(packs, theirs) == b"theirs", "only who wrote it may cut it off"


def test_the_last_content_can_be_taken_back_and_no_other(packs):
    first, second, third = packs.add([b"1" * 10, b"2" * 20, b"3" * 30], NOW)
    packs.take_back(first)
    assert read(packs, first) == b"1" * 10
    packs.take_back(third)
    packs.take_back(third)
    assert (packs.folder / first.pack).stat().st_size == 30
    fourth = packs.add([b"4" * 5], NOW)[0]
    assert (fourth.pack, fourth.start) == (first.pack, 30)
    assert [read(packs, place) for place in (first, second, fourth)] == [b"1" * 10, b"2" * 20, b"4" * 5]
    for place in (fourth, second, first):
        packs.take_back(place)
    assert names(packs) == [], "a pack of nothing is no file"
    again = packs.add([b"again"], NOW)[0]
    assert read(packs, again) == b"again"


def test_bytes_are_on_disk_before_anyone_is_told_and_so_is_a_new_packs_name(packs, monkeypatch):
    seen: list[str] = []
    fsync = os.fsync

    def settled(descriptor: int) -> None:
        seen.append(f"bytes {os.fstat(descriptor).st_size}")

    def flushed(descriptor: int) -> None:
        assert stat.S_ISDIR(os.fstat(descriptor).st_mode)
        seen.append("name")
        fsync(descriptor)

    monkeypatch.setattr(disk, "_sync", settled)
    monkeypatch.setattr(os, "fsync", flushed)
    packs.add([b"123", b"45"], NOW)
    packs.add([b"6"], NOW)
    assert seen == ["bytes 5", "name", "bytes 6"]


@pytest.mark.parametrize("step", ["write", "bytes", "name"])
def test_when_the_disk_refuses_nothing_was_added_and_what_was_there_stays(packs, monkeypatch, step):
    first = packs.add([b"first"], NOW)[0] if step != "name" else None

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        if step == "write":
            wrote: list[bytes] = []

            def half(file, content: bytes) -> None:
                if wrote:
                    refuse()
                wrote.append(content)
                file.write(content[:2])

            patch.setattr("service.blobs.packs.append", half)
        else:
            patch.setattr("service.blobs.packs.settle" if step == "bytes" else "service.blobs.packs.flush", refuse)
        with pytest.raises(StorageError) as caught:
            packs.add([b"second", b"third"], NOW)
    assert caught.value.code == "tanba.storage.full"
    if first is not None:
        assert (packs.folder / first.pack).read_bytes() == b"first"
    fourth = packs.add([b"fourth"], NOW)[0]
    assert read(packs, fourth) == b"fourth"
    assert first is None or fourth.pack != first.pack
    assert all((packs.folder / name).read_bytes() in {b"first", b"fourth"} for name in names(packs))


def test_a_pack_that_lost_its_end_is_an_error_and_no_short_answer(packs):
    place = packs.add([b"0123456789"], NOW)[0]
    os.truncate(packs.folder / place.pack, 9)
    with pytest.raises(StorageError) as caught:
        packs.stream(place)
    assert caught.value.code == "tanba.storage.lost"


def test_many_threads_at_once_each_get_their_own_bytes_back(packs):
    found: list[bool] = []

    def work(number: int) -> None:
        for turn in range(10):
            contents = [bytes([number]) * (turn * 100 + 1), secrets.token_bytes(50)]
            found.append([read(packs, place) for place in packs.add(contents, NOW)] == contents)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 60


@pytest.mark.parametrize(
    "text",
    [
        "", "1/0/1", "../1-0123456789abcdef/0/1", "1-0123456789abcdef/../1", "1-0123456789abcdef/0/1\n",
        "1-0123456789abcdef/-1/1", "1-0123456789abcdef/0", "١-0123456789abcdef/0/1", "a" * 64,
    ],
)  # fmt: skip
def test_what_is_no_place_is_not_read_as_one(text):
    assert Place.parse(text) is None


def test_a_place_is_read_as_it_was_written(packs):
    place = packs.add([b"x", b"yz"], NOW)[1]
    assert Place.parse(str(place)) == place
    assert len(str(Place("9" * 12 + "-" + "f" * 16, 10**15 - 1, 10**12 - 1))) <= 80, "the column's width"
