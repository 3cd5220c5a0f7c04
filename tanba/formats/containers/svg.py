"""SVG: an ``x:xmpmeta`` element inside ``metadata`` (SVG 2, 5.8; XMP part 3, 1.2.5).

The document is scanned, never rewritten: the packet is spliced into the bytes, so that every other byte stays.
"""

from __future__ import annotations

from typing import BinaryIO
from xml.parsers import expat

from tanba.errors import MalformedAsset, MetadataNotWritable
from tanba.formats.containers.base import Blocks

_SVG = "http://www.w3.org/2000/svg"
_XMPMETA = "adobe:ns:meta/ xmpmeta"
_MAX_SVG = 64 << 20
_MAX_DEPTH = 2_000


class _Scan:
    """Byte positions found in one pass: behind the root's start tag, and around an ``xmpmeta`` element."""

    def __init__(self, data: bytes) -> None:
        self.root_end: int | None = None
        self.root_empty = False
        self.metadata_end: int | None = None
        self.xmp: list[tuple[int, int]] = []
        self.data = data
        self._depth = 0
        self._waiting: list[str] = []
        self._open: tuple[int, int] | None = None
        self._closing = False
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = False
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.EntityDeclHandler = self._entity
        parser.CharacterDataHandler = lambda _: self._seen()
        parser.CommentHandler = lambda _: self._seen()
        parser.ProcessingInstructionHandler = lambda _target, _data: self._seen()
        parser.StartCdataSectionHandler = self._seen
        self._parser = parser
        try:
            parser.Parse(data, True)
        except expat.ExpatError as error:
            raise MalformedAsset("the SVG is not well-formed XML") from error

    def _seen(self) -> None:
        """Any event: what was waiting for the end of a start tag or of an end tag has it now."""
        at = self._parser.CurrentByteIndex
        for what in self._waiting:
            if what == "root":
                self.root_end = at
            elif what == "metadata":
                self.metadata_end = at
            elif self._open is not None:
                self.xmp.append((self._open[0], at))
                self._open = None
        self._waiting.clear()

    def _start(self, name: str, _attributes: object) -> None:
        self._seen()
        if self._depth == 0:
            if name != f"{_SVG} svg":
                raise MalformedAsset("the root element is not svg")
            self._waiting.append("root")
        elif self._depth == 1 and name == f"{_SVG} metadata" and self.metadata_end is None:
            self._waiting.append("metadata")
        elif name == _XMPMETA and self._open is None:
            self._open = (self._parser.CurrentByteIndex, self._depth)
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise MalformedAsset("the SVG is nested too deeply")

    def _end(self, _name: str) -> None:
        at = self._parser.CurrentByteIndex
        if "root" in self._waiting and self.data[at : at + 2] != b"</":
            self.root_empty = True
        if "metadata" in self._waiting and self.data[at : at + 2] != b"</":
            self._waiting.remove("metadata")
        self._seen()
        self._depth -= 1
        if self._open is not None and self._depth == self._open[1]:
            self._waiting.append("xmp")

    def _entity(self, *_: object) -> None:
        raise MetadataNotWritable("the SVG declares entities; it is left alone")


def read(stream: BinaryIO, blocks: Blocks) -> None:
    """The ``xmpmeta`` elements, as they stand."""
    data = stream.read(_MAX_SVG + 1)
    if len(data) > _MAX_SVG:
        blocks.unread.append("the SVG is larger than is read")
        return
    if b"adobe:ns:meta/" not in data:
        return
    _check_encoding(data)
    for start, end in _Scan(data).xmp:
        blocks.add_xmp(data[start:end])


def write(data: bytes, packet: bytes) -> bytes:
    """Replace the ``xmpmeta`` element, or add one in the first ``metadata`` (made behind the root's start tag)."""
    _check_encoding(data)
    if len(data) > _MAX_SVG:
        raise MetadataNotWritable("the SVG is larger than Tanba scans")
    scan = _Scan(data)
    start, end = packet.find(b"?>") + 2, packet.rfind(b"<?xpacket")
    element = packet[start:end].strip()
    if scan.xmp:
        begin, stop = scan.xmp[0]
        return b"".join((data[:begin], element, data[stop:]))
    if scan.metadata_end is not None:
        at = scan.metadata_end
        return b"".join((data[:at], element, data[at:]))
    if scan.root_end is None or scan.root_empty:
        raise MetadataNotWritable("the SVG is empty")
    at = scan.root_end
    whole = b'<metadata xmlns="http://www.w3.org/2000/svg">' + element + b"</metadata>"
    return b"".join((data[:at], whole, data[at:]))


def _check_encoding(data: bytes) -> None:
    head = data[:200].lower()
    declared = b"encoding=" in head and b"utf-8" not in head
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in data[:4] or declared:
        raise MetadataNotWritable("the SVG is not in UTF-8")
