"""Adding an unsigned header to a finished claim signature: an OCSP answer, or a time stamp that came late.

The unprotected COSE headers are outside the signature (RFC 9052 section 4.4), so what is added here cannot break it,
and must carry its own proof. :func:`add` makes the store longer, which only a sidecar allows; :func:`add_in_padding`
keeps its length, for a store whose place in a file a hard binding has already counted.
"""

from __future__ import annotations

import struct
from typing import Any

from tanba import jumbf
from tanba.errors import MalformedAsset


def add(store: bytes, name: str, value: Any) -> bytes:
    """The same store with one more unprotected header on the active manifest's signature (an old one is replaced).

    Raises :class:`MalformedAsset`.
    """
    import cbor2

    top, active, enclosing = jumbf.root(store), jumbf.manifest(store), jumbf.signature_superbox(store)
    box = jumbf.cose(store).box
    tag = cbor2.loads(store[box.start : box.end])
    items: list[Any] = list(tag.value)
    items[1] = {**items[1], name: value}
    body = cbor2.dumps(cbor2.CBORTag(tag.tag, items))
    replacement = struct.pack(">I4s", len(body) + 8, b"cbor") + body
    out = bytearray(store[: box.offset] + replacement + store[box.end :])
    for parent in (enclosing.box, active.box, top.box):
        if parent.header != 8:
            raise MalformedAsset("a 64-bit box cannot be changed", code="tanba.jumbf.malformed")
        struct.pack_into(">I", out, parent.offset, parent.size + len(replacement) - box.size)
    return bytes(out)


def add_in_padding(store: bytes, name: str, value: Any) -> bytes:
    """As :func:`add`, in the place of the signature's padding (C2PA 2.4 section 13.2): the length stays the same.

    Raises :class:`MalformedAsset` (``tanba.jumbf.no_room``) when the padding is too short.
    """
    padder = jumbf.Repadder.of(add(store, name, value))
    room = len(store) - len(padder.build(None))
    for second in (None, *range(8)):
        rest = room - (0 if second is None else _header_size("pad2", second))
        for first in range(max(0, rest - 8), rest):
            if _header_size("pad", first) == rest:
                return padder.build(bytes(first), None if second is None else bytes(second))
    if room == 0:
        return padder.build(None)
    raise MalformedAsset("the signature has no room for more", code="tanba.jumbf.no_room")


def _header_size(name: str, length: int) -> int:
    import cbor2

    return len(cbor2.dumps(name)) + len(cbor2.dumps(bytes(length)))


def countersigned(store: bytes) -> bytes:
    """What a ``sigTst2`` time stamp is over (C2PA 2.4 section 10.3.2.5): the COSE countersignature structure of
    RFC 9052 with the CBOR byte string of the claim's signature as its payload. Raises :class:`MalformedAsset`.
    """
    import cbor2

    cose = jumbf.cose(store)
    protected = cbor2.loads(store[cose.box.start : cose.box.end]).value[0]
    return cbor2.dumps(["CounterSignature", protected, b"", cbor2.dumps(cose.signature)])
