"""What the fault drills share: a server, a load generator that costs little, and probes that measure beside it."""

from __future__ import annotations

import contextlib
import io
import os
import random
import re
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from PIL import Image

from benchmarks.bench_service import processor_seconds
from tests.service.server import Server

SECONDS = float(os.environ.get("TANBA_DRILL_SECONDS", "60"))


@contextlib.contextmanager
def serving(**environment: str) -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="tanba-drill-") as folder:
        running = Server(Path(folder), **environment).start()
        try:
            yield running
        finally:
            running.stop()


def resident(pid: int) -> int:
    """Resident kilobytes of a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def promise(held: bool, what: str) -> None:
    if not held:
        raise SystemExit(f"NOT HELD: {what}")


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which that share of them lies."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def picture(seed: int, width: int) -> bytes:
    """A noisy JPEG, twice as wide as high: 320 wide has 31 KB."""
    noise = random.Random(seed).randbytes(width * (width // 2) * 3)
    buffer = io.BytesIO()
    Image.frombytes("RGB", (width, width // 2), noise).save(buffer, "JPEG", quality=75)
    return buffer.getvalue()


@dataclass(frozen=True, slots=True)
class Storm:
    """What wrk got: answers a second."""

    done: float
    refused: float
    """Answers that are neither 2xx nor 3xx."""
    lost: int
    """Connections without an answer."""
    cost: float
    """Processor milliseconds of server and workers for each answer that is done, refusals included."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One kind of request of a storm."""

    path: str
    media_type: str
    file: Path


_LUA = """
local requests = {}
for path, kind, name in string.gmatch("%(asks)s", "([^;]+);([^;]+);([^;]+);") do
  local file = io.open(name, "rb")
  local headers = {["Content-Type"] = kind%(authorization)s}
  requests[#requests + 1] = wrk.format("POST", path, headers, file:read("*a"))
  file:close()
end
local turn = 0
request = function()
  turn = turn + 1
  return requests[(turn %% #requests) + 1]
end
%(delay)s
"""


def storm(
    server: Server, asks: Sequence[Ask], *, connections: int, seconds: int, delay: int | None = None, key: str = ""
) -> Storm:
    """Send the requests in turn over so many connections with wrk, which costs next to no processor time.

    Every connection asks again at once, or ``delay`` milliseconds after an answer.
    """
    script = server.home / "storm.lua"
    listed = "".join(f"{ask.path};{ask.media_type};{ask.file};" for ask in asks)
    authorization = f', ["Authorization"] = "Bearer {key}"' if key else ""
    waiting = f"delay = function() return {delay} end" if delay is not None else ""
    script.write_text(_LUA % {"asks": listed, "authorization": authorization, "delay": waiting})
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s", str(script), server.url]
    assert server.process is not None
    pids = [server.process.pid, *server.workers()]
    before = processor_seconds(*pids)
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    used = processor_seconds(*pids) - before
    found = re.search(r"(\d+) requests in ([\d.]+)s", said)
    assert found is not None, said
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    broken = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", said)
    count, took, refused = int(found[1]), float(found[2]), int(bad[1]) if bad else 0
    done = count - refused
    lost = sum(map(int, broken.groups())) if broken else 0
    return Storm(done / took, refused / took, lost, 1000 * used / max(1, done))


class Probe(threading.Thread):
    """One connection that asks every so often and notes how long each answer took; a context manager."""

    def __init__(self, server: Server, request: Callable[[int], bytes], *, every: float = 0.02) -> None:
        super().__init__(daemon=True)
        self.times: dict[int, list[float]] = {}
        """Milliseconds by status."""
        self._server, self._request, self._every = server, request, every
        self._halt = threading.Event()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._halt.set()
        self.join()

    def run(self) -> None:
        connection, number = self._connect(), 0
        while not self._halt.wait(self._every):
            number += 1
            began = time.perf_counter()
            connection.sendall(self._request(number))
            head, _, body = _until(connection, b"\r\n\r\n").partition(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: (\d+)", head)
            assert length is not None, head
            while len(body) < int(length[1]):
                body += connection.recv(1 << 16)
            self.times.setdefault(int(head[9:12]), []).append((time.perf_counter() - began) * 1000)
            if b"connection: close" in head.lower():
                connection.close()
                connection = self._connect()
        connection.close()

    def _connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self._server.port), timeout=60)


def _until(connection: socket.socket, end: bytes) -> bytes:
    got = b""
    while end not in got:
        more = connection.recv(1 << 16)
        assert more, "the server closed the connection"
        got += more
    return got


def by_hash(_number: int) -> bytes:
    """A question that needs no worker."""
    return b"GET /v1/verifications/by-hash/" + b"0" * 64 + b" HTTP/1.1\r\nHost: x\r\n\r\n"


def upload(content: bytes) -> Callable[[int], bytes]:
    """A verification of a picture that nobody sent before."""

    def request(number: int) -> bytes:
        body = content + os.urandom(4) + number.to_bytes(4)
        head = f"POST /v1/verifications HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\nContent-Length: {len(body)}\r\n\r\n"
        return head.encode() + body

    return request
