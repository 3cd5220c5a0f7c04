"""Rules about the repository itself: sizes, secrets, machine paths, forbidden words, package contents."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

HOME = Path(__file__).resolve().parents[2]
PACKAGES = ("tanba", "labeler", "verifier", "service", "keys")


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=HOME, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [HOME / line for line in listed.stdout.splitlines() if (HOME / line).is_file()]


def product_files() -> list[Path]:
    return [path for package in PACKAGES for path in tracked(f"{package}/*.py", f"{package}/**/*.py")]


def test_no_product_file_is_longer_than_500_lines() -> None:
    long = {str(path.relative_to(HOME)): len(path.read_text("utf-8").splitlines()) for path in product_files()}
    assert {name: count for name, count in long.items() if count > 500} == {}


def test_no_function_is_longer_than_80_lines() -> None:
    found = []
    for path in product_files():
        if "migrations" in path.parts:  # a migration is a list of tables
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
                length = node.end_lineno - node.body[0].lineno + 1
                if length > 80:
                    found.append(f"{path.relative_to(HOME)}:{node.name} {length}")
    assert found == []


def test_every_product_module_says_what_it_is_for() -> None:
    silent = [
        str(path.relative_to(HOME))
        for path in product_files()
        if not ast.get_docstring(ast.parse(path.read_text("utf-8") or '""'))
    ]
    assert silent == []


def test_no_private_key_is_tracked() -> None:
    pattern = re.compile(rb"-----BEGIN (?:EC |RSA |ENCRYPTED )?PRIVATE KEY-----\s+[A-Za-z0-9+/=]{40}")
    assert [str(path.relative_to(HOME)) for path in tracked() if pattern.search(path.read_bytes())] == []


def test_no_path_of_one_machine_and_no_registry_host_is_tracked() -> None:
    machine = re.compile(r"(?<![\w.])/(?:work|root|farm)/[a-z.]")
    hosts = re.compile(
        "|".join(("pypi" + r"\.org", "files.python" + "hosted", "registry.npm" + "js", "deb.deb" + "ian"))
    )
    found = []
    for path in tracked(
        "*.py", "*.md", "*.toml", "*.txt", "*.ftl", "*.yaml", "*.yml", "*.json", "*.html", "*.cfg", "*.in"
    ):
        text = path.read_text("utf-8", errors="replace")
        found += [
            f"{path.relative_to(HOME)}: {hit.group()}" for hit in (machine.search(text), hosts.search(text)) if hit
        ]
    assert found == []


def test_no_word_of_ours_claims_conformance_or_human_origin() -> None:
    forbidden = re.compile(
        r"C2PA[- ]conform(?:ant|ing)|no label (?:found )?means (?:it is )?(?:human|real|authentic)", re.IGNORECASE
    )
    found = []
    for path in [*product_files(), *tracked("*.ftl", "*.md", "*.html")]:
        hit = forbidden.search(path.read_text("utf-8"))
        if hit:
            found.append(f"{path.relative_to(HOME)}: {hit.group()}")
    assert found == []


def test_only_the_engine_imports_c2pa() -> None:
    found = [
        str(path.relative_to(HOME))
        for path in product_files()
        if re.search(r"^\s*(?:import c2pa\b|from c2pa\b)", path.read_text("utf-8"), re.MULTILINE)
        and "tanba/engine/" not in path.as_posix()
    ]
    assert found == []


def test_the_verifying_half_reaches_no_key_even_by_name() -> None:
    """Static imports are held by import-linter; this catches dynamic ones."""
    outside = r'(?!"(?!keys|labeler|service)\w+"\))'
    pattern = re.compile(rf"import_module\({outside}|__import__\(")
    found = [
        str(path.relative_to(HOME))
        for path in product_files()
        if path.is_relative_to(HOME / "verifier") and pattern.search(path.read_text("utf-8"))
    ]
    assert found == []


@pytest.mark.xdist_group("wheel")
def test_the_wheel_holds_the_five_packages_typed_and_nothing_else(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", tmp_path, HOME],
        check=True, capture_output=True,
    )  # fmt: skip
    names = zipfile.ZipFile(next(tmp_path.glob("tanba-*.whl"))).namelist()
    tops = {name.split("/")[0] for name in names if ".dist-info" not in name}
    assert tops == set(PACKAGES)
    assert {f"{package}/py.typed" for package in PACKAGES} <= set(names)
    assert [name for name in names if name.endswith((".pem", ".key", ".p12")) or "/dev/" in name] == []
