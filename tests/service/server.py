"""A real ``tanba serve`` in a process of its own, on a free port, with a home of its own."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx2

COMMAND = Path(sys.executable).parent / "tanba"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """Start, talk, kill, start again: the home stays."""

    def __init__(self, home: Path, **environment: str) -> None:
        self.home = home
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("TANBA_")},
            "TANBA_HOME": str(home),
            "TANBA_PORT": str(self.port),
            "TANBA_RATES__ANONYMOUS_VERIFY": "1000000/minute",
            "TANBA_RATES__ANONYMOUS_CONCURRENCY": "1000",
            **environment,
        }
        self.key = ""
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, seconds: float = 90) -> Server:
        out = (self.home / "serve.out").open("wb")
        with (self.home / "serve.err").open("ab") as err, out:
            self.process = subprocess.Popen([COMMAND, "serve"], stdout=out, stderr=err, env=self.environment)
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            assert self.process.poll() is None, (self.home / "serve.err").read_text()[-2000:]
            try:
                httpx2.get(f"{self.url}/healthz", timeout=1).raise_for_status()
                break
            except httpx2.TransportError:
                time.sleep(0.05)
        else:
            raise AssertionError("the server did not answer in time")
        if found := re.search(r"tnb_\S+", (self.home / "serve.out").read_text()):
            self.key = found[0]
        return self

    @property
    def auth(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    def kill(self, number: int = signal.SIGKILL) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(40)

    def workers(self) -> list[int]:
        """Process ids of the engine's workers."""
        assert self.process is not None
        servers = [pid for pid in _children(self.process.pid) if b"forkserver" in _command_line(pid)]
        return [pid for server in servers for pid in _children(server)]

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.kill(signal.SIGTERM)


def _children(pid: int) -> list[int]:
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
    return [int(child) for child in found.stdout.split()]


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
