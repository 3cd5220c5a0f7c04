"""``tanba keys stamp``: time stamps for labels that were made without one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from keys.options_cli import FILE, json_option, secrets, show_json


@click.command()
@click.argument("paths", nargs=-1, type=FILE)
@click.option(
    "--timestamp", "urls", multiple=True, required=True, metavar="URL", help="RFC 3161 authority; repeatable."
)
@click.option("--queued", is_flag=True, help="Everything that waits since no authority answered.")
@click.option("--identity", help="Who signs the update manifest; the active identity by default.")
@click.option(
    "--timeout", default=5.0, show_default=True, type=click.FloatRange(0.1, 60), help="Seconds per authority."
)
@json_option
def stamp(
    paths: tuple[Path, ...], urls: tuple[str, ...], queued: bool, identity: str | None, timeout: float, as_json: bool
) -> int:
    """Stamp labels that have no time stamp: a sidecar (.c2pa) directly, other files by an update manifest."""
    from keys import late
    from tanba.errors import TanbaError, UsageError
    from tanba.paths import keys_dir

    if bool(paths) == queued:
        raise UsageError("give files, or --queued")
    waiting = {Path(item.path): item for item in late.queued(keys_dir())} if queued else {}
    results: list[dict[str, Any]] = []
    for path in waiting or paths:
        try:
            token = _one(path, urls, identity, timeout)
        except TanbaError as error:
            results.append({"file": str(path), "error": error.to_dict()})
            continue
        if path in waiting:
            late.done(keys_dir(), waiting[path])
        results.append({"file": str(path), "time": token.time, "serial": token.serial})
    if as_json:
        show_json(results)
    else:
        for item in results:
            told = item["error"]["message"] if "error" in item else f"stamped {item['time']:%Y-%m-%d %H:%M:%S} UTC"
            click.echo(f"{Path(item['file']).name}: {told}")
    return 5 if any("error" in item for item in results) else 0


def _one(path: Path, urls: tuple[str, ...], identity: str | None, timeout: float) -> Any:
    from keys import late, open_identity, timestamping

    if path.suffix == ".c2pa":
        return late.stamp_sidecar(path, urls, seconds=timeout)
    with open_identity(identity, secrets=secrets()) as signer, timestamping(urls, timeout=timeout) as stamps:
        return late.stamp_embedded(path, signer, stamps)
