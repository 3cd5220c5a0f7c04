"""Worker processes: a bomb costs its own slot, a killed worker is an answer, a full queue is an answer."""

from __future__ import annotations

import asyncio
import os
import signal
import time

import pytest

from service.isolation import Workers
from service.problems import Overloaded, WorkerDied
from tanba.errors import Deadline, MalformedAsset


def spin(seconds: float) -> str:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        pass
    return "done"


def eat(size: int) -> int:
    return len(bytearray(size))


def die(number: int) -> None:
    os.kill(os.getpid(), number)


def fail() -> None:
    raise MalformedAsset("broken", hint="send another", details={"at": 7})


@pytest.fixture(scope="module")
def workers():
    pool = Workers(slots=1, queue=2, seconds=20, memory_bytes=2 << 30)
    asyncio.run(pool.run(spin, 0.0, seconds=60))
    yield pool
    pool.close()


def test_an_error_of_ours_comes_back_whole(workers):
    with pytest.raises(MalformedAsset) as caught:
        asyncio.run(workers.run(fail))
    assert (caught.value.hint, caught.value.details) == ("send another", {"at": 7})


def test_work_over_its_time_is_killed_and_the_next_work_is_done(workers):
    started = time.monotonic()
    with pytest.raises(Deadline):
        asyncio.run(workers.run(spin, 30.0, seconds=0.5))
    assert asyncio.run(workers.run(spin, 0.0)) == "done"
    assert time.monotonic() - started < 10


def test_work_over_its_memory_is_stopped(workers):
    with pytest.raises(Deadline, match="memory"):
        asyncio.run(workers.run(eat, 4 << 30))
    assert asyncio.run(workers.run(eat, 1 << 20)) == 1 << 20


@pytest.mark.parametrize(("number", "kind"), [(signal.SIGKILL, WorkerDied), (signal.SIGABRT, Deadline)])
def test_a_worker_that_dies_is_an_answer_and_is_replaced(workers, number, kind):
    with pytest.raises(kind):
        asyncio.run(workers.run(die, int(number)))
    assert asyncio.run(workers.run(spin, 0.0)) == "done"


def test_a_full_queue_answers_at_once(workers):
    async def crowd() -> tuple[list[object], float]:
        running = [asyncio.create_task(workers.run(spin, 0.6)) for _ in range(3)]
        await asyncio.sleep(0.05)
        started = time.monotonic()
        with pytest.raises(Overloaded):
            await workers.run(spin, 0.0)
        took = time.monotonic() - started
        return await asyncio.gather(*running), took

    results, took = asyncio.run(crowd())
    assert results == ["done"] * 3
    assert took < 0.05
    assert workers.busy == 0
