"""The survival table of the docs is what the verifier says today; the command says the same."""

from __future__ import annotations

import importlib.util
import json

import pytest
from click.testing import CliRunner

from tanba.text.journeys import JOURNEYS
from tests.text import survival
from verifier.text_cli import text

MISSING = [item.needs for item in JOURNEYS.values() if item.needs and importlib.util.find_spec(item.needs) is None]


@pytest.mark.skipif(bool(MISSING), reason=f"tools of the table are not installed: {MISSING}")
def test_the_survival_table_in_the_docs_is_up_to_date(desk):
    made = survival.page(desk, browser=False).splitlines()
    written = survival.PAGE.read_text("utf-8").splitlines()
    assert made[:-1] == written[:-1], "run: python -m tests.text.survival"


@pytest.mark.skipif(survival.CHROMIUM is None, reason="no Chromium on this machine")
def test_copying_out_of_a_real_browser_is_what_the_table_says(desk):
    row = " | ".join(survival.cells(desk, "browser").values())
    assert row in survival.PAGE.read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("crlf", "a\nb\r\n", "a\r\nb\r\n"),
        ("nfd", "й", "и\u0306"),
        ("trim", " a \n", "a"),
        ("strip-variation-selectors", "a\ufe0f\U000e0101b", "ab"),
        ("bmp-only", "a👍b", "ab"),
        ("json", 'a"\n', 'a"\n'),
        ("html-escaped", "a<b>&", "a&lt;b&gt;&amp;"),
        ("visible-text", "<p>a&amp;b</p>", "a&b"),
    ],
)
def test_a_journey_does_what_it_says(name, before, after):
    assert JOURNEYS[name].go(before.encode(), "text/plain").decode() == after


@pytest.fixture
def labelled(desk, tmp_path):
    file = tmp_path / "note.txt"
    file.write_bytes(desk.label("Бірінші жол\nsecond line\n").output)
    return file


def test_the_command_shows_each_road_and_fails_when_one_loses_the_mark(labelled):
    done = CliRunner().invoke(text, ["survives", str(labelled), "--through", "copy,crlf,strip-bom", "--json"])
    found = {row["road"]: row["survival"] for row in json.loads(done.output)["roads"]}
    assert found == {"copy": "survives", "crlf": "recoverable", "strip-bom": "lost"}
    assert done.exit_code == 1
    assert CliRunner().invoke(text, ["survives", str(labelled), "--through", "copy,json"]).exit_code == 0


def test_the_command_refuses_an_unmarked_file_and_an_unknown_road(tmp_path, labelled):
    plain = tmp_path / "plain.txt"
    plain.write_text("nothing here")
    assert CliRunner().invoke(text, ["survives", str(plain)]).exit_code == 3
    assert CliRunner().invoke(text, ["survives", str(labelled), "--through", "teleport"]).exception is not None


def test_a_damaged_file_is_restored_to_the_signed_bytes(desk, labelled, tmp_path):
    original = labelled.read_bytes()
    broken = tmp_path / "broken.txt"
    broken.write_bytes(JOURNEYS["nfd"].go(JOURNEYS["crlf"].go(original, ""), ""))
    out = tmp_path / "fixed.txt"
    assert CliRunner().invoke(text, ["restore", str(broken), "-o", str(out)]).exit_code == 0
    assert out.read_bytes() == original
    again = CliRunner().invoke(text, ["restore", str(broken), "-o", str(out)])
    assert "exists" in str(again.exception)


def test_a_changed_word_is_not_restorable(labelled, tmp_path):
    broken = tmp_path / "broken.txt"
    broken.write_bytes(labelled.read_bytes().replace(b"second", b"third"))
    done = CliRunner().invoke(text, ["restore", str(broken), "-o", str(tmp_path / "out.txt")])
    assert done.exception is not None
    assert not (tmp_path / "out.txt").exists()
