"""Values between the service and its workers: one pickle each, and the contents of files beside it, not in it.

A pickle would copy every content twice on its way in and twice on its way out. Classes that hold contents leave them
apart with :class:`pickle.PickleBuffer`; what they arrive as is ``bytes`` again. Both ends are ours: nothing from outside
is ever unpickled.
"""

from __future__ import annotations

import asyncio
import pickle
import socket
import struct
from collections.abc import Sequence
from typing import Any

Parcel = Sequence[bytes | memoryview]
"""Header, pickle and what travels beside it, in the order in which they are sent."""

ROOM = 3 << 20
"""Bytes of the buffer that an end keeps for what arrives; a longer parcel gets one of its own."""
_SOCKET_BYTES = 1 << 20
"""How much the system may hold for a reader: a parcel with a content in memory goes in one go (Linux may allow less)."""
_LARGE = 4 << 10
"""Shorter contents stay in the pickle."""
_HEADER = struct.Struct("!8Q")
"""Sizes of the pickle and of up to seven contents."""


def pair() -> tuple[socket.socket, socket.socket]:
    """Two ends."""
    ends = socket.socketpair()
    for end in ends:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SOCKET_BYTES)
    return ends


def pack(value: Any) -> Parcel:
    """Raises what pickle raises."""
    apart: list[memoryview] = []

    def inside(buffer: pickle.PickleBuffer) -> bool:
        content = buffer.raw()
        if content.nbytes < _LARGE or len(apart) == 7:
            return True
        apart.append(content)
        return False

    body = pickle.dumps(value, protocol=5, buffer_callback=inside)
    sizes = [len(body), *[content.nbytes for content in apart]]
    return [_HEADER.pack(*sizes, *[0] * (8 - len(sizes))), body, *apart]


def send(channel: socket.socket, parcel: Parcel) -> None:
    """Send from a thread that may wait. Raises :class:`OSError`."""
    left = _send_some(channel, parcel)
    if left:
        channel.sendall(left)


def receive(channel: socket.socket) -> list[bytes]:
    """Wait for the parts of one value, for :func:`unpack`. Raises :class:`EOFError`, :class:`OSError`."""
    sizes = _HEADER.unpack(_exactly(channel, _HEADER.size))
    return [_exactly(channel, size) for size in sizes if size]


def unpack(parts: list[bytes]) -> Any:
    """The value. Raises what its pickle raises."""
    return pickle.loads(parts[0], buffers=parts[1:])  # noqa: S301 -- from the other end, which is ours


async def asend(channel: socket.socket, parcel: Parcel) -> None:
    """:func:`send` for an event loop and a channel that does not block."""
    left = _send_some(channel, parcel)
    if left:
        await asyncio.get_running_loop().sock_sendall(channel, left)


async def areceive(channel: socket.socket, room: bytearray) -> list[bytes]:
    """:func:`receive` for an event loop and a channel that does not block. ``room`` holds :data:`ROOM` bytes."""
    loop = asyncio.get_running_loop()
    view, got, total, sizes = memoryview(room), 0, _HEADER.size, (0,)
    while got < total:
        count = await loop.sock_recv_into(channel, view[got:])
        if not count:
            raise EOFError("the other end is closed")
        got += count
        if not sizes[0] and got >= total:
            sizes = _HEADER.unpack_from(view)
            total += sum(sizes)
            if total > len(view):
                larger = memoryview(bytearray(total))
                larger[:got] = view[:got]
                view = larger
    parts, at = [], _HEADER.size
    for size in filter(None, sizes):
        parts.append(bytes(view[at : at + size]))
        at += size
    return parts


def _send_some(channel: socket.socket, parcel: Parcel) -> bytes:
    """Send what fits; returns the rest."""
    if not hasattr(channel, "sendmsg"):  # Windows
        return b"".join(parcel)
    try:
        sent = channel.sendmsg(parcel)
    except BlockingIOError:
        sent = 0
    return b"" if sent == sum(map(len, parcel)) else b"".join(parcel)[sent:]


def _exactly(channel: socket.socket, size: int) -> bytes:
    got = channel.recv(size, _WHOLE)
    if len(got) == size:
        return got
    held = bytearray(got)
    while got and len(held) < size:
        got = channel.recv(size - len(held), _WHOLE)
        held += got
    if len(held) < size:
        raise EOFError("the other end is closed")
    return bytes(held)


_WHOLE = getattr(socket, "MSG_WAITALL", 0)
