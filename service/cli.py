"""Commands of the service: serve, db, clients, cases, config. Words and tables; the work is elsewhere."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import click

from tanba.errors import UsageError


def _settings(**given: Any) -> Any:
    """Settings from the environment, the TOML file and options; a wrong value is a usage error."""
    from pydantic import ValidationError

    from service.config import Settings

    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        wrong = error.errors()[0]
        where = "__".join(str(part).upper() for part in wrong["loc"])
        raise UsageError(
            f"the setting {'TANBA_' + where if where else 'combination'} is wrong: {wrong['msg']}",
            hint="`tanba config show` lists every setting",
        ) from error


def _echo_json(value: Any) -> None:
    from tanba.wire import to_json

    click.echo(to_json(value))


@click.command()
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on.")
@click.option("--workers", type=click.IntRange(1, 256), help="Worker processes around the engine.")
def serve(host: str | None, port: int | None, workers: int | None) -> None:
    """Run the service: labelling, verification, the page.

    With nothing configured: SQLite and files in your data directory, a development identity, loopback only, and a fresh
    development key that lives for a day and is printed once. TANBA_ENVIRONMENT=production switches all of that off.
    """
    from service import observability, server
    from service.app import create_app, prepare

    settings = _settings(host=host, port=port, workers=workers)
    production = settings.environment == "production"
    observability.configure_logging(json_lines=production)
    app = create_app(settings)
    prepare(app.state.tanba)
    if not production:
        _welcome(app.state.tanba)
    server.run(app, settings)


def _welcome(state: Any) -> None:
    from service.security import Scope

    base = state.settings.base_url
    click.echo(f"\n  The page       {base}/\n  API docs       {base}/docs\n  OpenAPI        {base}/openapi.json")
    if state.settings.labelling:
        from service.accounts import ClientSpec

        spec = ClientSpec(name="development", scopes=tuple(Scope))
        key = state.accounts.development_key(spec, lifetime=timedelta(days=1))
        click.echo(
            "\n  A key for today (shown once, development only):\n"
            f"\n    export TANBA_KEY={key}\n"
            "\n  Label a photo, then verify it:\n"
            f'\n    curl -H "Authorization: Bearer $TANBA_KEY" -H "Accept: application/octet-stream" \\\n'
            f"         -F as=generated -F system=MyModel -F file=@photo.jpg {base}/v1/labels -o labelled.jpg"
            f"\n    curl -F file=@labelled.jpg {base}/v1/verifications\n"
        )


@click.group()
def db() -> None:
    """Database migrations of the service."""


@db.command("upgrade")
@click.option("--revision", default="head", show_default=True)
def db_upgrade(revision: str) -> None:
    """Bring the database to the newest migration. Safe to repeat."""
    from service.db.session import upgrade

    settings = _settings()
    settings.service_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    upgrade(settings.effective_database_url, revision)
    click.echo(f"the database is at {revision}")


@db.command("downgrade")
@click.argument("revision")
@click.confirmation_option(prompt="This can delete data. Go on?")
def db_downgrade(revision: str) -> None:
    """Take the database back to a revision (base removes every table)."""
    from service.db.session import downgrade

    downgrade(_settings().effective_database_url, revision)
    click.echo(f"the database is at {revision}")


@db.command("audit")
def db_audit() -> int:
    """Check the hash chain of the audit table."""
    from service import audit

    with _database() as database, database.read() as session:
        count, bad = audit.check(session)
    click.echo(f"{count} rows hold" if bad is None else f"row {bad} does not fit the rows before it")
    return 0 if bad is None else 1


def _database() -> Any:
    import contextlib

    from service.db.session import Database

    return contextlib.closing(Database(_settings().effective_database_url))


def _accounts(database: Any) -> Any:
    from service.accounts import Accounts
    from service.state import utc_now

    return Accounts(database, clock=utc_now)


@click.group()
def clients() -> None:
    """API clients: keys, scopes, limits."""


@clients.command("new")
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice(["label", "verify", "withdraw", "admin"]),
    help="May be given more than once.",
)
@click.option("--profile", "profiles", multiple=True, help="Profiles it may use; all when none is given.")
@click.option("--identity", "identities", multiple=True, help="Identities it may use; all when none is given.")
@click.option("--label-rate", default="600/minute", show_default=True)
@click.option("--verify-rate", default="3000/minute", show_default=True)
@click.option("--label-concurrency", default=8, show_default=True, type=click.IntRange(1, 10_000))
@click.option("--verify-concurrency", default=16, show_default=True, type=click.IntRange(1, 10_000))
@click.option("--days", type=click.IntRange(1, 3660), help="Life of the key; without an end when not given.")
def clients_new(
    name: str,
    scopes: tuple[str, ...],
    profiles: tuple[str, ...],
    identities: tuple[str, ...],
    days: int | None,
    **limits: Any,
) -> None:
    """Make a client and print its key, once."""
    from service.accounts import ClientSpec
    from service.security import Scope

    spec = ClientSpec(
        name=name,
        scopes=tuple(Scope(scope) for scope in scopes),
        profiles=profiles or None,
        identities=identities or None,
        lifetime=timedelta(days=days) if days else None,
        **limits,
    )
    with _database() as database:
        key = _accounts(database).create(spec, live=_live(), actor="cli")
    click.echo(key)
    click.echo("Keep it now: only its digest is stored.", err=True)


@clients.command("rotate")
@click.argument("name")
@click.option(
    "--overlap-hours",
    default=24.0,
    show_default=True,
    type=click.FloatRange(0, 24 * 90),
    help="How long the old keys go on working.",
)
@click.option("--days", type=click.IntRange(1, 3660), help="Life of the new key.")
def clients_rotate(name: str, overlap_hours: float, days: int | None) -> None:
    """Print a new key; the old ones end after the overlap."""
    with _database() as database:
        key = _accounts(database).rotate(
            name,
            live=_live(),
            actor="cli",
            overlap=timedelta(hours=overlap_hours),
            lifetime=timedelta(days=days) if days else None,
        )
    click.echo(key)


@clients.command("revoke")
@click.argument("name")
@click.option("--key", "key_id", help="Only this key; the whole client when not given.")
def clients_revoke(name: str, key_id: str | None) -> None:
    """End a client, or one of its keys. A running service notices within seconds."""
    with _database() as database:
        _accounts(database).revoke(name, actor="cli", key_id=key_id)
    click.echo(f"revoked: {key_id or name}")


@clients.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def clients_list(as_json: bool) -> None:
    """Every client, its rights and its keys. Never a secret."""
    with _database() as database:
        found = [_client_view(client, keys) for client, keys in _accounts(database).list()]
    if as_json:
        _echo_json(found)
        return
    for item in found:
        ended = " (revoked)" if item["disabled_at"] else ""
        click.echo(f"{item['name']}{ended}  scopes: {', '.join(item['scopes'])}  keys: {len(item['keys'])}")


def _client_view(client: Any, keys: Any) -> dict[str, Any]:
    names = (
        "name",
        "scopes",
        "profiles",
        "identities",
        "label_rate",
        "verify_rate",
        "label_concurrency",
        "verify_concurrency",
        "created_at",
        "disabled_at",
    )
    rows = [{name: getattr(key, name) for name in ("id", "created_at", "expires_at", "revoked_at")} for key in keys]
    return {name: getattr(client, name) for name in names} | {"keys": rows}


def _live() -> bool:
    return bool(_settings().environment == "production")


@click.group()
def cases() -> None:
    """Contested labels: the operators' inbox."""


