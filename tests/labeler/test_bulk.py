"""Batches: one bad file never stops the rest, both ways of running agree, and a killed run goes on where it stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import pytest

from labeler.bulk import Outcome, Recipe, collect, run
from labeler.ledger import Item, Ledger
from labeler.options import LabelOptions
from labeler.plan import load_profiles
from tanba.asset import Asset
from tanba.engine.read import read
from tanba.errors import UsageError
from tanba.limits import DEFAULT_LIMITS
from tests.labeler.conftest import GENERATED, PHOTO, Lab, drawn
from tests.pki import LocalSigner, key_pem


@dataclass
class Source:
    """A signer that can be sent to a worker process."""

    chain_pem: bytes
    pkcs8: bytes

    def __call__(self) -> AbstractContextManager[LocalSigner]:
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        return nullcontext(LocalSigner("test", "es256", self.chain_pem, load_pem_private_key(self.pkcs8, None)))


@pytest.fixture
def source(lab: Lab) -> Source:
    return Source(lab.signer.chain_pem, key_pem(lab.signer.key))


@pytest.fixture
def recipe(lab: Lab) -> Recipe:
    return Recipe(disclosure=GENERATED, options=LabelOptions(), trust=lab.trust, limits=DEFAULT_LIMITS)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "in"
    (made / "sub").mkdir(parents=True)
    for index in range(5):
        (made / f"{index}.jpg").write_bytes(drawn("JPEG", (64 + index, 64)))
    (made / "sub" / "deep.png").write_bytes(drawn("PNG", (64, 64)))
    (made / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 this is no picture")
    (made / "notes.bin").write_bytes(bytes(range(256)))
    (made / ".hidden.jpg").write_bytes(drawn("JPEG"))
    return made


def by_name(outcomes: list[Outcome]) -> dict[str, Outcome]:
    return {item.item.source.name: item for item in outcomes}


@pytest.mark.parametrize("jobs", [1, 2])
def test_one_bad_file_does_not_stop_the_rest(
    jobs: int, folder: Path, tmp_path: Path, recipe: Recipe, source: Source, lab: Lab
) -> None:
    items, passed = collect([folder], tmp_path / "out", recursive=True)
    found = by_name(list(run(items, recipe, source, jobs=jobs)))
    assert [item.name for item in passed] == ["notes.bin"]
    assert found["broken.jpg"].error is not None
    assert found["broken.jpg"].exit_code == 5
    good = [name for name, item in found.items() if item.receipt is not None]
    assert sorted(good) == ["0.jpg", "1.jpg", "2.jpg", "3.jpg", "4.jpg", "deep.png"]
    made = Asset.from_path(tmp_path / "out" / "sub" / "deep.png")
    assert read(made, trust=lab.trust).state == "Trusted"
    assert not (tmp_path / "out" / "broken.jpg").exists()


def test_a_ledger_skips_what_is_done_and_retries_what_failed(
    folder: Path, tmp_path: Path, recipe: Recipe, source: Source
) -> None:
    items, _ = collect([folder], tmp_path / "out", recursive=True)
    path = tmp_path / "ledger.jsonl"
    with Ledger(path, recipe.digest) as ledger:
        list(run(items, recipe, source, ledger=ledger))
    stamps = {item.target: item.target.stat().st_mtime_ns for item in items if item.target.exists()}
    (folder / "broken.jpg").write_bytes(drawn("JPEG"))
    with Ledger(path, recipe.digest) as ledger:
        again = by_name(list(run(items, recipe, source, ledger=ledger)))
    assert again["broken.jpg"].receipt is not None
    assert all(item.done_before for name, item in again.items() if name != "broken.jpg")
    assert {target: target.stat().st_mtime_ns for target in stamps} == stamps


def test_in_place_labelling_is_not_done_twice(
    folder: Path, tmp_path: Path, recipe: Recipe, source: Source, lab: Lab
) -> None:
    items = [Item(folder / "0.jpg", folder / "0.jpg")]
    path = tmp_path / "ledger.jsonl"
    for _ in range(2):
        with Ledger(path, recipe.digest) as ledger:
            list(run(items, recipe, source, ledger=ledger))
    assert len(read(Asset.from_path(folder / "0.jpg"), trust=lab.trust).report["manifests"]) == 1


def test_a_run_killed_between_writing_and_noting_does_not_double(
    folder: Path, tmp_path: Path, recipe: Recipe, source: Source, lab: Lab
) -> None:
    items = [Item(folder / "0.jpg", folder / "0.jpg")]
    path = tmp_path / "ledger.jsonl"
    with Ledger(path, recipe.digest) as ledger:
        list(run(items, recipe, source, ledger=ledger))
    lines = path.read_text().splitlines()
    path.write_text(lines[0] + "\n" + lines[1][:40])  # the "done" line was torn by the kill
    with Ledger(path, recipe.digest) as ledger:
        (outcome,) = run(items, recipe, source, ledger=ledger)
    assert outcome.done_before
    assert len(read(Asset.from_path(folder / "0.jpg"), trust=lab.trust).report["manifests"]) == 1


def test_another_disclosure_is_other_work(folder: Path, tmp_path: Path, recipe: Recipe, source: Source) -> None:
    from dataclasses import replace

    other = replace(recipe, disclosure=replace(GENERATED, system="Another"))
    lawful = replace(recipe, options=LabelOptions(profiles=load_profiles(["none"])))
    assert len({recipe.digest, other.digest, lawful.digest}) == 3
    items = [Item(folder / "0.jpg", tmp_path / "o.jpg")]
    path = tmp_path / "ledger.jsonl"
    with Ledger(path, recipe.digest) as ledger:
        list(run(items, recipe, source, ledger=ledger))
    with Ledger(path, other.digest) as ledger:
        (outcome,) = run(items, other, source, ledger=ledger)
    assert not outcome.done_before


def test_two_runs_cannot_share_a_ledger(tmp_path: Path, recipe: Recipe) -> None:
    with Ledger(tmp_path / "l", recipe.digest), pytest.raises(UsageError, match="another run"):
        Ledger(tmp_path / "l", recipe.digest).__enter__()


def test_two_inputs_with_one_output_are_refused(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.jpg").write_bytes(drawn("JPEG"))
    with pytest.raises(UsageError, match="both become"):
        collect([tmp_path / "a" / "x.jpg", tmp_path / "b" / "x.jpg"], tmp_path / "out", recursive=False)


def test_the_output_folder_inside_the_input_is_not_labelled_again(folder: Path) -> None:
    out = folder / "out"
    out.mkdir()
    (out / "old.jpg").write_bytes(drawn("JPEG"))
    items, _ = collect([folder], out, recursive=True)
    assert not [item for item in items if item.source.is_relative_to(out)]


def wait_for_the_dead(folder: Path) -> None:
    """Until the system has buried the killed workers whose hidden files still lie there: only then are they swept."""
    pids = {int(item.name.split("-")[1]) for item in folder.glob(".*.tanba-part")}
    deadline = time.monotonic() + 20
    while pids and time.monotonic() < deadline:
        pids = {pid for pid in pids if Path(f"/proc/{pid}").exists()}
        time.sleep(0.05)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="watches processes in /proc")
def test_a_batch_killed_at_any_moment_resumes_without_redoing(tmp_path: Path) -> None:
    inputs = tmp_path / "in"
    inputs.mkdir()
    for index in range(60):
        (inputs / f"{index:02}.jpg").write_bytes(PHOTO.read_bytes())
    command = [
        sys.executable, "-c", "from tanba.cli import main; main()", "label", str(inputs), "-r", "-o",
        str(tmp_path / "out"), "--as", "generated", "--resume", str(tmp_path / "ledger"), "--jobs", "2", "--jsonl",
    ]  # fmt: skip
    env = {**os.environ, "TANBA_HOME": str(tmp_path / "home")}
    child = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=env, start_new_session=True
    )
    deadline = time.monotonic() + 30
    while len(list((tmp_path / "out").glob("*.jpg"))) < 5 and time.monotonic() < deadline and child.poll() is None:
        time.sleep(0.01)
    os.killpg(child.pid, signal.SIGKILL)
    child.communicate()
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("*.jpg")}
    assert 5 <= len(before) < 60
    wait_for_the_dead(tmp_path / "out")
    done = subprocess.run(command, capture_output=True, env=env, check=False, text=True)
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "out").glob("*.jpg"))) == 60
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert not list((tmp_path / "out").glob(".*"))
