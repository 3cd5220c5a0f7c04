"""``tanba check``: article by article, with evidence; the scope question asked, answered, explained and recorded."""

from __future__ import annotations

import html
import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from PIL import Image, PngImagePlugin

from tanba.asset import Asset
from tanba.engine import definition
from tanba.engine.write import sign
from tanba.errors import UsageError
from tanba.i18n import LANGUAGES, has, sentence
from tanba.model import Disclosure, Involvement
from tanba.profiles import available, load
from tests.pki import Pki
from tests.verifier.conftest import png
from verifier import Settings, law
from verifier.check_cli import check as check_command
from verifier.law import State, words
from verifier.law_observe import observe
from verifier.law_print import lines

FULL = Disclosure(
    involvement=Involvement.GENERATED,
    system="ExampleGen",
    system_version="1.2",
    model="pkg:generic/examplegen@1.2",
    provider="Test organisation",
    synthetic_result=("person_voice", "non_event"),
    no_training=True,
)


def made(pki: Pki, disclosure: Disclosure = FULL, *, marks: tuple[str, ...] = (), source: bytes | None = None) -> bytes:
    context = definition.Context(
        moment=datetime(2026, 11, 23, 10, tzinfo=UTC), content_id="01JD-TEST", marks=marks, profiles=("kz-2026.1",)
    )
    out = io.BytesIO()
    sign(io.BytesIO(source or png()), "image/png", definition.build(disclosure, context), pki.leaf().signer(), out)
    return out.getvalue()


def checked(data: bytes, pki: Pki, profile: str, **answers: Any) -> law.LawCheck:
    chosen = load(profile)
    seen = observe(Asset.from_bytes(data), Settings(trust=pki.store()), chosen)
    return law.check(chosen, seen, answers)


def states(found: law.LawCheck) -> dict[str, State]:
    return {item.requirement.id: item.state for item in found.articles}


def article(found: law.LawCheck, id: str) -> law.Article:
    return next(item for item in found.articles if item.requirement.id == id)


def test_kz_a_full_label_meets_the_machine_readable_half_and_the_warning_stays_open(pki: Pki) -> None:
    found = states(checked(made(pki), pki, "kz"))
    assert found["kz.21-2.machine-readable"] is State.MET
    assert found["kz.21-2.warning"] is State.CANNOT_JUDGE, "a program cannot see whether a warning stands in the pixels"
    assert found["kz.21-3.owner"] is State.MET


def test_kz_both_conditions_hold_when_the_signer_states_the_visible_mark(pki: Pki) -> None:
    found = checked(made(pki, marks=("visible",)), pki, "kz")
    assert states(found)["kz.21-2.warning"] is State.MET
    assert any(seen.what == "visible" for seen in article(found, "kz.21-2.warning").found)


def test_kz_a_picture_without_any_label_misses_the_mark_and_says_so(pki: Pki) -> None:
    found = checked(png(), pki, "kz", involvement="generated", synthetic_result=["non_event"])
    assert states(found)["kz.21-2.machine-readable"] is State.MISSING
    assert article(found, "kz.21-2.machine-readable").missing == ("c2pa",)


def test_nothing_is_judged_about_ai_when_the_file_does_not_say_and_nobody_answered(pki: Pki) -> None:
    """No label is no statement that no AI was used: the article stays open, never "not applicable"."""
    found = checked(png(), pki, "kz")
    assert found.involvement is None
    assert states(found)["kz.21-2.machine-readable"] is State.CANNOT_JUDGE
    assert State.NOT_APPLICABLE not in {found_ for id_, found_ in states(found).items() if id_.startswith("kz.21-2.m")}


def test_a_broken_label_states_nothing(pki: Pki) -> None:
    broken = bytearray(made(pki))
    broken[broken.rindex(b"IDAT") + 6] ^= 1
    found = checked(bytes(broken), pki, "kz", involvement="generated", synthetic_result=["non_event"])
    assert states(found)["kz.21-2.machine-readable"] is State.MISSING
    assert states(found)["kz.21-3.owner"] is State.MISSING


SCOPE: tuple[tuple[str, Any, bool | None], ...] = (
    ("a person's face made by AI", ["person_appearance"], True),
    ("a cloned voice", ["person_voice"], True),
    ("a person's gestures", ["person_behaviour"], True),
    ("a flood that never happened", ["non_event"], True),
    ("a speech that was never given", ["person_voice", "non_event"], True),
    ("a landscape without an event", False, False),
    ("an abstract pattern", [], False),
    ("a product photograph", False, False),
    ("a diagram", False, False),
    ("a summary of a real text", False, False),
    ("a synthesised voice of nobody", False, False),
    ("nobody answered", None, None),
)
"""Twelve cases of the decision table that matrix row T04 asks for (KZ 230-VIII Art. 1(4))."""


