"""Every outside package that our code imports is declared, in the place that installs it for whoever runs that code."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

HOME = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((HOME / "pyproject.toml").read_text("utf-8"))
OURS = {"tanba", "labeler", "verifier", "service", "keys", "tests", "samples", "benchmarks", "docs", "dev"}
# Parts of a declared package's public interface that live in a distribution of their own.
COMES_WITH = {
    "starlette": "fastapi",
    "pydantic": "fastapi",
    "anyio": "fastapi",
    "markupsafe": "jinja2",
    "botocore": "boto3",
    "httpcore2": "httpx2",
}


def bare(requirement: str) -> str:
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert name is not None
    return normal(name.group())


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


RUNTIME = {bare(item) for item in PROJECT["project"]["dependencies"]}
EXTRAS = {bare(item) for group in PROJECT["project"]["optional-dependencies"].values() for item in group}
DEVELOPMENT = {bare(item) for group in PROJECT["dependency-groups"].values() for item in group if isinstance(item, str)}


def imports(path: Path) -> set[str]:
    """Top-level names of the outside packages that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.split(".")[0])
    return found - sys.stdlib_module_names - OURS


def distributions(name: str) -> set[str]:
    owners = {normal(item) for item in packages_distributions().get(name, [name])}
    return owners | ({COMES_WITH[name]} if name in COMES_WITH else set())


PRODUCT = [path for package in ("tanba", "labeler", "verifier", "service", "keys") for path in (HOME / package).rglob("*.py")]  # fmt: skip
OTHERS = [path for folder in ("tests", "benchmarks", "samples", "docs") for path in (HOME / folder).rglob("*.py")]


@pytest.mark.parametrize("package", ["tanba", "labeler", "verifier", "service", "keys"])
def test_what_a_package_imports_is_a_dependency_or_an_extra(package: str) -> None:
    undeclared = {
        f"{path.relative_to(HOME)}: {name}"
        for path in (HOME / package).rglob("*.py")
        for name in imports(path)
        if not distributions(name) & (RUNTIME | EXTRAS)
    }
    assert undeclared == set()


def test_tests_and_scripts_import_only_what_is_declared_somewhere() -> None:
    known = RUNTIME | EXTRAS | DEVELOPMENT
    undeclared = {
        f"{path.relative_to(HOME)}: {name}"
        for path in OTHERS
        for name in imports(path)
        if not distributions(name) & known
    }
    assert undeclared == set()


def test_every_declared_run_time_dependency_is_used() -> None:
    used = {owner for path in PRODUCT for name in imports(path) for owner in distributions(name)}
    used_by_others = {"httptools", "python-multipart"}  # uvicorn's and Starlette's optional parsers
    assert RUNTIME - used <= used_by_others
