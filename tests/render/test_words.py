"""Which sentence a reader gets for which report, and what is never said."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tanba.i18n import LANGUAGES, sentence
from tanba.report import (
    AiAnswer,
    AiState,
    Bucket,
    Finding,
    IntegrityAnswer,
    IntegrityState,
    Layer,
    RevocationAnswer,
    RevocationState,
    SignerState,
    Statement,
    Strength,
    TimeAnswer,
    TimeState,
    Verdict,
)
from tests.render.factories import (
    LIST,
    OLD,
    SAMPLES,
    SIGNED,
    broken,
    expired,
    fails,
    remarks,
    report,
    unchecked,
    unknown_signer,
    unmarked,
    with_answers,
)  # fmt: skip
from verifier.render.summary import group_of
from verifier.render.words import reason, words

BROKEN = IntegrityAnswer(IntegrityState.BROKEN)


def broken_by(*codes: str, **params: str):
    return fails(with_answers(report(), integrity=BROKEN), *codes, **params)


def revoked():
    return fails(
        with_answers(report(), revocation=RevocationAnswer(RevocationState.REVOKED, SIGNED, "keyCompromise", "ocsp"))
    )


def timed(state: TimeState, *codes: str):
    return remarks(fails(with_answers(report(), time=TimeAnswer(state, SIGNED, "claim"))), *codes)


def bad_signer():
    base = report()
    signer = replace(base.answers.signer, state=SignerState.INVALID)
    return fails(with_answers(base, signer=signer), "signingCredential.invalid")


REASONS = [
    ("trusted", report()),
    ("valid", unknown_signer()),
    ("valid-nolist", replace(unknown_signer(), basis=replace(report().basis, trust_lists=()))),
    ("invalid-content", broken()),
    ("invalid-content", broken_by("assertion.hashedURI.mismatch")),
    ("invalid-content", broken_by("manifest.text.corruptedWrapper")),
    ("invalid-signature", broken_by("claimSignature.mismatch")),
    ("invalid-history", broken_by("assertion.dataHash.mismatch", ingredient="self#jumbf=x")),
    ("invalid-history", broken_by("ingredient.manifest.mismatch")),
    ("invalid-history", fails(report(), "signingCredential.expired", ingredient="self#jumbf=x")),
    ("invalid", broken_by("claim.malformed")),
    ("invalid-store", broken_by("tanba.c2pa.store_unreadable")),
    ("invalid-restored", remarks(broken(), "tanba.text.restored")),
    ("invalid-future", broken_by("tanba.time.future_timestamp")),
    ("invalid-revoked", revoked()),
    ("invalid-expired", expired()),
    ("invalid-outside", timed(TimeState.EXPIRED, "tanba.time.signed_outside_validity")),
    ("invalid-notyet", timed(TimeState.NOT_YET_VALID)),
    ("invalid-after", timed(TimeState.NOT_YET_VALID, "tanba.time.signed_after_as_of")),
    ("invalid-signer", bad_signer()),
    ("invalid-identity", fails(report(), "cawg.identity.pad.invalid", layer=Layer.CAWG)),
    ("unmarked", unmarked()),
    ("unmarked-note", with_answers(unmarked(), ai=AiAnswer(AiState.GENERATED, Strength.UNSIGNED))),
    ("unchecked", unmarked(verdict=Verdict.UNCHECKED)),
    ("unchecked-remote", unchecked("tanba.c2pa.remote_only", "https://example.org/x")),
    ("unchecked-fragments", unchecked("tanba.c2pa.needs_fragments")),
    ("unchecked-unsupported", unchecked("tanba.c2pa.unsupported")),
    ("unchecked-unreadable", unchecked("tanba.c2pa.unreadable")),
    ("unchecked-limit", unchecked("tanba.limit.exceeded")),
    ("recovered", unmarked(verdict=Verdict.RECOVERED)),
]


@pytest.mark.parametrize(
    ("expected", "made"), REASONS, ids=[f"{place}-{name}" for place, (name, _) in enumerate(REASONS)]
)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_each_situation_has_its_own_sentence_and_advice_in_every_language(lang, expected, made):
    assert reason(made) == expected
    said = words(made, lang)
    assert said.sentence
    assert said.next
    assert len(said.answers) == 5
    assert said.limits[0] == sentence(f"verdict-{made.verdict.value}.note", lang)


def test_no_two_situations_share_a_sentence():
    sentences = {name: words(made, "en").sentence for name, made in REASONS}
    assert len(sentences) > 20
    assert len(set(sentences.values())) == len(sentences)


def test_expired_since_is_not_called_forged():
    said = words(expired(), "en")
    assert "not the same as forged" in said.sentence
    assert "2026-05-01" in said.sentence
    assert "--as-of" in " ".join(said.next)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_label_that_only_ran_out_is_not_headed_as_broken(lang):
    said = words(expired(), lang)
    assert said.headline == sentence("verdict-invalid.expired", lang)
    assert said.tone == "caution"
    assert words(broken(), lang).headline == sentence("verdict-invalid", lang)
    assert words(revoked(), lang).headline == sentence("verdict-invalid.intact", lang)


def test_content_that_fails_is_not_attributed_to_its_signer():
    """C2PA 2.4 section 15.3."""
    said = next(item for item in words(broken(), "en").answers if item.name == "signer")
    assert "is not what lies before you" in said.text
    assert said.tone == "caution"


def test_an_unknown_signer_is_not_called_fake():
    said = words(unknown_signer(), "en")
    assert said.tone == "caution"
    assert not re.search(r"\b(fake|forged|false)\b", said.sentence)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", SAMPLES)
def test_every_report_says_that_truth_is_another_question(lang, name):
    assert sentence("advice-limit-truth", lang) in words(SAMPLES[name](), lang).limits


@pytest.mark.parametrize("name", ["unmarked", "unchecked", "recovered"])
def test_without_a_label_nothing_suggests_that_people_made_it(name):
    said = words(SAMPLES[name](), "en")
    everything = " ".join(
        [said.sentence, said.headline, *said.limits, *said.next, *(item.text for item in said.answers)]
    )
    assert not re.search(
        r"(made|created|taken) by (a )?(human|people|person|photographer)|authentic|genuine|original content",
        everything,
    )
    assert sentence("advice-limit-ai", "en") in said.limits


def test_the_vouching_list_and_its_date_are_named():
    signer = next(item for item in words(report(), "en").answers if item.name == "signer")
    assert "newsroom" in signer.text
    assert "2026-11-01" in signer.text


@pytest.mark.parametrize(("used", "key"), [(LIST, None), (OLD, "days old"), (replace(LIST, date=None), "bears no date"), (replace(LIST, date="soon"), "bears no date")])  # fmt: skip
def test_an_old_or_undated_list_is_said_aloud(used, key):
    base = report()
    said = words(with_answers(base, signer=replace(base.answers.signer, list=used)), "en")
    assert any(key in item for item in said.limits) if key else not any("vouched for" in item for item in said.limits)


def test_a_frozen_list_is_said_to_be_frozen():
    said = words(remarks(report(), "tanba.trust.list_frozen", list=LIST.name), "en")
    assert any("no longer maintained" in item for item in said.limits)


@pytest.mark.parametrize("lang", ["en", "ru", "kk"])
@pytest.mark.parametrize("code", ["list_old", "list_frozen", "list_undated"])
def test_the_age_of_a_list_is_said_where_a_newer_copy_could_know_the_signer(code, lang):
    base = report(Verdict.VALID)
    unknown = replace(base.answers.signer, state=SignerState.UNKNOWN, list=None)
    params = {"list": LIST.name, "days": 96, "date": "2026-08-21"}
    said = words(remarks(with_answers(base, signer=unknown), f"tanba.trust.{code}", **params), lang)
    assert any(f"“{LIST.name}”" in item or f"«{LIST.name}»" in item for item in said.notes)
    vouched = words(remarks(report(), f"tanba.trust.{code}", **params), lang)
    assert not vouched.notes, "the age of the list that vouches stands among the limits"


def test_an_unknown_signer_and_an_old_list_lead_to_the_advice_to_update_and_a_frozen_list_does_not():
    base = report(Verdict.VALID)
    unknown = replace(base.answers.signer, state=SignerState.UNKNOWN, list=None)
    said = words(
        remarks(with_answers(base, signer=unknown), "tanba.trust.list_old", list=LIST.name, days=96, date="x"), "en"
    )
    assert any("tanba trust update" in step for step in said.next)
    frozen = remarks(
        with_answers(base, signer=replace(unknown, state=SignerState.TRUSTED, list=OLD)),
        "tanba.trust.list_frozen",
        list=OLD.name,
    )
    assert not any("tanba trust update" in step for step in words(frozen, "en").next)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(
    ("code", "params", "kind"),
    [
        ("cawg.x509.credential.untrusted", {}, "valid-partly-identity"),
        ("signingCredential.untrusted", {"ingredient": "x"}, "valid-partly-history"),
        (None, {}, "valid-partly"),
    ],
)
def test_a_signer_whom_a_list_vouches_for_is_not_called_unknown_because_of_something_else(code, params, kind, lang):
    layer = Layer.CAWG if (code or "").startswith("cawg.") else Layer.C2PA
    failures = (Finding(code, Bucket.FAILURE, layer, params=params),) if code else ()
    base = report(Verdict.VALID)
    made = replace(base, findings=(*(item for item in base.findings if item.bucket is not Bucket.FAILURE), *failures))
    said = words(made, lang)
    assert reason(made) == kind
    assert said.headline == sentence("verdict-valid.partly", lang)
    assert LIST.name in said.sentence
    assert sentence("verdict-valid.note", lang) not in said.limits
    assert group_of(made) == "partly"


def test_the_list_that_vouches_for_the_time_stamp_authority_is_named():
    time = next(item for item in words(report(), "en").answers if item.name == "time")
    assert "The list “tsa” vouches for this authority" in time.text


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        (TimeAnswer(TimeState.CLAIMED, SIGNED, "claim"), "the signer’s own word"),
        (
            TimeAnswer(TimeState.CLAIMED, SIGNED, "rfc3161", {"name": "TSA"}),
            "nobody on your lists vouches for the authority",
        ),
        (TimeAnswer(TimeState.EXPIRED), "Neither the signer nor anybody else gives a time"),
    ],
)
def test_what_the_time_does_not_tell_fits_what_it_rests_on(time, expected):
    assert any(expected in item for item in words(with_answers(report(), time=time), "en").limits)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (AiAnswer(), "says nothing about AI"),
        (AiAnswer(AiState.GENERATED, Strength.SIGNED), "states under signature: made by AI"),
        (AiAnswer(AiState.GENERATED, Strength.UNSIGNED), "Anybody could have written it"),
        (AiAnswer(AiState.NONE_DECLARED, Strength.HEURISTIC), "a hint, not a statement"),
        (AiAnswer(AiState.HUMAN_DECLARED, Strength.SIGNED), "a declaration, not a finding"),
    ],
)
def test_a_statement_about_ai_is_never_more_than_what_it_rests_on(answer, expected):
    said = next(item for item in words(with_answers(report(), ai=answer), "en").answers if item.name == "ai")
    assert expected in said.text
    assert said.tone == "neutral"


def test_the_question_of_the_law_is_left_to_a_person():
    assert any("Art. 1(4)" in item and "for a person" in item for item in words(report(), "en").limits)


def test_a_time_stamp_that_nobody_vouches_for_is_not_called_confirmed():
    stamp = TimeAnswer(TimeState.TIMESTAMPED, SIGNED, "rfc3161", {"name": "TSA 1", "list": None})
    said = next(item for item in words(with_answers(report(), time=stamp), "en").answers if item.name == "time")
    assert "None of your lists vouches" in said.text
    assert said.tone == "caution"


def test_the_moment_asked_about_is_part_of_the_time_answer():
    asked = datetime(2026, 4, 1, tzinfo=UTC)
    said = words(with_answers(report(), time=replace(report().answers.time, as_of=asked)), "en")
    assert "as of 2026-04-01 00:00:00 UTC" in next(item.text for item in said.answers if item.name == "time")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (RevocationAnswer(RevocationState.GOOD, source="ocsp"), "not been withdrawn (asked online, OCSP)"),
        (
            RevocationAnswer(RevocationState.REVOKED, SIGNED, "keyCompromise"),
            "withdrawn on 2026-03-01 10:00:05 UTC (keyCompromise)",
        ),
        (RevocationAnswer(RevocationState.UNKNOWN), "no usable answer"),
        (RevocationAnswer(), "no network was used"),
    ],
)
def test_revocation_is_its_own_line(answer, expected):
    said = words(with_answers(report(), revocation=answer), "en")
    assert expected in next(item.text for item in said.answers if item.name == "revocation")


def test_contradictions_and_disagreement_lead_to_advice_not_to_a_choice():
    base = remarks(
        replace(report(), second_opinion={"engine": "x", "agrees": False}), "tanba.coherence.layers_disagree"
    )
    advice = " ".join(words(base, "en").next)
    assert "do not choose for yourself" in advice
    assert "Quote neither alone" in advice


def test_damage_on_the_way_is_told_step_by_step():
    said = words(remarks(broken(), "tanba.text.restored", "tanba.text.line_ends_changed"), "en")
    assert "the words are those that were signed" in said.sentence
    assert "Line ends were converted." in said.notes


def test_a_stored_remark_without_its_values_still_gets_a_sentence():
    assert words(remarks(report(), "tanba.revocation.revoked_later"), "kk").notes


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(("layer", "key"), [(Layer.C2PA, "answer-ai-broken"), (Layer.IPTC, "answer-ai-unsigned")])
def test_words_of_a_broken_label_are_told_apart_from_notes_that_were_never_signed(layer, key, lang):
    statement = Statement(layer, "trainedAlgorithmicMedia", None, Strength.UNSIGNED, None, AiState.GENERATED)
    answer = AiAnswer(AiState.GENERATED, Strength.UNSIGNED, (statement,))
    said = next(item for item in words(with_answers(broken(), ai=answer), lang).answers if item.name == "ai")
    assert said.text == sentence(key, lang, what=sentence("answer-ai-generated", lang))
