"""``tanba keys serve``: let somebody else's labelling service use a key that stays on this machine."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from keys.options_cli import FILE, json_option, secrets


@click.command()
@click.argument("name")
@click.option(
    "--token", "source", required=True, metavar="SOURCE", help="Who may ask: env:NAME, file:PATH, keyring:… or prompt."
)
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address to listen on; beyond this machine with TLS."
)
@click.option("--port", default=3163, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free port.")
@click.option("--tls-cert", type=FILE, help="Certificate chain of this server, PEM.")
@click.option("--tls-key", type=FILE, help="Its private key, PEM.")
@json_option
def serve(
    name: str, source: str, host: str, port: int, tls_cert: Path | None, tls_key: Path | None, as_json: bool
) -> None:
    """Sign for a remote labelling service (provider `remote`) with the key of identity NAME, until interrupted.

    Each signature is a line on standard output. The key, and its pass-phrase or PIN, never leave this machine.
    """
    from keys import config, remote_serve
    from keys.serve_cli import serve as until_interrupted
    from tanba.errors import UsageError
    from tanba.paths import keys_dir

    if (tls_cert is None) != (tls_key is None):
        raise UsageError("TLS needs both a certificate and a key", hint="--tls-cert FILE --tls-key FILE")
    tls = (tls_cert, tls_key) if tls_cert is not None and tls_key is not None else None
    lookup = secrets()
    token = lookup(config.check_source(source))

    def note(line: str) -> None:
        click.echo(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} signed {line}")

    with remote_serve.open_signer(keys_dir(), name, token, lookup, note) as signer:
        until_interrupted(
            lambda: remote_serve.server(signer, host=host, port=port, tls=tls),
            (host, port),
            lambda url: f"{signer.info.name} at {url}",
            facts={"identity": signer.info.name},
            base="https://{}:{}" if tls else "http://{}:{}",
            as_json=as_json,
        )
