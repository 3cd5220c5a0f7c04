"""The visible mark: a legible plate with words, drawn into a picture.

It never relies on the picture behind it: the text stands on its own opaque plate with an outline, so its contrast is
known (WCAG 2.1, 1.4.3). Text height is measured by capital letters, which are at least 5 % of the shortest side
(GB 45438-2025, 5.2 e). The words come from profiles; this module decides only size, place and colours.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

from tanba.errors import UsageError, VisibleRefused
from tanba.formats.sniff import Format
from tanba.limits import DEFAULT_LIMITS, Limits
from tanba.model import Disclosure
from tanba.profiles import PLACEMENTS, Profile, Use

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont

_LATIN, _HAN = "NotoSans-SemiBold.subset.ttf", "NotoSansSC-Regular.subset.otf"
_CAP_HEIGHT = {_LATIN: 0.714, _HAN: 0.733}
"""Height of capital letters in em, from the fonts' OS/2 tables."""
_LEGIBLE = 9
"""Pixels of capital height below which small screens blur letters; used where the picture leaves room."""
_LINE, _PADDING = 1.35, 0.45
"""Distance of lines, and plate around the text, in em."""
_LARGEST_SHARE = 0.6
"""Most of the picture's height that a plate larger than the minimum may take."""
BLACK, WHITE = 0, 255


@dataclass(frozen=True, slots=True)
class VisibleLine:
    """One language of a mark."""

    lang: str
    text: str
    alt: str
    """Sentence for screen readers, in the same language."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VisibleLabel:
    """What a mark says and where it stands."""

    lines: tuple[VisibleLine, ...]
    placement: str = "top-right"
    min_height: float = 0.05
    """Height of capital letters as a share of the shortest side."""
    min_contrast: float = 4.5
    joined: bool = False
    """All languages in one line, with a middle dot between them."""


@dataclass(frozen=True, slots=True)
class VisibleResult:
    """The marked picture and what to put beside it."""

    data: bytes
    alt_text: Mapping[str, str]
    """Alternative text by language tag."""
    box: tuple[int, int, int, int]
    """Left, top, right, bottom of the plate in the picture as shown, pixels."""
    text_height: int
    """Height of capital letters in pixels."""
    contrast: float
    """WCAG contrast ratio of text and plate."""
    notes: tuple[str, ...] = ()
    """What else changed, and warnings, in words."""


@dataclass(frozen=True, slots=True)
class _Layout:
    size: int
    """Font size in pixels (em)."""
    lines: tuple[str, ...]
    width: int
    height: int


def from_profile(
    profile: Profile, disclosure: Disclosure, *, languages: Sequence[str] = (), placement: str | None = None
) -> VisibleLabel:
    """The mark a profile words for this disclosure, in the given languages or in the profile's own.

    Raises :class:`UsageError` when the profile has no wording (for instance for human-made content).
    """
    lines = []
    for lang in languages or profile.languages:
        badge = profile.string(Use.BADGE, disclosure.involvement, lang)
        alt = profile.string(Use.ALT, disclosure.involvement, lang)
        if badge is None:
            raise UsageError(
                f"there is no visible wording in {lang!r} for 'as {disclosure.involvement.value}'",
                code="tanba.visible.no_wording",
                hint="choose languages out of kk, ru, en, zh",
            )
        lines.append(VisibleLine(lang, badge.text, alt.text if alt else badge.text))
    unique = tuple({line.text: line for line in lines}.values())
    return VisibleLabel(
        lines=unique,
        placement=placement or profile.visible.placement,
        min_height=profile.visible.min_height,
        min_contrast=profile.visible.min_contrast,
        joined=bool(profile.options.get("one_visible_label")),
    )


def not_drawable(format: Format) -> str | None:
    """Why no mark can be drawn into this format (for a plan), or None when it can."""
    from tanba.formats.raster import not_drawable as reason

    return reason(format)


def draw(data: bytes, format: Format, label: VisibleLabel, limits: Limits = DEFAULT_LIMITS) -> VisibleResult:
    """Draw the mark and write the picture again in its own format, at high quality, with its metadata.

    Raises :class:`VisibleRefused` (format, pixel type, no room), :class:`UsageError` (placement, missing glyph),
    :class:`AssetTooLarge`, :class:`MalformedAsset`.
    """
    from tanba.formats.raster import open_raster

    if label.placement not in PLACEMENTS:
        raise UsageError(f"the placement {label.placement!r} is none of {', '.join(PLACEMENTS)}")
    texts = [line.text for line in label.lines]
    if not any(text.strip() for text in texts):
        raise UsageError("a visible mark needs words")
    raster = open_raster(data, format, limits)
    layout = _fit([" · ".join(texts)] if label.joined else texts, raster.size, label.min_height)
    box = _place(label.placement, raster.size, layout)
    ink, plate = _colours(raster.luminance(box))
    contrast = contrast_ratio((ink,) * 3, (plate,) * 3)
    if contrast < label.min_contrast:
        raise VisibleRefused(f"black on white cannot reach a contrast of {label.min_contrast}")
    raster.paste(_plate(layout, ink, plate), box)
    made = raster.encode()
    height = cap_height(layout.size)
    notes = list(raster.notes)
    if height < _LEGIBLE:
        notes.append(f"the picture is so small that the notice is {height} pixels high and hard to read")
    alt = {line.lang: line.alt for line in label.lines}
    return VisibleResult(made, alt, box, height, contrast, tuple(notes))


def contrast_ratio(one: tuple[int, int, int], other: tuple[int, int, int]) -> float:
    """Contrast of two sRGB colours, 1 to 21 (WCAG 2.1, definition of contrast ratio)."""
    low, high = sorted((_relative_luminance(one), _relative_luminance(other)))
    return (high + 0.05) / (low + 0.05)


def cap_height(size: int) -> int:
    """Height of capital letters in pixels at a font size, for the lower of the two fonts, rounded down."""
    return math.floor(size * min(_CAP_HEIGHT.values()))


def _relative_luminance(colour: tuple[int, int, int]) -> float:
    linear = [
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in (channel / 255 for channel in colour)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _colours(background: float) -> tuple[int, int]:
    """Text and plate: a plate that differs from the picture behind it is found faster (EU Code M1.1, Annex 1)."""
    return (WHITE, BLACK) if background >= 128 else (BLACK, WHITE)


def _fit(texts: Sequence[str], picture: tuple[int, int], share: float) -> _Layout:
    """The smallest allowed size, or a legible one where there is room; long lines wrap at blanks."""
    floor = _size_for(math.ceil(min(picture) * share))
    wanted = max(floor, _size_for(_LEGIBLE))
    for size in dict.fromkeys((wanted, floor)):
        layout = _layout(texts, size, picture[0])
        tallest = picture[1] if size == floor else picture[1] * _LARGEST_SHARE
        if layout is not None and layout.width <= picture[0] and layout.height <= tallest:
            return layout
    raise VisibleRefused(
        f"the notice does not fit a picture of {picture[0]} x {picture[1]} pixels at the height that is asked for",
        hint="use fewer languages, or label it without --visible",
    )


def _size_for(height: int) -> int:
    """The smallest font size whose capital letters have this height in both fonts."""
    return math.ceil(height / min(_CAP_HEIGHT.values()))


def _layout(texts: Sequence[str], size: int, available: int) -> _Layout | None:
    padding = _padding(size)
    room = available - 2 * padding
    lines: list[str] = []
    for text in texts:
        wrapped = _wrap(text, size, room)
        if wrapped is None:
            return None
        lines += wrapped
    width = math.ceil(max(_width(line, size) for line in lines)) + 2 * padding
    return _Layout(size, tuple(lines), width, math.ceil(len(lines) * size * _LINE) + 2 * padding)


def _wrap(text: str, size: int, room: float) -> list[str] | None:
    """Lines of at most ``room`` pixels; None when one word alone is wider."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if _width(longer, size) <= room:
            lines[-1] = longer
        elif _width(word, size) <= room:
            lines.append(word)
        else:
            return None
    return [line for line in lines if line]


