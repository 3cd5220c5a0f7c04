"""Small files of every container, made by Pillow or by hand from the format's own specification."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tanba.asset import Asset
from tanba.formats.sniff import Format

needs_exiftool = pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")

PILLOW = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP", "tif": "TIFF", "gif": "GIF", "avif": "AVIF"}
WRITABLE = (*PILLOW, "svg", "jxl")


def picture(extension: str, size: tuple[int, int] = (96, 64), **options: Any) -> bytes:
    """A small file of the type; the picture has structure in both directions."""
    if extension == "svg":
        return b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">\n<path d="M0 0h9"/></svg>\n'
    if extension == "jxl":
        boxes = [(b"JXL ", b"\r\n\x87\n"), (b"ftyp", b"jxl \0\0\0\0jxl "), (b"jxlc", b"\xff\x0a codestream")]
        return b"".join((len(body) + 8).to_bytes(4) + kind + body for kind, body in boxes)
    out = io.BytesIO()
    image = Image.linear_gradient("L").resize(size)
    colour = Image.merge("RGB", (image, image.rotate(90).resize(size), image.rotate(180)))
    colour.save(out, PILLOW[extension], **options)
    return out.getvalue()


def format_of(data: bytes, extension: str) -> Format:
    return asset(data, extension).format


def asset(data: bytes, extension: str) -> Asset:
    return Asset.from_bytes(data, name=f"x.{extension}")


def pixels(data: bytes) -> bytes:
    with Image.open(io.BytesIO(data)) as image:
        return image.convert("RGBA").tobytes()


def exiftool(paths: list[Path], *options: str) -> dict[str, dict[str, Any]]:
    """What exiftool reads, by file name, with group names of family 1 (``XMP-iptcExt:DigitalSourceType``)."""
    done = subprocess.run(
        ["exiftool", "-j", "-G1", "-struct", *options, *map(str, paths)], capture_output=True, check=False
    )
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return {Path(item["SourceFile"]).name: item for item in found}
