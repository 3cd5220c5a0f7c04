"""Which container module serves which media type: one literal table."""

from __future__ import annotations

from tanba.formats.containers import jpeg, png, riff
from tanba.formats.containers.base import Container
from tanba.formats.sniff import JXL_BARE, Format

_TABLE = {
    "image/jpeg": Container(jpeg.read, jpeg.write),
    "image/png": Container(png.read, png.write),
    "image/webp": Container(riff.read, riff.write),
}


def container_for(format: Format) -> Container | None:
    """The container of a media type, or None when Tanba knows no metadata there."""
    if format == JXL_BARE:
        return None
    return _TABLE.get(format.media_type)