def _place(placement: str, picture: tuple[int, int], layout: _Layout) -> tuple[int, int, int, int]:
    margin = min(picture) // 50
    spare_x, spare_y = picture[0] - layout.width, picture[1] - layout.height
    left = {"left": min(margin, spare_x), "right": max(spare_x - margin, 0)}.get(
        placement.rpartition("-")[2], spare_x // 2
    )
    top = min(margin, spare_y) if placement.startswith("top") else max(spare_y - margin, 0)
    return left, top, left + layout.width, top + layout.height


def _plate(layout: _Layout, ink: int, plate: int) -> Image:
    """The opaque plate, grey values: outline in the ink's colour, then the words."""
    from PIL import Image, ImageDraw

    image = Image.new("L", (layout.width, layout.height), ink)
    outline = max(1, layout.size // 16)
    drawing = ImageDraw.Draw(image)
    drawing.rectangle((outline, outline, layout.width - 1 - outline, layout.height - 1 - outline), fill=plate)
    padding = _padding(layout.size)
    for index, line in enumerate(layout.lines):
        baseline = padding + round((index + 0.5) * layout.size * _LINE + layout.size * _CAP_HEIGHT[_LATIN] / 2)
        at = (layout.width - _width(line, layout.size)) / 2
        for text, font in _runs(line, layout.size):
            drawing.text((at, baseline), text, fill=ink, font=font, anchor="ls")
            at += font.getlength(text)
    return image


def _width(text: str, size: int) -> float:
    return sum(font.getlength(part) for part, font in _runs(text, size))


def _runs(text: str, size: int) -> list[tuple[str, FreeTypeFont]]:
    """The text in stretches of one font each. Raises :class:`UsageError` for a character that no font has."""
    runs: list[tuple[str, str]] = []
    for char in text:
        name = _font_name(char)
        if runs and runs[-1][1] == name:
            runs[-1] = (runs[-1][0] + char, name)
        else:
            runs.append((char, name))
    return [(part, _font(name, size)) for part, name in runs]


@lru_cache(maxsize=1024)
def _font_name(char: str) -> str:
    for name in (_LATIN, _HAN):
        font = _font(name, 32)
        if char == " " or _shape(font, char) != _shape(font, "\U0010fffd"):
            return name
    raise UsageError(
        f"no font of Tanba has the character {char!r} (U+{ord(char):04X})",
        code="tanba.visible.no_glyph",
        hint="word the mark in Kazakh, Russian, English or Chinese",
    )


def _shape(font: FreeTypeFont, char: str) -> tuple[bytes, tuple[int, int]]:
    mask = font.getmask(char)
    return bytes(mask), mask.size


def _padding(size: int) -> int:
    return math.ceil(size * _PADDING)


@lru_cache(maxsize=64)
def _font(name: str, size: int) -> FreeTypeFont:
    from PIL import ImageFont

    data = files("labeler").joinpath("fonts", name).read_bytes()
    return ImageFont.truetype(io.BytesIO(data), size, layout_engine=ImageFont.Layout.BASIC)
