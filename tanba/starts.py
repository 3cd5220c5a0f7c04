"""How worker processes are started: quickly, without running the caller's script again, and safely after a fork.

Where the platform has it, processes are forked from a clean server process that has only imported our modules
(``forkserver``), so a worker starts in milliseconds. That is safe because nothing in that process ever *used* the engine:
a c2pa context does not survive a fork, and its random numbers must not be shared. Elsewhere they are spawned.

Either way :mod:`multiprocessing` makes every new process import the caller's main module again, so that functions defined
there can be found. A plain script without ``if __name__ == "__main__"`` would be run once more by each worker, so that
import is left out unless what the worker is started with really comes from there.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.process
import os
import pickle
import threading
from collections.abc import Sequence
from multiprocessing import spawn
from typing import Any
from weakref import WeakSet

_started: WeakSet[Any] = WeakSet()
"""Processes that this process started."""
_forked = False
"""This process is a plain fork of one that may have started some: the server process is not its child."""
_starting = threading.local()
_lock = threading.Lock()
_preparation = spawn.get_preparation_data


def context(preload: Sequence[str]) -> Any:
    """How processes are started here; ``preload`` names the modules that every worker needs."""
    if _forked or "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload(list(preload))
    return found


def start(process: Any, given: tuple[Any, ...] = ()) -> None:
    """Start a process with what the caller has ``given`` it, also from a daemonic one (a worker of ``multiprocessing.Pool``, Celery).

    The standard library forbids that lest grandchildren are orphaned; ours end when their pipe closes.
    """
    alone = b"__main__" not in pickle.dumps(given)
    config: dict[str, Any] = vars(multiprocessing.current_process())["_config"]
    with _lock:
        daemon = config.pop("daemon", None)
        _starting.alone = alone
        try:
            process.start()
        finally:
            _starting.alone = False
            if daemon is not None:
                config["daemon"] = daemon
        _started.add(process)


def _prepared(name: str) -> dict[str, Any]:
    """What a new process is told about its parent: in our starts without the main module, in all others everything."""
    data = _preparation(name)
    if getattr(_starting, "alone", False):
        for key in ("init_main_from_name", "init_main_from_path"):
            data.pop(key, None)
    return data


# There is no option for it: https://docs.python.org/3/library/multiprocessing.html#the-spawn-and-forkserver-start-methods
spawn.get_preparation_data = _prepared


def _after_fork() -> None:
    """In the child of ``os.fork``: our processes are the parent's, and must not be ended when the child ends."""
    global _forked, _lock
    _forked, _lock = True, threading.Lock()
    children: set[Any] = vars(multiprocessing.process)["_children"]
    children.difference_update(_started)
    _started.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
