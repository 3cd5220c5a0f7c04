"""Which container module serves which media type: one literal table."""

from __future__ import annotations

from tanba.formats.containers import gif, heif, jpeg, jxl, png, riff, svg, tiff
from tanba.formats.containers.base import Container
from tanba.formats.sniff import JXL_BARE, Format

_TABLE = {
    "image/jpeg": Container(jpeg.read, jpeg.write),
    "image/png": Container(png.read, png.write),
    "image/webp": Container(riff.read, riff.write),
    "image/gif": Container(gif.read, gif.write),
    "image/tiff": Container(tiff.read, tiff.write),
    "image/x-adobe-dng": Container(tiff.read, tiff.write),
    "image/x-nikon-nef": Container(tiff.read, reason="raw photographs are never written"),
    "image/x-sony-arw": Container(tiff.read, reason="raw photographs are never written"),
    "image/avif": Container(heif.read, heif.write),
    "image/heic": Container(heif.read, heif.write),
    "image/heif": Container(heif.read, heif.write),
    "image/jxl": Container(jxl.read, jxl.write),
    "image/svg+xml": Container(svg.read, svg.write),
}


def container_for(format: Format) -> Container | None:
    """The container of a media type, or None when Tanba knows no metadata there."""
    if format == JXL_BARE:
        return None
    return _TABLE.get(format.media_type)
