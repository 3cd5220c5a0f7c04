"""What comes in meanwhile is done together; one bad member never harms the others, and nobody waits to fill a group."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text as sql
from starlette.testclient import TestClient

from service import groups
from service.app import create_app
from service.groups import Grouped
from tests.service.conftest import Service, jpeg, make_settings


class Squares:
    """Squares of numbers; a negative one breaks its whole group, zero concerns only itself."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.open = threading.Event()
        self.entered = threading.Event()
        self.grouped: Grouped[int, int] = Grouped(self.together, name="squares", most=4)

    def together(self, items: Sequence[int]) -> list[int | Exception]:
        self.entered.set()
        assert self.open.wait(10)
        self.groups.append(list(items))
        if any(item < 0 for item in items):
            raise ArithmeticError(items)
        return [item * item if item else LookupError(item) for item in items]

    async def crowd(self, first: int, rest: Sequence[int]) -> list[object]:
        """``first`` is being done while ``rest`` comes in."""
        tasks = [asyncio.create_task(self.grouped.do(first))]
        await asyncio.to_thread(self.entered.wait, 10)
        tasks += [asyncio.create_task(self.grouped.do(item)) for item in rest]
        await asyncio.sleep(0.01)
        self.open.set()
        return await asyncio.gather(*tasks, return_exceptions=True)


def test_what_came_in_meanwhile_is_one_group_of_bounded_size():
    squares = Squares()
    assert asyncio.run(squares.crowd(1, [2, 3, 4, 5, 6])) == [1, 4, 9, 16, 25, 36]
    assert squares.groups == [[1], [2, 3, 4, 5], [6]]


def test_one_bad_member_fails_alone():
    squares = Squares()
    answers = asyncio.run(squares.crowd(1, [2, -3, 0, 5]))
    assert [type(item) for item in answers] == [int, int, ArithmeticError, LookupError, int]
    assert answers[1::3] == [4, 25]


def test_when_nothing_works_for_long_the_rest_shares_the_answer(monkeypatch):
    monkeypatch.setattr(groups, "_PATIENCE", -1.0)
    squares = Squares()
    answers = asyncio.run(squares.crowd(1, [2, -3, 4]))
    assert [type(item) for item in answers] == [int, ArithmeticError, ArithmeticError, ArithmeticError]
    assert squares.groups == [[1], [2, -3, 4]]


def test_whoever_stops_waiting_before_its_turn_is_left_out():
    squares = Squares()

    async def impatient() -> int:
        first = asyncio.create_task(squares.grouped.do(1))
        await asyncio.to_thread(squares.entered.wait, 10)
        second, third = asyncio.create_task(squares.grouped.do(2)), asyncio.create_task(squares.grouped.do(3))
        await asyncio.sleep(0.01)
        second.cancel()
        await asyncio.sleep(0.01)
        squares.open.set()
        await first
        return await third

    assert asyncio.run(impatient()) == 9
    assert squares.groups == [[1], [3]]


def test_closing_finishes_what_was_handed_in_and_it_can_begin_again():
    squares = Squares()
    squares.open.set()

    async def twice() -> list[int]:
        answers = []
        for item in (7, 8):
            task = asyncio.create_task(squares.grouped.do(item))
            await asyncio.sleep(0)
            await asyncio.to_thread(squares.grouped.close)
            answers.append(await task)
        return answers

    assert asyncio.run(twice()) == [49, 64]


def test_while_it_is_crowded_a_group_waits_for_more_and_not_for_long(monkeypatch):
    monkeypatch.setattr(groups, "_COMPANY", 30.0)
    done: list[list[int]] = []

    def together(items: Sequence[int]) -> list[int]:
        done.append(list(items))
        return list(items)

    async def come(grouped: Grouped[int, int], *items: int) -> None:
        tasks = []
        for item in items:
            tasks.append(asyncio.create_task(grouped.do(item)))
            await asyncio.sleep(0.02)
        await asyncio.gather(*tasks)

    crowd = iter([True, True, False])  # asked after each item
    asyncio.run(come(Grouped(together, name="crowded", crowded=lambda: next(crowd)), 1, 2, 3))
    assert done == [[1, 2, 3]]
    monkeypatch.setattr(groups, "_COMPANY", 0.01)
    asyncio.run(come(Grouped(together, name="always", crowded=lambda: True), 4))
    assert done[-1] == [4], "company did not come"


def test_labels_that_are_published_together_stand_or_fall_alone(tmp_path):
    """A label that the database refuses does not take the others of its transaction with it, nor its place in the log."""
    with TestClient(create_app(make_settings(tmp_path))) as client:
        service = Service(client)
        trigger = (
            "CREATE TRIGGER stop BEFORE INSERT ON label WHEN NEW.media_type = 'text/plain' "
            "BEGIN SELECT RAISE(ABORT, 'no') ; END"
        )
        with service.state.db.write() as session:
            session.execute(sql(trigger))
        with ThreadPoolExecutor(6) as threads:
            with service.state.db.write():  # the publisher waits for its turn, and the others gather behind it
                jobs = [threads.submit(service.label, jpeg((n * 9, 5, 6))) for n in range(5)]
                jobs.append(threads.submit(service.label, b"Some words.", name="a.txt"))
                ends = time.monotonic() + 60
                while service.state.publisher._group._queue.qsize() < 5 and time.monotonic() < ends:
                    time.sleep(0.02)
            answers = [job.result() for job in jobs]
        assert [answer.status_code for answer in answers] == [201] * 5 + [503]
        assert client.get("/v1/log").json()["size"] == 5
        for answer in answers[:5]:
            proof = answer.json()["log"]
            with service.state.db.read() as session:
                assert service.state.log.proof(session, proof["index"], proof["size"]) == proof
        sizes = [len(client.get(f"/v1/labels/{answer.json()['label_id']}/content").content) for answer in answers[:5]]
        kept = [item.stat().st_size for item in (tmp_path / "service" / "blobs").rglob("*") if item.is_file()]
        assert kept == [sum(sizes)], "one pack with the bytes of the five and of nobody else"


@pytest.mark.parametrize("size", [1, 512 << 10, (512 << 10) + 1], ids=["small", "the most in memory", "on disk"])
def test_content_is_the_same_whether_it_travels_in_memory_or_on_disk(tmp_path, size):
    content = jpeg((1, 2, 3))
    content += bytes(max(0, size - len(content)))  # trailing zeros: many cameras write some
    with TestClient(create_app(make_settings(tmp_path))) as client:
        service = Service(client)
        made = service.label(content, headers={"Accept": "image/jpeg"})
        assert made.status_code == 201, made.text
        assert service.verify(made.content).json()["verdict"] == "trusted"
        assert service.verify(content).json()["verdict"] == "unmarked"
        assert not list((tmp_path / "service" / "spool").iterdir())
