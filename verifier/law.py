"""Does a file meet a labelling law? Article by article: required, found, missing, or not for the file to show.

The rules come from the profile (:mod:`tanba.profiles`), the facts from the file, and what only a person knows from the
caller's answers, which are recorded with the result. The result is an engineering reading of a dated text; it never says
"complies", and "nothing missing" only speaks of what a file can show.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tanba.errors import UsageError
from tanba.i18n import has, sentence
from tanba.model import Involvement
from tanba.profiles import Profile, Requirement, Severity
from tanba.profiles.checks import CHECKS, KZ_BASES
from verifier.law_observe import Observed, Seen, disclosure_of

FLAGS = ("synthetic_result", "deepfake", "public_interest_text", "exported")
"""Circumstances that only a person knows; questions about them are ``law-ask-<flag>`` in the catalogue."""


class State(StrEnum):
    """What became of one requirement."""

    MET = "met"
    MISSING = "missing"
    CANNOT_JUDGE = "cannot_judge"
    """The file cannot show it, and nobody answered."""
    NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True, slots=True)
class Article:
    """One requirement, judged."""

    requirement: Requirement
    state: State
    found: tuple[Seen, ...] = ()
    missing: tuple[str, ...] = ()
    why: str = ""
    """Code of the reason: ``law-why-<code>`` in the catalogue; empty when evidence says enough."""
    detail: str = ""
    question: str | None = None
    """Key of the question that would settle it: ``law-ask-<key>`` in the catalogue."""
    answer: Any = None


@dataclass(frozen=True, slots=True)
class Scope:
    """The question that decides which duties apply, who answered it, and what follows."""

    question: str
    """``law-ask-<question>`` in the catalogue."""
    answer: Any
    by: str | None
    """``caller``, ``label`` (a signed statement in the file) or None: unanswered."""
    follows: str
    """``law-follows-<code>`` in the catalogue."""


@dataclass(frozen=True, slots=True)
class LawCheck:
    """The whole answer for one file and one profile."""

    profile: Profile
    observed: Observed
    involvement: Involvement | None
    scope: tuple[Scope, ...]
    articles: tuple[Article, ...]

    def count(self, state: State, *, required_only: bool = True) -> int:
        """How many requirements ended in a state."""
        return sum(
            item.state is state and (not required_only or item.requirement.severity is Severity.REQUIRED)
            for item in self.articles
        )


def questions(profile: Profile, observed: Observed, answers: Mapping[str, Any]) -> tuple[str, ...]:
    """Keys of everything that was not answered and that the file does not settle."""
    asked = ["involvement"] if observed.involvement is None else []
    asked += [flag for flag in _flags(profile, observed) if _flag(flag, observed, {}) is None]
    asked += [
        item.id for item in profile.requirements if item.question and not item.fields and _is_about(item, observed)
    ]
    return tuple(key for key in asked if key not in answers)


def _is_about(item: Requirement, observed: Observed) -> bool:
    """Whether a requirement is about files of this kind."""
    return not item.when.kinds or observed.kind in item.when.kinds


def _own_flags(item: Requirement) -> tuple[str, ...]:
    """The circumstances that a requirement's own law names.

    Kazakhstan's *synthetic result* brings the labels of other laws about too, but is no question of theirs.
    """
    foreign = "synthetic_result" if item.law.startswith("EU ") else ""
    return tuple(flag for flag in item.when.flags if flag != foreign)


def _flags(profile: Profile, observed: Observed) -> tuple[str, ...]:
    """The scope questions of a profile for a file of this kind, in order."""
    return tuple(
        dict.fromkeys(flag for item in profile.requirements if _is_about(item, observed) for flag in _own_flags(item))
    )


def words(kind: str, key: str, lang: str, otherwise: str = "") -> str:
    """``law-<kind>-<key>`` in a language; ``otherwise`` (the profile's own English) where the catalogue has none."""
    name = f"law-{kind}-{key.replace('.', '-')}"
    return sentence(name, lang) if has(name, lang) or not otherwise else otherwise


def check(profile: Profile, observed: Observed, answers: Mapping[str, Any]) -> LawCheck:
    """Judge every requirement. Raises :class:`UsageError` for answers that make no sense."""
    known = _checked_answers(profile, answers)
    stated = known.get("involvement")
    involvement = Involvement(stated) if stated else observed.involvement
    articles = tuple(_judge(item, observed, involvement, known) for item in profile.requirements)
    return LawCheck(profile, observed, involvement, tuple(_scope(profile, observed, known)), articles)


def _judge(
    item: Requirement, observed: Observed, involvement: Involvement | None, answers: Mapping[str, Any]
) -> Article:
    if not _is_about(item, observed):
        return Article(item, State.NOT_APPLICABLE, why="other-kind")
    if item.when.involvement and involvement is None:
        return Article(item, State.CANNOT_JUDGE, why="involvement-unknown", question="involvement")
    if item.when.involvement and involvement not in item.when.involvement:
        return Article(item, State.NOT_APPLICABLE, why="other-involvement")
    if item.when.flags:
        own = _own_flags(item)
        if not any(_flag(flag, observed, answers) for flag in item.when.flags):
            question = next((flag for flag in own if _flag(flag, observed, answers) is None), own[0])
            if _flag(question, observed, answers) is None:
                return Article(item, State.CANNOT_JUDGE, why="scope-open", question=question)
            return Article(item, State.NOT_APPLICABLE, why="out-of-scope", question=question,
                           answer=False)  # fmt: skip
    return _compare(item, observed, involvement or Involvement.GENERATED, answers)


def _compare(item: Requirement, observed: Observed, involvement: Involvement, answers: Mapping[str, Any]) -> Article:
    if not (item.fields or item.layers or item.check):
        return _by_answer(item, answers)
    if item.id == "kz.1-4.scope":
        return _kz_scope(item, observed, answers)
    seen = observed.of(*_names(item.fields), *_names(item.layers), *_check_layers(item))
    layers, unseen = _with_answers(observed, answers)
    disclosure = disclosure_of(observed, involvement, answers)
    missing = [name for name in item.fields if not _any(name, _stated(observed))]
    missing += [name for name in item.layers if not _any(name, layers | unseen)]
    open_layers = [name for name in item.layers if not _any(name, layers) and _any(name, unseen)]
    if item.check:
        worst = CHECKS[item.check](disclosure, layers)
        missing += CHECKS[item.check](disclosure, layers | unseen)
        open_layers += [problem for problem in worst if problem not in missing]
    if missing:
        return Article(item, State.MISSING, seen, tuple(missing), detail=item.note or "")
    if open_layers:
        return Article(item, State.CANNOT_JUDGE, seen, why="not-visible", detail=", ".join(open_layers))
    return Article(item, State.MET, seen, why=_disagreement(item, observed))


def _by_answer(item: Requirement, answers: Mapping[str, Any]) -> Article:
    answer = answers.get(item.id)
    if answer is None:
        return Article(item, State.CANNOT_JUDGE, why="only-a-person", question=item.id)
    state = State.MET if answer else State.MISSING
    return Article(item, state, why="answered", question=item.id, answer=answer)


def _kz_scope(item: Requirement, observed: Observed, answers: Mapping[str, Any]) -> Article:
    answer = answers.get("synthetic_result")
    if answer is not None:
        return Article(item, State.MET, why="answered", question=item.id, answer=list(answer))
    stated = observed.fields.get("synthetic_result")
    if stated:
        return Article(item, State.MET, observed.of("synthetic_result"), why="in-label")
    return Article(item, State.CANNOT_JUDGE, why="scope-open", question=item.id)


def _scope(profile: Profile, observed: Observed, answers: Mapping[str, Any]) -> Iterable[Scope]:
    stated = ("synthetic_result",) if _flag("synthetic_result", observed, answers) and any(
        "synthetic_result" in item.when.flags for item in profile.requirements) else ()  # fmt: skip
    for flag in dict.fromkeys((*_flags(profile, observed), *stated)):
        value = _flag(flag, observed, answers)
        by = "caller" if flag in answers else ("label" if value is not None else None)
        shown = list(answers.get(flag) or observed.fields.get(flag) or ()) if flag == "synthetic_result" else value
        yield Scope(flag, shown if value is not None else None, by, _follows(flag, value))


def _follows(flag: str, value: bool | None) -> str:
    if value is None:
        return "open"
    if flag == "synthetic_result":
        return "synthetic" if value else "plain"
    return "yes" if value else "no"


def _flag(flag: str, observed: Observed, answers: Mapping[str, Any]) -> bool | None:
    if flag in answers:
        return bool(answers[flag])
    if flag == "synthetic_result" and observed.fields.get("synthetic_result"):
        return True
    return None


def _with_answers(observed: Observed, answers: Mapping[str, Any]) -> tuple[frozenset[str], frozenset[str]]:
    """Layers present and unseen, after the caller's word about what only people see (``visible``, ``watermark``)."""
    said = {name: bool(answers[name]) for name in ("visible", "watermark", "fingerprint") if name in answers}
    layers = observed.layers | {name for name, there in said.items() if there}
    return frozenset(layers), frozenset(observed.unseen - set(said))


def _checked_answers(profile: Profile, answers: Mapping[str, Any]) -> dict[str, Any]:
    known = {"involvement", "visible", "watermark", "fingerprint", *FLAGS}
    known |= {item.id for item in profile.requirements if item.question}
    unknown = sorted(set(answers) - known)
    if unknown:
        raise UsageError(f"no question is called {unknown[0]!r}", code="tanba.check.unknown_answer",
                         details={"known": sorted(known)})  # fmt: skip
    found = dict(answers)
    if "involvement" in found and found["involvement"] not in [item.value for item in Involvement]:
        raise UsageError("involvement is one of generated, modified, composite, assisted, human",
                         code="tanba.check.bad_answer")  # fmt: skip
    if "synthetic_result" in found:
        found["synthetic_result"] = _bases(found["synthetic_result"])
    wrong = next((key for key, value in found.items()
                  if key not in ("involvement", "synthetic_result") and not isinstance(value, bool)), None)  # fmt: skip
    if wrong is not None:
        raise UsageError(f"the answer to {wrong!r} must be true or false", code="tanba.check.bad_answer")
    return found


def _bases(value: Any) -> list[str]:
    """The bases of Art. 1(4) that hold; ``false`` and an empty list both say "none"."""
    found = [] if value is False else ([value] if isinstance(value, str) else value)
    if not isinstance(found, list) or any(item not in KZ_BASES for item in found):
        raise UsageError(
            "synthetic_result is false, or a list of bases",
            code="tanba.check.bad_answer",
            hint=f"the four of Art. 1(4): {', '.join(KZ_BASES)}",
        )
    return [str(item) for item in found]


def _disagreement(item: Requirement, observed: Observed) -> str:
    """KZ 21(3): owner in the certificate and owner in the label should be the same (matrix T05)."""
    if "provider" not in item.fields:
        return ""
    values = {seen.value.casefold() for seen in observed.of("provider")}
    return "names-differ" if len(values) > 1 else ""


def _stated(observed: Observed) -> frozenset[str]:
    return frozenset(name for name, value in observed.fields.items() if value)


def _names(alternatives: Collection[str]) -> tuple[str, ...]:
    return tuple(name for item in alternatives for name in item.split("|"))


def _any(alternatives: str, present: Collection[str]) -> bool:
    return any(name in present for name in alternatives.split("|"))


def _check_layers(item: Requirement) -> tuple[str, ...]:
    return ("c2pa", "iptc", "visible", "watermark") if item.check else ()
