"""The matrix page is complete and true, and the rows that no other test shows."""

from __future__ import annotations

import ast
import io
import re
import struct
import zlib
from dataclasses import replace
from functools import cache
from pathlib import Path

import click
import pytest
from PIL import Image

from tanba.asset import Asset
from tanba.cli import COMMANDS, root
from tanba.engine.read import read
from tanba.formats.metadata import read_metadata, write_metadata
from tanba.i18n import LANGUAGES, sentence
from tanba.model import Disclosure, Involvement
from tanba.report import LayerState, Verdict
from tests.pki import Pki
from tests.verifier.conftest import labelled, png
from tests.verifier.test_law import FULL, made
from verifier import Settings, verify_bytes

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = REPOSITORY / "docs" / "law-matrix.md"
ROW = re.compile(r"^\| (T\d\d) \| ([^|]+) \| (.+) \|$", re.MULTILINE)
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def rows() -> dict[str, str]:
    found = ROW.findall(PAGE.read_text("utf-8"))
    assert len(found) == len({name for name, _, _ in found}), "a row stands twice"
    return {name: shown for name, _, shown in found}


@cache
def functions_in(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text("utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(item.name for item in tree.body if isinstance(item, kinds) and item.name.startswith("test_"))


def test_all_forty_two_rows_are_on_the_page() -> None:
    assert sorted(rows()) == [f"T{number:02}" for number in range(1, 43)]


@pytest.mark.parametrize("name", sorted(rows()))
def test_a_row_names_tests_that_exist_or_a_reason(name: str) -> None:
    shown = rows()[name]
    named = TEST.findall(shown)
    for file, test in named:
        assert (REPOSITORY / file).is_file(), file
        assert test in functions_in(REPOSITORY / file), f"{file} has no {test}"
    if not named:
        assert shown.startswith("Out of scope")
        assert len(shown.split()) > 8, "the reason is missing"


def test_t01_a_parser_without_configuration_finds_exactly_one_ai_statement_of_degree(pki: Pki) -> None:
    written = write_metadata(png(), Asset.from_bytes(png()).format, FULL)
    unsigned = [item for item in read_metadata(Asset.from_bytes(written.data)).statements if item.involvement]
    assert [item.involvement for item in unsigned] == ["generated"]
    report = verify_bytes(made(pki, source=written.data), Settings())
    assert report.answers.ai.state == "generated"
    assert {item.involvement for item in report.answers.ai.statements if item.involvement} == {"generated"}


def test_t06_a_human_contribution_is_kept_as_the_signers_declaration(pki: Pki) -> None:
    words = "composition and retouching by A. Author"
    disclosure = replace(FULL, involvement=Involvement.MODIFIED, human_contribution=words)
    evidence = read(Asset.from_bytes(made(pki, disclosure)), trust=pki.store())
    own = [item["data"] for item in evidence.manifest()["assertions"] if item["label"] == "org.tanba.disclosure"]
    assert own[0]["human_contribution"] == words


def test_t13_no_command_and_no_option_removes_a_label() -> None:
    context = click.Context(root)
    for name in root.list_commands(context):
        assert not re.search(r"strip|remove|clean|erase", name), name
        command = root.get_command(context, name)
        for parameter in getattr(command, "params", ()):
            options = " ".join(getattr(parameter, "opts", ()))
            assert not re.search(r"strip|remove|erase", options), f"{name} {options}"
    assert "label" in COMMANDS


def test_t17_each_result_names_its_layers_and_an_empty_one_proves_nothing(pki: Pki) -> None:
    labelled_report = verify_bytes(made(pki), Settings(trust=pki.store()))
    plain = verify_bytes(png(), Settings())
    assert {item.kind for item in labelled_report.layers if item.state is LayerState.FOUND} >= {"c2pa"}
    assert all(item.state is not LayerState.FOUND for item in plain.layers)
    for lang in LANGUAGES:
        assert sentence("verdict-unmarked.note", lang)
    note = sentence("verdict-unmarked.note", "en")
    assert "nothing about who or what made this" in note


def test_t22_a_manifest_moved_to_another_picture_is_never_valid(pki: Pki) -> None:
    source = read(Asset.from_bytes(labelled(pki.leaf().signer())), trust=pki.store())
    assert source.store is not None
    other = png((64, 48), "crimson")
    report = verify_bytes(other, Settings(trust=pki.store()), manifest=source.store)
    assert report.verdict is Verdict.INVALID
    assert report.answers.integrity.state == "broken"


@pytest.mark.parametrize("change", ["resize", "crop", "grey", "jpeg"])
def test_t34_minor_changes_of_an_unlabelled_photograph_make_no_ai_claim(change: str) -> None:
    photograph = next((REPOSITORY / "samples").rglob("*.jpg"))
    picture = Image.open(photograph)
    picture.thumbnail((400, 400))
    changed = {
        "resize": lambda: picture.resize((100, 80)),
        "crop": lambda: picture.crop((10, 10, 90, 90)),
        "grey": lambda: picture.convert("L"),
        "jpeg": lambda: picture,
    }[change]()
    out = io.BytesIO()
    changed.save(out, "JPEG", quality=60)
    report = verify_bytes(out.getvalue(), Settings())
    assert report.answers.ai.state == "none_declared"
    assert report.answers.ai.statements == ()


def test_t39_metadata_written_after_signing_breaks_the_label_and_ours_comes_before(pki: Pki) -> None:
    written = write_metadata(png(), Asset.from_bytes(png()).format, FULL)
    signed = made(pki, source=written.data)
    assert verify_bytes(signed, Settings(trust=pki.store())).verdict is Verdict.TRUSTED
    chunk = b"tEXtComment\0written later"
    end = signed.rindex(b"IEND") - 4
    added = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    report = verify_bytes(signed[:end] + added + signed[end:], Settings(trust=pki.store()))
    assert report.verdict is Verdict.INVALID
    assert "assertion.dataHash.mismatch" in {item.code for item in report.findings}


def test_t42_the_six_verdicts_are_distinct_words_with_a_documented_meaning() -> None:
    contracts = (REPOSITORY / "docs" / "contracts.md").read_text("utf-8")
    for lang in LANGUAGES:
        words = [sentence(f"verdict-{item.value}.word", lang) for item in Verdict]
        assert len(set(words)) == len(Verdict) == 6
    for item in Verdict:
        assert f"| `{item.value}` |" in contracts
        with pytest.raises(TypeError):
            bool(item)


def test_a_human_label_is_a_declaration_and_never_a_finding(pki: Pki) -> None:
    data = made(pki, Disclosure(involvement=Involvement.HUMAN))
    assert verify_bytes(data, Settings(trust=pki.store())).answers.ai.state == "human_declared"