@cases.command("list")
@click.option("--state", "wanted", type=click.Choice(["open", "in_review", "upheld", "rejected"]))
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def cases_list(wanted: str | None, as_json: bool) -> None:
    """Oldest first."""
    from service.db import repositories
    from service.db.models import CaseState

    with _database() as database, database.read() as session:
        found = [_case_view(case) for case in repositories.cases(session, CaseState(wanted) if wanted else None)]
    if as_json:
        _echo_json(found)
        return
    if not found:
        click.echo("No such case.", err=True)
    for item in found:
        click.echo(f"{item['number']}  {item['state']:<10} {item['reason']:<13} {item['label_id']}")
        click.echo(f"    {_printable(item['statement'])}")


@cases.command("answer")
@click.argument("number")
@click.option("--state", "wanted", required=True, type=click.Choice(["in_review", "upheld", "rejected"]))
@click.option("--answer", "text", help="What the reader will see; a decision needs it.")
def cases_answer(number: str, wanted: str, text: str | None) -> None:
    """Take a case into review, or decide it. Withdraw the label separately."""
    from service.db.models import CaseState
    from service.state import utc_now
    from service.usecases import contests

    with _database() as database:
        case = contests.decide(database, number, CaseState(wanted), text, actor="cli", now=utc_now())
    click.echo(f"{case.number}: {case.state}")


@cases.command("withdraw")
@click.argument("label_id")
@click.option("--reason", required=True, help="Why; readers of the label will see it.")
def cases_withdraw(label_id: str, reason: str) -> None:
    """Withdraw a label that was issued in error: the record stays, its status changes, the label log says so."""
    from service import log_key
    from service.log import LabelLog, NoteSigner
    from service.state import utc_now
    from service.usecases import labels

    if not reason.strip() or len(reason) > 4000 or "\x00" in reason:
        raise UsageError("a withdrawal needs a reason of 1 to 4,000 characters")
    settings = _settings()
    log = LabelLog(NoteSigner.load_or_create(settings.service_dir / "log.key", settings.log_origin))
    with _database() as database:
        log_key.require(database, log, accept=settings.accept_log_key)
        row = labels.take_back(database, log, label_id, reason.strip(), actor="cli", now=utc_now())
    click.echo(f"{row.id}: {row.state}")


def _case_view(case: Any) -> dict[str, Any]:
    names = ("number", "label_id", "state", "reason", "statement", "language", "created_at", "answer", "answered_at")
    return {name: getattr(case, name) for name in names}


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


@click.group()
def config() -> None:
    """Effective settings and where they come from."""


@config.command("show")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def config_show(as_json: bool) -> None:
    """Every setting, its value, and whether it came from the environment, a file or the default. Secrets are masked."""
    from service.settings_view import rows

    found = rows(_settings())
    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    for row in found:
        click.echo(f"{row['variable']:<42} {row['value']}  [{row['source']}]")
