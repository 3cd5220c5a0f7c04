"""A folder of mixed files: throughput and peak memory on one core and two, and what the reports cost beside it.

``python benchmarks/bench_folder.py [--files 1000]`` writes ``benchmarks/results-folder.md``. Memory is the sum over the
whole process tree (PSS, sampled); CPU seconds are of the tree too, because the machine may be shared.
"""

from __future__ import annotations

import argparse
import io
import os
import platform
import shlex
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from PIL import Image

from benchmarks.costs import load, timed
from tanba.engine.write import sign
from tests.pki import make_pki

COPIES = 4
_LARGE = f"{COPIES} times as many files, "
_HALVES = f"{_LARGE}two commands side by side"
HERE = Path(__file__).resolve().parent
PHOTO = HERE.parent / "samples" / "sources" / "photo.jpg"
DEFINITION = {
    "claim_generator_info": [{"name": "bench"}],
    "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [{
        "action": "c2pa.created",
        "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia",
    }]}}],
}  # fmt: skip


@dataclass(frozen=True)
class Cost:
    """One run."""

    wall: float
    cpu: float
    peak_mib: float


def make(folder: Path, files: int) -> Path:
    """Six of ten labelled JPEGs, two plain pictures, one broken label, one text; no two alike. Returns the root."""
    pki = make_pki()
    signer = pki.leaf().signer()
    photo = Image.open(PHOTO).convert("RGB").resize((1154, 866))
    for number in range(files):
        photo.putpixel((number % 1000, number // 1000), (number % 256, number // 256 % 256, 7))
        out = io.BytesIO()
        photo.save(out, "JPEG", quality=85)
        target, kind = folder / f"{number:05}", number % 10
        if kind == 9:
            target.with_suffix(".txt").write_text(f"a plain text, number {number}\n" * 50, "utf-8")
        elif kind in (7, 8):
            target.with_suffix(".jpg").write_bytes(out.getvalue())
        else:
            made = io.BytesIO()
            sign(io.BytesIO(out.getvalue()), "image/jpeg", DEFINITION, signer, made)
            data = bytearray(made.getvalue())
            if kind == 6:
                data[-100] ^= 1
            target.with_suffix(".jpg").write_bytes(bytes(data))
    root = folder.parent / "root.pem"
    root.write_bytes(pki.root_pem)
    return root


def _command(root: Path, *what: str) -> list[str]:
    return [sys.executable, "-c", "from tanba.cli import main; main()", "verify", "-r", "-q",
            "--no-configured-trust", "--trust", f"bench={root}", *what]  # fmt: skip


def halves(large: Path, root: Path) -> Cost:
    """Two commands on one core each, side by side, with half of the folder each: what the machine itself allows."""
    folders = sorted(map(str, large.iterdir()))
    parts = (folders[::2], folders[1::2])
    both = " & ".join(shlex.join(_command(root, *part, "--jobs", "1")) for part in parts)
    wall, cpu = timed(["sh", "-c", f"{both} & wait"])
    return Cost(wall, cpu, 0)


def run(folder: Path, root: Path, *options: str) -> Cost:
    """``tanba verify`` on the folder in a process of its own."""
    command = _command(root, str(folder), *options)
    peak, samplers = [0.0], []

    def sample(process: subprocess.Popen[bytes]) -> None:
        samplers.append(threading.Thread(target=_sample, args=(process, peak), daemon=True))
        samplers[0].start()

    wall, cpu = timed(command, beside=sample)
    samplers[0].join()
    return Cost(wall, cpu, peak[0])


def _sample(process: subprocess.Popen[bytes], peak: list[float]) -> None:
    while process.poll() is None:
        peak[0] = max(peak[0], sum(_pss(pid) for pid in _tree(process.pid)) / 1024)
        time.sleep(0.05)


def _tree(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return [pid]
    return [pid, *(item for child in children for item in _tree(int(child)))]


def _pss(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--files", type=int, default=1000)
    files = arguments.parse_args().files
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "folder"
        folder.mkdir()
        root = make(folder, files)
        size = sum(item.stat().st_size for item in folder.iterdir()) / (1 << 20)
        large = _copies(folder)
        summary = ("--report", str(Path(place) / "s.html"), "--csv", str(Path(place) / "s.csv"))
        runs = {
            "one core": run(folder, root, "--jobs", "1"),
            "two cores": run(folder, root, "--jobs", "2"),
            "two cores, summary page and CSV": run(folder, root, "--jobs", "2", *summary),
            f"{_LARGE}one core": run(large, root, "--jobs", "1"),
            f"{_LARGE}two cores": run(large, root, "--jobs", "2"),
            _HALVES: halves(large, root),
            "a tenth of it, two cores": run(_tenth(folder), root, "--jobs", "2"),
        }
    rows = [
        f"| {name} | {cost.wall:.1f} | {cost.cpu:.1f} | {f'{cost.peak_mib:.0f}' if cost.peak_mib else '-'} |"
        for name, cost in runs.items()
    ]
    alone, pages = runs["two cores"].cpu, runs["two cores, summary page and CSV"].cpu
    text = "\n".join([
        "# A folder of mixed files", "",
        f"{files} files, {size:.0f} MiB: six of ten labelled JPEGs of 1 megapixel, one with a broken label, two plain",
        "pictures, one text; no two alike. Peak memory is the sum over the process tree (PSS).",
        f"Python {platform.python_version()}, {datetime.now(UTC):%Y-%m-%d}; {load()}.", "",
        "| Run | wall s | CPU s | peak MiB |", "|---|---|---|---|", *rows, "",
        f"Two cores beside one: {_speed_up(runs, '')}; with {COPIES} times as many files (the same ones in {COPIES} folders,",
        f"so that starting counts less): {_speed_up(runs, _LARGE)}. Target: 1.8.",
        f"Two commands that know nothing of each other, with half of these files each: {_speed_up(runs, _LARGE, _HALVES)};",
        "that is about what this machine allows, two start-ups included.", "",
        f"Summary page and CSV together cost {max(0.0, pages - alone):.1f} CPU seconds beside {alone:.1f} for the checks.",
        "`python benchmarks/bench_folder.py` repeats this.", "",
    ])  # fmt: skip
    (HERE / "results-folder.md").write_text(text, "utf-8")
    print(text)


def _speed_up(runs: dict[str, Cost], what: str, second: str | None = None) -> str:
    one, two = runs[f"{what}one core"], runs[second or f"{what}two cores"]
    return f"**{one.wall / two.wall:.2f} x** by wall clock, {2 * one.cpu / two.cpu:.2f} x by CPU time"


def _copies(folder: Path) -> Path:
    large = folder.parent / "large"
    for number in range(COPIES):
        (large / str(number)).mkdir(parents=True)
        for item in folder.iterdir():
            os.link(item, large / str(number) / item.name)
    return large


def _tenth(folder: Path) -> Path:
    part = folder.parent / "part"
    part.mkdir()
    for item in sorted(folder.iterdir())[::10]:
        os.link(item, part / item.name)
    return part


if __name__ == "__main__":
    main()
