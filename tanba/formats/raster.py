"""Pixels: open a picture within limits, let a patch be pasted, and write it back with its metadata and quality.

With :mod:`tanba.formats.raster_carry` and ``labeler.visible`` the only place that touches Pillow. Decoders are limited to the sniffed format. Metadata is
carried over as bytes where the container allows it; a C2PA store is not, because it is about other pixels (the labeler
keeps it as an ingredient of the new label).
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from PIL import Image, ImageSequence, JpegImagePlugin

from tanba.errors import AssetTooLarge, MalformedAsset, TanbaError, VisibleRefused
from tanba.formats import raster_carry
from tanba.formats.containers import Blocks, container_for
from tanba.formats.sniff import Format
from tanba.limits import DEFAULT_LIMITS, Limits

_PILLOW: Mapping[str, str] = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/webp": "WEBP",
    "image/gif": "GIF",
    "image/tiff": "TIFF",
    "image/avif": "AVIF",
}
_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I;16B")
_MAX_FRAMES = 2_000
_LOSSY_QUALITY = 92
"""Quality of WebP and AVIF, whose own quality cannot be read back."""

_LOSSLESS_TIFF = {None, "raw", "tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "packbits", "zstd"}
"""Kept as they are; fax codes cannot hold grey, and JPEG in TIFF would lose quality twice."""

_FROM_DISPLAY = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""EXIF orientation -> what turns upright pixels into stored ones (the inverse of Exif 3.0, 4.6.5.1.4)."""


