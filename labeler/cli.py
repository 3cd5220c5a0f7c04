"""``tanba label``: files, folders and pipes in; labelled copies, receipts and an honest exit code out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tanba.errors import UsageError

_STATEMENTS = (
    click.option(
        "--as",
        "involvement",
        type=click.Choice(["generated", "modified", "composite", "assisted", "human"]),
        required=True,
        help="What is true about AI and this content. `human` is your declaration, never a detection.",
    ),
    click.option("--source-type", metavar="TERM", help="IPTC digital source type, when the usual one is too coarse."),
    click.option("--system", metavar="NAME", help="The AI system."),
    click.option("--system-version", metavar="V", help="Its version."),
    click.option("--model", metavar="ID", help="The model, for instance pkg:huggingface/org/name@rev."),
    click.option("--model-type", default="c2pa.types.model", show_default=True, help="C2PA model type."),
    click.option("--provider", metavar="ORG", help="Who provides the system (owner, in Kazakhstan's law)."),
    click.option("--provider-id", metavar="CODE", help="The provider's registered code (TC260 code for China)."),
    click.option(
        "--oversight",
        type=click.Choice(["fully_autonomous", "prompt_guided", "human_validated"]),
        help="How far a person directed or checked the system (C2PA 2.4).",
    ),
    click.option("--operation", "operations", multiple=True, metavar="WORDS", help="What was done, in words."),
    click.option("--prompt", metavar="TEXT", help="The prompt: only its SHA-256 enters the file."),
    click.option("--prompt-file", type=click.Path(path_type=Path, dir_okay=False), help="The same, from a file."),
    click.option("--embed-prompt", is_flag=True, help="Publish the prompt's text inside the file."),
    click.option("--prompt-author", metavar="NAME", help="Who wrote the prompt. Published."),
    click.option("--human-contribution", metavar="WORDS", help="The human creative contribution."),
    click.option("--no-training", is_flag=True, help="Reserve the content from data mining and AI training."),
    click.option(
        "--synthetic-result",
        multiple=True,
        type=click.Choice(["person_appearance", "person_voice", "person_behaviour", "non_event"]),
        help="Why this is a synthetic result (Kazakhstan, Art. 1(4)).",
    ),
    click.option("--content-id", metavar="ID", help="Your own unique number of this content; a UUID otherwise."),
    click.option("--title", metavar="WORDS", help="Title in the label; the bare file name otherwise."),
)

_MANNER = (
    click.option("-o", "--output", metavar="OUT|DIR", help="Where to write; DIR/ with a slash is a folder."),
    click.option("--profile", "profiles", multiple=True, metavar="kz|eu|cn|us-ca|strict|none", help="Laws to fulfil."),
    click.option("--no-metadata", is_flag=True, help="Leave IPTC/XMP metadata as it is."),
    click.option(
        "--visible",
        metavar="[PLACE]",
        help="A notice people can see: drawn into a picture (--visible=top-left, …), or at the head of a text.",
    ),
    click.option("--notice", is_flag=True, help="The same as --visible, for a text."),
    click.option("--sections", is_flag=True, help="Text: digests of every paragraph, to recognise quoted parts."),
    click.option(
        "--carrier",
        type=click.Choice(["auto", "a7", "a8", "a9", "sidecar"]),
        default="auto",
        show_default=True,
        help="How the manifest travels.",
    ),
    click.option(
        "--manifest-url", metavar="URL", help="HTML and structured text: refer to the manifest at URL instead."
    ),
    click.option("--compact", is_flag=True, help="Text: the smallest manifest that still verifies."),
    click.option("--lang", multiple=True, metavar="kk,ru,en", help="Languages of the readers, in order."),
    click.option("--watermark", is_flag=True, help="A durable mark in the pixels (a later release)."),
    click.option("--identity", metavar="NAME", help="Which identity signs."),
    click.option(
        "--timestamp",
        multiple=True,
        metavar="URL",
        help="RFC 3161 authority; the next one is asked when it fails. With --service: the word `service`.",
    ),
    click.option(
        "--timestamp-policy",
        type=click.Choice(["fail", "without", "queue"]),
        default="fail",
        show_default=True,
        help="When no authority answers: refuse; sign without a stamp and say so; or also queue it for `tanba keys stamp`.",
    ),
    click.option("--no-timestamp", is_flag=True, help="No time stamp, and no reminder of it."),
    click.option("--service", metavar="URL", help="Label through a Tanba service; its identity signs."),
    click.option(
        "--service-key", envvar="TANBA_KEY", metavar="KEY", help="Your key there; better in the variable TANBA_KEY."
    ),
    click.option("--parent", type=click.Path(path_type=Path, dir_okay=False), help="The original this was made from."),
    click.option("--accept-tampered-parent", is_flag=True, help="Label although an existing label fails; it is said."),
    click.option("--overwrite", is_flag=True, help="Replace existing output files."),
    click.option("-r", "--recursive", is_flag=True, help="Go into folders."),
    click.option("--jobs", type=click.IntRange(1, 64), help="Worker processes for several files."),
    click.option(
        "--resume", type=click.Path(path_type=Path, dir_okay=False), help="A ledger: go on where you stopped."
    ),
    click.option("--dry-run", is_flag=True, help="Print the plan and write nothing."),
    click.option("--json", "as_json", is_flag=True, help="One JSON document."),
    click.option("--jsonl", "as_jsonl", is_flag=True, help="One JSON object a line, as results arrive."),
    click.option("-q", "--quiet", is_flag=True, help="No output, only the exit code."),
    click.option("-v", "--verbose", count=True, help="Identifiers and digests too."),
)


_PLACES = ("auto", "top-right", "top-left", "bottom-right", "bottom-left", "top", "bottom")


def _with_options(command: Any) -> Any:
    for option in reversed(_STATEMENTS + _MANNER):
        command = option(command)
    return command


class _LabelCommand(click.Command):
    """``--visible`` takes its place only after an equals sign or from the known places, never a file's name."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        settled: list[str] = []
        rest = iter(args)
        for arg in rest:
            if arg != "--visible":
                settled.append(arg)
                continue
            place = next(rest, None)
            if place in _PLACES:
                settled.append(f"--visible={place}")
            else:
                settled.append("--visible=auto")
                settled += [] if place is None else [place]
        return super().parse_args(ctx, settled)


