"""Compressed manifests (C2PA 2.4 section 11.2.3): a ``c2cm`` superbox whose ``brob`` box holds the Brotli-compressed
manifest. Used by ``--compact`` and undone, within limits, before the engine reads.

The wheel compresses only when it embeds; text carriers need the same done from outside.
"""

from __future__ import annotations

import struct
from typing import Any

from tanba import jumbf
from tanba.errors import AssetTooLarge, MalformedAsset

_UUID_SUFFIX = bytes.fromhex("00110010800000aa00389b71")
_COMPRESSED = b"c2cm" + _UUID_SUFFIX
_CHUNK = 1 << 16
_LAST = b"\x03"
"""The empty last meta-block (RFC 7932 section 9.2: ISLAST, ISLASTEMPTY)."""

PADDING = (b"\x06", b"\x16\0\0")
"""Meta-blocks that hold no data: an empty metadata block, and one with a single zero byte (RFC 7932 section 9.2).
Decoders skip them; they make a compressed manifest longer by one or three bytes without touching its content."""


def is_compressed(store: bytes) -> bool:
    """Whether any manifest of the store is compressed. Raises :class:`MalformedAsset`."""
    return any(item.uuid == _COMPRESSED for item in jumbf.manifests(store))


def compress(store: bytes) -> bytes:
    """The store with its active manifest compressed. Raises :class:`MalformedAsset`."""
    active = jumbf.manifest(store)
    encoder = _brotli().Compressor(quality=11, lgwin=16)
    body = encoder.process(store[active.box.offset : active.box.end]) + encoder.flush() + _LAST
    description = _box(b"jumd", _COMPRESSED + b"\x03" + active.label.encode() + b"\0")
    return _replace(store, active, _box(b"jumb", description + _box(b"brob", body)))


def lengthen(store: bytes, padding: bytes) -> bytes:
    """A store made by :func:`compress` with :data:`PADDING` blocks before the end of its Brotli stream."""
    active = jumbf.manifest(store)
    brob = jumbf.content_box(store, active, b"brob")
    body = store[brob.start : brob.end].removesuffix(_LAST) + padding + _LAST
    description = store[active.box.start : brob.offset]
    return _replace(store, active, _box(b"jumb", description + _box(b"brob", body)))


def expand(store: bytes, limit: int) -> bytes:
    """The store with every compressed manifest expanded, in ``limit`` bytes at most.

    Raises :class:`MalformedAsset` for broken Brotli data, :class:`AssetTooLarge` beyond the limit.
    """
    for item in reversed(jumbf.manifests(store)):
        if item.uuid != _COMPRESSED:
            continue
        box = jumbf.content_box(store, item, b"brob")
        plain = _decompress(store[box.start : box.end], limit)
        inner = jumbf.superbox(plain, next(jumbf.boxes(plain, 0, len(plain))))
        if inner.label != item.label or inner.end != len(plain):
            raise MalformedAsset("a compressed manifest is not the one it says", code="tanba.jumbf.malformed")
        store = _replace(store, item, plain)
        if len(store) > limit:
            raise AssetTooLarge(f"the manifest expands to more than {limit:,} bytes")
    return store


def _decompress(data: bytes, limit: int) -> bytes:
    brotli = _brotli()
    decoder = brotli.Decompressor()
    out = bytearray()
    try:
        piece = decoder.process(data, output_buffer_limit=_CHUNK)
        while True:
            out += piece
            if len(out) > limit:
                raise AssetTooLarge(f"the manifest expands to more than {limit:,} bytes")
            if decoder.is_finished():
                return bytes(out)
            if not piece and decoder.can_accept_more_data():
                raise MalformedAsset("a compressed manifest is cut off", code="tanba.jumbf.truncated")
            piece = decoder.process(b"", output_buffer_limit=_CHUNK)
    except brotli.error as error:
        raise MalformedAsset("a compressed manifest does not decompress", code="tanba.jumbf.malformed") from error


def _brotli() -> Any:
    import brotli  # type: ignore[import-untyped]  # ships no type information

    return brotli


def _box(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I4s", len(payload) + 8, kind) + payload


def _replace(store: bytes, item: jumbf.SuperBox, new: bytes) -> bytes:
    """The store with one manifest replaced and the root's length corrected."""
    top = jumbf.root(store).box
    out = bytearray(store[: item.box.offset] + new + store[item.box.end :])
    if top.header != 8:
        raise MalformedAsset("a 64-bit root box is not supported", code="tanba.jumbf.malformed")
    struct.pack_into(">I", out, top.offset, top.size + len(new) - item.box.size)
    return bytes(out)
