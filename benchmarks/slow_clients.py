"""Slow clients that cost next to nothing: one process, one loop, a byte a second over every connection.

    python benchmarks/slow_clients.py PORT HEADS BODIES SECONDS

A connection that the server ends is opened again. Prints how they ended, as JSON: status -> [count, longest seconds].
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import socket
import sys
import time

HEAD = b"POST /v1/verifications HTTP/1.1\r\nHost: x\r\n"
BODY = HEAD + b"Content-Type: image/jpeg\r\nContent-Length: 100000\r\n\r\n"
SLOW_HEAD = HEAD + b"X-Slow: "


def main(port: int, heads: int, bodies: int, seconds: float) -> None:
    os.nice(10)
    look = selectors.DefaultSelector()
    ends: dict[str, list[float]] = {}

    def begin(opening: bytes) -> None:
        connection = socket.create_connection(("127.0.0.1", port), timeout=20)
        connection.sendall(opening)
        connection.setblocking(False)
        look.register(connection, selectors.EVENT_READ, (opening, time.monotonic()))

    def finish(connection: socket.socket, opening: bytes, since: float) -> None:
        with contextlib.suppress(OSError):
            status = connection.recv(200)[9:12].decode() or "closed"
            count, longest = ends.get(status, [0, 0.0])
            ends[status] = [count + 1, max(longest, time.monotonic() - since)]
        look.unregister(connection)
        connection.close()
        begin(opening)

    for number in range(heads + bodies):
        begin(SLOW_HEAD if number < heads else BODY)
    stop = time.monotonic() + seconds
    while (now := time.monotonic()) < stop:
        for key, _ in look.select(0):
            finish(key.fileobj, *key.data)  # type: ignore[arg-type] # sockets were registered
        for key in list(look.get_map().values()):
            with contextlib.suppress(OSError):
                key.fileobj.send(b"a")  # type: ignore[union-attr] # as above
        time.sleep(max(0.0, 1.0 - (time.monotonic() - now)))
    still = max(time.monotonic() - key.data[1] for key in look.get_map().values())
    sys.stdout.write(json.dumps({**ends, "open": [len(look.get_map()), still]}))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
