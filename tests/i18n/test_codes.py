"""The catalogue of codes: complete against the tree and the engines' own lists, explained in every language."""

import json
import re
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from tanba import codes
from tanba.i18n import LANGUAGES, has
from tests.corpus import HOME as CORPUS
from tests.corpus import needs_corpus
from verifier.explain import explain
from verifier.explain_cli import explain as explain_command

ROOT = Path(codes.__file__).parents[1]
PACKAGES = ("tanba", "labeler", "verifier", "service", "keys")
FAMILIES = (
    "assertion|claim|claimSignature|signingCredential|timeStamp|timeOfSigning|ingredient|manifest|hashedURI|algorithm"
)
STANDARD = re.compile(
    rf"^(?:(?:{FAMILIES})(?:\.[A-Za-z-]+)+|cawg\.(?:identity|ica|x509)(?:\.[A-Za-z_0-9-]+)+|general\.error)$"
)
OWN = re.compile(r"^tanba\.[a-z0-9_]+\.[a-z0-9_]+$")
NO_CODES = {"assertion.hashedURI", "claim.generator", "manifest.store", "assertion.data", "claim.signature"}


def literals() -> set[str]:
    found: set[str] = set()
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            found |= set(re.findall(r"[\"']([A-Za-z0-9_.-]+)[\"']", path.read_text("utf-8")))
    return found


def test_every_code_in_the_tree_is_in_the_catalogue():
    modules = {name for name in sys.modules if name.startswith("tanba.")}
    modules |= {".".join(path.relative_to(ROOT).with_suffix("").parts) for path in (ROOT / "tanba").rglob("*.py")}
    own = {text for text in literals() if OWN.match(text) and text not in modules}
    standard = {text for text in literals() if STANDARD.match(text)} - NO_CODES
    assert sorted(code for code in own | standard if not codes.is_known(code)) == []


def test_every_code_that_a_report_can_hold_has_a_sentence_of_its_own():
    said: set[str] = set()
    for package in ("tanba", "verifier"):
        for path in (ROOT / package).rglob("*.py"):
            said |= set(
                re.findall(
                    r"(?:Finding|finding|_note|failure|report)\(\s*[\"'](tanba\.[a-z0-9_.]+)[\"']",
                    path.read_text("utf-8"),
                )
            )
    assert said
    assert sorted(code for code in said if code not in codes.CATALOGUE) == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_code_and_every_area_is_explained_in(lang):
    missing = [code for code in codes.CATALOGUE if not has(codes.text_key(code), lang)]
    missing += [area for area in codes.AREAS if not has(f"area-{area}", lang)]
    missing += [item.code for item in codes.CATALOGUE.values() if not has(f"advice-code-{item.advice}", lang)]
    assert missing == []


def test_no_two_codes_share_a_key():
    assert len({codes.text_key(code) for code in codes.CATALOGUE}) == len(codes.CATALOGUE)


@needs_corpus
def test_all_codes_of_the_corpus_are_known():
    text = (CORPUS / "corpus.json").read_text("utf-8")
    found = set(re.findall(rf"\"((?:{FAMILIES}|cawg\.(?:identity|ica|x509))\.[A-Za-z_.-]+)\"", text))
    assert len(found) > 20
    assert sorted(code for code in found if not codes.is_known(code)) == []


@pytest.mark.parametrize(
    ("code", "bucket", "clause"),
    [
        # C2PA 2.4: the time stamp's clause is 15.8, revocation 15.9, ingredients 15.11, content bindings 15.12.
        ("assertion.dataHash.mismatch", "failure", "C2PA 2.4 §15.12"),
        ("signingCredential.ocsp.notRevoked", "success", "C2PA 2.4 §15.9"),
        ("timeStamp.untrusted", "informational", "C2PA 2.4 §15.8"),
        ("ingredient.unknownProvenance", "informational", "C2PA 2.4 §15.11"),
        ("manifest.text.corruptedWrapper", "failure", "C2PA 2.4 §A.8"),
        ("cawg.identity.pad.invalid", "failure", "CAWG Identity 1.2 §7.2"),
    ],
)
def test_codes_stand_where_the_standard_puts_them(code, bucket, clause):
    found = explain(code, "en")
    assert (found.bucket, found.clause, found.known) == (bucket, clause, True)


def test_an_unknown_code_is_said_to_be_unknown():
    found = explain("com.example.weird", "kk")
    assert not found.known
    assert found.clause is None


def run(*args: str, env: dict[str, str] | None = None):
    return CliRunner().invoke(explain_command, list(args), env=env or {"LC_ALL": "C"}, standalone_mode=False)


def test_the_command_explains_in_the_language_asked_for():
    done = run("signingCredential.untrusted", "--lang", "ru")
    assert done.return_value == 0
    assert "Это не признак подделки" in done.output


def test_the_command_speaks_json_and_reports_unknown_codes_by_exit_code_5():
    done = run("no.such.code", "--json")
    assert done.return_value == 5
    assert json.loads(done.output)["known"] is False


def test_the_command_lists_the_whole_catalogue():
    done = run("--list", "--lang", "kk")
    assert done.return_value == 0
    assert all(code in done.output for code in codes.CATALOGUE)


def test_a_hostile_code_cannot_reach_the_terminal():
    assert "\x1b" not in run("\x1b]8;;http://evil\x07x").output
