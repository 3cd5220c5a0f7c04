"""Profiles: every rule names its article and source, and what is asked is asked of the right content (T03, T04, T14, T32)."""

from __future__ import annotations

import re
import runpy
from datetime import date
from pathlib import Path

import pytest

from tanba.errors import InstallationError, UsageError
from tanba.formats.sniff import Kind
from tanba.model import Disclosure, Involvement
from tanba.profiles import Binding, Severity, Use, Wording, available, combine, load, missing_fields
from tanba.profiles.loader import parse
from tanba.profiles.schema import LAYERS

DOCS = Path(__file__).resolve().parents[2] / "docs"
ALL_LAYERS = set(LAYERS)
AI = (Involvement.GENERATED, Involvement.MODIFIED, Involvement.COMPOSITE)
FULL = Disclosure(
    involvement=Involvement.GENERATED,
    system="ExampleGen",
    system_version="1.2",
    model="pkg:generic/examplegen@1.2",
    provider="EXAMPLE-KZ",
    no_training=True,
    human_contribution="retouching",
    operations=("made",),
    synthetic_result=("person_appearance",),
)


def refused(profile: str, disclosure: Disclosure, layers: set[str], kind: Kind = Kind.IMAGE) -> list[str]:
    return [
        item.requirement.id for item in missing_fields(load(profile), disclosure, layers, kind=kind) if item.refuses
    ]


def test_the_six_profiles_are_there() -> None:
    assert {"kz", "eu", "cn", "us-ca", "strict", "none"} <= set(available())


@pytest.mark.parametrize("id", available())
def test_every_requirement_names_article_source_and_matrix_row(id: str) -> None:
    profile = load(id)
    assert profile.id == id
    assert date(2026, 1, 1) < profile.as_of <= date(2026, 11, 23)
    assert profile.legal_review == "none"
    for item in profile.requirements:
        assert item.id.startswith(id + ".")
        assert item.article
        assert profile.source(item.source) is not None
        assert item.text.endswith(".")
        assert all(re.fullmatch(r"T(0[1-9]|[1-3]\d|4[0-2])", row) for row in item.matrix)
        assert item.binding is not Binding.LAW or profile.status != "house"


@pytest.mark.parametrize("id", available())
def test_every_language_of_a_profile_is_worded_for_all_ai_content(id: str) -> None:
    profile = load(id)
    for lang in {*profile.languages, "en", "ru", "kk", "zh"}:
        for involvement in AI:
            for use in (Use.BADGE, Use.NOTICE, Use.ALT):
                assert profile.string(use, involvement, lang) is not None, (lang, involvement, use)
        assert profile.string(Use.BADGE, Involvement.HUMAN, lang) is None


WORDINGS = [
    ("kz", Involvement.GENERATED, "kk", "ЖИ көмегімен жасалды", Wording.COMMON),
    ("kz", Involvement.GENERATED, "ru", "Создано с помощью ИИ", Wording.COMMON),
    ("kz", Involvement.MODIFIED, "kk", "ЖИ көмегімен өзгертілді", Wording.TRANSLATED),
    ("eu", Involvement.GENERATED, "en", "AI GENERATED", Wording.OFFICIAL),
    ("eu", Involvement.MODIFIED, "en", "AI MODIFIED", Wording.OFFICIAL),
    ("cn", Involvement.GENERATED, "zh", "AI生成", Wording.OFFICIAL),
    ("cn", Involvement.COMPOSITE, "zh", "人工智能生成合成", Wording.OFFICIAL),
    ("us-ca", Involvement.GENERATED, "en", "Made with AI", Wording.COMMON),
]


@pytest.mark.parametrize(("id", "involvement", "lang", "text", "wording"), WORDINGS)
def test_the_wordings_are_those_of_the_sources(
    id: str, involvement: Involvement, lang: str, text: str, wording: Wording
) -> None:
    found = load(id).string(Use.BADGE, involvement, lang)
    assert found is not None
    assert (found.text, found.wording) == (text, wording)


@pytest.mark.parametrize("id", [*available()])
def test_a_full_disclosure_with_all_layers_is_refused_nowhere(id: str) -> None:
    for kind in (Kind.IMAGE, Kind.TEXT, Kind.VIDEO):
        assert refused(id, FULL, ALL_LAYERS, kind) == []


def test_nothing_is_asked_without_a_jurisdiction() -> None:
    assert missing_fields(load("none"), Disclosure(involvement=Involvement.GENERATED), ()) == ()


