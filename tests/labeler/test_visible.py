"""The visible mark: height, contrast, script, place, and everything around it left as it was (T02, T24, T28)."""

from __future__ import annotations

import io
import random
from dataclasses import replace
from itertools import pairwise, product

import pytest
from PIL import Image, ImageCms, ImageOps, JpegImagePlugin

from labeler.visible import (
    VisibleLabel,
    VisibleLine,
    _fit,
    _font,
    _font_name,
    cap_height,
    contrast_ratio,
    draw,
    from_profile,
    not_drawable,
)
from tanba.asset import Asset
from tanba.errors import AssetTooLarge, MalformedAsset, UsageError, VisibleRefused
from tanba.formats.sniff import HEIC, JPEG, PDF, PNG, SVG
from tanba.formats.xmp import XMP, read_xmp, write_xmp
from tanba.limits import Limits
from tanba.model import Disclosure, Involvement
from tanba.profiles import PLACEMENTS, Use, available, load

EN = VisibleLabel(lines=(VisibleLine("en", "AI-generated", "Notice: AI-generated."),))
SIDES = (64, 96, 100, 333, 640, 1080, 4000, 8192)
FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "AVIF")
AI = (Involvement.GENERATED, Involvement.MODIFIED, Involvement.COMPOSITE)


def noise(size: tuple[int, int], seed: int = 1, mode: str = "RGB") -> Image.Image:
    rng = random.Random(seed)
    channels = len(Image.new(mode, (1, 1)).getbands())
    return Image.frombytes(mode, size, rng.randbytes(size[0] * size[1] * channels))


def saved(image: Image.Image, name: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, name, **options)
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def ink(text: str, size: int) -> int:
    """Height of what a font really paints."""
    box = _font(_font_name(text), size).getbbox(text)
    return box[3] - box[1]


@pytest.mark.parametrize(("width", "height"), list(product(SIDES, SIDES)))
def test_text_is_at_least_five_percent_of_the_shortest_side(width: int, height: int) -> None:
    for profile, involvement in product(("kz", "cn", "strict"), AI):
        label = from_profile(load(profile), Disclosure(involvement=involvement))
        texts = [line.text for line in label.lines]
        layout = _fit([" · ".join(texts)] if label.joined else texts, (width, height), label.min_height)
        assert cap_height(layout.size) >= 0.05 * min(width, height)
        assert min(ink(sample, layout.size) for sample in ("A", "И", "生")) >= 0.05 * min(width, height)
        assert (layout.width <= width, layout.height <= height) == (True, True)


@pytest.mark.parametrize("involvement", AI)
def test_the_chinese_wording_has_an_ai_element_and_a_generation_element(involvement: Involvement) -> None:
    for profile in ("cn", "strict"):
        text = " ".join(line.text for line in from_profile(load(profile), Disclosure(involvement=involvement)).lines)
        assert "AI" in text or "人工智能" in text
        assert "生成" in text or "合成" in text


def test_every_wording_of_every_profile_can_be_drawn() -> None:
    for profile in available():
        for item in load(profile).strings:
            if item.use is Use.BADGE:
                assert {_font_name(char) for char in item.text}


@pytest.mark.parametrize("letter", "ӘәҒғҚқҢңӨөҰұҮүҺһІі")
def test_every_kazakh_letter_has_its_own_shape(letter: str) -> None:
    font = _font(_font_name(letter), 40)
    assert bytes(font.getmask(letter)) != bytes(font.getmask("\U0010fffd"))


@pytest.mark.parametrize("char", ["😀", "ก", "漢", "\u200f"])
def test_a_character_without_glyph_is_refused_and_never_an_empty_box(char: str) -> None:
    with pytest.raises(UsageError, match="no font"):
        draw(saved(noise((200, 200)), "PNG"), PNG, VisibleLabel(lines=(VisibleLine("x", f"AI {char}", ""),)))


