"""``tanba doctor`` and ``tanba bench``: is this installation sound, and how fast is this machine?"""

from __future__ import annotations

import json
import platform
import shutil
import sys
import time
from collections.abc import Callable
from typing import Any

import click

from tanba import __version__, exits
from tanba.errors import TanbaError


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def doctor(as_json: bool) -> int:
    """Check this installation: packages, the engine's self-test, keys and trust lists.

    Exit code 0 when everything needed works, 70 when the installation is broken.
    """
    checks = [_checked(name, check) for name, check in _CHECKS]
    broken = any(item["state"] == "broken" for item in checks)
    if as_json:
        body = {"tanba": __version__, "python": platform.python_version(), "checks": checks}
        sys.stdout.write(json.dumps(body, ensure_ascii=False, indent=2) + "\n")
    else:
        for item in checks:
            sys.stdout.write(f"{item['state']:>8}  {item['name']}: {item['detail']}\n")
            if item.get("hint"):
                sys.stdout.write(f"{'':>10}hint: {item['hint']}\n")
    return exits.BUG if broken else exits.OK


def _checked(name: str, check: Callable[[], str]) -> dict[str, Any]:
    try:
        return {"name": name, "state": "ok", "detail": check()}
    except _Missing as gap:
        return {"name": name, "state": "missing", "detail": str(gap), "hint": gap.hint}
    except TanbaError as error:
        return {"name": name, "state": "broken", "detail": error.message, "hint": error.hint}


class _Missing(Exception):
    """Something optional is not there."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def _packages() -> str:
    from tanba.cli import check_clash

    check_clash()
    return "labeler, verifier, service and keys are Tanba's own"


def _engine() -> str:
    from tanba.engine import selftest
    from tanba.engine.native import versions

    selftest.run()
    return ", ".join(f"{name} {version}" for name, version in versions().items()) + "; self-test passed"


def _trust() -> str:
    from tanba import trustdir
    from tanba.paths import trust_dir

    lists = trustdir.load(trust_dir()).lists
    if not lists:
        raise _Missing("no trust list is configured, so no signer is trusted", "tanba trust add NAME FILE.pem")
    return ", ".join(f"{item.name} ({item.purpose.value}, {item.date or 'no date'})" for item in lists)


def _second_engine() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"encypher-c2pa {version('encypher-c2pa')}"
    except PackageNotFoundError:
        raise _Missing("encypher-c2pa is not installed", "pip install 'tanba[second-engine]'") from None


def _exiftool() -> str:
    found = shutil.which("exiftool")
    if not found:
        raise _Missing("exiftool is not installed; Tanba does not need it", "useful to look at metadata yourself")
    return found


_CHECKS: tuple[tuple[str, Callable[[], str]], ...] = (
    ("packages", _packages),
    ("engine", _engine),
    ("trust lists", _trust),
    ("second engine", _second_engine),
    ("exiftool", _exiftool),
)


@click.command()
@click.option("--seconds", type=click.FloatRange(0.1, 60), default=1.0, show_default=True, help="Per measurement.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def bench(seconds: float, as_json: bool) -> int:
    """Measure this machine: signing and verifying one small picture, as a multiple of hashing and signing alone.

    The full benchmarks, side by side with other engines, are in the repository's benchmarks/ folder.
    """
    import hashlib
    import io

    from tanba.asset import Asset
    from tanba.engine import selftest
    from tanba.engine.read import read
    from tanba.engine.write import sign
    from tanba.trust import TrustStore

    signer, _anchor = selftest.throw_away_identity()
    picture = selftest.one_pixel_png()
    out = io.BytesIO()

    def label() -> None:
        out.seek(0)
        out.truncate()
        sign(io.BytesIO(picture), "image/png", selftest.DEFINITION, signer, out)

    label()
    labelled = out.getvalue()
    results = {
        "floor (SHA-256 and one ES256 signature)": _rate(
            lambda: signer.sign(hashlib.sha256(picture).digest()), seconds
        ),
        "sign": _rate(label, seconds),
        "verify": _rate(lambda: read(Asset.from_bytes(labelled), trust=TrustStore.empty()), seconds),
    }
    if as_json:
        sys.stdout.write(json.dumps({"milliseconds": results}, ensure_ascii=False, indent=2) + "\n")
    else:
        floor = next(iter(results.values()))
        for name, milliseconds in results.items():
            sys.stdout.write(f"{milliseconds:8.2f} ms  {milliseconds / floor:6.1f} x  {name}\n")
    return exits.OK


def _rate(work: Callable[[], object], seconds: float) -> float:
    """Milliseconds per call, over at least ``seconds`` of wall time."""
    started, count = time.perf_counter(), 0
    while time.perf_counter() - started < seconds:
        work()
        count += 1
    return (time.perf_counter() - started) / count * 1000
