"""Writes ``docs/profiles.md`` from the profile files: ``python docs/make_profiles_page.py``. A test compares the two."""

from __future__ import annotations

from pathlib import Path

from tanba.profiles import Profile, Requirement, Use, available, load

PAGE = Path(__file__).with_name("profiles.md")

HEAD = """# Jurisdiction profiles

*Made from `tanba/profiles/*.toml` by `docs/make_profiles_page.py`; edit those files, not this page.*

A profile says what one law, code or standard asks of a label, with its article, its source and a date. `tanba label
--profile kz` plans the layers it asks for and refuses, naming the article, when something required is missing;
`tanba check --profile kz FILE` judges a finished file article by article. Several profiles join (`--profile kz --profile eu`).

Profiles are an engineering reading, not legal advice; no lawyer has reviewed them, and laws move: mind the *as of* date.

- **required** stops a label that lacks it; **required, not enforced** warns, for the reason given; **recommended** warns.
- **binds as** says what asks: a law, a technical standard, a voluntary code (mandatory for its signatories), or practice.
- Wordings are *official* (words of a legal or standard text), *common* (used by press and platforms) or *translated*
  (by Tanba; wants a native speaker's and a lawyer's look).
- Whether a condition such as *synthetic result* or *deepfake* holds is never guessed from the content: the caller says it.
"""


def page() -> str:
    """The whole page."""
    order = ("kz", "eu", "cn", "us-ca", "strict", "none")
    ids = [*order, *(name for name in available() if name not in order)]
    return "\n".join([HEAD, *(_profile(load(name)) for name in ids)])


def _profile(profile: Profile) -> str:
    lines = [
        f"## `{profile.id}` ({profile.version})",
        "",
        f"{profile.title}. {profile.summary}",
        "",
        (
            f"Status: {profile.status.replace('_', ' ')}. As of {profile.as_of}. Legal review: {profile.legal_review}. "
            f"Visible mark: {profile.visible.placement}, capitals at least {profile.visible.min_height:.0%} of the shortest "
            f"side, contrast at least {profile.visible.min_contrast}:1, in {', '.join(profile.languages)}."
        ),
        "",
    ]
    if profile.requirements:
        lines += ["| Article | Asks | For | Severity | Binds as | Matrix |", "| --- | --- | --- | --- | --- | --- |"]
        lines += [_row(item) for item in profile.requirements]
        lines.append("")
    lines += [f"- {item.date}: {item.what}" for item in profile.dates]
    lines += [f"- Source `{item.id}` ({item.read}): {item.title} <{item.url}>" for item in profile.sources]
    if profile.dates or profile.sources:
        lines.append("")
    own = [item for item in profile.strings if item.use is not Use.ALT and item.lang in profile.languages]
    lines += ["| Wording | Use | Language | For | Kind |", "| --- | --- | --- | --- | --- |"]
    lines += [
        f"| {item.text} | {item.use.value} | {item.lang} | {', '.join(one.value for one in item.involvement)} "
        f"| {item.wording.value} |"
        for item in own
    ]
    return "\n".join([*lines, ""])


def _row(item: Requirement) -> str:
    asks = [*(entry.replace("|", " or ") for entry in (*item.layers, *item.fields))]
    if item.check:
        asks.append(f"check `{item.check}`")
    if item.question:
        asks.append(f"answer: “{item.question}”")
    when = item.when
    conditions = [
        *([", ".join(one.value for one in when.involvement)] if when.involvement else []),
        *([", ".join(kind.value for kind in when.kinds)] if when.kinds else []),
        *([" or ".join(flag.replace("_", " ") for flag in when.flags)] if when.flags else []),
    ]
    text = item.text + (f" *{item.note}*" if item.note else "")
    severity = item.severity.value + ("" if item.enforced else ", not enforced")
    return (
        f"| {item.citation} | {text} **Needs:** {'; '.join(asks)} | {'; '.join(conditions) or 'all'} | {severity} "
        f"| {item.binding.value} | {' '.join(item.matrix)} |"
    )


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