BACKGROUNDS = [
    *((value, value, value) for value in (0, 64, 119, 127, 128, 136, 200, 255)),
    (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (118, 118, 118),
]  # fmt: skip


@pytest.mark.parametrize("background", [*BACKGROUNDS, "noise"])
@pytest.mark.parametrize("name", ["PNG", "JPEG"])
def test_contrast_is_at_least_four_and_a_half_on_any_background(background: object, name: str) -> None:
    image = noise((300, 200)) if background == "noise" else Image.new("RGB", (300, 200), background)
    data = saved(image, name)
    result = draw(data, Asset.from_bytes(data).format, EN)
    left, top, right, bottom = result.box
    inside = opened(result.data).convert("RGB").crop((left + 4, top + 4, right - 4, bottom - 4))
    colours = sorted(inside.getcolors(1 << 20) or [], reverse=True)
    dark = [colour for _, colour in colours if max(colour) < 60]
    light = [colour for _, colour in colours if min(colour) > 195]
    share = sum(count for count, colour in colours if colour in set(dark) | set(light)) / (inside.width * inside.height)
    assert share > 0.75, "the rest are the letters' soft edges"
    assert contrast_ratio(dark[0], light[0]) >= 4.5
    assert result.contrast >= 4.5


def test_contrast_is_computed_as_wcag_defines_it() -> None:
    assert contrast_ratio((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert contrast_ratio((119, 119, 119), (255, 255, 255)) == pytest.approx(4.48, abs=0.005)
    assert contrast_ratio((118, 118, 118), (255, 255, 255)) == pytest.approx(4.54, abs=0.005)


def test_nothing_outside_the_plate_changes() -> None:
    image = noise((320, 240))
    result = draw(saved(image, "PNG"), PNG, EN)
    after = opened(result.data)
    white = Image.new("RGB", (result.box[2] - result.box[0], result.box[3] - result.box[1]), "white")
    image.paste(white, result.box[:2])
    after.paste(white, result.box[:2])
    assert after.tobytes() == image.tobytes()


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_the_plate_stands_where_it_was_asked_for(placement: str) -> None:
    left, top, right, bottom = draw(saved(noise((600, 400)), "PNG"), PNG, replace(EN, placement=placement)).box
    assert (top < 20) == placement.startswith("top")
    assert (bottom > 380) == placement.startswith("bottom")
    assert (left < 20) == placement.endswith("left")
    assert (right > 580) == placement.endswith("right")
    if placement in ("top", "bottom"):
        assert left == pytest.approx(600 - right, abs=1)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_mark_is_upright_and_top_right_for_the_viewer_of_a_turned_photograph(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.new("RGB", (400, 240), (90, 120, 60))
    data = saved(stored, "JPEG", exif=exif, quality=95)
    result = draw(data, JPEG, EN)
    shown = ImageOps.exif_transpose(opened(result.data))
    upright = draw(saved(ImageOps.exif_transpose(opened(data)), "PNG"), PNG, EN)
    assert result.box == upright.box
    difference = [
        abs(one - other)
        for one, other in zip(shown.convert("L").tobytes(), opened(upright.data).convert("L").tobytes(), strict=True)
    ]
    assert sum(difference) / len(difference) < 2
    assert opened(result.data).getexif()[0x0112] == orientation


@pytest.mark.parametrize("name", FORMATS)
def test_icc_exif_and_xmp_are_kept(name: str) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[0x010F] = "Camera of Almaty"
    options = {"GIF": {}, "TIFF": {"icc_profile": profile, "tiffinfo": exif}}.get(
        name, {"icc_profile": profile, "exif": exif}
    )
    data = saved(noise((200, 150)), name, **options)
    kind = Asset.from_bytes(data).format
    data = write_xmp(data, kind, {(XMP, "Rating"): "5"})
    made = draw(data, kind, EN).data
    xmp = read_xmp(Asset.from_bytes(made))
    assert xmp is not None
    assert xmp.values(XMP, "Rating") == ("5",)
    if name != "GIF":
        assert opened(made).info["icc_profile"] == profile
        assert opened(made).getexif()[0x010F] == "Camera of Almaty"


@pytest.mark.parametrize(("quality", "subsampling"), [(35, 2), (75, 1), (92, 0), (100, 0)])
@pytest.mark.parametrize("progressive", [True, False])
def test_a_jpeg_keeps_its_quantisation_subsampling_and_progression(
    quality: int, subsampling: int, progressive: bool
) -> None:
    data = saved(noise((128, 96)), "JPEG", quality=quality, subsampling=subsampling, progressive=progressive)
    before, after = opened(data), opened(draw(data, JPEG, EN).data)
    assert after.quantization == before.quantization
    assert JpegImagePlugin.get_sampling(after) == JpegImagePlugin.get_sampling(before)
    assert after.info.get("progressive") == before.info.get("progressive")


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_pixel_type_of_png_gets_a_mark(mode: str) -> None:
    image = (
        Image.new("I;16", (200, 150), 30_000) if mode == "I;16" else Image.new("RGB", (200, 150), "navy").convert(mode)
    )
    result = draw(saved(image, "PNG"), PNG, EN)
    part = opened(result.data).crop(result.box)
    low, high = part.convert("RGB").convert("L").getextrema() if mode != "I;16" else part.getextrema()
    assert low <= 1
    assert high >= (65_000 if mode == "I;16" else 250)


@pytest.mark.parametrize("mode", ["I;16", "I;16B"])
@pytest.mark.parametrize("name", ["PNG", "TIFF"])
def test_a_large_picture_of_sixteen_bit_greys_gets_a_mark_and_keeps_its_depth(name: str, mode: str) -> None:
    if (name, mode) == ("PNG", "I;16B"):
        pytest.skip("Pillow writes no such PNG")
    data = saved(Image.new(mode, (700, 500), 30_001), name)
    result = draw(data, Asset.from_bytes(data).format, EN)
    after = opened(result.data)
    assert after.mode == "I;16"
    assert after.getpixel((1, 499)) == 30_001
    assert (after.crop(result.box).getextrema()[0] == 0, after.crop(result.box).getextrema()[1] > 65_000) == (
        True,
        True,
    )


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_mark_is_upright_in_a_turned_tiff(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = saved(noise((240, 160)), "TIFF", exif=exif)
    result = draw(data, Asset.from_bytes(data).format, EN)
    shown, before = ImageOps.exif_transpose(opened(result.data)), ImageOps.exif_transpose(opened(data))
    upright = draw(saved(before, "PNG"), PNG, EN)
    assert shown.tobytes() == opened(upright.data).tobytes()
    assert result.box == upright.box


def test_a_jpeg_with_further_pictures_gets_its_mark_and_the_loss_is_said() -> None:
    data = saved(noise((200, 150)), "MPO", save_all=True, append_images=[noise((200, 150), 2)])
    assert Asset.from_bytes(data).format == JPEG
    result = draw(data, JPEG, EN)
    assert "further pictures" in result.notes[0]
    assert getattr(opened(result.data), "n_frames", 1) == 1


def test_a_motion_photo_s_dropped_video_and_lost_bits_are_said() -> None:
    photo = saved(noise((200, 150)), "JPEG", progressive=True)
    assert draw(photo, JPEG, EN).notes == ()
    assert "7 bytes behind the picture" in draw(photo + b"video..", JPEG, EN).notes[0]


@pytest.mark.parametrize(("compression", "mode"), [("tiff_lzw", "RGB"), ("raw", "L"), ("jpeg", "RGB"), ("group4", "1")])
def test_a_tiff_of_any_compression_gets_a_mark_without_a_second_loss(compression: str, mode: str) -> None:
    data = saved(noise((200, 150)).convert(mode), "TIFF", compression=compression)
    result = draw(data, Asset.from_bytes(data).format, EN)
    before, after = opened(data).convert("RGB"), opened(result.data).convert("RGB")
    low, high = after.crop(result.box).convert("L").getextrema()
    assert (low < 5, high > 250) == (True, True)
    below = (0, result.box[3], 200, 150)
    assert before.crop(below).tobytes() == after.crop(below).tobytes()


def test_a_cmyk_jpeg_stays_cmyk_with_real_black_and_white() -> None:
    data = saved(Image.new("CMYK", (200, 150), (200, 10, 10, 40)), "JPEG", quality=95)
    result = draw(data, JPEG, EN)
    after = opened(result.data)
    assert after.mode == "CMYK"
    low, high = after.crop(result.box).convert("L").getextrema()
    assert (low < 30, high > 225) == (True, True)


@pytest.mark.parametrize("name", ["GIF", "WEBP", "PNG", "AVIF"])
def test_every_frame_of_an_animation_carries_the_mark(name: str) -> None:
    frames = [Image.new("RGB", (160, 120), (40 * i, 10, 90)) for i in range(5)]
    data = saved(frames[0], name, save_all=True, append_images=frames[1:], duration=[80, 90, 100, 110, 120], loop=0)
    result = draw(data, Asset.from_bytes(data).format, EN)
    after = Image.open(io.BytesIO(result.data))
    assert after.n_frames == 5
    durations = []
    for number in range(5):
        after.seek(number)
        after.load()
        durations.append(after.info["duration"])
        low, high = after.convert("RGB").crop(result.box).convert("L").getextrema()
        assert (low < 20, high > 235) == (True, True)
    assert durations == [80, 90, 100, 110, 120]


def _apng() -> bytes:
    frames = [Image.new("RGB", (90, 90), (i, 0, 0)) for i in range(3)]
    return saved(frames[0], "PNG", save_all=True, append_images=frames[1:], default_image=True)


def _pages() -> bytes:
    return saved(noise((90, 90)), "TIFF", save_all=True, append_images=[noise((90, 90), 2)])


@pytest.mark.parametrize("make", [_apng, _pages, lambda: saved(Image.new("F", (90, 90)), "TIFF")])
def test_what_would_lose_something_is_refused(make: object) -> None:
    data = make()
    with pytest.raises(VisibleRefused):
        draw(data, Asset.from_bytes(data).format, EN)


def test_formats_that_tanba_cannot_draw_into_say_so() -> None:
    for kind in (HEIC, SVG, PDF):
        assert not_drawable(kind)
        with pytest.raises(VisibleRefused):
            draw(b"", kind, EN)
    assert not_drawable(JPEG) is None


def test_a_picture_without_room_is_refused() -> None:
    with pytest.raises(VisibleRefused, match="does not fit"):
        draw(
            saved(noise((12, 12)), "PNG"), PNG, from_profile(load("kz"), Disclosure(involvement=Involvement.COMPOSITE))
        )


def test_more_pixels_than_the_limit_are_not_decoded() -> None:
    with pytest.raises(AssetTooLarge):
        draw(saved(noise((100, 100)), "PNG"), PNG, EN, Limits(pixels=9_999))
    huge = saved(Image.new("1", (20, 20)), "PNG")
    import zlib

    header = b"IHDR" + (100_000).to_bytes(4) * 2 + huge[24:29]
    with pytest.raises(AssetTooLarge):
        draw(huge[:12] + header + zlib.crc32(header).to_bytes(4) + huge[33:], PNG, EN)


@pytest.mark.parametrize("name", FORMATS)
def test_a_damaged_picture_is_malformed(name: str) -> None:
    data = saved(noise((120, 90)), name)
    with pytest.raises((MalformedAsset, VisibleRefused)):
        draw(data[: len(data) // 3], Asset.from_bytes(data).format, EN)


def test_the_words_and_their_alternative_text_come_in_the_languages_that_were_asked_for() -> None:
    label = from_profile(load("kz"), Disclosure(involvement=Involvement.MODIFIED), languages=("ru", "kk", "en", "zh"))
    assert [line.text for line in label.lines] == [
        "Изменено с помощью ИИ", "ЖИ көмегімен өзгертілді", "AI-modified", "人工智能生成合成",
    ]  # fmt: skip
    result = draw(saved(noise((900, 700)), "PNG"), PNG, label)
    assert list(result.alt_text) == ["ru", "kk", "en", "zh"]
    assert len(set(result.alt_text.values())) == 4


def test_kazakh_comes_first_under_the_profile_of_kazakhstan() -> None:
    label = from_profile(load("kz"), Disclosure(involvement=Involvement.GENERATED))
    assert [line.text for line in label.lines] == ["ЖИ көмегімен жасалды", "Создано с помощью ИИ"]


def test_there_is_no_badge_for_human_made_content() -> None:
    with pytest.raises(UsageError, match="no visible wording"):
        from_profile(load("kz"), Disclosure(involvement=Involvement.HUMAN))


def test_lines_do_not_run_into_each_other() -> None:
    """Every line of a plate leaves a row of plain plate between itself and the next."""
    label = VisibleLabel(lines=tuple(VisibleLine(str(i), "ҢЩўj ӘȚ", "") for i in range(3)))
    label = replace(label, lines=tuple(replace(line, text="ҢЩj Әy") for line in label.lines))
    result = draw(saved(Image.new("L", (500, 400), 255), "PNG"), PNG, label)
    part = opened(result.data).crop(result.box)
    edge = 4
    part = part.crop((edge, edge, part.width - edge, part.height - edge))
    rows = [part.crop((0, y, part.width, y + 1)).getextrema() for y in range(part.height)]
    inked = [low != high for low, high in rows]
    assert sum(1 for before, after in pairwise([False, *inked]) if after and not before) >= 3
