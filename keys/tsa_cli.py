"""``tanba tsa``: the development time-stamp authority from the command line."""

from __future__ import annotations

import json

import click


@click.group()
def tsa() -> None:
    """A small RFC 3161 time-stamp authority for development. Nobody but this machine trusts it."""


@tsa.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=3161, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free port.")
@click.option("--trust/--no-trust", default=True, show_default=True, help="Add its root to this user's trust lists.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object when ready.")
def serve(host: str, port: int, trust: bool, as_json: bool) -> None:
    """Stamp until interrupted. Then: tanba label FILE … --timestamp http://127.0.0.1:3161/"""
    from keys import tsa as authority
    from keys.development import utc_now
    from tanba import paths
    from tanba.errors import UsageError

    made = authority.local(paths.keys_dir(), utc_now())
    if trust:
        authority.trust(paths.keys_dir(), paths.trust_dir(), utc_now())
    try:
        server = authority.server(made, utc_now, host=host, port=port)
    except OSError as error:
        raise UsageError(f"cannot listen on {host} port {port}", hint="choose another --port") from error
    url = f"http://{host}:{server.server_address[1]}/"
    listed = authority.TRUST_LIST if trust else None
    click.echo(json.dumps({"url": url, "trust_list": listed}) if as_json else f"time stamps at {url} (Ctrl-C ends it)")
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        click.echo("stopped", err=True)
    finally:
        server.server_close()