@dataclass(slots=True)
class Raster:
    """An opened picture. Positions are those a viewer sees, whatever the EXIF orientation."""

    format: Format
    source: bytes
    frames: list[Image.Image]
    orientation: int
    info: dict[str, Any]
    notes: list[str] = field(default_factory=list)
    """What changes beside the mark, in words."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels as shown."""
        width, height = self.frames[0].size
        return (height, width) if self.orientation >= 5 else (width, height)

    def luminance(self, box: tuple[int, int, int, int]) -> float:
        """Mean grey value (0-255) under a box of the first frame."""
        part = self.frames[0].crop(self._stored(box))
        if part.mode == "I;16":  # Pillow scales no 16-bit greys down; the high bytes are enough here
            values = part.tobytes()[1::2]
        else:
            part.thumbnail((64, 64))
            values = part.convert("RGB").convert("L").tobytes()
        return sum(values) / len(values) if values else 0.0

    def paste(self, patch: Image.Image, box: tuple[int, int, int, int]) -> None:
        """Put an opaque grey patch (mode ``L``) of the box's size into every frame."""
        turn = _FROM_DISPLAY.get(self.orientation)
        turned = patch.transpose(turn) if turn is not None else patch
        for frame in self.frames:
            frame.paste(_in_mode(turned, frame.mode), self._stored(box)[:2])

    def encode(self) -> bytes:
        """The picture in its own format. Raises :class:`VisibleRefused` when the encoder fails."""
        try:
            return _ENCODERS[self.format.media_type](self)
        except TanbaError:
            raise
        except Exception as error:  # and so do its encoders
            raise VisibleRefused(f"the picture could not be written again: {type(error).__name__}") from error

    def _stored(self, box: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
        """A box of the shown picture in the pixels as stored."""
        left, top, right, bottom = box
        width, height = self.size
        flipped_x, flipped_y = (width - right, width - left), (height - bottom, height - top)
        x, y = (left, right), (top, bottom)
        (x0, x1), (y0, y1) = {
            2: (flipped_x, y),
            3: (flipped_x, flipped_y),
            4: (x, flipped_y),
            5: (y, x),
            6: (y, flipped_x),
            7: (flipped_y, flipped_x),
            8: (flipped_y, x),
        }.get(self.orientation, (x, y))
        return x0, y0, x1, y1


def not_drawable(format: Format) -> str | None:
    """Why no visible mark can be drawn into this format, or None when it can."""
    return None if format.media_type in _PILLOW else f"Tanba draws no mark into {format.media_type}"


def open_raster(data: bytes, format: Format, limits: Limits = DEFAULT_LIMITS) -> Raster:
    """Decode a picture. Raises :class:`VisibleRefused`, :class:`AssetTooLarge` or :class:`MalformedAsset`."""
    reason = not_drawable(format)
    if reason is not None:
        raise VisibleRefused(reason)
    raster_carry.refuse_what_would_be_lost(data, format)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about damaged tags; what matters is raised
            picture = Image.open(io.BytesIO(data), formats=[_PILLOW[format.media_type]])
            frames_count = 1 if format.media_type == "image/jpeg" else getattr(picture, "n_frames", 1)
            if picture.width * picture.height * frames_count > limits.pixels or frames_count > _MAX_FRAMES:
                raise AssetTooLarge(
                    f"{picture.width} x {picture.height} pixels in {frames_count} frames are more than is decoded",
                    hint="label it without --visible, or raise TANBA_LIMITS__PIXELS",
                )
            return _raster(data, format, picture)
    except Image.DecompressionBombError as error:
        raise AssetTooLarge("more pixels than are decoded", hint="label it without --visible") from error
    except TanbaError:
        raise
    except Exception as error:  # Pillow's decoders raise whatever damaged bytes lead them to
        raise MalformedAsset("the picture does not decode") from error


def _raster(data: bytes, format: Format, picture: Image.Image) -> Raster:
    if format.media_type == "image/tiff" and getattr(picture, "n_frames", 1) > 1:
        raise VisibleRefused(
            "a TIFF of several pages gets no visible mark", hint="split it, or label it without --visible"
        )
    if picture.mode not in _MODES:
        raise VisibleRefused(f"pixels of type {picture.mode} get no visible mark", hint="label it without --visible")
    picture.load()  # turns a TIFF upright and takes its orientation away, so that is asked for afterwards
    orientation = picture.getexif().get(0x0112, 1)
    raster = Raster(
        format,
        data,
        [],
        orientation if orientation in range(1, 9) else 1,
        {str(key): value for key, value in picture.info.items()},
    )
    if format.media_type == "image/jpeg":
        assert isinstance(picture, JpegImagePlugin.JpegImageFile)
        raster.info["quantization"] = picture.quantization
        raster.info["sampling"] = JpegImagePlugin.get_sampling(picture)
    if format.media_type == "image/tiff":
        raster.info["tags"] = raster_carry.tiff_tags(picture.getexif())
    durations = []
    # The further pictures of a JPEG (MPF) are no frames: previews, gain maps, the other eye.
    pictures = [picture] if format.media_type == "image/jpeg" else ImageSequence.Iterator(picture)
    for frame in pictures:
        raster.frames.append(_drawable(frame))  # decodes; only then does Pillow know a WebP frame's time
        durations.append(frame.info.get("duration", 0))
    raster.info["durations"] = durations
    return raster


def _drawable(frame: Image.Image) -> Image.Image:
    """A copy in a mode that takes black and white: palettes and colour keys become direct colour."""
    if frame.mode in ("P", "1") or "transparency" in frame.info:
        target = "RGBA" if "transparency" in frame.info else ("L" if frame.mode == "1" else "RGB")
        return frame.convert(target)
    if frame.mode == "I;16B":
        swapped = bytearray(frame.tobytes())
        swapped[::2], swapped[1::2] = swapped[1::2], swapped[::2]
        return Image.frombytes("I;16", frame.size, bytes(swapped))
    return frame.copy()


def _in_mode(patch: Image.Image, mode: str) -> Image.Image:
    if mode == "CMYK":
        none = Image.new("L", patch.size, 0)
        return Image.merge("CMYK", (none, none, none, patch.point(lambda value: 255 - value)))
    if mode == "I;16":
        raw = b"".join(bytes((value, value)) for value in patch.tobytes())
        return Image.frombytes("I;16", patch.size, raw)
    return patch.convert(mode)


def _jpeg(raster: Raster) -> bytes:
    out = io.BytesIO()
    options: dict[str, Any] = {"qtables": raster.info["quantization"]}
    if raster.info["sampling"] != -1:
        options["subsampling"] = raster.info["sampling"]
    picture = _bare(raster.frames[0])
    picture.save(out, "JPEG", progressive=bool(raster.info.get("progressive")), optimize=True, **options)
    return raster_carry.jpeg(raster.source, out.getvalue(), raster.notes)


def _png(raster: Raster) -> bytes:
    return raster_carry.png(raster.source, _pillow(raster, "PNG", {}), raster.notes)


def _webp(raster: Raster) -> bytes:
    lossless = _is_lossless_webp(raster.source)
    options: dict[str, Any] = {"lossless": lossless, "quality": 100 if lossless else _LOSSY_QUALITY, "exact": True}
    return _pillow(raster, "WEBP", options | _kept(raster, "icc_profile", "exif", "xmp"))


def _is_lossless_webp(data: bytes) -> bool:
    """Whether the first image chunk is ``VP8L`` (in an animation it stands inside the first frame)."""
    lossless, lossy = data.find(b"VP8L", 12), data.find(b"VP8 ", 12)
    return lossless >= 0 and (lossy < 0 or lossless < lossy)


def _avif(raster: Raster) -> bytes:
    return _pillow(raster, "AVIF", {"quality": _LOSSY_QUALITY} | _kept(raster, "icc_profile", "exif", "xmp"))


def _gif(raster: Raster) -> bytes:
    options: dict[str, Any] = {"disposal": 1} | _kept(raster, "comment")
    data = _pillow(raster, "GIF", options)
    container = container_for(raster.format)
    assert container is not None
    assert container.write is not None
    blocks = Blocks()
    container.read(io.BytesIO(raster.source), blocks)
    return container.write(data, blocks.xmp[0]) if blocks.xmp else data


def _tiff(raster: Raster) -> bytes:
    out = io.BytesIO()
    options = _kept(raster, "icc_profile", "compression", "dpi")
    if options.get("compression") not in _LOSSLESS_TIFF:
        options["compression"] = "tiff_adobe_deflate"
    _bare(raster.frames[0]).save(out, "TIFF", tiffinfo=raster.info["tags"], **options)
    return out.getvalue()


def _pillow(raster: Raster, name: str, options: dict[str, Any]) -> bytes:
    """Write one frame, or all of them with their times."""
    out = io.BytesIO()
    frames = [_bare(frame) for frame in raster.frames]
    if len(frames) > 1:
        options |= {"save_all": True, "append_images": frames[1:], "duration": raster.info["durations"]}
        options |= _kept(raster, "loop")
    frames[0].save(out, name, **options)
    return out.getvalue()


def _kept(raster: Raster, *names: str) -> dict[str, Any]:
    return {name: raster.info[name] for name in names if raster.info.get(name) is not None}


def _bare(picture: Image.Image) -> Image.Image:
    """Without Pillow's own idea of metadata: what is kept is said explicitly."""
    picture.info = {}
    return picture


_ENCODERS = {
    "image/jpeg": _jpeg,
    "image/png": _png,
    "image/webp": _webp,
    "image/gif": _gif,
    "image/tiff": _tiff,
    "image/avif": _avif,
}
