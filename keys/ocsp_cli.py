"""``tanba keys staple | ocsp-serve``: certificate status at signing time, and a responder to try it with."""

from __future__ import annotations

from pathlib import Path

import click

from keys.options_cli import FILE, json_option, show_json


@click.command()
@click.argument("sidecar", type=FILE)
@click.option("--url", help="An OCSP responder of your own; by default the one that the certificate names.")
@click.option("--timeout", default=5.0, show_default=True, type=click.FloatRange(0.1, 60), help="Seconds.")
@json_option
def staple(sidecar: Path, url: str | None, timeout: float, as_json: bool) -> None:
    """Ask the CA about the certificate of a SIDECAR (.c2pa) and put the answer into it. Uses the network."""
    from keys import files, ocsp
    from keys.certificates import dump_der
    from keys.development import utc_now
    from tanba import jumbf
    from tanba.errors import CredentialError
    from tanba.limits import DEFAULT_LIMITS

    store = files.read(sidecar, limit=DEFAULT_LIMITS.manifest_bytes)
    chain = dump_der(jumbf.cose(store).x5chain)
    found = ocsp.fetch(chain, now=utc_now(), url=url, seconds=timeout)
    if found.state.value != "good":
        raise CredentialError(
            f"the CA says that the certificate is {found.state.value}", code="tanba.keys.revoked",
            hint="`tanba keys revoke`, then label again with another identity",
            details={"since": found.since.isoformat() if found.since else None, "reason": found.reason},
        )  # fmt: skip
    files.write(sidecar, ocsp.staple(store, found.response), mode=0o644)
    if as_json:
        show_json({"state": found.state, "this_update": found.this_update, "next_update": found.next_update})
    else:
        click.echo(f"{sidecar.name}: good, as of {found.this_update}; the answer travels with it from now on")


@click.command("ocsp-serve")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=3162, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free port.")
@json_option
def ocsp_serve(host: str, port: int, as_json: bool) -> None:
    """A development OCSP responder for this machine's own identities, until interrupted."""
    from keys import ocsp_dev
    from keys.development import utc_now
    from keys.serve_cli import serve
    from tanba.paths import keys_dir

    serve(
        lambda: ocsp_dev.server(keys_dir(), utc_now, host=host, port=port),
        (host, port),
        lambda url: f"certificate status at {url} (Ctrl-C ends it)",
        as_json=as_json,
    )
