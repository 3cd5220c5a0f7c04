"""Which language is spoken, and what happens when a key or a value is missing."""

import subprocess
import sys

import pytest

from tanba.errors import UsageError
from tanba.i18n import MissingParameter, UnknownSentence, accept_language, pick_language, sentence


@pytest.mark.parametrize(
    ("requested", "environ", "lang"),
    [
        ("ru", {}, "ru"),
        ("kk-KZ", {"LANG": "ru_RU.UTF-8"}, "kk"),
        ("EN_us", {}, "en"),
        (None, {}, "en"),
        (None, {"LANG": "kk_KZ.UTF-8"}, "kk"),
        (None, {"LANG": "ru_RU.UTF-8", "LC_ALL": "kk_KZ.UTF-8"}, "kk"),
        (None, {"LANG": "ru_RU.UTF-8", "LC_ALL": ""}, "ru"),
        (None, {"LANG": "de_DE.UTF-8"}, "en"),
        (None, {"LANG": "de_DE.UTF-8", "LANGUAGE": "de:kk:en"}, "kk"),
        (None, {"LC_ALL": "C", "LANG": "ru_RU.UTF-8", "LANGUAGE": "ru"}, "en"),
        (None, {"LANG": "C.UTF-8"}, "en"),
        (None, {"LC_MESSAGES": "ru_RU@x", "LANG": "kk_KZ"}, "ru"),
    ],
)
def test_the_option_wins_then_the_locale_in_posix_order_then_english(requested, environ, lang):
    assert pick_language(requested, environ) == lang


def test_a_language_without_a_catalogue_is_a_usage_error():
    with pytest.raises(UsageError) as caught:
        pick_language("de", {})
    assert "en, ru, kk" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("header", "lang"),
    [
        (None, "en"),
        ("", "en"),
        ("kk", "kk"),
        ("de, ru;q=0.8, en;q=0.5", "ru"),
        ("en;q=0.1, kk-KZ;q=0.9", "kk"),
        ("ru;q=0, en", "en"),
        ("ru;q=banana", "en"),
        ("*", "en"),
        ("x" * 100_000, "en"),
    ],
)
def test_a_browser_is_answered_in_the_language_it_ranks_highest(header, lang):
    assert accept_language(header) == lang


def test_an_unknown_key_is_a_bug_and_not_an_empty_sentence():
    with pytest.raises(UnknownSentence):
        sentence("verdict-wonderful", "en")


@pytest.mark.parametrize("key", ["verdict-say-trusted", "report-age"])
def test_a_missing_value_is_a_bug_and_not_a_placeholder(key):
    with pytest.raises(MissingParameter):
        sentence(key, "ru")


def test_an_unknown_language_falls_back_to_english():
    assert sentence("report-history", "xx") == "History"


def test_a_plain_sentence_does_not_load_the_fluent_library():
    code = (
        "import sys; from tanba.i18n import sentence; sentence('verdict-trusted.note', 'kk');"
        " print([name for name in sys.modules if name.startswith(('fluent', 'babel'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
