"""A service whose jobs really run, on SQLite (embedded) and on PostgreSQL (with a worker beside it)."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from service.app import create_app
from service.jobs.engine import Pace
from tests import postgres
from tests.databases import postgres_server
from tests.net.servers import Heard, answer, serving
from tests.service.conftest import Service, make_settings

__all__ = ["postgres_server"]

QUICK = Pace(at_once=2, heartbeat=timedelta(seconds=2), poll=timedelta(seconds=0.5))


def database(kind: str, request: pytest.FixtureRequest, folder: Path) -> str:
    if kind == "sqlite":
        return f"sqlite:///{folder / 'jobs.db'}"
    return postgres.create(request.getfixturevalue("postgres_server"), f"j{time.monotonic_ns()}")


@contextlib.contextmanager
def running(app) -> Iterator[None]:
    """A worker for PostgreSQL in a thread of its own; SQLite's works inside the application."""
    jobs = app.state.jobs
    if jobs.embedded:
        yield
        return
    ready, box = threading.Event(), {}

    def work() -> None:
        async def main() -> None:
            box["stop"], box["loop"] = asyncio.Event(), asyncio.get_running_loop()
            ready.set()
            await jobs.engine.run(box["stop"])

        asyncio.run(main())

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    ready.wait()
    try:
        yield
    finally:
        box["loop"].call_soon_threadsafe(box["stop"].set)
        thread.join(20)


class JobService(Service):
    """A service, a receiver of web hooks, and what a batch needs."""

    def __init__(self, client: TestClient, receiver: Heard) -> None:
        super().__init__(client)
        self.receiver = receiver
        self.jobs = client.app.state.jobs

    def batch(self, *texts: str, key: str | None = None, headers=None, **fields):
        fields = {"as": "generated", "system": "ExampleGen"} | fields
        parts = [("file", (f"{number}.txt", text.encode(), "text/plain")) for number, text in enumerate(texts)]
        form = [(name, (None, value)) for name, value in fields.items()]
        auth = {"Authorization": f"Bearer {key}"} if key else self.auth
        return self.http.post("/v1/labels/batch", headers=auth | (headers or {}), files=[*parts, *form])

    def wait(self, job_id: str, seconds: float = 20.0) -> dict:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = self.http.get(f"/v1/jobs/{job_id}", headers=self.auth).json()
            if found["state"] in {"finished", "cancelled"}:
                return found
            time.sleep(0.05)
        raise AssertionError(f"not finished in {seconds} s: {found}")

    def items(self, job_id: str, **query) -> list[dict]:
        return self.http.get(f"/v1/jobs/{job_id}/items", headers=self.auth, params=query).json()["items"]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[JobService]:
    folder = tmp_path_factory.mktemp("jobs")
    inbox = folder / "inbox"
    inbox.mkdir()
    with serving({"/broken": answer(b"", "500 Oops"), "/moved": answer(b"", "302 Found", Location="/")}) as receiver:
        settings = make_settings(
            folder,
            database_url=database(request.param, request, folder),
            workers=2,
            jobs={"webhook_allow": [f"127.0.0.1:{receiver.port}"], "inbox_url": inbox.as_uri(), "items": 50},
        )
        app = create_app(settings)
        app.state.jobs.engine.pace = QUICK
        with TestClient(app, base_url="http://127.0.0.1:8000") as client, running(app):
            yield JobService(client, receiver)
