"""Every sentence exists in Kazakh, Russian and English, needs the same values, and is used."""

import re
from functools import cache
from pathlib import Path

import pytest
from fluent.runtime import FluentBundle, FluentResource
from fluent.syntax import FluentParser, ast

from tanba import i18n, i18n_build
from tanba.i18n import HOME, LANGUAGES

ROOT = Path(i18n.__file__).parents[1]
PACKAGES = ("tanba", "labeler", "verifier", "service", "keys")
EN = tuple(i18n.keys("en"))
OTHERS = [lang for lang in LANGUAGES if lang != "en"]


@cache
def messages(lang: str, name: str) -> dict[str, ast.Pattern]:
    found: dict[str, ast.Pattern] = {}
    for entry in FluentParser().parse((HOME / lang / f"{name}.ftl").read_text("utf-8")).body:
        assert not isinstance(entry, ast.Junk), f"{lang}/{name}.ftl: {entry.content}"
        if isinstance(entry, ast.Message):
            assert entry.id.name not in found, f"{lang}/{name}.ftl has {entry.id.name} twice"
            if entry.value:
                found[entry.id.name] = entry.value
            found |= {f"{entry.id.name}.{item.id.name}": item.value for item in entry.attributes}
    return found


def variables(pattern: ast.Pattern) -> set[str]:
    names: set[str] = set()
    queue: list[object] = [pattern]
    while queue:
        node = queue.pop()
        if isinstance(node, ast.VariableReference):
            names.add(node.id.name)
        if isinstance(node, ast.BaseNode):
            queue += [item for value in vars(node).values() for item in (value if isinstance(value, list) else [value])]
    return names


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_language_has_the_same_files(lang):
    assert i18n.files(lang) == i18n.files("en")


@pytest.mark.parametrize("lang", OTHERS)
def test_no_key_is_missing_or_left_over_in_a_language(lang):
    assert set(i18n.keys(lang)) == set(EN)


@pytest.mark.parametrize("lang", OTHERS)
def test_every_translation_needs_the_values_that_english_needs(lang):
    differing = {
        key: (variables(pattern), variables(messages(lang, name)[key]))
        for name in i18n.files("en")
        for key, pattern in messages("en", name).items()
        if variables(pattern) != variables(messages(lang, name)[key])
    }
    assert not differing


@pytest.mark.parametrize("lang", OTHERS)
def test_translations_are_not_english_left_standing(lang):
    english = {key: i18n._lookup("en", key) for key in EN}
    cyrillic = re.compile("[А-Яа-яЁёӘәҒғҚқҢңӨөҰұҮүҺһІі]")
    allowed = re.compile(r"^(term-layer-(tanba|cawg)|report-fact-tanba|page-)")
    same = [key for key in EN if not allowed.match(key) and english[key] == i18n._lookup(lang, key) and english[key][1]]
    latin = [key for key in i18n.keys(lang) if not allowed.match(key) and not cyrillic.search(str(i18n._messages(lang, file_of(lang, key))[key] or "ы"))]  # fmt: skip
    assert (same, latin) == ([], [])


def file_of(lang: str, key: str) -> str:
    return next(name for name in i18n.files(lang) if key in i18n._messages(lang, name))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_compiled_table_is_up_to_date(lang):
    import json

    stored = json.loads((HOME / lang / i18n.COMPILED).read_text("utf-8"))
    assert stored == i18n_build.table(lang), "run: python -m tanba.i18n_build"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_quick_way_says_what_the_fluent_library_says(lang):
    values = dict.fromkeys(
        ["signer", "list", "date", "until", "from", "when", "who", "what", "url", "reason", "since", "source"], "wert"
    )
    for name in i18n.files(lang):
        bundle = FluentBundle([lang], use_isolating=False)
        bundle.add_resource(FluentResource((HOME / lang / f"{name}.ftl").read_text("utf-8")))
        for key, pattern in messages(lang, name).items():
            wanted = {
                item: values.get(item, 3 if item in ("days", "total", "count") else "x") for item in variables(pattern)
            }
            message_id, _, attribute = key.partition(".")
            message = bundle.get_message(message_id)
            expected, errors = bundle.format_pattern(
                message.attributes[attribute] if attribute else message.value, wanted
            )
            assert not errors
            assert i18n.sentence(key, lang, **wanted) == expected


def test_russian_and_kazakh_plurals_follow_their_own_grammar():
    said = [i18n.sentence("report-age", "ru", days=days) for days in (1, 2, 5, 11, 21, 22, 111)]
    assert said == ["1 день", "2 дня", "5 дней", "11 дней", "21 день", "22 дня", "111 дней"]
    assert i18n.sentence("report-age", "en", days=1) == "1 day old"
    assert i18n.sentence("report-age", "kk", days=5) == "5 күн болған"


@cache
def sources() -> str:
    files = [
        path for package in PACKAGES for path in (ROOT / package).rglob("*") if path.suffix in (".py", ".j2", ".html")
    ]
    return "\n".join(path.read_text("utf-8") for path in files if "locales" not in path.parts)


def test_every_key_is_used_somewhere():
    text = sources()
    made = set(re.findall(r"[\"']([a-z0-9]+(?:-[a-z_0-9]+)*-)(?:\{|[\"'] ?[~+])", text))
    unused = [
        key for key in EN if key not in text and key.partition(".")[0] not in text and not key.startswith(tuple(made))
    ]
    assert not unused


def test_every_key_named_in_the_code_exists():
    named = re.findall(r"\b(?:sentence|t)\(\s*[\"']([a-z][A-Za-z0-9_.-]*[A-Za-z0-9])[\"']", sources())
    assert named
    assert sorted({key for key in named if key not in EN}) == []


def test_the_law_is_quoted_in_its_own_words():
    """Law of Kazakhstan 230-VIII, Art. 1(4), in both languages (regulation facts 1.3)."""
    assert "синтетическим результатам деятельности систем искусственного интеллекта" in i18n.sentence("advice-limit-ai-law", "ru")  # fmt: skip
    assert "жасанды интеллект жүйелері қызметінің синтетикалық нәтижелері" in i18n.sentence("advice-limit-ai-law", "kk")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_sentence_lets_a_missing_label_mean_made_by_people(lang):
    denials = {"en": "says nothing about", "ru": "ничего не говорит", "kk": "ештеңе айтпайды"}
    assert denials[lang] in i18n.sentence("verdict-unmarked.note", lang)
    assert denials[lang] in i18n.sentence("verdict-say-unmarked", lang)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_sentence_claims_conformance_with_c2pa(lang):
    assert "conform" not in " ".join(str(i18n._lookup(lang, key)) for key in i18n.keys(lang)).lower()
