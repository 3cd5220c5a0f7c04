"""``tanba check``: does a file meet a labelling law, article by article? What the file cannot show is asked."""

from __future__ import annotations

import json
import os
import sys
import tomllib
from pathlib import Path
from typing import Any

import click

from tanba import exits
from tanba.errors import TanbaError, UsageError
from tanba.i18n import pick_language, sentence
from tanba.model import Involvement
from tanba.report import Verdict
from tanba.wire import to_plain
from verifier.law import Article, LawCheck, State, words

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--profile", required=True, help="kz, eu, cn, us-ca or strict.")
@click.option("--answers", "answers_file", type=_FILE, help="Answers to the questions, as TOML or JSON.")
@click.option("--no-input", is_flag=True, help="Never ask; what was not answered stays open.")
@click.option("--lang", help="en, ru or kk; your locale by default.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.option("-v", "--verbose", is_flag=True, help="Also what does not apply, and every source.")
def check(
    files: tuple[str, ...],
    profile: str,
    answers_file: Path | None,
    no_input: bool,
    lang: str | None,
    as_json: bool,
    verbose: bool,
) -> int:
    """Compare FILE with a labelling law: required, found, missing, not for the file to show.

    Exit codes: 0 nothing required is missing (questions may be open: see the output), 1 something required is
    missing, 3 no label was found and nobody said how AI was involved, 5 a file could not be read or checked.
    """
    from tanba.profiles import load

    chosen, tongue = load(profile), pick_language(lang, os.environ)
    answers = _read_answers(answers_file) if answers_file else {}
    ask = sys.stdin.isatty() and not no_input and not as_json
    bodies: list[dict[str, Any]] = []
    codes: set[int] = set()
    for name in files:
        try:
            found = _one(name, chosen, answers, ask=tongue if ask else None)
        except TanbaError as error:
            if len(files) == 1:
                raise
            codes.add(exits.for_error(error))
            bodies.append({"file": {"name": Path(name).name}, "error": error.to_dict()})
            continue
        bodies.append(describe(found))
        codes.add(_exit_code(found))
        if not as_json:
            from verifier.law_print import lines

            for line in lines(found, tongue, verbose=verbose):
                click.echo(line)
    if as_json:
        click.echo(json.dumps(bodies[0] if len(files) == 1 else bodies, ensure_ascii=False, indent=2))
    return exits.gravest(codes)


def _exit_code(found: LawCheck) -> int:
    """A file that carries no statement, and about which nobody said anything, must not look like one that is in order."""
    if found.count(State.MISSING):
        return exits.LABEL_FAILS
    if found.involvement is None:
        verdict = found.observed.report.verdict
        return {Verdict.UNMARKED: exits.NO_LABEL, Verdict.UNCHECKED: exits.COULD_NOT}.get(verdict, exits.OK)
    return exits.OK


def describe(found: LawCheck) -> dict[str, Any]:
    """One result as JSON (``tanba.law-check/1``)."""
    profile, report = found.profile, found.observed.report
    return {
        "schema": "tanba.law-check/1",
        "profile": {
            "id": profile.id,
            "version": profile.version,
            "title": profile.title,
            "status": profile.status,
            "as_of": profile.as_of.isoformat(),
            "legal_review": profile.legal_review,
        },
        "file": to_plain(report.asset),
        "verdict": report.verdict.value,
        "involvement": found.involvement.value if found.involvement else None,
        "scope": [
            {
                "key": item.question,
                "question": words("ask", item.question, "en"),
                "answer": item.answer,
                "by": item.by,
                "follows": words("follows", item.follows, "en"),
            }
            for item in found.scope
        ],
        "articles": [_article(item) for item in found.articles],
        "summary": {
            "required_missing": found.count(State.MISSING),
            "required_open": found.count(State.CANNOT_JUDGE),
            "required_met": found.count(State.MET),
        },
        "sources": [
            {"id": item.id, "title": item.title, "url": item.url, "read": item.read} for item in profile.sources
        ],
        "note": sentence("law-note", "en"),
    }


def _article(item: Article) -> dict[str, Any]:
    requirement = item.requirement
    return {
        "id": requirement.id,
        "article": requirement.citation,
        "required": requirement.text,
        "severity": requirement.severity.value,
        "binding": requirement.binding.value,
        "state": item.state.value,
        "found": [to_plain(seen) for seen in item.found],
        "missing": list(item.missing),
        "why": _why(item, "en"),
        "why_code": item.why or None,
        "question": item.question,
        "answer": item.answer,
        "source": requirement.source,
        "matrix": list(requirement.matrix),
    }


def _one(name: str, profile: Any, answers: dict[str, Any], *, ask: str | None) -> LawCheck:
    """Check one file; ``ask`` is the language to ask in, None to ask nothing."""
    from tanba import trustdir
    from tanba.asset import Asset
    from tanba.config import limits_from_environment
    from tanba.paths import trust_dir
    from verifier import Settings, law
    from verifier.law_observe import observe

    settings = Settings(trust=trustdir.load(trust_dir()), limits=limits_from_environment())
    observed = observe(Asset.from_path(Path(name), limits=settings.limits), settings, profile)
    given = dict(answers)
    if ask:
        own = {item.id: item.question or "" for item in profile.requirements}
        click.echo(sentence("law-ask-intro", ask, name=Path(name).name), err=True)
        for key in law.questions(profile, observed, given):
            if (value := _ask(key, words("ask", key, ask, own.get(key, "")), ask)) is not None:
                given[key] = value
    return law.check(profile, observed, given)


def _ask(key: str, question: str, lang: str) -> Any:
    """One question on the terminal, in the reader's language; None when it is left open."""
    from tanba.profiles.checks import KZ_BASES
    from verifier.law_print import choices

    if key == "involvement":
        words = [item.value for item in Involvement]
        said = click.prompt(question, default="", show_default=False, type=click.Choice(["", *words]), err=True)
        return said or None
    known, how = choices(lang)
    bases = key == "synthetic_result"
    hint = sentence("law-ask-bases", lang, no=sentence("law-no", lang), bases=" ".join(KZ_BASES)) if bases else how
    said = str(click.prompt(f"{question} ({hint})", default="", show_default=False, err=True)).strip().lower()
    if not said:
        return None
    if said in known and not (bases and known[said]):
        return [] if bases else known[said]
    if bases:
        return said.replace(",", " ").split()
    raise UsageError(f"{said!r} is neither yes nor no")


def _read_answers(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text("utf-8")
        found = json.loads(text) if path.suffix.lower() == ".json" else tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError("the answers cannot be read", hint="give TOML or JSON: question = true") from error
    if not isinstance(found, dict):
        raise UsageError("the answers are no table", hint="give TOML or JSON: question = true")
    return _flat(found)


def _flat(table: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """TOML takes a dot in a bare key for a table: ``kz.21-1.notice = true`` must work as written."""
    found: dict[str, Any] = {}
    for key, value in table.items():
        name = f"{prefix}{key}"
        found |= _flat(value, f"{name}.") if isinstance(value, dict) else {name: value}
    return found


def _why(item: Article, lang: str) -> str:
    said = words("why", item.why, lang) if item.why else ""
    return f"{said}: {item.detail}" if said and item.detail else said or item.detail
