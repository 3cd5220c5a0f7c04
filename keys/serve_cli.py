"""What the serving commands share (``tsa serve``, ``keys ocsp-serve``, ``keys serve``): a port, one line, an orderly end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http.server import ThreadingHTTPServer

import click

from tanba.errors import UsageError


def serve(
    open_server: Callable[[], ThreadingHTTPServer],
    where: tuple[str, int],
    say: Callable[[str], str],
    *,
    facts: Mapping[str, str | None] | None = None,
    base: str = "http://{}:{}/",
    as_json: bool,
) -> None:
    """Open the server, say where it listens, and serve until interrupted.

    ``where`` is host and port as asked for, ``say`` the line for a URL, ``facts`` what stands beside ``url`` in the JSON,
    ``base`` the URL with places for host and port. Raises :class:`UsageError` when the port cannot be had.
    """
    import json

    host, port = where
    try:
        server = open_server()
    except OSError as error:
        raise UsageError(f"cannot listen on {host} port {port}", hint="choose another --port") from error
    url = base.format(host, server.server_address[1])
    click.echo(json.dumps({"url": url, **(facts or {})}) if as_json else say(url))
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        click.echo("stopped", err=True)
    finally:
        server.server_close()
