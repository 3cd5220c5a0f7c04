"""Worker processes: every task has one outcome, whatever becomes of the process that did it."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from tanba import starts
from tanba.errors import EngineError
from tanba.processes import Pool, TookTooLong, WorkerEnded, light

_begun: list[str] = []


def begin(word: str) -> None:
    _begun.append(word)


def do(task: tuple[str, float]) -> object:
    kind, value = task
    match kind:
        case "square":
            return value * value
        case "sleep":
            time.sleep(value)
        case "kill":
            os.kill(os.getpid(), int(value))
        case "raise":
            raise LookupError(value)
        case "begun":
            return tuple(_begun)
        case "environment":
            return os.environ.get("TANBA_TEST_WORD")
    return kind


def broken() -> None:
    os._exit(1)


def outcomes(pool: Pool, tasks: list[tuple[str, float]], seconds: float | None = 30.0) -> dict:
    found, todo = {}, iter(tasks)
    while True:
        while pool.free and (task := next(todo, None)) is not None:
            pool.submit(task, seconds)
        if not pool.pending:
            return found
        task, outcome = pool.next()
        assert task not in found
        found[task] = outcome


@pytest.mark.parametrize("jobs", [1, 2])
def test_every_task_has_one_outcome(jobs):
    tasks = [("square", float(n)) for n in range(40)]
    with Pool(do, jobs=jobs) as pool:
        assert outcomes(pool, tasks) == {task: task[1] ** 2 for task in tasks}


def test_one_that_dies_stalls_or_fails_costs_only_itself():
    bad = [("kill", float(signal.SIGKILL)), ("sleep", 60.0), ("raise", 3.0)]
    good = [("square", float(n)) for n in range(12)]
    with Pool(do, jobs=2) as pool:
        found = outcomes(pool, [*good[:3], *bad, *good[3:]], seconds=1.5)
    assert isinstance(found[bad[0]], WorkerEnded)
    assert found[bad[0]].exit_code == -signal.SIGKILL
    assert isinstance(found[bad[1]], TookTooLong)
    assert isinstance(found[bad[2]], LookupError)
    assert {task: found[task] for task in good} == {task: task[1] ** 2 for task in good}


def test_short_tasks_are_handed_out_ahead_and_long_ones_are_not():
    with Pool(do, jobs=1) as pool:
        outcomes(pool, [("square", float(n)) for n in range(100)])
        short = pool._workers[0].room
        outcomes(pool, [("sleep", 0.03 + n / 10_000) for n in range(20)])
        assert (short, pool._workers[0].room) == (16, 2)


def test_of_many_tasks_ahead_only_the_one_that_kills_or_stalls_is_lost():
    good = [("square", float(n)) for n in range(300)]
    bad = [("kill", float(signal.SIGKILL)), ("sleep", 60.0), ("kill", float(signal.SIGTERM))]
    tasks = [*good[:100], bad[0], *good[100:200], bad[1], bad[2], *good[200:]]
    with Pool(do, jobs=2) as pool:
        found = outcomes(pool, tasks, seconds=1.5)
    assert {task: type(found[task]) for task in bad} == {bad[0]: WorkerEnded, bad[1]: TookTooLong, bad[2]: WorkerEnded}
    assert {task: found[task] for task in good} == {task: task[1] ** 2 for task in good}


def test_time_in_the_line_and_time_to_start_do_not_count():
    tasks = [("sleep", 0.4 + n / 1000) for n in range(4)]
    with Pool(do, jobs=1, begin=time.sleep, arguments=(0.7,)) as pool:
        assert set(outcomes(pool, tasks, seconds=0.65).values()) == {"sleep"}


def test_a_worker_begins_once_and_sees_the_environment_of_now(monkeypatch):
    for word in ("first", "second"):
        monkeypatch.setenv("TANBA_TEST_WORD", word)
        with Pool(do, jobs=1, begin=begin, arguments=(word,)) as pool:
            assert outcomes(pool, [("begun", 0), ("environment", 0)]) == {
                ("begun", 0): (word,),
                ("environment", 0): word,
            }


def test_no_process_is_left():
    with Pool(do, jobs=2) as pool:
        pool.submit(("sleep", 60.0))
        pool.submit(("sleep", 61.0))
        pids = [worker.process.pid for worker in pool._workers]
    assert len(pids) == 2
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_workers_that_never_start_are_an_error_and_no_endless_loop():
    with Pool(do, jobs=2, begin=broken) as pool, pytest.raises(EngineError) as caught:
        outcomes(pool, [("square", 1.0)])
    assert caught.value.code == "tanba.engine.worker_died"


def test_where_there_is_no_fork_server_processes_are_spawned(monkeypatch):
    monkeypatch.setattr(starts.multiprocessing, "get_all_start_methods", lambda: ["spawn"])
    assert starts.context(()).get_start_method() == "spawn"
    with Pool(do, jobs=1) as pool:
        assert outcomes(pool, [("square", 3.0)]) == {("square", 3.0): 9.0}


CROWDED = """
from verifier import verify_bytes
gif = b"GIF89a" + bytes([9, 0, 9, 0, 0, 0, 0]) + b"!\\xfe" + b"\\1a" * 60_000 + b"\\0;"  # read in a worker
def check(_):
    return verify_bytes(gif, name="a.gif").verdict.value
"""
PLAIN = "print(__name__, check(0))"
DAEMON = """
import multiprocessing
if __name__ == "__main__":
    with multiprocessing.get_context("fork").Pool(1) as pool:
        print(__name__, *pool.map(check, [0]))
"""
FORKED = """
import os, sys
print(check(0), flush=True)
if (child := os.fork()) == 0:
    print(check(0), flush=True)
    sys.exit()
os.waitpid(child, 0)
print(check(0))
"""
OWN = """
import tanba.processes
def double(n):
    return 2 * n
if __name__ == "__main__":
    with tanba.processes.Pool(double, jobs=1) as pool:
        pool.submit(4)
        print(pool.next())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
@pytest.mark.parametrize(
    ("script", "printed"),
    [
        (CROWDED + PLAIN, "__main__ unmarked"),
        (CROWDED + DAEMON, "__main__ unmarked"),
        (CROWDED + FORKED, "unmarked unmarked unmarked"),
        (OWN, "(4, 8)"),
    ],
    ids=["no guard", "daemonic", "forked", "own function"],
)
def test_a_script_is_run_once_whatever_it_does_with_processes(tmp_path, script, printed):
    path = tmp_path / "script.py"
    path.write_text(script)
    environment = {**os.environ, "PYTHONPATH": str(Path(starts.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, path], capture_output=True, text=True, env=environment, timeout=120, check=False
    )
    assert (done.returncode, done.stderr, done.stdout.split()) == (0, "", printed.split())


@dataclass(frozen=True, slots=True)
class Light:
    one: int
    many: tuple[Light, ...] = ()

    def __post_init__(self) -> None:
        assert self.one != 13


@dataclass(frozen=True, slots=True)
class Empty:
    pass


@pytest.mark.parametrize("value", [Light(1), Light(2, (Light(3), Light(4, (Light(5),)))), Empty()])
def test_light_classes_arrive_as_they_left(value):
    light(Light, Empty)
    assert pickle.loads(pickle.dumps(value)) == value
