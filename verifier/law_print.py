"""The words of ``tanba check`` for people: citations, fields and evidence in the reader's language.

The JSON keeps the profile's own English; here everything a lawyer reads is put into words, and every question stands once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from tanba.i18n import sentence
from tanba.model import Involvement
from tanba.profiles import Profile, Requirement, Severity
from tanba.report import TimeState
from verifier.law import Article, LawCheck, State, words
from verifier.law_observe import Seen
from verifier.render.safe import clean
from verifier.render.terms import term
from verifier.render.words import moment, signer_name

_AI = {
    Involvement.GENERATED: "generated",
    Involvement.MODIFIED: "modified",
    Involvement.COMPOSITE: "composite",
    Involvement.ASSISTED: "assisted",
    Involvement.HUMAN: "human_declared",
}
_UNSIGNED = ", unsigned"


def lines(found: LawCheck, lang: str, *, verbose: bool) -> Iterator[str]:
    """The whole answer for one file, line by line, cleaned of what hides."""
    for line in _lines(found, lang, verbose=verbose):
        yield clean(line, 1_500)


def title(profile: Profile, lang: str) -> str:
    """The profile's name."""
    return words("profile", profile.id, lang, profile.title)


def citation(requirement: Requirement, lang: str) -> str:
    """Law and article as the reader's lawyers cite them: ``ҚР № 230-VIII Заңы, 21(2)-бап``."""
    law = words("name", _slug(requirement.law), lang, requirement.law)
    article = requirement.article
    if number := re.fullmatch(r"Art\. (\d[\d()]*)", article):
        article = sentence("law-article", lang, number=number.group(1))
    elif number := re.fullmatch(r"Art\. (\d+) and (\d+)", article):
        article = sentence("law-articles", lang, first=number.group(1), second=number.group(2))
    elif number := re.fullmatch(r"Measure (\S+)", article):
        article = sentence("law-measure", lang, number=number.group(1))
    return f"{law}, {article}"


def choices(lang: str) -> tuple[dict[str, bool], str]:
    """What counts as yes and no in the reader's language and in English, and how to ask for it."""
    yes, no = sentence("law-yes", lang), sentence("law-no", lang)
    said = dict.fromkeys((yes, yes[0], "yes", "y"), True) | dict.fromkeys((no, no[0], "no", "n"), False)
    return said, f"{yes} / {no}"


def _lines(found: LawCheck, lang: str, *, verbose: bool) -> Iterator[str]:
    profile, report = found.profile, found.observed.report
    say = partial(sentence, lang=lang)
    yield say("law-title", name=report.asset.name or "—", profile=title(profile, lang), date=str(profile.as_of))
    stated = say("law-not-stated")
    involvement = say(f"answer-ai-{_AI[found.involvement]}") if found.involvement else stated
    yield say("law-label", verdict=say(f"verdict-{report.verdict.value}"), involvement=involvement)
    if found.involvement is None:
        yield say("law-silent")
    for scope in found.scope:
        yield words("ask", scope.question, lang)
        by = say(f"law-by-{scope.by or 'nobody'}")
        answer = _said(scope.answer, lang)
        yield f"  {say('law-answer', answer=answer, by=by)}; {words('follows', scope.follows, lang)}"
    shown = [item for item in found.articles if item.state is not State.NOT_APPLICABLE or verbose]
    for item in shown:
        yield from _article(item, found, lang)
    yield from _questions(found, shown, lang)
    if verbose:
        yield from (f"{source.id}: {source.title} {source.url}" for source in profile.sources)
    yield say(
        "law-summary",
        missing=found.count(State.MISSING),
        unanswered=found.count(State.CANNOT_JUDGE),
        met=found.count(State.MET),
    )
    yield say("law-note")


def _article(item: Article, found: LawCheck, lang: str) -> Iterator[str]:
    requirement = item.requirement
    advised = item.state is State.MISSING and requirement.severity is Severity.RECOMMENDED
    mark = sentence("law-state-advised" if advised else f"law-state-{item.state.value}", lang)
    severity = sentence(f"law-severity-{requirement.severity.value}", lang)
    text = words("text", requirement.id, lang, requirement.text)
    yield f"{mark:<12} {citation(requirement, lang)} [{severity}]: {text}"
    for seen in item.found:
        yield "    " + sentence(
            "law-found", lang, what=_field(seen.what, lang), value=_value(seen, found, lang), where=_where(seen, lang)
        )
    for name in item.missing:
        yield "    " + sentence("law-lacking", lang, what=_lacking(name, requirement, lang))
    why = words("why", item.why, lang) if item.why else ""
    detail = _lacking(item.detail, requirement, lang) if item.detail else ""
    if why or detail:
        yield f"    {': '.join(filter(None, (why, detail)))}"
    if item.state is State.CANNOT_JUDGE and item.question:
        yield "    " + sentence("law-see-question", lang, id=item.question)


def _questions(found: LawCheck, shown: list[Article], lang: str) -> Iterator[str]:
    """Every open question once, with the key under which ``--answers`` takes its answer."""
    asked = {scope.question: words("ask", scope.question, lang) for scope in found.scope if scope.answer is None}
    for item in shown:
        if item.state is State.CANNOT_JUDGE and item.question:
            asked.setdefault(item.question, words("ask", item.question, lang, item.requirement.question or ""))
    if asked:
        yield sentence("law-questions", lang)
        yield from (f"    {key}: {text}" for key, text in asked.items())


def _field(name: str, lang: str) -> str:
    parts = [words("field", part, lang, part) for part in name.split("|")]
    return " / ".join(parts)


def _lacking(name: str, requirement: Requirement, lang: str) -> str:
    """A field or layer in words; else what the profile's own rule or note says."""
    found = [_field(part, lang) for part in name.split(", ")]
    if found != name.split(", "):
        return ", ".join(found)
    if requirement.check:
        return words("lack", requirement.check, lang, name)
    return words("detail", requirement.id, lang, name)


def _value(seen: Seen, found: LawCheck, lang: str) -> str:
    report = found.observed.report
    if seen.what == "c2pa":
        return sentence(
            "law-value-signed", lang, verdict=sentence(f"verdict-{report.verdict.value}.word", lang),
            signer=signer_name(report) or sentence("answer-signer-nobody", lang),
        )  # fmt: skip
    if seen.what == "timestamp":
        time = report.answers.time
        key = "law-value-stamp" if time.state is TimeState.TIMESTAMPED else "law-value-stamp-unvouched"
        who = str((time.authority or {}).get("name") or sentence("answer-time-nobody", lang))
        return sentence(key, lang, when=moment(time.signed_at) or "—", authority=who)
    if seen.value == "stated by the signer":
        return sentence("law-value-stated", lang)
    if seen.what == "synthetic_result":
        return _said(seen.value.split(", "), lang)
    return term("source", seen.value, lang) if seen.what in ("iptc", "aigc") else seen.value


def _where(seen: Seen, lang: str) -> str:
    unsigned = seen.where.endswith(_UNSIGNED)
    where = seen.where.removesuffix(_UNSIGNED)
    said = words("where", _slug(where), lang, where)
    return f"{said}, {sentence('term-strength-unsigned', lang)}" if unsigned else said


def _said(answer: Any, lang: str) -> str:
    if answer is None:
        return sentence("law-open", lang)
    if isinstance(answer, list):
        named = [words("basis", str(item), lang, str(item)) for item in answer]
        return ", ".join(named) or sentence("law-no", lang)
    return sentence("law-yes" if answer else "law-no", lang)


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