def test_kazakhstan_asks_for_both_conditions_of_article_21_2_and_refuses_when_one_is_missing() -> None:
    both = {"c2pa", "iptc", "visible"}
    assert refused("kz", FULL, both) == []
    assert refused("kz", FULL, both - {"visible"}) == ["kz.21-2.warning"]
    assert refused("kz", FULL, both - {"c2pa"}) == ["kz.21-2.machine-readable"]
    assert refused("kz", FULL, both - {"visible"}, Kind.TEXT) == ["kz.21-2.warning"]
    assert refused("kz", FULL, both - {"visible"}, Kind.AUDIO) == []


@pytest.mark.parametrize(
    ("basis", "visible"),
    [
        ((), False),
        (("person_appearance",), True),
        (("person_voice",), True),
        (("person_behaviour",), True),
        (("non_event",), True),
        (("person_voice", "non_event"), True),
    ],
)
def test_only_a_synthetic_result_needs_the_warning_in_the_picture(basis: tuple[str, ...], visible: bool) -> None:
    disclosure = Disclosure(involvement=Involvement.GENERATED, provider="P", synthetic_result=basis)
    assert (load("kz").layers(disclosure, Kind.IMAGE).get("visible") is Severity.REQUIRED) is visible


def test_an_unknown_basis_of_a_synthetic_result_is_named() -> None:
    disclosure = Disclosure(involvement=Involvement.GENERATED, provider="P", synthetic_result=("landscape",))
    messages = [item.message for item in missing_fields(load("kz"), disclosure, ALL_LAYERS)]
    assert any("Art. 1(4)" in text and "landscape" in text for text in messages)


@pytest.mark.parametrize("id", available())
@pytest.mark.parametrize("involvement", [Involvement.HUMAN, Involvement.ASSISTED])
def test_human_work_and_standard_edits_need_no_ai_layer(id: str, involvement: Involvement) -> None:
    disclosure = Disclosure(involvement=involvement)
    assert load(id).layers(disclosure, Kind.IMAGE) == {}
    assert refused(id, disclosure, set()) == []


def test_the_message_names_the_article_in_words_and_what_to_give() -> None:
    (owner,) = [
        item
        for item in missing_fields(load("kz"), Disclosure(involvement=Involvement.GENERATED), ALL_LAYERS)
        if item.refuses
    ]
    assert owner.missing == ("provider",)
    assert owner.message.startswith("KZ 230-VIII Art. 21(3) asks for the provider")
    assert "--provider" in owner.message


def test_california_asks_for_its_latent_fields_and_never_for_text() -> None:
    bare = Disclosure(involvement=Involvement.GENERATED)
    assert refused("us-ca", bare, {"c2pa"}) == ["us-ca.latent.provider", "us-ca.latent.system"]
    assert refused("us-ca", bare, set(), Kind.TEXT) == []


def test_the_eu_code_asks_for_a_time_stamp_and_warns_about_the_second_layer() -> None:
    found = {item.requirement.id: item for item in missing_fields(load("eu"), FULL, {"c2pa", "iptc", "visible"})}
    assert found["eu.cop-1.1.1.timestamp"].refuses
    assert not found["eu.cop-1.1.two-layers"].refuses
    assert "watermark" in found["eu.cop-1.1.two-layers"].message
    assert found["eu.cop-1.1.two-layers"].requirement.severity is Severity.REQUIRED


def test_the_eu_asks_by_law_for_a_signed_mark_and_only_recommends_iptc_and_the_details_of_measure_1_3() -> None:
    """Art. 50(2) names no format; Measure 1.3 of the Code "encourages" (regulation.md 2.2)."""
    bare = Disclosure(involvement=Involvement.GENERATED)
    found = {item.requirement.id: item for item in missing_fields(load("eu"), bare, {"timestamp"})}
    assert [name for name, item in found.items() if item.refuses] == [
        "eu.50-2.machine-readable",
        "eu.cop-1.1.1.timestamp",
    ]
    assert {"eu.50-2.iptc", "eu.cop-1.3.system", "eu.cop-1.3.details"} <= set(found)
    for kind in (Kind.TEXT, Kind.DOCUMENT, Kind.AUDIO, Kind.VIDEO):
        assert refused("eu", bare, {"timestamp"}, kind)[0] == "eu.50-2.machine-readable"


def test_california_demands_the_time_and_recommends_its_proof() -> None:
    found = missing_fields(load("us-ca"), FULL, {"c2pa"})
    assert [(item.requirement.id, item.refuses) for item in found] == [("us-ca.latent.time-proof", False)]
    (time,) = [item for item in load("us-ca").requirements if item.id == "us-ca.latent.time"]
    assert (time.severity, time.binding.value, time.fields) == (Severity.REQUIRED, "law", ("created_at",))


