"""The command ``tanba``: a table of subcommands imported on demand, the clash check, and the way out.

The composition root: the only kernel module that names the packages above it, and only as strings.
"""

from __future__ import annotations

import importlib
import io
import json
import sys
from collections.abc import Sequence
from typing import Any

import click

from tanba import __version__, exits
from tanba.collector import collect_rarely
from tanba.errors import InstallationError, TanbaError

COMMANDS: dict[str, tuple[str, str]] = {
    "label": ("labeler.cli:label", "Mark images, text and other files as AI-made, AI-modified or not."),
    "verify": ("verifier.cli:verify", "Check marks: one report of five answers and one verdict."),
    "check": ("verifier.check_cli:check", "Does a file meet a labelling law? Article by article."),
    "explain": ("verifier.explain_cli:explain", "What a code means, and what to do."),
    "trust": ("verifier.trust_cli:trust", "The named trust lists you chose."),
    "keys": ("keys.cli:keys", "Signing identities: create, check, rotate, revoke."),
    "report": ("verifier.report_cli:report", "Check a filed report."),
    "text": ("verifier.text_cli:text", "Which roads a text mark survives."),
    "log": ("service.log_cli:log", "The label log: entries, proofs, checkpoints, audits."),
    "serve": ("service.cli:serve", "Run the service: labelling, verification, the page."),
    "worker": ("service.worker_cli:worker", "Run a worker for batch jobs."),
    "db": ("service.cli:db", "Database migrations of the service."),
    "clients": ("service.cli:clients", "API clients of the service: keys, scopes, limits."),
    "cases": ("service.cli:cases", "Contested labels: the operator's inbox."),
    "tsa": ("keys.tsa_cli:tsa", "A small RFC 3161 time-stamp authority for development."),
    "config": ("service.cli:config", "Effective settings and where they come from."),
    "doctor": ("tanba.doctor:doctor", "Check this installation."),
    "bench": ("tanba.doctor:bench", "Measure this machine."),
}
"""Subcommand -> (module:attribute, one line of help). Modules are imported only when their command runs."""


class LazyGroup(click.Group):
    """Lists subcommands from the table without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for name in COMMANDS if _exists(COMMANDS[name][0])]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS or not _exists(COMMANDS[cmd_name][0]):
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in self.list_commands(ctx)])


def _exists(target: str) -> bool:
    from importlib.util import find_spec

    return find_spec(target.partition(":")[0]) is not None


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="tanba")
def root() -> None:
    """Marks AI-made images and text so that machines and people can tell, and checks such marks."""


def check_clash() -> None:
    """Refuse to run when another distribution or folder shadows one of our packages (docs/adr/0002).

    Raises :class:`InstallationError`.
    """
    from importlib.util import find_spec
    from pathlib import Path

    home = Path(__file__).resolve().parent.parent
    for name in ("labeler", "verifier", "service", "keys"):
        spec = find_spec(name)
        places = [Path(place).resolve().parent for place in (spec.submodule_search_locations or [])] if spec else []
        if places != [home]:
            raise InstallationError(
                f"another package called {name!r} hides Tanba's own",
                code="tanba.installation.package_clash",
                hint="install Tanba in its own environment: pipx install tanba, or uv tool install tanba",
                details={"package": name, "found": [str(place) for place in places]},
            )


def wants_json(args: Sequence[str]) -> bool:
    """Whether one JSON document must be printed whatever happens."""
    return any(arg in ("--json", "--jsonl") for arg in args)


def report_error(error: BaseException, *, as_json: bool) -> int:
    """Print an error the contracts' way (JSON to standard output, words to standard error); return the exit code."""
    code = exits.for_error(error)
    body: dict[str, Any]
    if isinstance(error, TanbaError):
        body = error.to_dict()
    elif isinstance(error, click.ClickException):
        body = {"code": "tanba.input.usage", "message": error.format_message(), "retryable": False}
        code = exits.USAGE
    else:
        body = {
            "code": "tanba.bug",
            "message": f"unexpected {type(error).__name__}: this is a bug of Tanba",
            "retryable": False,
            "hint": "run again with TANBA_DEBUG=1 and report what you see",
        }
    if as_json:
        sys.stdout.write(json.dumps({"error": body}, ensure_ascii=False) + "\n")
    else:
        sys.stderr.write(f"tanba: {body['message']}\n")
        if hint := body.get("hint"):
            sys.stderr.write(f"  hint: {hint}\n")
    return code


def main(argv: Sequence[str] | None = None) -> None:
    """Entry point of the installed command. Always leaves through SystemExit with a documented code."""
    collect_rarely()
    args = list(sys.argv[1:] if argv is None else argv)
    as_json = wants_json(args)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal's code page may lack Kazakh letters: escape, never fail
            stream.reconfigure(errors="backslashreplace")
    try:
        check_clash()
        result = root.main(args=args, prog_name="tanba", standalone_mode=False)
        sys.exit(result if isinstance(result, int) else exits.OK)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.Abort:
        sys.stderr.write("tanba: stopped\n")
        sys.exit(130)
    except click.ClickException as error:
        if as_json:
            sys.exit(report_error(error, as_json=True))
        error.show()
        sys.exit(exits.USAGE)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(exits.OK)
    except Exception as error:
        import os

        if os.environ.get("TANBA_DEBUG") and not isinstance(error, TanbaError):
            raise
        sys.exit(report_error(error, as_json=as_json))
