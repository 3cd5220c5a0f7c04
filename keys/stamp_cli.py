"""``tanba keys stamp``: time stamps for labels that were made without one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from keys.options_cli import FILE, json_option, secrets, show_json

if TYPE_CHECKING:
    from keys.late import Waiting

_AT_ONCE = 100
"""Entries worked off between two writes of the queue."""


@click.command()
@click.argument("paths", nargs=-1, type=FILE)
@click.option(
    "--timestamp",
    "urls",
    multiple=True,
    metavar="URL",
    help="RFC 3161 authority; repeatable. TANBA_TIMESTAMP_URL names them too.",
)
@click.option("--queued", is_flag=True, help="Everything that waits since no authority answered.")
@click.option("--list", "listing", is_flag=True, help="Show what waits; asks nobody.")
@click.option("--forget-refused", is_flag=True, help="With --queued: forget what can never be stamped (gone, changed).")
@click.option(
    "--identity", help="Who signs an update manifest; otherwise the line that signed, or the active identity."
)
@click.option(
    "--timeout", default=5.0, show_default=True, type=click.FloatRange(0.1, 60), help="Seconds per authority."
)
@json_option
def stamp(
    paths: tuple[Path, ...], urls: tuple[str, ...], queued: bool, listing: bool, forget_refused: bool,
    identity: str | None, timeout: float, as_json: bool,
) -> int:  # fmt: skip
    """Stamp labels that have no time stamp: a sidecar (.c2pa) directly, other files in place."""
    from keys import late
    from tanba.config import timestamp_urls
    from tanba.errors import UsageError
    from tanba.paths import keys_dir

    if bool(paths) + queued + listing != 1:
        raise UsageError("give files, or --queued, or --list")
    waiting = late.queued(keys_dir()) if queued or listing else ()
    if listing:
        return _show_waiting(waiting, as_json=as_json)
    named = urls or timestamp_urls(os.environ)
    if not named:
        raise UsageError("no time-stamp authority is named", hint="give --timestamp URL, or set TANBA_TIMESTAMP_URL")
    with ExitStack() as stack:
        work = _Work(named, identity, timeout, stack)
        results = list(_worked_off(work, waiting, forget_refused=forget_refused) if queued else map(work.file, paths))
    if as_json:
        show_json(results)
    else:
        for item in results:
            told = item["error"]["message"] if "error" in item else f"stamped {item['time']:%Y-%m-%d %H:%M:%S} UTC"
            click.echo(f"{Path(item['file']).name}: {told}")
            if "error" in item and item["error"].get("hint"):
                click.echo(f"  hint: {item['error']['hint']}")
        if queued and not results:
            click.echo("nothing waits for a time stamp")
    return 5 if any("error" in item for item in results) else 0


@dataclass
class _Work:
    """One run: the relay and the identities are opened once, when they are first needed."""

    urls: tuple[str, ...]
    identity: str | None
    timeout: float
    stack: ExitStack
    signers: dict[str | None, Any] = field(default_factory=dict)
    stamps: Any = None

    def file(self, path: Path, entry: Waiting | None = None) -> dict[str, Any]:
        """Stamp one file; its trouble is in the result."""
        from keys import late_stamp, record_use, timestamping
        from keys.development import utc_now
        from tanba.errors import TanbaError

        try:
            if path.suffix == ".c2pa":
                token = late_stamp.stamp_sidecar(path, self.urls, seconds=self.timeout)
            else:
                if self.stamps is None:
                    self.stamps = self.stack.enter_context(timestamping(self.urls, timeout=self.timeout))
                signer = self._signer(entry)
                done = late_stamp.stamp_embedded(path, signer, self.stamps, label_id=entry.label_id if entry else None)
                token = done.token
                if done.label_id is not None:
                    record_use(signer.fingerprint, done.label_id, utc_now())
        except TanbaError as error:
            return {"file": str(path), "error": error.to_dict()}
        return {"file": str(path), "time": token.time, "serial": token.serial}

    def _signer(self, entry: Waiting | None) -> Any:
        """The one asked for, or who signed the label, or that one's successor; the active one for files by name."""
        from keys import open_identity
        from tanba.errors import IdentityNotFound, IdentityNotUsable

        name = self.identity or (entry.identity if entry else None)
        if name not in self.signers:
            lookup = secrets()
            try:
                opened = self.stack.enter_context(open_identity(name, secrets=lookup))
            except (IdentityNotFound, IdentityNotUsable):
                if self.identity or name is None:
                    raise
                opened = self.stack.enter_context(open_identity(name.partition("@")[0], secrets=lookup))
            self.signers[name] = opened
        return self.signers[name]


def _worked_off(work: _Work, waiting: tuple[Waiting, ...], *, forget_refused: bool) -> Iterator[dict[str, Any]]:
    """Every waiting label; what was stamped, now or before, leaves the queue."""
    from keys import late
    from keys.late_stamp import NEVER, STAMPED
    from tanba.paths import keys_dir

    gone: list[str] = []
    try:
        for item in waiting:
            result = work.file(Path(item.path), item)
            code = result.get("error", {}).get("code")
            if code is None or code == STAMPED or (forget_refused and code in NEVER):
                gone.append(item.path)
            if len(gone) >= _AT_ONCE:
                late.forget(keys_dir(), gone)
                gone.clear()
            if code != STAMPED:
                yield result
    finally:
        if gone:
            late.forget(keys_dir(), gone)


def _show_waiting(waiting: tuple[Waiting, ...], *, as_json: bool) -> int:
    if as_json:
        show_json(waiting)
        return 0
    for item in waiting:
        click.echo(f"{item.path}\n  by {item.identity}, since {item.queued_at} ({item.reason})")
    click.echo(f"{len(waiting)} waiting; `tanba keys stamp --queued --timestamp URL` stamps them" if waiting else
               "nothing waits for a time stamp")  # fmt: skip
    return 0
