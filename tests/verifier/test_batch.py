"""Folders: worker processes, resume, duplicates, files that kill their worker, exit codes, machine output."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tanba import exits
from tanba.errors import UsageError
from tanba.limits import Limits
from tanba.report import Verdict
from tanba.trust import TrustStore
from tests.pki import Pki
from tests.verifier.conftest import png
from verifier import Settings, batch, verify
from verifier.batch import Counts, Result, files_in, run
from verifier.cli import verify as verify_command
from verifier.render.words import words


@pytest.fixture(autouse=True)
def _few_files_are_enough_for_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "INLINE_FILES", 3)


@pytest.fixture
def home(tmp_path: Path, label: Callable[..., bytes]) -> Path:
    """Six files: two labelled (same bytes), one tampered, one plain, one text, one hidden."""
    folder = tmp_path / "leak"
    (folder / "sub").mkdir(parents=True)
    good = label()
    broken = bytearray(good)
    broken[broken.rindex(b"IDAT") + 6] ^= 1
    (folder / "a.png").write_bytes(good)
    (folder / "b-copy.png").write_bytes(good)
    (folder / "c-tampered.png").write_bytes(bytes(broken))
    (folder / "sub" / "d-plain.png").write_bytes(png())
    (folder / "sub" / "e.txt").write_text("plain words", "utf-8")
    (folder / ".hidden.png").write_bytes(good)
    return folder


def collect(paths: Any, settings: Settings, **options: Any) -> tuple[Counts, list[Result]]:
    found: list[Result] = []
    return run(paths, settings, on_result=found.append, **options), found


def names(results: list[Result]) -> dict[str, str]:
    return {item.path.name: item.report.verdict.value if item.report is not None else "error" for item in results}


EXPECTED = {
    "a.png": "trusted",
    "b-copy.png": "trusted",
    "c-tampered.png": "invalid",
    "d-plain.png": "unmarked",
    "e.txt": "unmarked",
}


def test_a_manifest_file_whose_content_is_not_there_is_neither_intact_nor_broken(pki: Pki, tmp_path: Path) -> None:
    sample = Path(__file__).parents[2] / "samples" / "images" / "sidecar.jpg"
    alone = tmp_path / "orphan.c2pa"
    alone.write_bytes(sample.with_name("sidecar.jpg.c2pa").read_bytes())
    found = verify(alone, Settings(trust=pki.store()))
    assert found.answers.integrity.state == "not_evaluated"
    assert "tanba.c2pa.manifest_alone" in {item.code for item in found.findings}
    assert "by itself" in words(found, "en").sentence
    assert verify(sample, Settings(trust=pki.store()), manifest=alone).answers.integrity.state == "intact"


@pytest.mark.parametrize("option", ["--report", "--csv", "--pdf", "--sign", "--resume"])
def test_a_report_never_replaces_the_file_that_it_is_about(
    home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, option: str
) -> None:
    monkeypatch.setenv("TANBA_TRUST_DIR", str(tmp_path / "lists"))
    evidence, linked = home / "a.png", tmp_path / "link.png"
    linked.symlink_to(evidence)
    before = evidence.read_bytes()
    for inputs, output in (((evidence,), evidence), ((evidence,), home / "sub" / ".." / "a.png"), ((evidence,), linked),
                           ((evidence, home / "b-copy.png"), home / "b-copy.png"), ((home,), evidence)):  # fmt: skip
        done = CliRunner().invoke(verify_command, [*map(str, inputs), option, str(output), "-q"], standalone_mode=False)
        assert isinstance(done.exception, UsageError)
        assert "being checked" in str(done.exception) or "report of one file" in str(done.exception)
    assert evidence.read_bytes() == before


def test_two_outputs_in_one_file_are_refused_and_those_of_the_last_run_may_be_replaced(
    home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TANBA_TRUST_DIR", str(tmp_path / "lists"))

    def run(*args: str) -> Any:
        return CliRunner().invoke(verify_command, [str(home), "-q", *args], standalone_mode=False)

    assert isinstance(run("--csv", str(home / "x"), "--report", str(home / "sub" / ".." / "x")).exception, UsageError)
    again = ("--csv", str(home / "t.csv"), "--report", str(home / "p.html"), "--resume", str(home / "l.ledger"))
    assert [run(*again).exception for _ in range(2)] == [None, None]


def test_the_table_of_one_file_is_in_the_readers_language_like_that_of_many(
    home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TANBA_TRUST_DIR", str(tmp_path / "lists"))
    table = tmp_path / "one.csv"
    args = [str(home / "sub" / "e.txt"), "--csv", str(table), "--lang", "ru", "-q"]
    assert CliRunner().invoke(verify_command, args, standalone_mode=False).exception is None
    text = table.read_text("utf-8")
    assert text.startswith("\ufeff")
    assert "маркировка не найдена" in text


def test_files_that_the_run_writes_itself_are_no_part_of_the_folder(home: Path, pki: Pki, tmp_path: Path) -> None:
    own = [home / "out.csv", home / "sub" / "out.html", home / "run.ledger"]
    for path in own:
        path.write_text("from the last run")
    relative = Path(os.path.relpath(own[1]))
    found = {path.name for path in files_in([home], recursive=True, outputs=[own[0], relative, own[2]])}
    assert found == set(EXPECTED)


@pytest.mark.parametrize("jobs", [1, 2])
def test_one_core_and_two_give_the_same_answers(home: Path, pki: Pki, jobs: int) -> None:
    counts, found = collect(files_in([home], recursive=True), Settings(trust=pki.store()), jobs=jobs)
    assert names(found) == EXPECTED
    assert counts.files == 5
    assert counts.duplicates == 1
    assert counts.exit_code == exits.LABEL_FAILS


@pytest.mark.parametrize(
    ("files", "most", "started"), [(4, 4, False), (5, 4, True), (4, 4, None)], ids=["few", "many", "few large ones"]
)
def test_workers_are_started_only_for_what_is_worth_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: int, most: int, started: bool | None
) -> None:
    monkeypatch.setattr(batch, "INLINE_FILES", most)
    if started is None:
        monkeypatch.setattr(batch, "_INLINE_BYTES", 20)
    calls: list[int] = []
    pool = batch.Pool
    monkeypatch.setattr(batch, "Pool", lambda *given, **more: calls.append(1) or pool(*given, **more))
    paths = [tmp_path / f"{number}.txt" for number in range(files)]
    for path in paths:
        path.write_text("plain words", "utf-8")
    counts, _ = collect(iter(paths), Settings(), jobs=2)
    assert counts.files == files
    assert bool(calls) is (started is not False)


def test_without_recursion_only_the_folder_itself_is_read(home: Path) -> None:
    assert [path.name for path in files_in([home], recursive=False)] == ["a.png", "b-copy.png", "c-tampered.png"]


def test_a_sidecar_is_checked_with_its_file_and_not_by_itself(tmp_path: Path) -> None:
    for name in ("photo.jpg", "photo.jpg.c2pa", "notes.txt", "notes.c2pa", "alone.c2pa"):
        (tmp_path / name).write_bytes(b"x")
    assert [path.name for path in files_in([tmp_path], recursive=False)] == ["alone.c2pa", "notes.txt", "photo.jpg"]


def test_copies_are_grouped_by_hash_with_the_first_one_named(home: Path, pki: Pki) -> None:
    _, found = collect(files_in([home], recursive=False), Settings(trust=pki.store()), jobs=1)
    copies = {item.path.name: Path(item.duplicate_of).name for item in found if item.duplicate_of}
    assert copies == {"b-copy.png": "a.png"}


def test_a_file_that_cannot_be_opened_is_a_result_and_the_others_still_count(home: Path, pki: Pki) -> None:
    paths = [home / "a.png", home / "nowhere.png", home]
    counts, found = collect(paths, Settings(trust=pki.store()), jobs=1)
    assert names(found) == {"a.png": "trusted", "nowhere.png": "error", "leak": "error"}
    assert counts.errors == 2
    assert counts.exit_code == exits.COULD_NOT


def test_a_resumed_run_checks_only_what_is_new_or_changed(home: Path, pki: Pki, tmp_path: Path) -> None:
    ledger, settings = tmp_path / "ledger.jsonl", Settings(trust=pki.store())
    collect(files_in([home], recursive=True), settings, jobs=1, resume=ledger)
    (home / "sub" / "e.txt").write_text("other words", "utf-8")
    (home / "new.txt").write_text("new", "utf-8")
    counts, found = collect(files_in([home], recursive=True), settings, jobs=1, resume=ledger)
    assert {item.path.name for item in found if not item.resumed} == {"e.txt", "new.txt"}
    assert counts.resumed == 4
    assert names(found) == {**EXPECTED, "new.txt": "unmarked"}
    assert counts.duplicates == 1


def test_a_line_cut_off_by_a_crash_is_checked_again(home: Path, pki: Pki, tmp_path: Path) -> None:
    ledger, settings = tmp_path / "ledger.jsonl", Settings(trust=pki.store())
    collect([home / "a.png", home / "c-tampered.png"], settings, jobs=1, resume=ledger)
    data = ledger.read_bytes()
    ledger.write_bytes(data[: len(data) - 100])
    for _ in range(2):
        counts, found = collect([home / "a.png", home / "c-tampered.png"], settings, jobs=1, resume=ledger)
        assert names(found) == {"a.png": "trusted", "c-tampered.png": "invalid"}
    assert counts.resumed == 2


def test_a_ledger_of_other_trust_lists_is_refused(home: Path, pki: Pki, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.jsonl"
    collect([home / "a.png"], Settings(trust=pki.store()), jobs=1, resume=ledger)
    with pytest.raises(UsageError) as caught:
        collect([home / "a.png"], Settings(trust=TrustStore.empty()), jobs=1, resume=ledger)
    assert caught.value.code == "tanba.ledger.other_settings"


def test_any_other_file_named_as_ledger_is_refused_and_kept(home: Path, tmp_path: Path) -> None:
    other = tmp_path / "diary.txt"
    other.write_text("dear diary\n")
    with pytest.raises(UsageError):
        collect([home / "a.png"], Settings(), jobs=1, resume=other)
    assert other.read_text() == "dear diary\n"


def test_ten_thousand_paths_are_not_read_ahead(home: Path, pki: Pki) -> None:
    """Memory is bounded because paths are taken as workers become free."""
    taken = 0

    def many():
        nonlocal taken
        for _ in range(10_000):
            taken += 1
            yield home / "sub" / "d-plain.png"

    class Enough(Exception):
        pass

    seen = 0

    def on_result(_result: Result) -> None:
        nonlocal seen
        seen += 1
        if seen == 5:
            raise Enough

    with pytest.raises(Enough):
        run(many(), Settings(), jobs=2, on_result=on_result)
    assert taken < 40


def test_a_file_that_takes_too_long_costs_only_itself(home: Path, pki: Pki, tmp_path: Path) -> None:
    fifo = tmp_path / "stalled.png"
    os.mkfifo(fifo)
    settings = Settings(trust=pki.store(), limits=Limits(seconds=0.1))
    holder = threading.Thread(target=_hold, args=(fifo,), daemon=True)
    holder.start()
    paths = [home / "a.png", fifo, home / "c-tampered.png", home / "sub" / "e.txt", home / "sub" / "d-plain.png"]
    _, found = collect(paths, settings, jobs=2)
    verdicts = names(found)
    assert verdicts.pop("stalled.png") in ("error", "unchecked")
    assert verdicts == {name: EXPECTED[name] for name in ("a.png", "c-tampered.png", "d-plain.png", "e.txt")}


def _hold(path: Path) -> None:
    with path.open("wb"):
        time.sleep(12)


def cli(*args: str, **environ: str) -> Any:
    return CliRunner(env=environ).invoke(verify_command, args, standalone_mode=False)


@pytest.fixture
def trusted(pki: Pki, tmp_path: Path) -> str:
    (tmp_path / "root.pem").write_bytes(pki.root_pem)
    return f"test={tmp_path / 'root.pem'}"


def test_json_is_one_document_and_jsonl_one_object_a_line(home: Path, trusted: str) -> None:
    args = ("-r", str(home), "--no-configured-trust", "--trust", trusted, "--jobs", "1")
    whole = cli(*args, "--json")
    items = json.loads(whole.stdout)
    assert whole.return_value == exits.LABEL_FAILS
    assert {Path(item["path"]).name: item["verdict"] for item in items} == EXPECTED
    lines = [json.loads(line) for line in cli(*args, "--jsonl").stdout.splitlines()]
    assert {Path(item["path"]).name: item["verdict"] for item in lines} == EXPECTED


def test_a_run_that_fails_prints_one_error_and_no_half_array(home: Path, trusted: str, tmp_path: Path) -> None:
    (tmp_path / "diary.txt").write_text("dear diary\n")
    found = cli("-r", str(home), "--no-configured-trust", "--json", "--resume", str(tmp_path / "diary.txt"))
    assert isinstance(found.exception, UsageError)
    assert found.stdout == ""


def test_csv_and_the_summary_page_appear_whole_and_name_every_file(home: Path, trusted: str, tmp_path: Path) -> None:
    table, page = tmp_path / "out.csv", tmp_path / "out.html"
    args = ("-r", str(home), "--no-configured-trust", "--trust", trusted, "--jobs", "1", "-q")
    cli(*args, "--csv", str(table), "--report", str(page), "--lang", "en")
    rows = list(csv.DictReader(table.read_text("utf-8-sig").splitlines()))
    assert {Path(row["name"]).name: row["verdict"] for row in rows} == EXPECTED
    text = page.read_text("utf-8")
    assert all(name in text for name in EXPECTED)
    assert "<script" not in text


def test_an_empty_folder_is_no_error_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    found = cli("-r", str(tmp_path / "empty"), "--json", "--no-configured-trust")
    assert json.loads(found.stdout) == []
    assert found.return_value == exits.OK


@pytest.mark.parametrize(
    ("verdicts", "required", "expected"),
    [
        ((Verdict.TRUSTED, Verdict.TRUSTED), Verdict.TRUSTED, exits.OK),
        ((Verdict.TRUSTED, Verdict.UNMARKED), Verdict.VALID, exits.NO_LABEL),
        ((Verdict.UNMARKED, Verdict.INVALID), Verdict.VALID, exits.LABEL_FAILS),
        ((Verdict.INVALID, Verdict.UNCHECKED), Verdict.VALID, exits.COULD_NOT),
    ],
)
def test_the_gravest_file_decides_the_exit_code(
    home: Path, pki: Pki, tmp_path: Path, verdicts: tuple[Verdict, ...], required: Verdict, expected: int
) -> None:
    (tmp_path / "cut.png").write_bytes((home / "sub" / "d-plain.png").read_bytes()[:40])
    files = {
        Verdict.TRUSTED: home / "a.png", Verdict.UNMARKED: home / "sub" / "e.txt",
        Verdict.INVALID: home / "c-tampered.png", Verdict.UNCHECKED: tmp_path / "nowhere",
    }  # fmt: skip
    counts, _ = collect([files[item] for item in verdicts], Settings(trust=pki.store()), jobs=1, required=required)
    assert counts.exit_code == expected


def eventually(file: Path, text: str, seconds: float = 20) -> bool:
    """Whether the file holds the text within a generous time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if text in file.read_text("utf-8"):
            return True
        time.sleep(0.1)
    return False


def test_watch_checks_what_arrives_until_it_is_stopped(home: Path, tmp_path: Path, trusted: str) -> None:
    page, table = home / "page.html", home / "table.csv"
    command = [
        sys.executable,
        "-m",
        "tests.verifier.run_watch",
        str(home),
        trusted,
        "--report",
        str(page),
        "--csv",
        str(table),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        first = [json.loads(process.stdout.readline()) for _ in range(3)]
        assert {Path(item["path"]).name for item in first} == {"a.png", "b-copy.png", "c-tampered.png"}
        time.sleep(1.0)
        (home / "arrived.png").write_bytes((home / "a.png").read_bytes())
        arrived = json.loads(process.stdout.readline())
        assert Path(arrived["path"]).name == "arrived.png"
        assert arrived["verdict"] == "trusted"
        assert arrived["duplicate_of"] == str(home / "a.png")
        for file in (page, table):
            assert eventually(file, "arrived.png"), f"{file.name} is refreshed while the watch goes on"
    finally:
        process.terminate()
        rest, said = process.communicate(timeout=20)
    assert rest == "", "the files that the watch writes itself are not checked"
    assert "4 files: " in said, "SIGTERM ends it in order"
    assert process.returncode == 0, said