def test_the_eu_wants_a_visible_notice_only_for_deepfakes_and_public_interest_texts() -> None:
    plain = Disclosure(involvement=Involvement.GENERATED, system="G")
    assert "visible" not in load("eu").layers(plain, Kind.IMAGE)
    deepfake = Disclosure(involvement=Involvement.GENERATED, system="G", extra={"deepfake": True})
    assert load("eu").layers(deepfake, Kind.IMAGE)["visible"] is Severity.REQUIRED
    text = Disclosure(involvement=Involvement.GENERATED, system="G", extra={"public_interest_text": True})
    assert load("eu").layers(text, Kind.TEXT)["visible"] is Severity.REQUIRED
    assert "visible" not in load("eu").layers(text, Kind.IMAGE)


@pytest.mark.parametrize(("provider", "fits"), [("EXAMPLE-KZ", True), ("Example LLP", False), ("ТОО", False)])
def test_china_wants_a_producer_code_that_fits_the_character_set(provider: str, fits: bool) -> None:
    disclosure = Disclosure(involvement=Involvement.GENERATED, provider=provider)
    assert ("cn.6-1.implicit" in refused("cn", disclosure, ALL_LAYERS)) is not fits


def test_combined_profiles_ask_for_the_union_and_keep_the_order_of_languages() -> None:
    joined = combine([load("kz"), load("eu"), load("cn")])
    ids = {item.id for item in joined.requirements}
    assert ids == {item.id for name in ("kz", "eu", "cn") for item in load(name).requirements}
    assert joined.languages == ("kk", "ru", "en", "zh")
    assert joined.version == "kz-2026.1+eu-cop-2026-06+gb45438-2025"
    english = joined.string(Use.BADGE, Involvement.GENERATED, "en")
    assert english is not None
    assert english.text == "AI GENERATED"
    assert combine([load("eu")]) is load("eu")


def test_a_regional_language_tag_finds_the_language() -> None:
    for tag, lang in (("kk-KZ", "kk"), ("zh-Hans", "zh"), ("RU", "ru")):
        assert load("kz").string(Use.BADGE, Involvement.GENERATED, tag) == load("kz").string(
            Use.BADGE, Involvement.GENERATED, lang
        )


def test_there_is_nothing_to_combine_out_of_nothing() -> None:
    with pytest.raises(UsageError):
        combine([])


def test_an_unknown_profile_is_answered_with_the_known_ones() -> None:
    for name in ("xx", "../kz", "", "kz.toml"):
        with pytest.raises(UsageError) as caught:
            load(name)
        assert "kz" in str(caught.value.hint)


GOOD = {
    "version": "1", "title": "T", "law": "L", "jurisdiction": "J", "status": "house", "as_of": date(2026, 1, 1),
    "legal_review": "none", "summary": "S", "languages": ["en"],
    "sources": [{"id": "s", "title": "t", "url": "u", "read": "primary"}],
}  # fmt: skip
RULE = {
    "id": "x.1",
    "article": "1",
    "text": "t.",
    "source": "s",
    "severity": "required",
    "binding": "law",
    "layers": ["c2pa"],
}


@pytest.mark.parametrize(
    "change",
    [
        {"source": "nowhere"},
        {"severity": "must"},
        {"binding": "habit"},
        {"fields": ["colour"]},
        {"layers": ["perfume"]},
        {"check": "os.system"},
        {"layers": []},
        {"enforced": False},
        {"when": {"weather": ["fair"]}},
        {"when": {"flags": ["unknown"]}},
        {"surprise": 1},
    ],
)
def test_a_faulty_profile_is_refused_with_its_name(change: dict[str, object]) -> None:
    assert parse("x", {**GOOD, "requirements": [RULE]}).requirements[0].citation == "L 1"
    with pytest.raises(InstallationError, match="'x' is faulty"):
        parse("x", {**GOOD, "requirements": [{**RULE, **change}]})


def test_the_page_about_profiles_is_made_from_the_profiles() -> None:
    made = runpy.run_path(str(DOCS / "make_profiles_page.py"))["page"]()
    assert (DOCS / "profiles.md").read_text("utf-8") == made, "run python docs/make_profiles_page.py"


def test_the_page_holds_every_article_source_and_date() -> None:
    text = (DOCS / "profiles.md").read_text("utf-8")
    for name in available():
        profile = load(name)
        assert profile.version in text
        for item in profile.requirements:
            assert item.citation in text
        for source in profile.sources:
            assert source.url in text
