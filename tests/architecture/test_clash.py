"""Four of our package names are common words; a second owner must be noticed before it does harm (ADR 0002)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tanba import exits

HOME = Path(__file__).resolve().parents[2]


def run(cwd: Path, path: Path | None) -> subprocess.CompletedProcess[str]:
    code = "import sys; sys.path[:] = [p for p in sys.path if p]; from tanba.cli import main; main(sys.argv[1:])"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(str(p) for p in (path, HOME) if p)}
    return subprocess.run(
        [sys.executable, "-c", code, "verify", "--json", "missing.jpg"],
        cwd=cwd, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_another_package_called_service_is_refused_with_one_clear_sentence(tmp_path: Path) -> None:
    (tmp_path / "service").mkdir()
    (tmp_path / "service" / "__init__.py").write_text("")
    done = run(tmp_path, tmp_path)
    assert done.returncode == exits.BUG
    error = json.loads(done.stdout)["error"]
    assert error["code"] == "tanba.installation.package_clash"
    assert "pipx" in error["hint"]


def test_without_a_clash_the_command_does_its_work(tmp_path: Path) -> None:
    done = run(tmp_path, None)
    assert done.returncode == exits.COULD_NOT
    assert json.loads(done.stdout)["error"]["code"] == "tanba.input.unreadable"
