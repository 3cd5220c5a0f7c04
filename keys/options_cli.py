"""What the commands of ``tanba keys`` share: where a pass-phrase comes from, ``--json``, and how things are printed."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from keys.faults import Fault
from keys.keyring import IdentityInfo
from keys.providers.base import Secrets
from tanba.errors import UsageError
from tanba.wire import to_plain

F = TypeVar("F", bound=Callable[..., Any])
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


def passphrase_options(command: F) -> F:
    """Adds ``passphrase``: the *source* of a pass-phrase, or None. The pass-phrase itself is never an argument."""

    @wraps(command)
    def wrapped(
        *args: Any,
        passphrase_prompt: bool,
        passphrase_file: Path | None,
        passphrase_env: str | None,
        passphrase_keyring: str | None,
        **kwargs: Any,
    ) -> Any:
        given = [
            "prompt" if passphrase_prompt else None,
            f"file:{passphrase_file.resolve()}" if passphrase_file else None,
            f"env:{passphrase_env}" if passphrase_env else None,
            f"keyring:{passphrase_keyring}" if passphrase_keyring else None,
        ]
        sources = [item for item in given if item]
        if len(sources) > 1:
            raise UsageError("the pass-phrase can come from one place only", hint="give one --passphrase-… option")
        return command(*args, passphrase=sources[0] if sources else None, **kwargs)

    for option in (
        click.option("--passphrase-keyring", metavar="SERVICE/USER", help="Pass-phrase from the desktop's key ring."),
        click.option("--passphrase-env", metavar="NAME", help="Pass-phrase from this environment variable."),
        click.option("--passphrase-file", type=FILE, help="Pass-phrase from the first line of this file (0600)."),
        click.option("--passphrase-prompt", is_flag=True, help="Ask for the pass-phrase, now and at every use."),
    ):
        wrapped = option(wrapped)
    return wrapped  # type: ignore[return-value]  # click's decorators keep the callable's shape


def secrets(*, confirm: bool = False) -> Secrets:
    """Looks secrets up; a prompt asks once per command and never echoes."""
    from keys import config

    asked: dict[str, str] = {}

    def ask(words: str) -> str:
        if words not in asked:
            asked[words] = str(click.prompt(words, hide_input=True, confirmation_prompt=confirm, err=True))
        return asked[words]

    return config.resolver(ask)


def pointers(pairs: Sequence[str], **more: str | None) -> dict[str, str]:
    """``NAME=VALUE`` options of a provider. Raises :class:`UsageError`, also for a secret in the place of a source."""
    from keys import config

    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name or not value:
            raise UsageError("a provider's option is NAME=VALUE", hint="for example --option token=env:VAULT_TOKEN")
        if name in {"pin", "passphrase"} or (name == "token" and ":" in value):
            config.check_source(value)
        found[name] = value
    return found | {name: value for name, value in more.items() if value}


def show_json(value: Any) -> None:
    click.echo(json.dumps(to_plain(value), ensure_ascii=False, indent=2))


def show_identity(info: IdentityInfo) -> None:
    """One identity in words."""
    rows = [
        ("identity", info.name),
        ("state", info.state.value),
        ("purpose", info.purpose + (f", tenant {info.tenant}" if info.tenant else "")),
        ("algorithm", f"{info.algorithm} ({info.provider} key)"),
        ("signer", ", ".join(part for part in (info.organization, info.subject) if part) or "no certificate yet"),
        ("certificate", f"sha256 {info.fingerprint}" if info.fingerprint else "none"),
        ("serial", info.serial),
        ("valid", f"{info.not_before:%Y-%m-%d} to {info.not_after:%Y-%m-%d}" if _dated(info) else ""),
        ("reason", info.reason),
        ("note", "development certificate: trusted on this machine, unknown elsewhere" if info.development else ""),
    ]
    for name, value in rows:
        if value:
            click.echo(f"{name + ':':13}{value}")


def show_list(infos: Sequence[IdentityInfo]) -> None:
    """One line per identity."""
    if not infos:
        click.echo("no identities yet: `tanba keys new` makes one")
    for info in infos:
        click.echo(f"{info.state.value:9} {info.name:32} {info.algorithm:8} {info.provider:8} {_until(info)}")


def show_faults(faults: Sequence[Fault]) -> None:
    """Each fault with its cure; errors first."""
    order = ("error", "warning", "note")
    for item in sorted(faults, key=lambda fault: order.index(fault.weight.value)):
        click.echo(f"{item.weight.value:8} {item.message}")
        click.echo(f"         cure: {item.cure}")


def _until(info: IdentityInfo) -> str:
    """The end of the certificate, with the days left when they are few."""
    from keys.check_leaf import WARN_DAYS
    from keys.development import utc_now

    if info.not_after is None:
        return "no certificate"
    left = (info.not_after - utc_now()).days
    words = "expired" if left < 0 else f"{left} days left: rotate" if left < max(WARN_DAYS) else ""
    return f"until {info.not_after:%Y-%m-%d}" + (f" ({words})" if words and info.may_sign else "")


def _dated(info: IdentityInfo) -> bool:
    return info.not_before is not None and info.not_after is not None
