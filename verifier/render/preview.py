"""A picture or an excerpt beside the words. The bytes of a file never enter a report: pixels are decoded and drawn anew.

What cannot be decoded within the limits has no preview, which is no finding about the file. SVG and video have none.
"""

from __future__ import annotations

import base64
import io
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tanba.asset import Asset
from tanba.errors import TanbaError
from tanba.formats.sniff import Kind
from tanba.limits import DEFAULT_LIMITS, Limits
from verifier.render.safe import clean

SIDE = 512
"""Longest side of the picture in a report, pixels."""
THUMBNAIL_SIDE = 160
"""Longest side of a thumbnail in the history, pixels."""
EXCERPT = 1_200
"""Characters of a text shown in a report."""
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP")
_FULL_PIXELS = 24_000_000
"""Formats other than JPEG are decoded whole before they shrink; above this the picture is left out."""
_MAX_DATA_URI = 1 << 20


@dataclass(frozen=True, slots=True)
class Preview:
    """Either a picture (``data:`` URI made by us) or an excerpt of a text."""

    picture: str | None = None
    excerpt: tuple[str, ...] = ()
    """Lines, already cleaned."""


def preview_of(source: str | Path, *, limits: Limits = DEFAULT_LIMITS) -> Preview | None:
    """The preview of a file, or None. Never raises for what the file is."""
    try:
        asset = Asset.from_path(Path(source), limits=limits)
        return preview_of_asset(asset, limits=limits)
    except TanbaError:
        return None


def preview_of_asset(asset: Asset, *, limits: Limits = DEFAULT_LIMITS) -> Preview | None:
    """The preview of an open asset, or None."""
    if asset.format.kind is Kind.TEXT:
        with asset.open() as stream:
            text = stream.read(EXCERPT * 4).decode("utf-8", "replace")
        return Preview(excerpt=tuple(clean(line, EXCERPT) for line in text[:EXCERPT].splitlines()[:40]))
    if asset.format.kind is not Kind.IMAGE:
        return None
    with asset.open() as stream:
        picture = _redraw(stream, SIDE, limits.pixels)
    return Preview(picture=picture) if picture else None


def safe_thumbnail(data_uri: str | None) -> str | None:
    """A thumbnail out of a manifest, decoded and drawn anew; None when it is no small PNG or JPEG."""
    if not data_uri or len(data_uri) > _MAX_DATA_URI:
        return None
    head, _, body = data_uri.partition(",")
    if head not in ("data:image/png;base64", "data:image/jpeg;base64"):
        return None
    try:
        data = base64.b64decode(body, validate=True)
    except ValueError:
        return None
    return _redraw(io.BytesIO(data), THUMBNAIL_SIDE, _FULL_PIXELS)


def _redraw(stream: BinaryIO, side: int, pixels: int) -> str | None:
    """Decode, turn upright, shrink and encode as a new JPEG (PNG when it has transparency). No metadata is kept."""
    from PIL import Image, ImageOps

    try:
        # Pillow warns between its own two limits; here that is one more "too large", not a line on standard error.
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            opened = Image.open(stream, formats=_FORMATS)
        with opened as image:
            bound = pixels if image.format == "JPEG" else min(pixels, _FULL_PIXELS)
            if image.width * image.height > bound:
                return None
            image.draft("RGB", (side, side))
            image.thumbnail((side, side), Image.Resampling.BILINEAR)
            upright = ImageOps.exif_transpose(image)
            clear = upright.has_transparency_data
            drawn = upright.convert("RGBA" if clear else "RGB")
            drawn.info.clear()
            out = io.BytesIO()
            drawn.save(out, "PNG") if clear else drawn.save(out, "JPEG", quality=80)
    except Exception:  # noqa: BLE001  decoders of hostile bytes raise anything; no preview is the answer to all of it
        return None
    kind = "png" if clear else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(out.getvalue()).decode('ascii')}"
