"""``tanba keys new | import | csr | install``: how an identity comes to be."""

from __future__ import annotations

from pathlib import Path

import click

from keys.options_cli import FILE, json_option, passphrase_options, pointers, secrets, show_faults, show_json


@click.command()
@click.argument("name", default="development")
@click.option("--algorithm", default="es256", show_default=True, help="es256/384/512, ps256/384/512 or ed25519.")
@click.option("--organization", help="Who signs: readers see it as the signer.")
@click.option("--provider", default="file", show_default=True, help="file, pkcs11, aws-kms, vault or remote.")
@click.option("--option", "options", multiple=True, metavar="NAME=VALUE", help="Where the provider has the key.")
@click.option("--existing-key", is_flag=True, help="The key is at the provider already.")
@click.option("--for-ca", is_flag=True, help="No development certificate: a real CA will certify it (see csr).")
@click.option("--purpose", default="claim", show_default=True)
@click.option("--tenant", default="", help="Whose identity it is, in a shared installation.")
@passphrase_options
@json_option
def new(
    name: str, algorithm: str, organization: str | None, provider: str, options: tuple[str, ...], existing_key: bool,
    for_ca: bool, purpose: str, tenant: str, passphrase: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Make a key and, unless --for-ca, a development certificate. It becomes active when no other is."""
    from keys import development, keyring, lifecycle
    from keys.probe import probe
    from tanba.paths import keys_dir, trust_dir

    home, lookup = keys_dir(), secrets(confirm=True)
    plan = lifecycle.Plan(
        name, algorithm, provider, pointers(options, passphrase=passphrase), purpose, tenant,
        organization or development.ORGANIZATION, certify=not for_ca, existing=existing_key,
    )  # fmt: skip
    info = lifecycle.create(home, plan, clock=development.utc_now, secrets=lookup)
    if info.development:
        development.trust(home, trust_dir(), development.utc_now())
        if keyring.load(home).active(purpose, tenant) is None:
            info = lifecycle.activate(
                home, info.name, clock=development.utc_now, probe=lambda item: probe(home, item, secrets=lookup)
            )
    if as_json:
        show_json(info)
        return
    click.echo(f"made {info.name} ({info.algorithm}, {info.provider} key): {info.state.value}")
    if info.provider == "file" and passphrase is None:
        click.echo("  its key file is protected by file permissions only; --passphrase-… encrypts it", err=True)
    if for_ca:
        click.echo(f"  next: tanba keys csr {info.name} -o request.pem")
    elif info.state.value == "pending":
        click.echo(f"  next: tanba keys activate {info.name}")


@click.command("import")
@click.argument("name")
@click.option("--key", type=FILE, help="Private key, PKCS#8 PEM; an encrypted one stays encrypted.")
@click.option("--chain", type=FILE, help="Certificates, PEM, in any order.")
@click.option("--pkcs12", type=FILE, help="Key and certificates in one .p12 or .pfx file.")
@click.option("--provider", help="The key stays there: pkcs11, aws-kms, vault or remote.")
@click.option("--option", "options", multiple=True, metavar="NAME=VALUE", help="Where the provider has the key.")
@click.option("--algorithm", help="If it is not the key's usual one (ps384 for RSA, for example).")
@click.option("--purpose", default="claim", show_default=True)
@click.option("--tenant", default="")
@passphrase_options
@json_option
def import_(
    name: str, key: Path | None, chain: Path | None, pkcs12: Path | None, provider: str | None,
    options: tuple[str, ...], algorithm: str | None, purpose: str, tenant: str, passphrase: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Take in a key and chain that exist already, after the pre-flight. The identity is pending: activate it."""
    from keys import files, importing
    from keys.development import utc_now
    from tanba.paths import keys_dir

    material = importing.Material(
        name, files.read(chain) if chain else None, files.read(key) if key else None,
        files.read(pkcs12) if pkcs12 else None, provider, pointers(options, passphrase=passphrase), algorithm,
        purpose, tenant,
    )  # fmt: skip
    info = importing.take(keys_dir(), material, clock=utc_now, secrets=secrets())
    source = key or pkcs12
    if source is not None and source.stat().st_mode & 0o077:
        click.echo(f"  {source.name} could be read by other users of this machine; Tanba's copy cannot", err=True)
    if as_json:
        show_json(info)
    else:
        click.echo(f"imported {info.name} ({info.algorithm}, {info.provider} key)")
        click.echo(f"  next: tanba keys activate {info.name}")


@click.command()
@click.argument("name")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="File; standard output if absent."
)
@click.option("--common-name", help="CN of the subject; the line's name by default.")
@click.option("--organization", help="O of the subject, as your CA has verified it; the identity's own by default.")
@click.option("--country", help="C of the subject: two capital letters.")
@json_option
def csr(
    name: str,
    output: Path | None,
    common_name: str | None,
    organization: str | None,
    country: str | None,
    as_json: bool,
) -> None:
    """A certificate request with the C2PA profile for a pending identity, signed by its key wherever that is."""
    from keys import files, keyring, lifecycle, opening, providers
    from keys.csr import build
    from tanba.paths import keys_dir

    home = keys_dir()
    info = lifecycle.require_pending(keyring.load(home).upcoming(name))
    reference = opening.reference(home, info, secrets())
    with providers.get(info.provider).open_key(reference) as key:
        pem = build(
            key, reference.algorithm, common_name=common_name or info.line,
            organization=organization or info.organization, country=country,
        )  # fmt: skip
    if output is not None:
        files.write(output, pem, mode=0o644)
    if as_json:
        show_json({"identity": info.name, "csr": pem.decode("ascii"), "output": str(output) if output else None})
    elif output is not None:
        click.echo(f"wrote {output}: send it to your CA, then tanba keys install {info.name} CHAIN.pem")
    else:
        click.echo(pem.decode("ascii"), nl=False)


@click.command()
@click.argument("name")
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option("--root", type=FILE, help="The CA's root, for your own trust list and export-public.")
@json_option
def install(name: str, files: tuple[Path, ...], root: Path | None, as_json: bool) -> None:
    """Give a pending identity the chain that the CA returned; every fault is named first."""
    from keys import certificates, lifecycle
    from keys import files as private
    from keys.check import check
    from keys.development import utc_now
    from keys.importing import require_usable
    from tanba.paths import keys_dir, trust_dir
    from tanba.trustdir import load_ekus

    given = b"\n".join(private.read(path) for path in files)
    chain = certificates.dump_chain(certificates.ordered(certificates.load_chain(given)))
    checked = check([chain], now=utc_now(), accepted_ekus=load_ekus(trust_dir()))
    require_usable(checked)
    info = lifecycle.install(keys_dir(), name, chain, root_pem=private.read(root) if root else None)
    if as_json:
        show_json({"identity": info, "faults": checked.faults})
        return
    show_faults(checked.faults)
    click.echo(f"installed; next: tanba keys activate {info.name}")
