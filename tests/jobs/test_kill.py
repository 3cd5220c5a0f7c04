"""kill -9 of workers at random moments: nothing is lost, nothing is published twice, on SQLite and on PostgreSQL."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select

from service.accounts import ClientSpec
from service.api.label_form import LabelForm
from service.app import prepare
from service.bodies import Spooled
from service.config import Settings
from service.db.models import Label
from service.jobs import runtime
from service.jobs.models import EffectState, Job, JobEffect, JobItem
from service.log import store
from service.log.audit import audit
from service.log.models import LogEntry
from service.log.source import DatabaseLog
from service.observability import Metrics
from service.security import Scope
from service.state import State, build
from service.usecases import batches
from tanba.errors import StorageError
from tests import postgres
from tests.jobs.conftest import database
from tests.service.conftest import make_settings

ROOT = Path(__file__).resolve().parents[2]
ITEMS = 40
KILLS = int(os.environ.get("TANBA_TEST_KILLS", "2"))


class Worker:
    """One worker process, ended with its children at the end of the test."""

    def __init__(self, settings: dict) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.jobs.worker_process", json.dumps(settings)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )

    def wait_until_it_works(self) -> None:
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"working\n"

    def kill(self) -> None:
        """Exactly what the out-of-memory killer does: the worker alone, its children find out by themselves."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def end(self) -> None:
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(15)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def accept(state: State, jobs: runtime.Jobs) -> str:
    key = state.accounts.create(ClientSpec(name="platform", scopes=(Scope.LABEL,)), live=False, actor="test")
    caller = state.accounts.recognise(key)
    form = LabelForm.model_validate({"as": "generated", "system": "ExampleGen"})
    wishes = []
    for number in range(ITEMS):
        path = state.spool.path()
        data = f"Text number {number} of a batch.\n".encode()
        path.write_bytes(data)
        spooled = Spooled(path, f"{number}.txt", hashlib.sha256(data).hexdigest(), len(data))
        wishes.append(batches.Wish(form=form, name=spooled.name, upload=spooled))
    return batches.accept(jobs, caller, wishes, webhook_url=None, idempotency_key=None)[0]["job_id"]


def progress(state: State, job_id: str) -> tuple[int, int]:
    with state.db.read() as session:
        job = session.get(Job, job_id)
        return job.done, job.failed


def plain(settings: Settings) -> dict:
    names = ("service_dir", "keys_dir", "trust_dir")
    return {name: str(getattr(settings, name)) for name in names} | {
        "database_url": settings.effective_database_url,
        "workers": settings.workers,
    }


def wait(reached: Callable[[], bool], seconds: float) -> None:
    """Until then, or for so long; the assertions that follow say what is wrong."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(StorageError):
            if reached():
                return
        time.sleep(0.01)


def troubles(state: State, job_id: str) -> list:
    with state.db.read() as session:
        rows = session.scalars(select(JobItem).where(JobItem.job_id == job_id, JobItem.state != "done")).all()
        return [(row.index, row.state, row.error) for row in rows]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_killed_workers_lose_no_item_and_publish_none_twice(kind: str, request, tmp_path: Path) -> None:
    url = database(kind, request, tmp_path)
    settings = make_settings(tmp_path, database_url=url, workers=2)
    state = build(settings, metrics=Metrics())
    prepare(state)
    jobs = runtime.build(state)
    dice = random.Random()
    started: list[Worker] = []
    at_kill: list[int] = []
    try:
        job_id = accept(state, jobs)
        # An embedded engine is one process; PostgreSQL has two, so that one takes over from the other.
        alive = [Worker(plain(settings)) for _ in range(1 if kind == "sqlite" else 2)]
        started += alive
        for _ in range(KILLS):
            victim = alive.pop(0)
            victim.wait_until_it_works()
            before, _ = progress(state, job_id)
            goal = before + dice.randint(1, 8)
            wait(lambda goal=goal: progress(state, job_id)[0] >= goal, 20)
            time.sleep(dice.uniform(0, 0.1))
            victim.kill()
            at_kill.append(progress(state, job_id)[0])
            alive.append(Worker(plain(settings)))
            started.append(alive[-1])
        wait(lambda: sum(progress(state, job_id)) == ITEMS, 60)
        assert progress(state, job_id) == (ITEMS, 0), (at_kill, troubles(state, job_id))
        check(state, job_id)
    finally:
        for worker in started:
            worker.end()
        state.workers.close()
        state.db.close()
    assert any(0 < done < ITEMS for done in at_kill), f"no kill fell into the work: {at_kill}"


def test_a_database_that_crashes_under_the_workers_costs_nothing(tmp_path: Path) -> None:
    with postgres.server() as server:
        url = postgres.create(server.url, "crash")
        settings = make_settings(tmp_path, database_url=url, workers=2)
        state = build(settings, metrics=Metrics())
        prepare(state)
        worker = None
        try:
            job_id = accept(state, runtime.build(state))
            worker = Worker(plain(settings))
            worker.wait_until_it_works()
            wait(lambda: progress(state, job_id)[0] > 3, 40)
            server.crash_and_restart()
            wait(lambda: sum(progress(state, job_id)) == ITEMS, 60)
            assert worker.process.poll() is None, "the worker took the connection up again by itself"
            assert progress(state, job_id) == (ITEMS, 0), troubles(state, job_id)
            check(state, job_id)
        finally:
            if worker is not None:
                worker.end()
            state.workers.close()
            state.db.close()


def check(state: State, job_id: str) -> None:
    """Items, effects, labels and log entries are the same set, and the log is whole."""
    with state.db.read() as session:
        named = session.scalars(select(JobItem.label_id).where(JobItem.job_id == job_id)).all()
        effects = session.scalars(select(JobEffect.label_id).where(JobEffect.state == EffectState.DONE)).all()
        labels = session.scalars(select(Label.id)).all()
        logged = session.scalars(select(LogEntry.label_id)).all()
        assert len(set(named)) == len(named) == ITEMS
        assert sorted(named) == sorted(effects) == sorted(labels) == sorted(logged)
        assert session.scalar(select(func.count(func.distinct(Label.input_sha256)))) == ITEMS
        assert store.size(session) == ITEMS
        assert audit(DatabaseLog(session, state.log), full=True).good
        for row in session.scalars(select(Label)):
            chunks = state.blobs.stream(row.content_at or row.output_sha256)
            assert chunks is not None
            assert io.BytesIO(b"".join(chunks)).getbuffer().nbytes == row.content_size
