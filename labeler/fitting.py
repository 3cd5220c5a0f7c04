"""A file in the form in which a label can stand in it, where its own form has no room: same content, other wrapping.

Done before every other layer, and only for a label that goes into the file; a sidecar leaves the bytes as they are.
"""

from __future__ import annotations

from tanba.asset import Asset
from tanba.formats.containers import jxl
from tanba.formats.sniff import JXL, JXL_BARE, Format
from tanba.formats.zipped import is_zipped, stored
from tanba.limits import Limits


def fitted_format(format: Format) -> Format:
    """What a file of this format is after :func:`fit`."""
    return JXL if format == JXL_BARE else format


def fit(asset: Asset, limits: Limits) -> tuple[Asset, tuple[str, ...]]:
    """The asset, or a re-wrapped copy of it, and what the caller must be told.

    A bare JPEG XL codestream goes into the JPEG XL container; compressed parts of a document are stored. Raises
    :class:`MalformedAsset`, :class:`UnsupportedFormat`, :class:`AssetTooLarge`.
    """
    if asset.format == JXL_BARE:
        note = "the bare JPEG XL codestream stands in the JPEG XL container now, unchanged: alone it has no room for a label"
        return _made(asset, jxl.wrapped(asset.read())), (note,)
    if is_zipped(asset.format) and (data := stored(asset.read(), limits)) is not None:
        note = (
            "the parts of this document are stored uncompressed now, each unchanged, because no label can be embedded"
            f" beside compressed ones: {asset.size:,} bytes became {len(data):,} before signing"
        )
        return _made(asset, data), (note,)
    return asset, ()


def _made(asset: Asset, data: bytes) -> Asset:
    return Asset(name=asset.name, format=fitted_format(asset.format), size=len(data), data=data)