@pytest.mark.parametrize(("case", "answer", "in_scope"), SCOPE, ids=[case[0] for case in SCOPE])
def test_kz_scope_is_decided_by_the_callers_answer_explained_and_recorded(
    pki: Pki, case: str, answer: Any, in_scope: bool | None
) -> None:
    data = made(pki, replace(FULL, synthetic_result=()))
    found = checked(data, pki, "kz", **({} if answer is None else {"synthetic_result": answer}))
    (scope,) = found.scope
    expected = {True: State.MET, False: State.NOT_APPLICABLE, None: State.CANNOT_JUDGE}[in_scope]
    assert states(found)["kz.21-2.machine-readable"] is expected
    assert scope.by == (None if answer is None else "caller")
    assert scope.follows == {True: "synthetic", False: "plain", None: "open"}[in_scope]
    said = {True: "Art. 21(2) applies", False: "Art. 21(2) does not apply", None: "the articles that depend"}[in_scope]
    assert law.words("follows", scope.follows, "en").startswith(said)
    assert (scope.answer or None) == (answer or None)


def test_kz_the_scope_in_the_signed_label_counts_and_the_callers_answer_outweighs_it(pki: Pki) -> None:
    by_label = checked(made(pki), pki, "kz")
    assert by_label.scope[0].by == "label"
    assert by_label.scope[0].answer == ["person_voice", "non_event"]
    by_caller = checked(made(pki), pki, "kz", synthetic_result=False)
    assert by_caller.scope[0].by == "caller"
    assert states(by_caller)["kz.21-2.warning"] is State.NOT_APPLICABLE


def test_kz_owner_in_label_and_certificate_are_compared(pki: Pki) -> None:
    same = article(checked(made(pki), pki, "kz"), "kz.21-3.owner")
    other = article(checked(made(pki, replace(FULL, provider="Another LLP")), pki, "kz"), "kz.21-3.owner")
    assert same.why == ""
    assert other.why == "names-differ"


def test_us_ca_the_five_latent_items_are_found_in_the_label(pki: Pki) -> None:
    found = checked(made(pki), pki, "us-ca", **{"us-ca.tool": True})
    latent = {id_: state for id_, state in states(found).items() if id_.startswith("us-ca.latent")}
    assert len(latent) >= 5
    assert latent.pop("us-ca.latent.time-proof") is State.MISSING, "the time is a claim: a time stamp is recommended"
    assert set(latent.values()) == {State.MET}
    assert found.count(State.MISSING) == 0


@pytest.mark.parametrize(
    ("change", "article_id"),
    [
        ({"system_version": None}, "us-ca.latent.system"),
        ({"system": None, "system_version": None}, "us-ca.latent.system"),
    ],
)
def test_us_ca_a_missing_item_is_named(pki: Pki, change: dict[str, Any], article_id: str) -> None:
    found = checked(made(pki, replace(FULL, **change)), pki, "us-ca")
    assert article(found, article_id).state is State.MISSING
    assert article(found, article_id).missing == tuple(change)


def test_us_ca_asks_nothing_of_text(pki: Pki) -> None:
    found = checked(b"plain words", pki, "us-ca", involvement="generated")
    assert states(found)["us-ca.latent"] is State.NOT_APPLICABLE


def test_eu_counts_layers_and_does_not_pretend_to_see_a_watermark(pki: Pki) -> None:
    found = checked(made(pki), pki, "eu")
    assert article(found, "eu.cop-1.1.two-layers").state is State.CANNOT_JUDGE
    denied = checked(made(pki), pki, "eu", watermark=False)
    assert article(denied, "eu.cop-1.1.two-layers").state is State.MISSING
    assert article(found, "eu.cop-1.1.1.timestamp").missing == ("timestamp",)


def test_eu_a_deepfake_is_asked_for_and_needs_a_notice_people_can_see(pki: Pki) -> None:
    plain = replace(FULL, synthetic_result=())
    assert states(checked(made(pki, plain), pki, "eu"))["eu.50-4.deepfake"] is State.CANNOT_JUDGE
    answered = checked(made(pki, plain), pki, "eu", deepfake=True, visible=False)
    assert states(answered)["eu.50-4.deepfake"] is State.MISSING
    no = checked(made(pki, plain), pki, "eu", deepfake=False, synthetic_result=False)
    assert states(no)["eu.50-4.deepfake"] is State.NOT_APPLICABLE


