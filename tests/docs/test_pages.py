"""The documents are part of the product: links lead somewhere, commands and options exist, examples run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HOME = Path(__file__).resolve().parents[2]
PAGES = [HOME / "README.md", HOME / "CONTRIBUTING.md", HOME / "SECURITY.md", *sorted((HOME / "docs").rglob("*.md"))]
TANBA = Path(sys.executable).with_name("tanba")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(HOME)))
def test_every_relative_link_leads_to_a_file(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    targets = re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", text)
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(HOME)))
def test_every_page_named_in_backticks_exists(page: Path) -> None:
    named = re.findall(r"`(docs/[\w./-]+\.md)`", page.read_text("utf-8"))
    assert [name for name in named if not (HOME / name).exists()] == []


def test_the_command_reference_is_what_the_commands_say() -> None:
    done = subprocess.run([sys.executable, HOME / "docs" / "make_cli_reference.py", "--check"], cwd=HOME, check=False)
    assert done.returncode == 0


def test_every_long_option_in_the_readme_and_guides_exists() -> None:
    reference = (HOME / "docs" / "cli.md").read_text("utf-8")
    known = set(re.findall(r"--[a-z][a-z0-9-]+", reference))
    for page in (HOME / "README.md", *sorted((HOME / "docs").glob("guide-*.md"))):
        for line in re.findall(r"tanba [a-z]+ .*", page.read_text("utf-8")):
            used = set(re.findall(r"(?<!\S)--[a-z][a-z0-9-]+", line))
            assert used <= known, (page.name, line)


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A working directory as the README's reader has it."""
    shutil.copy(HOME / "samples" / "sources" / "photo.jpg", tmp_path / "photo.jpg")
    (tmp_path / "answer.txt").write_text("Жауап мәтіні.\nТекст ответа.\n", "utf-8")
    (tmp_path / "page.html").write_text(
        "<!doctype html><html lang='en'><head><title>A</title></head><body><p>B</p></body></html>"
    )
    (tmp_path / "pictures" / "more").mkdir(parents=True)
    shutil.copy(HOME / "samples" / "sources" / "cat.png", tmp_path / "pictures" / "cat.png")
    shutil.copy(HOME / "samples" / "sources" / "coffee.png", tmp_path / "pictures" / "more" / "coffee.png")
    (tmp_path / "answers.toml").write_text("")
    return tmp_path


def test_the_examples_of_the_readme_run_in_order(desk: Path) -> None:
    text = (HOME / "README.md").read_text("utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if line.startswith("tanba ")]
    assert len(lines) >= 10
    environment = {
        **os.environ,
        "TANBA_HOME": str(desk / "home"),
        "PATH": f"{TANBA.parent}{os.pathsep}{os.environ['PATH']}",
    }
    for line in lines:
        if line == "tanba serve":
            continue
        done = subprocess.run(line, shell=True, cwd=desk, env=environment, capture_output=True, text=True, check=False)
        allowed = {0, 1} if line.startswith("tanba check") else {0}
        assert done.returncode in allowed, (line, done.stderr, done.stdout)
    assert (desk / "report.html").is_file()
    assert (desk / "summary.csv").is_file()
    assert (desk / "labelled" / "more" / "coffee.png").is_file() or (desk / "labelled").is_dir()