@click.command(cls=_LabelCommand)
@click.argument("files", nargs=-1, required=True, metavar="FILE|DIR|-...")
@_with_options
def label(files: tuple[str, ...], **options: Any) -> int:
    """Mark files as made by AI, changed by AI, or not: every layer in one call, signed last, read back before it is
    handed out. Originals are never modified, unless input and output are the same path.
    """
    if options["watermark"]:
        raise UsageError(
            "watermarks are not available yet: they come with a later release",
            code="tanba.label.no_watermark",
            hint="run without --watermark; the signed label, the metadata and --visible are available",
        )
    if options["visible"] not in (None, *_PLACES):
        raise UsageError(f"--visible={options['visible']} is no place", hint=f"one of {', '.join(_PLACES)}")
    if options["timestamp"] and options["no_timestamp"]:
        raise UsageError("--timestamp and --no-timestamp contradict each other")
    raw = options["output"]
    options["into_folder"] = raw is not None and raw.endswith(("/", "\\"))
    options["output"] = Path(raw) if raw is not None else None
    from labeler import run_cli

    if files == ("-",):
        return run_cli.one_from_stdin(options)
    if "-" in files:
        raise UsageError("- (standard input) cannot be mixed with files")
    paths = [Path(name) for name in files]
    if len(paths) == 1 and not paths[0].is_dir() and not options["resume"]:
        return run_cli.one_file(paths[0], options)
    return run_cli.many(paths, options)
