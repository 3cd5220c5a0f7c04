"""Settings: safe defaults, masked secrets, documented all; the container files name only settings that exist."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from pydantic import ValidationError

from service import cli
from service.config import Settings
from service.settings_view import rows

HOME = Path(__file__).parents[2]


def test_every_setting_is_documented_with_its_meaning():
    page = (HOME / "docs" / "service.md").read_text("utf-8")
    for row in rows(Settings()):
        assert row["description"], row["variable"]
        assert f"| `{row['variable']}` |" in page, f"{row['variable']} is missing in docs/service.md"
        assert row["description"] in page, f"docs/service.md says something else about {row['variable']}"


def test_development_never_listens_to_others():
    with pytest.raises(ValidationError, match="loopback only"):
        Settings(host="0.0.0.0")
    assert Settings(host="0.0.0.0", environment="production").host == "0.0.0.0"


def test_the_effective_settings_show_their_origin_and_mask_secrets(monkeypatch, tmp_path):
    monkeypatch.setenv("TANBA_DATABASE_URL", "postgresql://tanba:hush-hush@db/tanba")
    monkeypatch.setenv("TANBA_S3__SECRET_ACCESS_KEY", "hush-hush")
    file = tmp_path / "tanba.toml"
    file.write_text("port = 8123\n[limits]\nasset_bytes = 1000\n")
    monkeypatch.setenv("TANBA_CONFIG", str(file))
    shown = CliRunner().invoke(cli.config, ["show", "--json"])
    found = {row["variable"]: row for row in json.loads(shown.output)}
    assert "hush-hush" not in shown.output
    assert found["TANBA_DATABASE_URL"]["value"] == "postgresql://tanba:***@db/tanba"
    assert found["TANBA_DATABASE_URL"]["source"] == "environment"
    assert (found["TANBA_PORT"]["value"], found["TANBA_PORT"]["source"]) == ("8123", "file or option")
    assert found["TANBA_LIMITS__ASSET_BYTES"]["value"] == "1000"
    assert found["TANBA_METRICS"]["source"] == "default"


def test_production_refuses_a_database_that_nobody_migrated(tmp_path):
    from service.app import create_app, prepare
    from tanba.errors import StorageError

    settings = Settings(environment="production", service_dir=tmp_path / "s", keys_dir=tmp_path / "k")
    state = create_app(settings).state.tanba
    with pytest.raises(StorageError, match="migration"):
        prepare(state)
    assert not (tmp_path / "k").exists()
    state.db.close()


def test_the_container_files_parse_and_name_only_settings_that_exist():
    yaml = pytest.importorskip("yaml", reason="PyYAML comes with the test tools")
    compose = yaml.safe_load((HOME / "compose.yaml").read_text())
    known = {row["variable"] for row in rows(Settings())} | {"TANBA_HOME"}
    used = {name for item in compose["services"].values() for name in item.get("environment", {})}
    used |= {
        line.strip().removeprefix("ENV ").partition("=")[0]
        for line in (HOME / "Containerfile").read_text().splitlines()
        if "TANBA_" in line and "=" in line
    }
    assert {name for name in used if name.startswith("TANBA_")} <= known
    assert "USER tanba" in (HOME / "Containerfile").read_text()
    for service in compose["services"].values():
        assert {"image", "build"} & service.keys()
        assert set(service.get("depends_on", {})) <= compose["services"].keys()