def test_cn_an_implicit_label_is_found_where_it_stands_and_missed_where_it_does_not(pki: Pki) -> None:
    label = json.dumps({"Label": "1", "ContentProducer": "EXAMPLE", "ProduceID": "1", "ReservedCode1": "",
                        "ContentPropagator": "EXAMPLE", "PropagateID": "1", "ReservedCode2": ""})  # fmt: skip
    xmp = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description xmlns:TC260="http://www.tc260.org.cn/ns/AIGC/1.0/"><TC260:AIGC>'
        f"{html.escape(label)}</TC260:AIGC></rdf:Description></rdf:RDF></x:xmpmeta>"
    )
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", xmp)
    out = io.BytesIO()
    Image.new("RGB", (64, 48)).save(out, "PNG", pnginfo=info)
    found = checked(out.getvalue(), pki, "cn")
    assert states(found)["cn.6-1.implicit"] is State.MET
    assert states(found)["cn.measures-5.provider"] is State.MET
    assert {seen.value for seen in article(found, "cn.6-1.implicit").found} >= {"EXAMPLE"}
    assert states(checked(png(), pki, "cn", involvement="generated"))["cn.6-1.implicit"] is State.MISSING


def test_a_notice_at_the_head_of_a_text_is_found_and_one_at_its_end_is_not(pki: Pki) -> None:
    notice = next(item.text for item in load("kz").strings if item.lang == "kk" and item.use.value == "notice")
    head, tail = f"{notice}\n\nwords", "words\n" * 30 + notice
    answers = {"involvement": "generated", "synthetic_result": ["non_event"]}
    assert states(checked(head.encode(), pki, "kz", **answers))["kz.21-2.warning"] is State.MET
    assert states(checked(tail.encode(), pki, "kz", **answers))["kz.21-2.warning"] is State.MISSING


