"""The container files, which no engine here can run: what they name exists, and every setting in them is one of ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.config import Settings
from service.settings_view import rows

ROOT = Path(__file__).parents[2]
yaml = pytest.importorskip("yaml", reason="PyYAML comes with schemathesis")


def test_every_setting_of_the_compose_file_is_a_setting_of_the_service():
    known = {row["variable"] for row in rows(Settings())}
    services = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))["services"]
    for name in ("migrate", "serve", "worker"):
        assert set(services[name]["environment"]) <= known, name
        assert services[name]["read_only"] is True
    assert services["migrate"]["command"] == ["db", "upgrade"]
    assert services["worker"]["command"] == ["worker"]
    for service in services.values():
        assert set(service.get("depends_on", {})) <= set(services)


def test_the_container_file_copies_what_exists_and_runs_as_nobody_special():
    lines = (ROOT / "Containerfile").read_text("utf-8").splitlines()
    copied = [line.split()[1:-1] for line in lines if line.startswith("COPY ") and "--from" not in line]
    assert all((ROOT / item).exists() for names in copied for item in names)
    assert any(line.startswith("USER ") and line != "USER root" for line in lines)
    assert {"tanba", "labeler", "verifier", "service", "keys"} <= {item for names in copied for item in names}
