"""Reading raw C2PA manifest stores: JUMBF boxes (ISO/IEC 19566-5), the COSE signature and its certificates.

Used for what the engine does not hand out (certificates, time-stamp tokens, box sizes) and for the unsigned COSE
padding of text marks. It never decides about validity; it only locates bytes. Every length is checked.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import cbor2

from tanba.errors import MalformedAsset

_TAG_COSE_SIGN1 = 18
_X5CHAIN = 33
_ALGORITHM = 1
_MAX_DEPTH = 32
_UPDATE = b"c2um"


class Box(NamedTuple):
    """One box: ``offset`` and ``size`` cover header and payload, in bytes of the store."""

    offset: int
    size: int
    header: int
    kind: bytes

    @property
    def start(self) -> int:
        """First byte of the payload."""
        return self.offset + self.header

    @property
    def end(self) -> int:
        return self.offset + self.size


class SuperBox(NamedTuple):
    """A ``jumb`` box with its description: label, type UUID and where its content boxes start."""

    box: Box
    label: str
    uuid: bytes
    content: int

    @property
    def end(self) -> int:
        return self.box.end


def boxes(data: bytes, start: int, end: int) -> Iterator[Box]:
    """The boxes between two offsets. Raises :class:`MalformedAsset` when a length leaves its parent."""
    while start < end:
        if end - start < 8:
            raise MalformedAsset("a JUMBF box is cut off", code="tanba.jumbf.truncated")
        size, kind = struct.unpack_from(">I4s", data, start)
        header = 8
        if size == 1:
            if end - start < 16:
                raise MalformedAsset("a JUMBF box is cut off", code="tanba.jumbf.truncated")
            (size,) = struct.unpack_from(">Q", data, start + 8)
            header = 16
        elif size == 0:
            size = end - start
        if size < header or start + size > end:
            raise MalformedAsset("a JUMBF box is longer than its parent", code="tanba.jumbf.truncated")
        yield Box(start, size, header, kind)
        start += size


def superbox(data: bytes, box: Box) -> SuperBox:
    """Read the description box of a ``jumb`` box. Raises :class:`MalformedAsset`."""
    first = next(boxes(data, box.start, box.end), None)
    if box.kind != b"jumb" or first is None or first.kind != b"jumd" or first.size - first.header < 17:
        raise MalformedAsset("a JUMBF superbox has no description", code="tanba.jumbf.malformed")
    label = ""
    if data[first.start + 16] & 0x02:
        stop = data.find(b"\0", first.start + 17, first.end)
        if stop < 0:
            raise MalformedAsset("a JUMBF label has no end", code="tanba.jumbf.malformed")
        label = data[first.start + 17 : stop].decode("utf-8", "replace")
    return SuperBox(box, label, data[first.start : first.start + 16], first.end)


def root(store: bytes) -> SuperBox:
    """The ``c2pa`` superbox of a manifest store. Raises :class:`MalformedAsset`."""
    first = next(boxes(store, 0, len(store)), None)
    if first is None:
        raise MalformedAsset("the manifest store is empty", code="tanba.jumbf.truncated")
    found = superbox(store, first)
    if found.label != "c2pa":
        raise MalformedAsset("not a C2PA manifest store", code="tanba.jumbf.malformed")
    return found


def children(store: bytes, parent: SuperBox) -> tuple[SuperBox, ...]:
    """The superboxes directly inside a superbox."""
    return tuple(superbox(store, box) for box in boxes(store, parent.content, parent.end) if box.kind == b"jumb")


@lru_cache(maxsize=4)
def manifests(store: bytes) -> tuple[SuperBox, ...]:
    """All manifests in order; the last one is the active manifest (C2PA 2.4 section 11.1.4).

    Of the last few stores: what reads or makes a label asks for the same one a dozen times.
    """
    return children(store, root(store))


def manifest(store: bytes, label: str | None = None) -> SuperBox:
    """The manifest of that label, or the active one. Raises :class:`MalformedAsset`."""
    found = manifests(store)
    chosen = found[-1] if found and label is None else next((item for item in found if item.label == label), None)
    if chosen is None:
        raise MalformedAsset("the manifest store has no such manifest", code="tanba.jumbf.malformed")
    return chosen


def content_box(store: bytes, parent: SuperBox, kind: bytes) -> Box:
    """The first content box of a kind (``cbor``, ``json`` ...). Raises :class:`MalformedAsset`."""
    found = next((box for box in boxes(store, parent.content, parent.end) if box.kind == kind), None)
    if found is None:
        raise MalformedAsset(f"no {kind.decode('ascii', 'replace')} box", code="tanba.jumbf.malformed")
    return found


@dataclass(frozen=True, slots=True)
class CoseSign1:
    """The claim signature (C2PA 2.4 section 13.2; RFC 9052)."""

    protected: Mapping[Any, Any]
    unprotected: Mapping[Any, Any]
    signature: bytes
    box: Box
    """The ``cbor`` content box it came from."""

    @property
    def x5chain(self) -> tuple[bytes, ...]:
        """DER certificates, leaf first; empty when the header is missing or not bytes."""
        for headers in (self.protected, self.unprotected):
            for key in (_X5CHAIN, "x5chain"):
                value = headers.get(key)
                if isinstance(value, bytes):
                    return (value,)
                if isinstance(value, (list, tuple)) and all(isinstance(item, bytes) for item in value):
                    return tuple(value)
        return ()

    @property
    def algorithm(self) -> int | None:
        """COSE algorithm number (-7 is ES256)."""
        value = self.protected.get(_ALGORITHM)
        return value if isinstance(value, int) else None

    @property
    def timestamp_tokens(self) -> tuple[bytes, ...]:
        """RFC 3161 values of ``sigTst2`` or ``sigTst`` (C2PA 2.4 section 10.3.2.5), as stored."""
        for key in ("sigTst2", "sigTst"):
            value = self.unprotected.get(key)
            tokens = value.get("tstTokens") if isinstance(value, Mapping) else None
            if isinstance(tokens, (list, tuple)):
                return tuple(
                    item["val"] for item in tokens if isinstance(item, Mapping) and isinstance(item.get("val"), bytes)
                )
        return ()

    @property
    def ocsp_responses(self) -> tuple[bytes, ...]:
        """Stapled DER OCSP responses of ``rVals`` (C2PA 2.4 section 13.2)."""
        value = self.unprotected.get("rVals")
        vals = value.get("ocspVals") if isinstance(value, Mapping) else None
        return tuple(item for item in vals if isinstance(item, bytes)) if isinstance(vals, (list, tuple)) else ()


def signature_superbox(store: bytes, label: str | None = None) -> SuperBox:
    """The ``c2pa.signature`` superbox of a manifest. Raises :class:`MalformedAsset`."""
    found = next((item for item in children(store, manifest(store, label)) if item.label == "c2pa.signature"), None)
    if found is None:
        raise MalformedAsset("the manifest has no signature box", code="tanba.jumbf.malformed")
    return found


@lru_cache(maxsize=4)
def cose(store: bytes, label: str | None = None) -> CoseSign1:
    """The COSE_Sign1 of a manifest (the active one by default). Raises :class:`MalformedAsset`."""
    box = content_box(store, signature_superbox(store, label), b"cbor")
    try:
        value = cbor2.loads(store[box.start : box.end])
        items = value.value if isinstance(value, cbor2.CBORTag) and value.tag == _TAG_COSE_SIGN1 else value
        protected_bytes, unprotected, _payload, signature = items
        protected = cbor2.loads(protected_bytes) if protected_bytes else {}
    except (cbor2.CBORError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise MalformedAsset("the claim signature is no COSE_Sign1", code="tanba.jumbf.malformed") from error
    if not isinstance(protected, Mapping) or not isinstance(unprotected, Mapping) or not isinstance(signature, bytes):
        raise MalformedAsset("the claim signature is no COSE_Sign1", code="tanba.jumbf.malformed")
    return CoseSign1(protected, unprotected, signature, box)


def decoded(store: bytes, parent: SuperBox) -> Any:
    """The CBOR content of a superbox. Raises :class:`MalformedAsset`."""
    box = content_box(store, parent, b"cbor")
    try:
        return cbor2.loads(store[box.start : box.end])
    except (cbor2.CBORError, ValueError, TypeError, RecursionError) as error:
        raise MalformedAsset(f"{parent.label} is no CBOR", code="tanba.jumbf.malformed") from error


def assertions(store: bytes, holder: SuperBox, prefix: str) -> dict[str, Any]:
    """Decoded assertions of a manifest whose labels begin so; equal labels are told apart by ``__1``, ``__2`` …

    Raises :class:`MalformedAsset`.
    """
    found: dict[str, Any] = {}
    for item in children(store, holder):
        if item.label != "c2pa.assertions":
            continue
        for entry in children(store, item):
            if entry.label.startswith(prefix):
                label = entry.label if entry.label not in found else f"{entry.label}__{len(found)}"
                found[label] = decoded(store, entry)
    return found


def hashed_manifest(store: bytes, label: str | None = None) -> SuperBox:
    """The manifest that holds the hard binding: that one, or what an update manifest updates (section 11.2.2).

    Raises :class:`MalformedAsset`.
    """
    current = manifest(store, label)
    for _ in range(_MAX_DEPTH):
        if not current.uuid.startswith(_UPDATE):
            return current
        parents = [
            item.get("activeManifest") or item.get("c2pa_manifest")
            for item in assertions(store, current, "c2pa.ingredient").values()
            if isinstance(item, Mapping) and item.get("relationship") == "parentOf"
        ]
        url = parents[0].get("url") if parents and isinstance(parents[0], Mapping) else None
        if not isinstance(url, str):
            break
        current = manifest(store, url.removeprefix("self#jumbf=/c2pa/").split("/")[0])
    raise MalformedAsset("an update manifest does not lead to a standard one", code="tanba.jumbf.malformed")


def claim_algorithm(store: bytes, holder: SuperBox) -> str | None:
    """``alg`` of the claim, which assertions without one inherit (section 15.4.1)."""
    for item in children(store, holder):
        if item.label.startswith("c2pa.claim"):
            claim = decoded(store, item)
            value = claim.get("alg") if isinstance(claim, Mapping) else None
            return value if isinstance(value, str) else None
    return None


@dataclass(frozen=True, slots=True)
class Repadder:
    """A store taken apart around its active manifest's COSE padding, to be put together again with other padding.

    Only unprotected header bytes and the enclosing box lengths change, so the claim signature stays valid
    (RFC 9052 section 4.4: unprotected headers are not signed; C2PA 2.4 section 13.2 on padding).
    """

    store: bytes
    box: Box
    parents: tuple[Box, ...]
    items: tuple[Any, ...]

    @classmethod
    def of(cls, store: bytes) -> Repadder:
        """Parse a store once. Raises :class:`MalformedAsset`."""
        enclosing, active = signature_superbox(store), manifest(store)
        box = content_box(store, enclosing, b"cbor")
        parents = (enclosing.box, active.box, root(store).box)
        if any(parent.header != 8 for parent in parents):
            raise MalformedAsset("a 64-bit box cannot be re-padded", code="tanba.jumbf.malformed")
        return cls(store, box, parents, tuple(cbor2.loads(store[box.start : box.end]).value))

    def build(self, pad: bytes | None, pad2: bytes | None = None) -> bytes:
        """The store with this ``pad`` and ``pad2`` (None leaves one out)."""
        headers: dict[Any, Any] = {key: value for key, value in self.items[1].items() if key not in ("pad", "pad2")}
        headers |= {key: value for key, value in (("pad", pad), ("pad2", pad2)) if value is not None}
        body = cbor2.dumps(cbor2.CBORTag(_TAG_COSE_SIGN1, [self.items[0], headers, *self.items[2:]]))
        replacement = struct.pack(">I4s", len(body) + 8, b"cbor") + body
        out = bytearray(self.store[: self.box.offset] + replacement + self.store[self.box.end :])
        for parent in self.parents:
            struct.pack_into(">I", out, parent.offset, parent.size + len(replacement) - self.box.size)
        return bytes(out)


def repad(store: bytes, pad: bytes | None, pad2: bytes | None = None) -> bytes:
    """:class:`Repadder` for one use."""
    return Repadder.of(store).build(pad, pad2)
