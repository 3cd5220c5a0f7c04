"""What container readers share: the result type, the reading window, and bounds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import BinaryIO

from tanba.errors import MalformedAsset

MAX_PACKET = 8 << 20
"""Bytes of one XMP packet or EXIF block that are read; larger ones count as a problem, unread."""
MAX_TEXT = 1 << 20
"""Bytes of all text chunks together that are kept."""
MAX_PACKETS = 8
"""XMP packets of one file that are kept; a sound file has one."""
MAX_BLOCKS = 200_000
"""Segments, chunks or boxes walked before a reader gives up."""

XMP_ITEM_TYPE = b"application/rdf+xml"


@dataclass(slots=True)
class Blocks:
    """The metadata blocks of one file, undecoded."""

    xmp: list[bytes] = field(default_factory=list)
    """XMP packets in file order; more than one is a fault that the reader reports."""
    xmp_extended: bytes | None = None
    """JPEG ExtendedXMP, joined (XMP part 3, 1.1.3.1)."""
    exif: bytes | None = None
    """An EXIF block: a TIFF structure without its ``Exif`` prefix."""
    text: list[tuple[str, str]] = field(default_factory=list)
    """Keyword and text of PNG text chunks and of comments (keyword ``comment``), in file order."""
    problems: list[str] = field(default_factory=list)
    """What does not parse, in words."""
    unread: list[str] = field(default_factory=list)
    """What parses and was left unread (too large, a compression of its own), in words."""
    kept: int = 0
    """Bytes of :attr:`text` so far."""

    def add_xmp(self, packet: bytes) -> None:
        """Keep a packet. Raises :class:`MalformedAsset` for more, or more bytes together, than a file can need."""
        if len(self.xmp) >= MAX_PACKETS or sum(map(len, self.xmp)) + len(packet) > MAX_PACKET:
            raise MalformedAsset("more XMP packets than are read")
        self.xmp.append(packet)

    def add_text(self, keyword: str, text: str) -> None:
        """Keep a text chunk as long as :data:`MAX_TEXT` allows."""
        self.kept += len(text)
        if self.kept > MAX_TEXT:
            self.unread.append("more text than is read")
        else:
            self.text.append((keyword, text))


@dataclass(frozen=True, slots=True)
class Container:
    """A container's two functions."""

    read: Callable[[BinaryIO, Blocks], None]
    """Fill the blocks from a stream at position 0. Raises :class:`MalformedAsset` for what does not parse; what was
    found before stays in the blocks."""
    write: Callable[[bytes, bytes], bytes] | None = None
    """The file with this XMP packet instead of its own. Raises :class:`MalformedAsset` or
    :class:`MetadataNotWritable`."""
    reason: str = ""
    """Why nothing is written, when :attr:`write` is None."""


def take(stream: BinaryIO, count: int) -> bytes:
    """Exactly ``count`` bytes. Raises :class:`MalformedAsset` at the end of the file."""
    data = stream.read(count)
    if len(data) != count:
        raise MalformedAsset("the file ends inside a metadata block")
    return data


def bounded(stream: BinaryIO, count: int, what: str, blocks: Blocks) -> bytes | None:
    """``count`` bytes, or None, noted as unread (and the stream moved past) when that is more than is read."""
    if count > MAX_PACKET:
        blocks.unread.append(f"{what} of {count:,} bytes is more than is read")
        stream.seek(count, 1)
        return None
    return take(stream, count)


def too_many() -> MalformedAsset:
    """The error for a file with more than :data:`MAX_BLOCKS` parts."""
    return MalformedAsset(f"more than {MAX_BLOCKS:,} parts")
