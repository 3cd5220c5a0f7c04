"""Writes docs/cli.md from the commands themselves: python docs/make_cli_reference.py [--check]."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from tanba.cli import COMMANDS, root

PAGE = Path(__file__).with_name("cli.md")
HEAD = """# Command reference

Made from the commands by `python docs/make_cli_reference.py`; a test fails when it is stale. Exit codes, JSON shapes and
the meaning of the words are in [contracts.md](contracts.md).

Results go to standard output, everything else to standard error. `--json` prints exactly one JSON document whatever
happens, `--jsonl` one object a line. `NO_COLOR` is respected.
"""


def page() -> str:
    """The whole reference."""
    context = click.Context(root, info_name="tanba")
    parts = [HEAD]
    for name in root.list_commands(context):
        command = root.get_command(context, name)
        if command is not None:
            parts += _section(command, f"tanba {name}", COMMANDS[name][1], 2)
    return "\n".join(parts).rstrip() + "\n"


def _section(command: click.Command, path: str, summary: str, level: int) -> Iterator[str]:
    yield f"{'#' * level} {path}\n"
    text = command.get_short_help_str(400) or summary
    yield f"{text}\n"
    context = click.Context(command, info_name=path)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is not None and not child.hidden:
                yield from _section(child, f"{path} {name}", child.get_short_help_str(200), level + 1)
        return
    usage = " ".join(command.collect_usage_pieces(context))
    yield f"    {path} {usage}\n"
    rows = [record for param in command.get_params(context) if (record := param.get_help_record(context))]
    if rows:
        yield "| Option | What |"
        yield "|---|---|"
        for option, what in rows:
            yield f"| `{_cell(option)}` | {_cell(what)} |"
        yield ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def main() -> None:
    made = page()
    if "--check" in sys.argv:
        sys.exit(
            0 if PAGE.read_text("utf-8") == made else "docs/cli.md is stale: run python docs/make_cli_reference.py"
        )
    PAGE.write_text(made, "utf-8")


if __name__ == "__main__":
    main()