@pytest.mark.parametrize(
    "answers",
    [{"no-such-question": True}, {"synthetic_result": "wrong"}, {"involvement": "robot"}, {"kz.21-1.notice": "maybe"},
     {"synthetic_result": True}],
)  # fmt: skip
def test_answers_that_make_no_sense_are_refused(pki: Pki, answers: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        checked(png(), pki, "kz", **answers)


@pytest.mark.parametrize("profile", [name for name in available() if name != "none"])
def test_every_requirement_of_every_profile_gets_an_answer_with_a_reason_or_evidence(pki: Pki, profile: str) -> None:
    found = checked(made(pki), pki, profile)
    assert len(found.articles) == len(load(profile).requirements)
    for item in found.articles:
        assert item.found or item.missing or item.why or item.detail or item.answer is not None, item.requirement.id


def test_every_open_question_is_asked_and_an_answered_one_is_not(pki: Pki) -> None:
    profile = load("kz")
    seen = observe(Asset.from_bytes(png()), Settings(), profile)
    assert {"involvement", "synthetic_result", "kz.21-1.notice"} <= set(law.questions(profile, seen, {}))
    assert "kz.21-1.notice" not in law.questions(profile, seen, {"kz.21-1.notice": False})


@pytest.mark.parametrize("profile", ["kz", "eu", "cn", "us-ca"])
def test_every_article_and_question_is_worded_in_three_languages_and_english_is_the_profiles_own(profile: str) -> None:
    for item in load(profile).requirements:
        key = item.id.replace(".", "-")
        assert sentence(f"law-text-{key}", "en") == item.text
        assert all(has(f"law-text-{key}", lang) for lang in LANGUAGES)
        if item.question:
            assert sentence(f"law-ask-{key}", "en") == item.question
            assert all(has(f"law-ask-{key}", lang) for lang in LANGUAGES)


@pytest.mark.parametrize(("lang", "expected"), [("kk", "синтетикалық"), ("ru", "синтетические"), ("en", "synthetic")])
def test_the_command_speaks_the_readers_language(
    pki: Pki, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lang: str, expected: str
) -> None:
    monkeypatch.setenv("TANBA_TRUST_DIR", str(tmp_path / "trust"))
    (tmp_path / "photo.png").write_bytes(made(pki))
    args = [str(tmp_path / "photo.png"), "--profile", "kz", "--lang", lang, "--no-input"]
    found = CliRunner().invoke(check_command, args, standalone_mode=False)
    assert found.exception is None
    assert expected in found.stdout


@pytest.mark.parametrize("suffix", [".toml", ".json"])
def test_the_command_reads_answers_prints_one_document_and_exits_as_documented(
    pki: Pki, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    monkeypatch.setenv("TANBA_TRUST_DIR", str(tmp_path / "trust"))
    (tmp_path / "photo.png").write_bytes(made(pki, marks=("visible",)))
    (tmp_path / "plain.png").write_bytes(png())
    answers = tmp_path / f"answers{suffix}"
    answers.write_text(
        'synthetic_result = ["non_event"]\ninvolvement = "generated"\nkz.21-1.notice = true\n'
        if suffix == ".toml"
        else '{"synthetic_result": ["non_event"], "involvement": "generated", "kz.21-1.notice": true}'
    )

    def run(name: str, *more: str) -> Any:
        args = [str(tmp_path / name), "--profile", "kz", "--answers", str(answers), *more]
        return CliRunner().invoke(check_command, args, standalone_mode=False)

    good = run("photo.png", "--json")
    assert good.return_value == 0
    body = json.loads(good.stdout)
    assert body["schema"] == "tanba.law-check/1"
    assert body["profile"]["legal_review"] == "none"
    notice = next(item for item in body["articles"] if item["id"] == "kz.21-1.notice")
    assert (notice["state"], notice["answer"]) == ("met", True)
    assert body["scope"][0]["answer"] == ["non_event"]
    assert "not legal advice" in body["note"]
    assert run("plain.png").return_value == 1


def test_a_file_without_any_statement_exits_with_no_label_until_somebody_says_how_ai_was_involved(
    pki: Pki, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TANBA_TRUST_DIR", str(tmp_path / "trust"))
    (tmp_path / "plain.png").write_bytes(png())
    answers = tmp_path / "answers.toml"

    def run(text: str) -> Any:
        answers.write_text(text)
        args = [str(tmp_path / "plain.png"), "--profile", "kz", "--answers", str(answers), "--lang", "en"]
        return CliRunner().invoke(check_command, args, standalone_mode=False)

    silent = run("")
    assert silent.return_value == 3
    assert "That is no statement that it was not." in silent.stdout
    assert run('involvement = "human"').return_value == 0


@pytest.mark.parametrize(
    ("lang", "wanted"),
    [
        (
            "en",
            (
                "Law of Kazakhstan No. 230-VIII, Art. 21(2)",
                "found: provider = Test",
                "events that did not happen",
            ),
        ),
        ("ru", ("Закон РК № 230-VIII, ст. 21(2)", "найдено: поставщик = Test", "события, которых не было")),
        ("kk", ("ҚР № 230-VIII Заңы, 21(2)-бап", "табылды: жеткізуші = Test", "болмаған оқиғалар")),
    ],
)
def test_a_lawyer_reads_articles_fields_and_bases_in_words_and_each_question_once(
    pki: Pki, lang: str, wanted: tuple[str, ...]
) -> None:
    found = checked(made(pki), pki, "kz", synthetic_result=["non_event"])
    shown = list(lines(found, lang, verbose=False))
    assert [item for item in wanted if not any(item in line for line in shown)] == []
    question = words("ask", "kz.21-1.notice", lang)
    assert sum(question in line for line in shown) == 1
    for name in ("no_training", "person_", "non_event", "content_id"):
        assert not any(name in line for line in shown), name


def test_every_law_field_and_rule_of_the_four_profiles_has_words_in_three_languages() -> None:
    for profile in map(load, ("kz", "eu", "cn", "us-ca")):
        wanted = {f"law-profile-{profile.id}"}
        for item in profile.requirements:
            wanted |= {f"law-field-{part}" for name in (*item.fields, *item.layers) for part in name.split("|")}
            wanted |= {f"law-lack-{item.check}"} if item.check else set()
        assert [(key, lang) for lang in LANGUAGES for key in sorted(wanted) if not has(key, lang)] == []


def test_eu_asks_nothing_about_the_law_of_kazakhstan_and_a_plain_no_closes_its_own_question(pki: Pki) -> None:
    plain = replace(FULL, synthetic_result=())
    found = checked(made(pki, plain), pki, "eu", deepfake=False)
    assert [item.question for item in found.scope] == ["deepfake"]
    assert article(found, "eu.50-4.deepfake").state is State.NOT_APPLICABLE
    stated = checked(made(pki, plain), pki, "eu", synthetic_result=["person_voice"])
    assert article(stated, "eu.50-4.deepfake").state is not State.NOT_APPLICABLE
    assert ("synthetic_result", "caller") in {(item.question, item.by) for item in stated.scope}


def test_a_picture_is_not_asked_whether_it_is_a_text(pki: Pki) -> None:
    profile = load("eu")
    seen = observe(Asset.from_bytes(png()), Settings(), profile)
    assert "public_interest_text" not in law.questions(profile, seen, {})


def test_no_word_of_the_answer_claims_that_the_law_is_met(pki: Pki) -> None:
    from verifier.check_cli import describe

    text = json.dumps(describe(checked(made(pki, marks=("visible",)), pki, "kz"))).lower()
    assert "complies" not in text
    assert "compliant" not in text
    assert "made by a human" not in text
