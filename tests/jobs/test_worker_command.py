"""``tanba worker`` as a person starts it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from service.app import prepare
from service.observability import Metrics
from service.state import build
from tests.jobs.conftest import database
from tests.service.conftest import make_settings

TANBA = [sys.executable, "-c", "from tanba.cli import main; main()", "worker"]


def environment(folder: Path, url: str | None) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TANBA_")}
    return kept | {"TANBA_HOME": str(folder)} | ({"TANBA_DATABASE_URL": url} if url else {})


def at_work(url: str) -> bool:
    """Whether a worker has registered the engine's schedule, which is the last thing it does before it waits."""
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT count(*) FROM pgqueuer.pgqueuer_schedules").fetchone()[0] > 0


def test_with_sqlite_the_worker_says_that_the_server_does_the_work(tmp_path: Path) -> None:
    done = subprocess.run(
        TANBA, env=environment(tmp_path, None), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert "tanba serve" in done.stderr


def test_an_unmigrated_database_is_named(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    url = database("postgresql", request, tmp_path)
    done = subprocess.run(
        TANBA, env=environment(tmp_path, url), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 5
    assert "tanba db upgrade" in done.stderr


def test_sigterm_ends_an_idle_worker_cleanly(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    url = database("postgresql", request, tmp_path)
    state = build(make_settings(tmp_path, database_url=url), metrics=Metrics())
    prepare(state)
    state.workers.close()
    state.db.close()
    worker = subprocess.Popen([*TANBA, "--at-once", "1"], env=environment(tmp_path, url), stderr=subprocess.PIPE)
    try:
        end = time.monotonic() + 60
        while not at_work(url) and time.monotonic() < end:
            assert worker.poll() is None, worker.stderr.read()
            time.sleep(0.1)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(20) == 0
    finally:
        worker.kill()
        worker.wait()
