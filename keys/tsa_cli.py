"""``tanba tsa``: the development time-stamp authority from the command line."""

from __future__ import annotations

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
    from keys.serve_cli import serve as until_interrupted
    from tanba import paths

    made = authority.local(paths.keys_dir(), utc_now())
    if trust:
        authority.trust(paths.keys_dir(), paths.trust_dir(), utc_now())
    until_interrupted(
        lambda: authority.server(made, utc_now, host=host, port=port),
        (host, port),
        lambda url: f"time stamps at {url} (Ctrl-C ends it)",
        facts={"trust_list": authority.TRUST_LIST if trust else None},
        as_json=as_json,
    )
