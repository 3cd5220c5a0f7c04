"""AVIF and HEIF: XMP as a ``mime`` item of the ``meta`` box (ISO/IEC 23008-12; ISO/IEC 14496-12, 8.11).

Writing adds the item to ``iinf``, ``iloc`` and ``iref``, appends its bytes in an ``mdat`` at the end, and moves every
file offset that lies behind the grown ``meta`` box. What cannot be moved with certainty is refused.
"""

from __future__ import annotations

import io
from dataclasses import replace
from typing import BinaryIO

from tanba.errors import MalformedAsset, MetadataNotWritable
from tanba.formats.containers.base import MAX_PACKET, XMP_ITEM_TYPE, Blocks, take
from tanba.formats.containers.boxes import Box, closed, top_level, walk
from tanba.formats.containers.iloc import Extent, Item, ItemLocations

_MAX_META = 16 << 20
_META_HEADER = 4
"""``meta`` is a FullBox: version and flags come before its children."""


def read(stream: BinaryIO, blocks: Blocks) -> None:
    """XMP and EXIF items."""
    for box in top_level(stream):
        if box.kind == b"meta":
            if box.end - box.body > _MAX_META:
                blocks.unread.append("the meta box is larger than is read")
                return
            stream.seek(box.start)
            _read_meta(stream, take(stream, box.end - box.start), blocks)
            return


def write(data: bytes, packet: bytes) -> bytes:
    """Set the XMP item. Pixels and all other items stay byte for byte; only their offsets move with them."""
    view = memoryview(data)
    boxes = list(walk(view, 0, len(view)))
    meta = next((box for box in boxes if box.kind == b"meta"), None)
    if meta is None or meta.open:
        raise MetadataNotWritable("the file has no meta box of known size")
    if any(box.kind in (b"moof", b"sidx", b"mfra") for box in boxes):
        raise MetadataNotWritable("the file is fragmented; its offsets cannot be moved with certainty")
    parts = _Meta(view, meta)
    item = parts.xmp_item() or parts.new_item()
    if parts.owns(item, boxes[-1]):
        boxes.pop()
        data_end = boxes[-1].end
    else:
        data_end = len(data)
    length = len(packet)
    size = len(parts.build(item, Extent(0, length), 0))
    delta = size - (meta.end - meta.start)
    new_meta = parts.build(item, Extent(data_end + delta + 8, length), delta)
    pieces: list[bytes | memoryview] = []
    for box in boxes:
        if box is meta:
            pieces.append(new_meta)
        elif box.kind == b"moov":
            pieces.append(_move_chunks(bytes(view[box.start : box.end]), meta.end, delta))
        else:
            pieces.append(closed(view, box))
    return b"".join((*pieces, (length + 8).to_bytes(4), b"mdat", packet))


class _Meta:
    """The parts of a ``meta`` box that an item needs."""

    def __init__(self, view: memoryview, box: Box) -> None:
        self.view = view
        self.box = box
        self.children = list(walk(view, box.body + _META_HEADER, box.end))
        for kind in (b"iinf", b"iloc", b"pitm"):
            if sum(child.kind == kind for child in self.children) != 1:
                raise MetadataNotWritable(f"the meta box has no single {kind.decode()}")
        self.infos = _infos(bytes(self._body(b"iinf")))
        self.locations = ItemLocations.parse(bytes(self._body(b"iloc")))
        pitm = bytes(self._body(b"pitm"))
        self.primary = int.from_bytes(pitm[4:] if pitm[0] else pitm[4:6])

    def xmp_item(self) -> int | None:
        """The id of the XMP item there is."""
        for number, kind, body in self.infos:
            if kind == b"mime" and XMP_ITEM_TYPE + b"\0" in body + b"\0":
                return number
        return None

    def owns(self, item: int, box: Box) -> bool:
        """Whether a box at the end holds this item and nothing else: what an earlier write of ours left."""
        places = [entry for entry in self.locations.items if entry.id == item and entry.method == 0]
        return box.kind == b"mdat" and any(
            [(entry.base + extent.offset, extent.length) for extent in entry.extents]
            == [(box.body, box.end - box.body)]
            for entry in places
        )

    def new_item(self) -> int:
        """An unused item id of 16 bits."""
        number = max([item for item, _, _ in self.infos] + [item.id for item in self.locations.items]) + 1
        if number > 0xFFFF:
            raise MetadataNotWritable("no item id is free")
        return number

    def build(self, item: int, extent: Extent, delta: int) -> bytes:
        """The whole ``meta`` box with the item at that extent, and offsets behind it moved by ``delta``."""
        known = any(number == item for number, _, _ in self.infos)
        locations = self.locations.moved(self.box.end, delta)
        kept = [entry for entry in locations.items if entry.id != item]
        entry = _at(item, extent, has_base=bool(locations.base_size))
        locations = replace(locations, items=(*kept, entry))
        out = [bytes(self.view[self.box.body : self.box.body + _META_HEADER])]
        has_iref = any(child.kind == b"iref" for child in self.children)
        for child in self.children:
            body = bytes(self.view[child.body : child.end])
            if child.kind == b"iloc":
                out.append(_box(b"iloc", locations.encode()))
            elif child.kind == b"iinf" and not known:
                out.append(_box(b"iinf", _add_info(body, item)))
                if not has_iref:
                    out.append(_box(b"iref", b"\0\0\0\0" + _describes(item, self.primary, wide=False)))
            elif child.kind == b"iref" and not known:
                out.append(_box(b"iref", body + _describes(item, self.primary, wide=bool(body[0]))))
            else:
                out.append(bytes(self.view[child.start : child.end]))
        return _box(b"meta", b"".join(out))

    def _body(self, kind: bytes) -> memoryview:
        child = next(child for child in self.children if child.kind == kind)
        return self.view[child.body : child.end]


