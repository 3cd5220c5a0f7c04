"""What a command costs: wall clock, processor time of everything it starts, and how busy the machine was."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence

_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER


def timed(
    command: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    beside: Callable[[subprocess.Popen[bytes]], None] = lambda _process: None,
) -> tuple[float, float]:
    """Wall-clock and CPU seconds of a command that must not fail; ``beside`` is called once while it runs.

    Workers are forked from a server process of the command: this process adopts what the command leaves behind, so that
    their time is counted too.
    """
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
    before, started = _children(), time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment) as process:
        beside(process)
        process.wait()
    wall = time.perf_counter() - started
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()
    assert process.returncode in {0, 1, 3}, f"{command} failed"
    return wall, _children() - before


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def load() -> str:
    """How busy the machine is, in a sentence for a results file."""
    cores = len(os.sched_getaffinity(0))
    now = os.getloadavg()[0]
    busy = (
        "other work ran beside it: trust CPU time, not wall clock" if now > cores * 1.25 else "nearly nothing else ran"
    )
    return f"{cores} cores, load average {now:.1f} at the end ({busy})"
