"""Worker processes: a bomb costs its own slot, a killed worker is an answer, a full queue is an answer."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

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


def who() -> int:
    return os.getpid()


def echo(data: bytes) -> bytes:
    return data


def wait(seconds: float) -> str:
    time.sleep(seconds)
    return "late"


class Stubborn(Exception):
    def __reduce__(self):
        raise TypeError("cannot be pickled")


def refuse() -> None:
    raise Stubborn


def leave() -> None:
    os._exit(3)


def test_a_worker_killed_while_it_rests_is_replaced_and_nobody_notices(workers):
    os.kill(asyncio.run(workers.run(who)), signal.SIGKILL)
    time.sleep(0.2)
    assert asyncio.run(workers.run(spin, 0.0)) == "done"


def test_large_tasks_and_answers_arrive_whole(workers):
    data = os.urandom(5 << 20)
    assert asyncio.run(workers.run(echo, data)) == data


def test_an_answer_that_nobody_waited_for_is_never_given_to_the_next(workers):
    async def impatient() -> str:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(workers.run(wait, 0.5), 0.1)
        return await workers.run(spin, 0.0)

    assert asyncio.run(impatient()) == "done"
    assert workers.busy == 0


def test_whoever_gives_up_waiting_leaves_its_place_to_the_next(workers):
    async def crowd() -> list[object]:
        first = asyncio.create_task(workers.run(wait, 0.3))
        await asyncio.sleep(0.05)
        second, third = asyncio.create_task(workers.run(spin, 0.0)), asyncio.create_task(workers.run(who))
        await asyncio.sleep(0.05)
        second.cancel()
        return await asyncio.gather(first, second, third, return_exceptions=True)

    first, second, third = asyncio.run(crowd())
    assert first == "late"
    assert isinstance(second, asyncio.CancelledError)
    assert isinstance(third, int)


def test_an_error_that_cannot_travel_is_still_an_error(workers):
    with pytest.raises(RuntimeError, match="Stubborn"):
        asyncio.run(workers.run(refuse))


def test_several_event_loops_share_the_workers(workers):
    asyncio.run(workers.ready())
    with ThreadPoolExecutor(3) as threads:
        answers = [threads.submit(lambda: asyncio.run(workers.run(wait, 0.1))) for _ in range(3)]
    assert [item.result() for item in answers] == ["late"] * 3


def test_it_works_on_the_event_loop_that_the_server_uses(workers):
    uvloop = pytest.importorskip("uvloop", reason="not on Windows")

    async def three() -> tuple[str, bytes]:
        with pytest.raises(Deadline):
            await workers.run(spin, 30.0, seconds=0.3)
        with pytest.raises(Deadline):
            await workers.run(leave)
        return await workers.run(spin, 0.0), await workers.run(echo, bytes(1 << 20))

    assert uvloop.run(three()) == ("done", bytes(1 << 20))


def test_closing_finishes_what_was_accepted_and_leaves_no_process():
    pool = Workers(slots=2, queue=2, seconds=20, memory_bytes=2 << 30)

    async def last() -> tuple[str, list[int]]:
        await pool.ready()
        pids = [await pool.run(who) for _ in range(2)]
        task = asyncio.create_task(pool.run(wait, 0.5))
        await asyncio.sleep(0.1)
        await asyncio.to_thread(pool.close)
        return await task, pids

    answer, pids = asyncio.run(last())
    assert answer == "late"
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