def _at(item: int, extent: Extent, *, has_base: bool) -> Item:
    """The item's place: in its base where the box has one, because c2pa-rs 0.91 moves base *and* offset of an item
    whose base is 0, which would lead nowhere.
    """
    if has_base:
        return Item(item, 0, 0, extent.offset, (Extent(0, extent.length),))
    return Item(item, 0, 0, 0, (extent,))


def _read_meta(stream: BinaryIO, raw: bytes, blocks: Blocks) -> None:
    view = memoryview(raw)
    box = next(walk(view, 0, len(raw)))
    children = {child.kind: bytes(view[child.body : child.end]) for child in walk(view, box.body + 4, box.end)}
    if b"iinf" not in children or b"iloc" not in children:
        return
    places = {item.id: item for item in ItemLocations.parse(children[b"iloc"]).items}
    for number, kind, body in _infos(children[b"iinf"]):
        is_xmp = kind == b"mime" and XMP_ITEM_TYPE + b"\0" in body + b"\0"
        if not (is_xmp or kind == b"Exif") or number not in places:
            continue
        value = _item_bytes(stream, places[number], children.get(b"idat", b""), blocks)
        if value is None:
            continue
        if is_xmp:
            blocks.add_xmp(value)
        elif blocks.exif is None:
            blocks.exif = value[4 + int.from_bytes(value[:4]) :]


def _item_bytes(stream: BinaryIO, item: Item, idat: bytes, blocks: Blocks) -> bytes | None:
    if sum(extent.length for extent in item.extents) > MAX_PACKET or item.method > 1:
        blocks.unread.append("a metadata item is larger than is read, or kept in another item")
        return None
    source: BinaryIO = io.BytesIO(idat) if item.method == 1 else stream
    out = []
    for extent in item.extents:
        if item.base + extent.offset >= 1 << 62:
            raise MalformedAsset("an item lies outside the file")
        source.seek(item.base + extent.offset)
        out.append(take(source, extent.length))
    return b"".join(out)


def _infos(body: bytes) -> list[tuple[int, bytes, bytes]]:
    """Id, type and remaining bytes of each ``infe`` of version 2 or 3; older ones have no type."""
    view = memoryview(body)
    start = 6 if body[:1] == b"\0" else 8
    out = []
    for child in walk(view, start, len(body)):
        entry = bytes(view[child.body : child.end])
        if child.kind != b"infe" or len(entry) < 12:
            continue
        version = entry[0]
        width = {2: 2, 3: 4}.get(version)
        if width is None:
            continue
        at = 4 + width + 2
        out.append((int.from_bytes(entry[4 : 4 + width]), entry[at : at + 4], entry[at + 4 :]))
    return out


def _add_info(body: bytes, item: int) -> bytes:
    """``iinf`` with one more entry: ``infe`` version 2, type ``mime``, no name, the XMP content type."""
    entry = _box(b"infe", b"\2\0\0\0" + item.to_bytes(2) + b"\0\0mime" + b"\0" + XMP_ITEM_TYPE + b"\0")
    width = 4 if body[0] else 2
    count = int.from_bytes(body[4 : 4 + width]) + 1
    return body[:4] + count.to_bytes(width) + body[4 + width :] + entry


def _describes(item: int, primary: int, *, wide: bool) -> bytes:
    """A ``cdsc`` reference: the XMP item describes the primary image (ISO/IEC 23008-12, 6.3)."""
    width = 4 if wide else 2
    if primary >= 1 << (8 * width):
        raise MetadataNotWritable("the primary item's id does not fit the reference box")
    return _box(b"cdsc", item.to_bytes(width) + (1).to_bytes(2) + primary.to_bytes(width))


def _move_chunks(moov: bytes, from_position: int, delta: int) -> bytes:
    """``moov`` of an image sequence with its chunk offsets (``stco``, ``co64``) moved."""
    out = bytearray(moov)
    view = memoryview(moov)
    pending = list(walk(view, 0, len(moov)))
    while pending:
        box = pending.pop()
        if box.kind in (b"moov", b"trak", b"mdia", b"minf", b"stbl"):
            pending += walk(view, box.body, box.end)
        elif box.kind in (b"stco", b"co64"):
            width = 4 if box.kind == b"stco" else 8
            for at in range(box.body + 8, box.end - width + 1, width):
                offset = int.from_bytes(out[at : at + width])
                if offset >= from_position:
                    if offset + delta >= 1 << (8 * width):
                        raise MetadataNotWritable("a chunk offset does not fit")
                    out[at : at + width] = (offset + delta).to_bytes(width)
    return bytes(out)


def _box(kind: bytes, body: bytes) -> bytes:
    return (len(body) + 8).to_bytes(4) + kind + body
