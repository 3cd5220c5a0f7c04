"""Real sockets for the network tests: a scripted HTTP server, a canary that must hear nothing, and a pretend internet."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import httpcore2

Script = Callable[[socket.socket, bytes], None]


@dataclass
class Heard:
    port: int
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0


@contextlib.contextmanager
def serving(
    scripts: Mapping[str, Script] | None = None, *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> Iterator[Heard]:
    """Serve paths by script on a free port and write down everything heard."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    heard = Heard(0)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            heard.connections += 1
            channel = self.request
            with contextlib.suppress(OSError):
                if tls is not None:
                    channel = tls.wrap_socket(channel, server_side=True)
                head = b""
                while b"\r\n\r\n" not in head:
                    piece = channel.recv(65536)
                    if not piece:
                        return
                    head += piece
                heard.requests.append(head)
                path = head.split(b" ", 2)[1].decode()
                (scripts or {}).get(path, answer(b"hello"))(channel, head)
                channel.close()

    class Server(socketserver.ThreadingTCPServer):
        address_family = family
        allow_reuse_address = True
        daemon_threads = True
        block_on_close = False

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that hangs up is what many of these tests are about."""

    with Server((host, 0), Handler) as server:
        heard.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield heard
        finally:
            server.shutdown()
            thread.join()


def answer(body: bytes, status: str = "200 OK", **headers: str) -> Script:
    lines = {"Content-Length": str(len(body)), **{name.replace("_", "-"): value for name, value in headers.items()}}

    def script(channel: socket.socket, _: bytes) -> None:
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        channel.sendall(f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body)

    return script


def redirect(location: str, status: str = "302 Found") -> Script:
    return answer(b"", status, Location=location)


def drip(head: bytes, pause: float = 0.1) -> Script:
    """Send a head, then one byte at a time for ever."""

    def script(channel: socket.socket, _: bytes) -> None:
        channel.sendall(head)
        while True:
            channel.sendall(b"x")
            time.sleep(pause)

    return script


def endless(channel: socket.socket, _: bytes) -> None:
    channel.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        channel.sendall(b"10000\r\n" + b"z" * 65536 + b"\r\n")


def hang(channel: socket.socket, _: bytes) -> None:
    with contextlib.suppress(OSError):
        channel.recv(1)


class PretendInternet(httpcore2.NetworkBackend):
    """Sends connections for chosen public addresses to local ports; anything else really goes out of the socket."""

    def __init__(self, ports: Mapping[str, int]) -> None:
        self.ports = ports
        self.connected: list[str] = []

    def connect_tcp(self, host, port, timeout=None, local_address=None, socket_options=None):
        self.connected.append(host)
        if host in self.ports:
            return httpcore2.SyncBackend().connect_tcp("127.0.0.1", self.ports[host], timeout)
        return httpcore2.SyncBackend().connect_tcp(host, port, timeout)
