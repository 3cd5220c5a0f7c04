"""A worker in a process of its own, for tests that kill it: ``python -m tests.jobs.worker_process SETTINGS_JSON``."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import timedelta

from service.config import Settings
from service.jobs import runtime
from service.jobs.engine import Pace
from service.observability import Metrics
from service.state import build


def main() -> None:
    state = build(Settings(**json.loads(sys.argv[1])), metrics=Metrics())
    pace = Pace(at_once=2, heartbeat=timedelta(seconds=2), poll=timedelta(seconds=0.3))
    jobs = runtime.build(state, pace=pace)
    print("working", flush=True)
    try:
        asyncio.run(runtime.work(jobs))
    finally:
        state.workers.close()


if __name__ == "__main__":
    main()
