"""The ``iloc`` box: where the items of a HEIF file lie (ISO/IEC 14496-12, 8.11.3). Parse, move, encode."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tanba.errors import MalformedAsset, MetadataNotWritable

_MAX_ITEMS = 65_536


@dataclass(frozen=True, slots=True)
class Extent:
    """One piece of an item: position (added to the item's base) and length in bytes."""

    offset: int
    length: int
    index: int = 0


@dataclass(frozen=True, slots=True)
class Item:
    """One item. ``method`` 0 counts from the file's start, 1 from ``idat``, 2 from another item."""

    id: int
    method: int
    reference: int
    base: int
    extents: tuple[Extent, ...]


@dataclass(frozen=True, slots=True)
class ItemLocations:
    """The whole box, with its field widths."""

    version: int
    flags: bytes
    offset_size: int
    length_size: int
    base_size: int
    index_size: int
    items: tuple[Item, ...]

    @classmethod
    def parse(cls, body: bytes) -> ItemLocations:
        """Parse the body of a box. Raises :class:`MalformedAsset`."""
        reader = _Reader(body)
        version, flags = reader.number(1), reader.take(3)
        if version > 2:
            raise MalformedAsset(f"iloc version {version}")
        sizes = reader.number(2)
        widths = [sizes >> shift & 15 for shift in (12, 8, 4, 0)]
        if version == 0:
            widths[3] = 0
        if any(width not in (0, 4, 8) for width in widths):
            raise MalformedAsset("iloc field widths")
        count = reader.number(4 if version == 2 else 2)
        if count > _MAX_ITEMS:
            raise MalformedAsset(f"iloc with {count} items")
        items = tuple(_item(reader, version, widths) for _ in range(count))
        return cls(version, flags, widths[0], widths[1], widths[2], widths[3], items)

    def moved(self, from_position: int, delta: int) -> ItemLocations:
        """With every file offset at or behind ``from_position`` moved. Raises :class:`MetadataNotWritable`."""
        return replace(self, items=tuple(_moved(item, from_position, delta, self) for item in self.items))

    def encode(self) -> bytes:
        """The body of the box. Raises :class:`MetadataNotWritable` when a value does not fit its width."""
        width = 4 if self.version == 2 else 2
        sizes = self.offset_size << 12 | self.length_size << 8 | self.base_size << 4 | self.index_size
        out = [bytes((self.version,)), self.flags, sizes.to_bytes(2), _fit(len(self.items), width)]
        for item in self.items:
            out.append(_fit(item.id, width))
            if self.version:
                out.append(item.method.to_bytes(2))
            out += [item.reference.to_bytes(2), _fit(item.base, self.base_size), _fit(len(item.extents), 2)]
            for extent in item.extents:
                if self.version:
                    out.append(_fit(extent.index, self.index_size))
                out += [_fit(extent.offset, self.offset_size), _fit(extent.length, self.length_size)]
        return b"".join(out)


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, count: int) -> bytes:
        if self.at + count > len(self.data):
            raise MalformedAsset("iloc is cut off")
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size))


def _item(reader: _Reader, version: int, widths: list[int]) -> Item:
    offset_size, length_size, base_size, index_size = widths
    number = reader.number(4 if version == 2 else 2)
    method = reader.number(2) & 15 if version else 0
    reference, base, count = reader.number(2), reader.number(base_size), reader.number(2)
    if count > 1 and offset_size + length_size + index_size == 0:
        raise MalformedAsset("iloc extents without fields")
    extents = []
    for _ in range(count):
        index = reader.number(index_size) if version else 0
        extents.append(Extent(reader.number(offset_size), reader.number(length_size), index))
    return Item(number, method, reference, base, tuple(extents))


def _moved(item: Item, from_position: int, delta: int, box: ItemLocations) -> Item:
    if item.method != 0 or item.reference != 0:
        return item
    behind = [item.base + extent.offset >= from_position for extent in item.extents]
    if not any(behind):
        return item
    if box.base_size and item.base and all(behind):
        return replace(item, base=item.base + delta)
    if not box.offset_size:
        raise MetadataNotWritable("an item's offset cannot be moved")
    extents = tuple(
        replace(extent, offset=extent.offset + delta) if late else extent
        for extent, late in zip(item.extents, behind, strict=True)
    )
    return replace(item, extents=extents)


def _fit(value: int, width: int) -> bytes:
    if value >= 1 << (8 * width):
        raise MetadataNotWritable("a value does not fit the file's item location box")
    return value.to_bytes(width)
