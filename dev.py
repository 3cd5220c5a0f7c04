#!/usr/bin/env python3
"""Everything a newcomer or CI runs, with nothing but Python installed.

    python3 dev.py quickstart   install Tanba into .venv, label a sample photo, verify it
    python3 dev.py test         install what the tests need, then run every check
    python3 dev.py lint         linters, types and import contracts only
    python3 dev.py lock         resolve the locked requirements anew

Only the standard library is used here. `test` also installs Debian packages (exiftool, Chromium, SoftHSM 2,
PostgreSQL, faketime, Pango) when it may: as root on a machine with apt-get. Without them the tests that need them are skipped
and say so.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

HOME = Path(__file__).resolve().parent
VENV = HOME / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / "python"
DEBIAN = {
    "exiftool": "libimage-exiftool-perl",
    "chromium": "chromium",
    "softhsm2-util": "softhsm2",
    "p11-kit": "p11-kit",
    "/usr/share/doc/p11-kit-modules": "p11-kit-modules",
    "faketime": "faketime",
    "pdftotext": "poppler-utils",
    "/usr/lib/postgresql": "postgresql",
    "/usr/share/doc/libpangoft2-1.0-0": "libpangoft2-1.0-0",
    "/usr/share/doc/libharfbuzz-subset0": "libharfbuzz-subset0",
}


def run(*command: str | Path, env: dict[str, str] | None = None, quiet: bool = False) -> None:
    """Run a command in the repository; leave with its exit code when it fails."""
    if not quiet:
        print("$", " ".join(str(part) for part in command), flush=True)
    done = subprocess.run([str(part) for part in command], cwd=HOME, env={**os.environ, **(env or {})}, check=False)
    if done.returncode:
        sys.exit(done.returncode)


def install(requirements: str) -> None:
    """Create .venv once and bring it to the locked requirements; a stamp makes the second run instant."""
    if sys.version_info < (3, 11):  # noqa: UP036 -- this file is what an older Python meets first
        sys.exit("Tanba needs Python 3.11 or later")
    lock = HOME / "requirements" / requirements
    project = (HOME / "pyproject.toml").read_bytes()
    wanted = hashlib.sha256(lock.read_bytes() + project).hexdigest()
    stamp = VENV / f".{requirements}.stamp"
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    if not PYTHON.is_file():
        print("creating .venv", flush=True)
        venv.EnvBuilder(with_pip=True).create(VENV)
    pip = (PYTHON, "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
    run(*pip, "--require-hashes", "-r", lock)
    run(*pip, "--no-deps", "--no-build-isolation", "--editable", HOME)
    stamp.write_text(wanted)


def install_debian() -> None:
    """The independent judges that PyPI does not have. Skipped, with a word, where it cannot be done."""
    missing = [package for tool, package in DEBIAN.items() if not (shutil.which(tool) or Path(tool).exists())]
    if not missing:
        return
    if not shutil.which("apt-get") or os.geteuid() != 0:
        print("not installed, their tests will be skipped:", ", ".join(missing), flush=True)
        return
    env = {"DEBIAN_FRONTEND": "noninteractive"}
    run("apt-get", "update", "-q", env=env)
    run("apt-get", "install", "-y", "-q", "--no-install-recommends", *missing, env=env)


def quickstart() -> None:
    """Label a sample photograph, verify it, and say where to look next."""
    install("runtime.txt")
    out = HOME / "out"
    out.mkdir(exist_ok=True)
    labelled = out / "photo-labelled.jpg"
    tanba = BIN / "tanba"
    photo = HOME / "samples" / "sources" / "photo.jpg"
    run(
        tanba, "label", photo, "-o", labelled, "--overwrite", "--as", "generated",
        "--system", "ExampleGen", "--system-version", "1.2", "--provider", "Example LLP", "--visible",
        "--lang", "kk,ru,en",
    )  # fmt: skip
    run(tanba, "verify", labelled)
    print(f"\nThe labelled photo is {labelled.relative_to(HOME)}. Next: .venv/bin/tanba --help, or README.md.")


def lint() -> None:
    """Formatters, linters, types, import contracts."""
    install("dev.txt")
    run(PYTHON, "-m", "ruff", "format", "--check", "--quiet", ".")
    run(PYTHON, "-m", "ruff", "check", "--quiet", ".")
    run(PYTHON, "-m", "mypy")
    run(BIN / "lint-imports")


def test(*arguments: str) -> None:
    """What CI runs."""
    install("dev.txt")
    install_debian()
    if not arguments:
        lint()
    run(PYTHON, "-m", "pytest", "-n", "auto", "--dist", "loadgroup", *arguments)


def lock() -> None:
    """Resolve requirements/*.txt: the development set first, the run-time set as a subset of it."""
    install("dev.txt")
    run(PYTHON, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "uv")
    common = (
        PYTHON, "-m", "uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11",
        "--generate-hashes", "--no-emit-index-url", "--no-header", "--no-annotate",
        "-c", "requirements/pins.in",
    )  # fmt: skip
    build = ("requirements/build.in",)
    run(*common, "pyproject.toml", *build, "--all-extras", "--group", "dev", "-o", "requirements/dev.txt")
    run(*common, "pyproject.toml", *build, "-c", "requirements/dev.txt", "-o", "requirements/runtime.txt")


def main() -> None:
    commands = {"quickstart": quickstart, "lint": lint, "lock": lock}
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name == "test":
        test(*sys.argv[2:])
    elif name in commands:
        commands[name]()
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
