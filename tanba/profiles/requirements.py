"""Comparing what is stated with what profiles ask. Pure functions over data; nothing here reads a file or a clock."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from tanba.errors import UsageError
from tanba.formats.sniff import Kind
from tanba.model import Disclosure
from tanba.profiles.checks import CHECKS
from tanba.profiles.schema import LabelString, Profile, Requirement, Unmet, VisibleSpec

_FIELD_WORDS = {
    "system": "the name of the AI system (--system)",
    "system_version": "the version of the AI system (--system-version)",
    "model": "the model (--model)",
    "provider": "the provider, owner or holder of the AI system (--provider)",
    "provider_id": "the provider's registered code (--provider-id)",
    "oversight": "the degree of human oversight (--oversight)",
    "human_contribution": "the human creative contribution (--human-contribution)",
    "no_training": "the reservation of training rights (--no-training)",
    "operations": "what was done to the content (operations)",
    "synthetic_result": "the basis on which this is a synthetic result (--synthetic-result)",
    "content_id": "the unique number of the content (content_id)",
    "created_at": "the time of creation (created_at)",
    "prompt_author": "the author of the prompt (--prompt-author)",
}
_LAYER_WORDS = {
    "c2pa": "a signed C2PA manifest",
    "iptc": "IPTC/XMP metadata",
    "aigc": "the AIGC metadata label of GB 45438-2025",
    "visible": "a notice people can see (--visible)",
    "watermark": "an imperceptible watermark (--watermark)",
    "fingerprint": "a stored fingerprint",
    "timestamp": "an RFC 3161 time stamp (--timestamp URL)",
}


def missing_fields(
    profile: Profile, disclosure: Disclosure, layers: Collection[str], *, kind: Kind = Kind.IMAGE
) -> tuple[Unmet, ...]:
    """Requirements that apply and are not met by ``disclosure`` and the planned ``layers``; questions are left out.

    ``layers`` are names of :data:`tanba.profiles.schema.LAYERS`. ``content_id`` and ``created_at`` always count as
    stated, because the labeler makes them. Only :attr:`Unmet.refuses` stops a label.
    """
    found = []
    for item in profile.requirements:
        if not item.when.holds(disclosure, kind):
            continue
        missing = (*_fields(item, disclosure), *_layers(item, layers), *_checked(item, disclosure, layers))
        if missing:
            found.append(
                Unmet(item, tuple(name for name, _ in missing), _sentence(item, [word for _, word in missing]))
            )
    return tuple(found)


def combine(profiles: Sequence[Profile]) -> Profile:
    """One profile that asks for all that the given ones ask for.

    Languages and strings come in the order of the profiles; of two wordings for one use and language the first wins.
    The stricter visible numbers hold; the first profile decides the placement. Raises :class:`UsageError` when empty.
    """
    if not profiles:
        raise UsageError("no profile to combine", code="tanba.profile.none")
    first = profiles[0]
    if len(profiles) == 1:
        return first
    return replace(
        first,
        id="+".join(item.id for item in profiles),
        version="+".join(item.version for item in profiles),
        title="; ".join(item.title for item in profiles),
        jurisdiction="+".join(item.jurisdiction for item in profiles),
        status="provisional" if any(item.status == "provisional" for item in profiles) else first.status,
        as_of=min(item.as_of for item in profiles),
        summary=" ".join(item.summary for item in profiles),
        languages=_unique(lang for item in profiles for lang in item.languages),
        visible=VisibleSpec(
            placement=first.visible.placement,
            min_height=max(item.visible.min_height for item in profiles),
            min_contrast=max(item.visible.min_contrast for item in profiles),
        ),
        sources=tuple({source.id: source for item in profiles for source in item.sources}.values()),
        dates=tuple(day for item in profiles for day in item.dates),
        requirements=tuple({need.id: need for item in profiles for need in item.requirements}.values()),
        strings=_strings(profiles),
        options={key: True for item in profiles for key, value in item.options.items() if value},
    )


def _fields(item: Requirement, disclosure: Disclosure) -> Iterable[tuple[str, str]]:
    for entry in item.fields:
        names = entry.split("|")
        if not any(_stated(disclosure, name) for name in names):
            yield entry, " or ".join(_FIELD_WORDS[name] for name in names)


def _stated(disclosure: Disclosure, name: str) -> bool:
    if name in ("content_id", "created_at"):
        return True
    return bool(getattr(disclosure, name))


def _layers(item: Requirement, layers: Collection[str]) -> Iterable[tuple[str, str]]:
    for entry in item.layers:
        names = entry.split("|")
        if not any(name in layers for name in names):
            yield entry, " or ".join(_LAYER_WORDS[name] for name in names)


def _checked(item: Requirement, disclosure: Disclosure, layers: Collection[str]) -> Iterable[tuple[str, str]]:
    if item.check is not None:
        yield from ((item.check, words) for words in CHECKS[item.check](disclosure, layers))


def _sentence(item: Requirement, words: Sequence[str]) -> str:
    verb = "asks for" if item.severity == "required" else "recommends"
    return f"{item.citation} {verb} {'; '.join(words)}: {item.text}"


def _unique(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


def _strings(profiles: Sequence[Profile]) -> tuple[LabelString, ...]:
    """All wordings; :meth:`Profile.string` takes the first that fits, so a profile's own words precede borrowed ones.

    A profile's language that another profile words itself (``cn`` for ``zh``) is taken from that profile first.
    """
    own = [text for item in profiles for text in item.strings if text.lang in item.languages]
    other = [text for item in profiles for text in item.strings if text.lang not in item.languages]
    return tuple(dict.fromkeys((*own, *other)))
