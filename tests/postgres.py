"""A throwaway PostgreSQL cluster for tests: Debian's server or any ``pg_ctl`` on the path, on a Unix socket, no TCP."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest


def _binaries() -> Path | None:
    if found := shutil.which("pg_ctl"):
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda path: int(path.parts[-3]))
    return versions[-1].parent if versions else None


@dataclass(frozen=True)
class Server:
    """A running cluster. ``url`` takes a database's name: ``url.format(name)``."""

    url: str
    control: list[str]
    environment: dict[str, str]

    def crash_and_restart(self) -> None:
        """Immediate shutdown (no checkpoint, every connection cut), then start: what a power cut looks like to clients."""
        _run([*self.control, "-m", "immediate", "stop"], self.environment)
        _run([*self.control, "start"], self.environment)


@contextlib.contextmanager
def server() -> Iterator[Server]:
    """Start one; skips when PostgreSQL is not installed."""
    binaries = _binaries()
    if binaries is None:
        pytest.skip("PostgreSQL is not installed on this machine")
    # initdb refuses to run as root: there, use the account that Debian's package made.
    as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
    folder = Path(tempfile.mkdtemp(prefix="tanba-pg-"))
    try:
        if as_user:
            shutil.chown(folder, "postgres", "postgres")
        folder.chmod(0o711)
        data, log = folder / "data", folder / "log"
        environment = {**os.environ, "LC_ALL": "C.UTF-8", "PGTZ": "UTC"}
        initdb = [str(binaries / "initdb"), "-D", str(data), "-U", "tanba", "-A", "trust", "-E", "UTF8", "--no-sync"]
        _run([*as_user, *initdb], environment)
        options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off -c max_connections=50"
        control = [*as_user, str(binaries / "pg_ctl"), "-D", str(data), "-l", str(log), "-w", "-o", options]
        _run([*control, "start"], environment)
        try:
            yield Server(f"postgresql://tanba@/{{}}?host={folder}", control, environment)
        finally:
            _run([*control, "-m", "immediate", "stop"], environment)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def cluster() -> Iterator[str]:
    """The URL of a started cluster, see :class:`Server`."""
    with server() as started:
        yield started.url


def _run(command: list[str], environment: dict[str, str]) -> None:
    # Not captured by pipe: the server would inherit it and keep us waiting for its end.
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment, cwd="/")


def create(url: str, name: str) -> str:
    """Make an empty database; returns its URL."""
    import psycopg

    with psycopg.connect(url.format("postgres"), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')  # the name is ours
    return url.format(name)
