"""``tanba explain CODE``: what a code means, where it is defined, and what to do."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from typing import Any

import click

from tanba.codes import CATALOGUE
from tanba.errors import UsageError
from tanba.i18n import pick_language, sentence
from verifier.explain import Explanation
from verifier.explain import explain as explain_code
from verifier.render.safe import clean


@click.command()
@click.argument("codes", nargs=-1, metavar="CODE...")
@click.option("--list", "list_all", is_flag=True, help="List every code in the catalogue.")
@click.option("--lang", help="en, ru or kk; your locale by default.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def explain(codes: tuple[str, ...], *, list_all: bool, lang: str | None, as_json: bool) -> int:
    """What a code means, and what to do.

    Exit codes: 0 explained, 5 a code is in no catalogue.
    """
    if bool(codes) == list_all:
        raise UsageError(
            "name one code or more, or --list", hint="for example: tanba explain signingCredential.untrusted"
        )
    language = pick_language(lang, os.environ)
    found = [explain_code(code, language) for code in (codes or tuple(CATALOGUE))]
    if as_json:
        plain: Any = [asdict(item) for item in found]
        click.echo(json.dumps(plain if len(plain) != 1 else plain[0], ensure_ascii=False, indent=2))
    else:
        for item in found:
            click.echo(_lines(item, language, brief=list_all))
    return 0 if all(item.known for item in found) else 5


def _lines(item: Explanation, lang: str, *, brief: bool) -> str:
    origin = ", ".join(part for part in (item.bucket, item.clause) if part)
    first = f"{clean(item.code)}{f'  [{origin}]' if origin else ''}"
    if brief:
        return f"{first}\n    {item.text}"
    return f"{first}\n    {item.text}\n    {sentence('advice-next', lang)}: {item.advice}\n"
