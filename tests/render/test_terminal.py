"""The terminal: one line first, answers, limits; codes only when asked for; a history as a tree."""

import subprocess
import sys
from dataclasses import replace

import pytest

from tanba.i18n import LANGUAGES, sentence
from tanba.report import HistoryNode
from tests.render.factories import SAMPLES, report
from verifier.render import terminal
from verifier.render.words import words


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", SAMPLES)
def test_the_first_line_names_verdict_file_and_headline(lang, name):
    made = SAMPLES[name]()
    first = terminal.render(made, lang=lang).splitlines()[0]
    assert first.startswith(made.verdict.value)
    assert "photo.jpg" in first
    assert words(made, lang).headline in first


def test_answers_stand_before_limits_and_limits_before_advice():
    shown = terminal.render(report(), lang="en")
    places = [
        shown.index(sentence(key, "en")) for key in ("answer-integrity", "answer-ai", "advice-limits", "advice-next")
    ]
    assert places == sorted(places)


def test_codes_appear_only_for_those_who_ask():
    assert "claimSignature.validated" not in terminal.render(report(), lang="en")
    asked = terminal.render(report(), lang="en", verbosity=1)
    assert "claimSignature.validated  [C2PA 2.4 §15.7]" in asked
    assert "self#jumbf" not in asked
    assert "self#jumbf" in terminal.render(report(), lang="en", verbosity=2)


def test_without_colour_there_is_no_escape_and_with_it_the_words_are_the_same():
    import re

    plain = terminal.render(report(), lang="ru")
    assert "\x1b" not in plain
    assert re.sub(r"\x1b\[[0-9;]*m", "", terminal.render(report(), lang="ru", color=True)) == plain


def test_the_history_is_a_tree_with_parts_below_their_whole():
    leaf = HistoryNode("leaf.png", "unlabelled", "componentOf")
    middle = HistoryNode("middle.jpg", "valid", "parentOf", ingredients=(leaf,))
    made = replace(
        report(),
        history=(
            HistoryNode("top.jpg", "trusted", ingredients=(middle, HistoryNode("b.png", "invalid", "componentOf"))),
        ),
    )
    lines = terminal.render(made, lang="en").splitlines()
    shown = {name: next(line for line in lines if (name in line and "·" in line and "└" in line + "├") or (name in line and "─" in line)) for name in ("middle.jpg", "b.png", "leaf.png")}  # fmt: skip
    assert shown["middle.jpg"].startswith("  ├─ middle.jpg")
    assert shown["leaf.png"].startswith("  │  └─ leaf.png")
    assert shown["b.png"].startswith("  └─ b.png")


def test_a_deep_and_wide_history_is_cut_and_says_so():
    node = HistoryNode("leaf", "unlabelled")
    for _ in range(300):
        node = HistoryNode("n", "valid", ingredients=(node, HistoryNode("side", "valid")))
    shown = terminal.render(replace(report(), history=(node,)), lang="en")
    assert "… +" in shown
    assert len(shown.splitlines()) < 200


def test_ai_steps_are_marked():
    assert "[AI] created: made by generative AI" in terminal.render(report(), lang="en")


def test_the_plain_path_loads_no_heavy_library():
    code = (
        "import sys\nfrom tests.render.factories import report\nfrom verifier.render import terminal\n"
        "terminal.render(report(), lang='kk')\n"
        "print([name for name in ('rich', 'jinja2', 'PIL', 'fluent', 'babel', 'weasyprint') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
