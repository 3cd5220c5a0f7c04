"""The command as scripts see it: exit codes, JSON on standard output, words on standard error."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tanba.asset import Asset
from tanba.engine.read import read
from tanba.trustdir import load
from tests.beside import beside
from tests.labeler.conftest import PHOTO, drawn

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def tanba(home: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    """``tanba("label", ...)`` in this process, with a home of its own: exit code, standard output, standard error."""
    from tanba.cli import main

    monkeypatch.setenv("TANBA_HOME", str(home))

    def run(*args: str | Path, stdin: bytes | None = None) -> tuple[int, Any, str]:
        if stdin is not None:
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as end:
            main([str(arg) for arg in args])
        out, err = capfdbinary.readouterr()
        return int(str(end.value.code or 0)), out, err.decode()

    return run


def test_first_use_makes_an_identity_says_so_and_its_labels_are_trusted_here(
    tmp_path: Path, tanba: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TANBA_HOME", str(tmp_path / "fresh"))
    code, _, err = tanba("label", PHOTO, "-o", tmp_path / "out.jpg", "--as", "generated")
    assert code == 0
    assert "first use: made the development identity" in err
    made = Asset.from_path(tmp_path / "out.jpg")
    assert read(made, trust=load(tmp_path / "fresh" / "trust")).state == "Trusted"
    _, _, err = tanba("label", PHOTO, "-o", tmp_path / "out2.jpg", "--as", "generated")
    assert "first use" not in err


def test_json_is_one_receipt(tmp_path: Path, tanba: Run) -> None:
    code, out, _ = tanba("label", PHOTO, "-o", tmp_path / "o.jpg", "--as", "generated", "--system", "Gen", "--json")
    receipt = json.loads(out)
    assert code == 0
    assert receipt["schema"] == "tanba.receipt/1"
    assert receipt["layers"] == ["iptc", "c2pa"]
    assert receipt["output"] == str(tmp_path / "o.jpg")
    assert receipt["label_id"].startswith("urn:c2pa:")


@pytest.mark.parametrize(
    ("args", "code", "error"),
    [
        (["--as", "generated"], 2, "tanba.input.usage"),
        (["--as", "robot", "-o", "x.jpg"], 2, "tanba.input.usage"),
        (["--as", "generated", "-o", "x.jpg", "--watermark"], 2, "tanba.label.no_watermark"),
        (["--as", "generated", "-o", "x.jpg", "--source-type", "digitalCapture"], 2, "tanba.label.source_type"),
        (["--as", "human", "-o", "x.jpg", "--model", "m"], 2, "tanba.input.usage"),
        (["--as", "generated", "-o", "x.jpg", "--profile", "us-ca"], 2, "tanba.label.requirement_unmet"),
        (["--as", "generated", "-o", "x.jpg", "--profile", "mars"], 2, "tanba.profile.unknown"),
        (["--as", "generated", "-o", "x.jpg", "--identity", "nobody"], 5, "tanba.keys.not_found"),
        (["--as", "generated", "-o", "x.jpg", "--visible=middle"], 2, "tanba.input.usage"),
    ],
)
def test_what_cannot_be_done_is_one_json_error_and_a_documented_code(
    args: list[str], code: int, error: str, tmp_path: Path, tanba: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found, out, _ = tanba("label", PHOTO, "--json", *args)
    assert (found, json.loads(out)["error"]["code"]) == (code, error)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_field_names_every_article_at_once(tmp_path: Path, tanba: Run) -> None:
    code, out, _ = tanba("label", PHOTO, "-o", tmp_path / "o.jpg", "--as", "generated", "--profile", "us-ca", "--json")
    words = json.loads(out)["error"]["message"]
    assert code == 2
    assert "22757.3" in words
    assert "--provider" in words
    assert "--system" in words


def test_dry_run_writes_nothing_and_names_the_articles(tmp_path: Path, tanba: Run) -> None:
    code, out, _ = tanba(
        "label", PHOTO, "-o", tmp_path / "o.jpg", "--as", "generated", "--profile", "kz", "--provider", "X", "--dry-run",
        "--json",
    )  # fmt: skip
    plan = json.loads(out)
    assert code == 0
    assert [step["layer"] for step in plan["steps"]] == ["iptc", "c2pa"]
    assert any("230-VIII" in article for article in plan["articles"])
    assert list(tmp_path.iterdir()) == []


def test_a_pipe_in_is_a_pipe_out(home: Path) -> None:
    command = [sys.executable, "-c", "from tanba.cli import main; main()", "label", "-", "--as", "generated"]
    done = subprocess.run(command, input=drawn("PNG"), capture_output=True, env={"TANBA_HOME": str(home)}, check=False)
    assert done.returncode == 0, done.stderr
    assert read(Asset.from_bytes(done.stdout), trust=load(home / "trust")).state == "Trusted"


def test_a_label_beside_the_content_needs_a_place_and_is_not_lost_in_a_pipe(tmp_path: Path, tanba: Run) -> None:
    for content in (b'{"a": 1}', drawn("BMP")):
        code, out, err = tanba("label", "-", "--as", "generated", stdin=content)
        assert (code, out) == (2, b"")
        assert "give -o OUT" in err
    for more in (("--manifest-url", "https://example.org/m.c2pa", "--carrier", "a9"), ("--carrier", "sidecar")):
        assert tanba("label", "-", "-o", "-", "--as", "generated", *more, stdin=b"a: 1\n")[0] == 2
    assert tanba("label", "-", "-o", tmp_path / "a.json", "--as", "generated", stdin=b'{"a": 1}')[0] == 0
    assert (tmp_path / "a.json.c2pa").exists()


def test_the_name_of_the_output_says_what_a_pipe_carries(tmp_path: Path, tanba: Run) -> None:
    assert (
        tanba("label", "-", "-o", tmp_path / "a.yaml", "--as", "generated", "--title", "a.b", stdin=b"a: 1\n")[0] == 0
    )
    assert (tmp_path / "a.yaml").read_bytes().startswith(b"# -----BEGIN C2PA MANIFEST-----")
    assert tanba("label", "-", "-o", tmp_path / "a.txt", "--as", "generated", "--title", "a.b", stdin=b"a: 1\n")[0] == 0
    assert (tmp_path / "a.txt").read_bytes().startswith(b"a: 1\n\xef\xbb\xbf")


def test_a_text_is_marked_and_a_foreign_format_gets_a_sidecar(tmp_path: Path, tanba: Run, home: Path) -> None:
    (tmp_path / "a.txt").write_text("Сәлем, әлем\n", "utf-8")
    (tmp_path / "a.bmp").write_bytes(drawn("BMP"))
    assert tanba("label", tmp_path / "a.txt", "-o", tmp_path / "b.txt", "--as", "generated")[0] == 0
    assert (tmp_path / "b.txt").read_text("utf-8").startswith("Сәлем, әлем\n")
    assert tanba("label", tmp_path / "a.bmp", "-o", tmp_path / "b.bmp", "--as", "generated")[0] == 0
    store = (tmp_path / "b.bmp.c2pa").read_bytes()
    assert read(Asset.from_path(tmp_path / "b.bmp"), trust=load(home / "trust"), manifest=store).state == "Trusted"


def test_a_sidecar_is_history_too(tmp_path: Path, tanba: Run, home: Path) -> None:
    picture = tmp_path / "a.bmp"
    picture.write_bytes(drawn("BMP"))
    assert tanba("label", picture, "-o", picture, "--as", "generated")[0] == 0
    assert tanba("label", picture, "-o", picture, "--as", "modified")[0] == 0
    store = (tmp_path / "a.bmp.c2pa").read_bytes()
    evidence = read(Asset.from_path(picture), trust=load(home / "trust"), manifest=store)
    assert evidence.state == "Trusted"
    assert len(evidence.report["manifests"]) == 2


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[str]:
    """A time-stamp authority on this machine."""
    from keys import tsa

    def now() -> datetime:
        return datetime.now(UTC)

    with beside(tsa.server(tsa.local(tmp_path / "tsa", now()), now)) as url:
        yield url


def test_a_time_stamp_stands_in_the_receipt_and_among_the_layers(tmp_path: Path, tanba: Run, authority: str) -> None:
    args = ("label", PHOTO, "-o", tmp_path / "o.jpg", "--as", "generated", "--json")
    code, out, _ = tanba(*args, "--timestamp", "http://127.0.0.1:9/", "--timestamp", authority)
    receipt = json.loads(out)
    assert code == 0
    assert receipt["layers"] == ["iptc", "c2pa", "timestamp"]
    assert receipt["timestamp"]["time"].endswith("Z")
    assert not [words for words in receipt["warnings"] if "time stamp" in words]


def test_a_missing_stamp_refuses_unless_the_user_chose_otherwise(tmp_path: Path, tanba: Run) -> None:
    args = (
        "label",
        PHOTO,
        "-o",
        tmp_path / "o.jpg",
        "--as",
        "generated",
        "--json",
        "--timestamp",
        "http://127.0.0.1:9/",
    )
    code, out, _ = tanba(*args)
    assert (code, json.loads(out)["error"]["code"]) == (5, "tanba.timestamp.down")
    assert not (tmp_path / "o.jpg").exists()
    code, out, _ = tanba(*args, "--timestamp-policy", "without")
    receipt = json.loads(out)
    assert (code, receipt["timestamp"]) == (0, None)
    assert receipt["warnings"][0].startswith("signed without a time stamp")


def test_the_place_of_a_notice_is_optional_and_never_swallows_a_file(tmp_path: Path, tanba: Run) -> None:
    args = ("-o", tmp_path / "o.jpg", "--as", "generated", "--dry-run", "--json")
    for words in (["--visible", PHOTO], [PHOTO, "--visible"], ["--visible", "bottom", PHOTO], ["--visible=top", PHOTO]):
        code, out, _ = tanba("label", *words, *args)
        assert code == 0
        assert [step["layer"] for step in json.loads(out)["steps"]] == ["visible", "iptc", "c2pa"]


def test_a_slash_makes_the_output_a_folder(tmp_path: Path, tanba: Run) -> None:
    assert tanba("label", PHOTO, "-o", f"{tmp_path}/new/", "--as", "generated", "-q") == (0, b"", "")
    assert [item.name for item in (tmp_path / "new").iterdir()] == [PHOTO.name]


def test_a_ledger_kept_in_the_folder_is_not_labelled_itself(tmp_path: Path, tanba: Run) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(drawn("JPEG"))
    command = ("label", folder, "-r", "-o", tmp_path / "out", "--as", "generated", "--resume", folder / "ledger")
    assert [tanba(*command)[0], tanba(*command)[0]] == [0, 0]
    assert [item.name for item in (tmp_path / "out").iterdir()] == ["a.jpg"]
