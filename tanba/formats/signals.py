"""Traces that generators leave in plain metadata: PNG text, EXIF, comments. All unsigned; a name alone is a heuristic.

Two strengths: *unsigned* where the file itself describes its generation (a prompt with a sampler, a ComfyUI graph),
*heuristic* where only the name of a known generator stands in a software field. Neither proves anything, the absence of
both proves nothing, and no raw prompt is copied into a report.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from tanba.formats import exif
from tanba.formats.containers import Blocks
from tanba.formats.xmp import DC, PHOTOSHOP, XMP, Xmp
from tanba.limits import Limits
from tanba.report import AiState, Layer, Statement, Strength

GENERATORS = re.compile(
    r"\b(?:dall.?e(?:.?\d)?|midjourney|stable.?diffusion|sdxl|comfyui|automatic1111|invokeai|fooocus|novelai|drawthings"
    r"|adobe firefly|firefly|imagen \d|made with google ai|google ai|bing image creator|microsoft designer"
    r"|gpt-?4o|gpt-image(?:-\d)?|chatgpt|openai|flux\.?1|ideogram|leonardo\.ai|runwayml|nano banana|recraft|seedream"
    r"|jimeng|doubao|kling|qwen-image|hunyuan|grok imagine|aurora by xai|imagine with meta ai|yandexart|kandinsky|gigachat)\b",
    re.IGNORECASE,
)
"""Names of generators as they appear in software fields; whole words only."""

_STEPS, _SAMPLER = re.compile(r"\bSteps: \d"), re.compile(r"\bSampler: ")
_JSON_KEYS = {
    "prompt": ("class_type",),
    "workflow": ("nodes", "links"),
    "invokeai_metadata": ("positive_prompt", "model", "app_version"),
    "fooocus_scheme": (),
    "sd-metadata": ("image", "model"),
}
_SOFTWARE_KEYWORDS = ("software", "source", "generator", "model", "creator")
_MAX_JSON = 256 << 10


def statements(blocks: Blocks, tags: exif.Tags, xmp: Xmp | None, limits: Limits) -> tuple[Statement, ...]:
    """Every trace once."""
    found = [*_text(blocks), *_names(blocks, tags, xmp, limits)]
    return tuple(dict.fromkeys(found))


def _text(blocks: Blocks) -> Iterator[Statement]:
    """Descriptions of the generation itself."""
    for keyword, text in blocks.text:
        name = keyword.lower()
        if name in ("parameters", "comment", "usercomment", "description") and _parameters(text[:_MAX_JSON]):
            yield _own_words(f"PNG {keyword}", "generation parameters (Steps, Sampler)")
        elif name in _JSON_KEYS and _looks_like(text, _JSON_KEYS[name]):
            yield _own_words(f"PNG {keyword}", "a generator's workflow")


def _parameters(text: str) -> bool:
    """Whether a text has the form in which Stable Diffusion interfaces note their settings.

    Two searches: one pattern with a gap in it would look through the whole text from every "Steps:".
    """
    steps = _STEPS.search(text)
    return steps is not None and _SAMPLER.search(text, steps.end()) is not None


def _names(blocks: Blocks, tags: exif.Tags, xmp: Xmp | None, limits: Limits) -> Iterator[Statement]:
    fields = [
        ("EXIF Software", tags.software),
        ("EXIF ImageDescription", tags.image_description),
        ("EXIF Artist", tags.artist),
        ("EXIF Make", tags.make),
    ]
    if _parameters(tags.user_comment[:_MAX_JSON]):
        yield _own_words("EXIF UserComment", "generation parameters (Steps, Sampler)")
    fields += [(f"text {key}", text) for key, text in blocks.text if key.lower() in (*_SOFTWARE_KEYWORDS, "comment")]
    if xmp is not None:
        fields += [("xmp:CreatorTool", text) for text in xmp.values(XMP, "CreatorTool")]
        fields += [("photoshop:Credit", text) for text in xmp.values(PHOTOSHOP, "Credit")]
        fields += [("dc:creator", text) for text in xmp.values(DC, "creator")]
    for where, text in fields:
        match = GENERATORS.search(text[: limits.strings])
        if match:
            yield Statement(Layer.VENDOR, where, None, Strength.HEURISTIC, match.group(0))


def _own_words(where: str, value: str) -> Statement:
    return Statement(Layer.VENDOR, where, None, Strength.UNSIGNED, value, AiState.GENERATED)


def _looks_like(text: str, keys: tuple[str, ...]) -> bool:
    """Whether the text is a JSON object with the keys that this generator writes (one of them, two levels deep)."""
    if not keys:
        return True
    head = text[:_MAX_JSON].lstrip()
    if not head.startswith("{"):
        return False
    try:
        data = json.loads(text) if len(text) <= _MAX_JSON else None
    except (ValueError, RecursionError):
        return False
    if data is None:
        return any(f'"{key}"' in head for key in keys)
    inner = [value for value in data.values() if isinstance(value, dict)][:50]
    return any(key in level for level in (data, *inner) for key in keys)
