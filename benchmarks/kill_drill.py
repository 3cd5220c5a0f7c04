"""The drill of the fault table about killed commands."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.drilling import picture, promise
from tests.service.server import COMMAND


def killed_cli() -> str:
    """Row 1: `tanba label` killed with -9 at random moments, into a new file, over the original, and for a folder."""
    kills = int(os.environ.get("TANBA_KILLS", "200"))
    with TemporaryDirectory(prefix="tanba-drill-") as folder:
        home = Path(folder)
        environment = {**os.environ, "TANBA_HOME": str(home / "home")}
        photo = home / "photo.jpg"
        photo.write_bytes(picture(1, 640))
        digest = _sha256(photo)
        options = ["--as", "generated", "--no-timestamp", "--quiet"]
        subprocess.run([COMMAND, "label", photo, "-o", home / "first.jpg", *options], env=environment, check=True)
        began = time.monotonic()
        subprocess.run([COMMAND, "label", photo, "-o", home / "second.jpg", *options], env=environment, check=True)
        usual = time.monotonic() - began
        chance = random.Random(1)
        whole = {"new file": 0, "in place": 0}
        for number in range(kills):
            in_place = number % 2 == 1
            source = home / f"in-{number}.jpg" if in_place else photo
            target = source if in_place else home / f"out-{number}.jpg"
            if in_place:
                shutil.copy(photo, source)
            command = [COMMAND, "label", source, "-o", target, *options, *(["--overwrite"] if in_place else [])]
            _kill_after(command, environment, chance.uniform(0.3, 1.1) * usual)
            promise(_sha256(photo) == digest, "the original is untouched")
            if target.exists() and _sha256(target) != digest:
                promise(_is_whole(target), f"what stands at {target.name} is whole")
                whole["in place" if in_place else "new file"] += 1
        rounds, files = _killed_folder(home, environment, photo, chance)
        time.sleep(0.5)
        subprocess.run([COMMAND, "label", photo, "-o", home / "last.jpg", *options], env=environment, check=True)
        left = list(home.glob(".*.tanba-part"))
        promise(not left, f"nothing half-written is left after the next run: {left[:3]}")
        return (
            f"{kills} commands killed at a random moment of their {usual:.1f} s: {whole['new file']} had written their new file and "
            f"{whole['in place']} replaced the original, each whole and verified, all others had changed nothing; a folder of {files} "
            f"files killed {rounds} times and resumed: every file labelled once, all verified, no original touched, nothing half-written left"
        )


def _killed_folder(home: Path, environment: dict[str, str], photo: Path, chance: random.Random) -> tuple[int, int]:
    inputs, out, files, rounds = home / "many", home / "labelled", 300, 0
    inputs.mkdir()
    for number in range(files):
        shutil.copy(photo, inputs / f"{number:03}.jpg")
    command = [COMMAND, "label", inputs, "-r", "-o", out, "--as", "generated", "--no-timestamp", "--quiet", "--jobs", "2",
               "--resume", home / "ledger"]  # fmt: skip
    seen: dict[Path, str] = {}
    while True:
        ended = _kill_after(command, environment, chance.uniform(0.5, 1.5))
        for path in out.glob("*.jpg") if out.exists() else ():
            if path not in seen:
                promise(_is_whole(path), f"{path.name} is whole")
                seen[path] = _sha256(path)
            promise(_sha256(path) == seen[path], f"{path.name} is not labelled twice")
        if ended == 0:
            break
        rounds += 1
        promise(rounds < 200, "the folder is finished at last")
    promise(len(seen) == files, "every file is labelled")
    promise({_sha256(path) for path in inputs.iterdir()} == {_sha256(photo)}, "no original is touched")
    time.sleep(0.5)  # a killed process that is not buried yet counts as a neighbour, whose files are left alone
    subprocess.run(command, env=environment, check=True)
    promise(not list(out.glob(".*")), "nothing half-written is left in the folder after the next run")
    return rounds, files


def _kill_after(command: Sequence[str | Path], environment: dict[str, str], seconds: float) -> int | None:
    """Its exit code, or None when it was killed with every process of its group."""
    child = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        return child.wait(seconds)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        return None


def _is_whole(path: Path) -> bool:
    from tanba.asset import Asset
    from tanba.report import Verdict
    from verifier import Settings, verify_asset

    return verify_asset(Asset.from_path(path), Settings(isolate=False)).verdict is Verdict.VALID


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
