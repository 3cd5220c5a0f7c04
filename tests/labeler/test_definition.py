"""What a disclosure becomes in C2PA's words. Expected values stand in C2PA 2.4 and the CAWG and IPTC vocabularies."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tanba.engine.definition import Context, build
from tanba.errors import UsageError
from tanba.model import SOURCE_TYPES, DigitalSourceType, Disclosure, Involvement, Oversight

MOMENT = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"


def definition(disclosure: Disclosure, **context: Any) -> dict[str, Any]:
    return build(disclosure, Context(moment=MOMENT, content_id="id-1", **context))


def assertion(made: dict[str, Any], label: str) -> dict[str, Any]:
    found = [item["data"] for item in made["assertions"] if item["label"] == label]
    assert len(found) == 1
    return dict(found[0])


@pytest.mark.parametrize(
    ("involvement", "term"),
    [
        (Involvement.GENERATED, "trainedAlgorithmicMedia"),
        (Involvement.MODIFIED, "compositeWithTrainedAlgorithmicMedia"),
        (Involvement.COMPOSITE, "compositeSynthetic"),
        (Involvement.ASSISTED, "algorithmicallyEnhanced"),
        (Involvement.HUMAN, "digitalCreation"),
    ],
)
def test_without_a_parent_the_one_inception_action_is_created(involvement: Involvement, term: str) -> None:
    actions = assertion(definition(Disclosure(involvement=involvement)), "c2pa.actions.v2")["actions"]
    assert [item["action"] for item in actions] == ["c2pa.created"]
    assert actions[0]["digitalSourceType"] == IPTC + term
    assert actions[0]["when"] == "2026-11-23T10:00:00Z"


@pytest.mark.parametrize(
    ("involvement", "term"),
    [
        (Involvement.GENERATED, "trainedAlgorithmicMedia"),
        (Involvement.MODIFIED, "compositeWithTrainedAlgorithmicMedia"),
        (Involvement.HUMAN, "humanEdits"),
    ],
)
def test_with_a_parent_it_is_opened_first_and_the_source_type_stands_on_the_edit(
    involvement: Involvement, term: str
) -> None:
    made = definition(Disclosure(involvement=involvement), parent=True, parent_is_input=True)
    data = assertion(made, "c2pa.actions.v2")
    assert [item["action"] for item in data["actions"]] == ["c2pa.opened", "c2pa.edited"]
    assert "digitalSourceType" not in data["actions"][0]
    assert data["actions"][1]["digitalSourceType"] == IPTC + term
    assert data["allActionsIncluded"] is True


def test_every_assertion_is_vouched_for_by_the_signer() -> None:
    made = definition(Disclosure(involvement=Involvement.GENERATED, no_training=True))
    assert all(item["created"] is True for item in made["assertions"])
    assert made["claim_generator_info"][0]["specVersion"] == "2.4.0"


def test_the_ai_disclosure_has_the_keys_of_the_schema_and_no_other() -> None:
    said = Disclosure(
        involvement=Involvement.GENERATED, system="Gen", model="pkg:generic/gen@1", oversight=Oversight.PROMPT_GUIDED
    )
    assert assertion(definition(said), "c2pa.ai-disclosure") == {
        "modelType": "c2pa.types.model",
        "modelName": "Gen",
        "modelIdentifier": "pkg:generic/gen@1",
        "contentProfile": {"humanOversightLevel": "prompt_guided"},
    }


def test_human_content_carries_no_ai_disclosure() -> None:
    labels = [item["label"] for item in definition(Disclosure(involvement=Involvement.HUMAN))["assertions"]]
    assert "c2pa.ai-disclosure" not in labels


def test_reserving_training_reserves_all_four_uses() -> None:
    data = assertion(definition(Disclosure(involvement=Involvement.HUMAN, no_training=True)), "cawg.training-mining")
    assert data["entries"] == {
        "cawg.data_mining": {"use": "notAllowed"},
        "cawg.ai_inference": {"use": "notAllowed"},
        "cawg.ai_training": {"use": "notAllowed"},
        "cawg.ai_generative_training": {"use": "notAllowed"},
    }


def test_only_terms_that_fit_the_involvement_are_written() -> None:
    for involvement in Involvement:
        for term in DigitalSourceType:
            said = Disclosure(involvement=involvement, source_type=term)
            if term in SOURCE_TYPES[involvement]:
                definition(said)
            else:
                with pytest.raises(UsageError):
                    definition(said)


def test_a_prompt_that_is_not_published_leaves_only_its_digest() -> None:
    digest = "5994471abb01112afcc18159f6cc74b4f511b99806da59b3caf5a9c173cacfc5"  # sha256 of "12345"
    said = Disclosure(involvement=Involvement.GENERATED, prompt_sha256=digest, prompt_author="A. Writer")
    assert assertion(definition(said), "org.tanba.disclosure")["prompt"] == {"author": "A. Writer", "sha256": digest}


def test_a_parent_that_fails_is_named_in_the_new_label() -> None:
    made = definition(
        Disclosure(involvement=Involvement.MODIFIED), parent=True, parent_problem=("assertion.dataHash.mismatch",)
    )
    assert assertion(made, "org.tanba.disclosure")["parent_problem"] == ["assertion.dataHash.mismatch"]
    opened = assertion(made, "c2pa.actions.v2")["actions"][0]
    assert "assertion.dataHash.mismatch" in opened["description"]


def test_completeness_of_the_actions_is_only_claimed_when_nothing_can_be_missing() -> None:
    def complete(involvement: Involvement, **context: Any) -> bool:
        return bool(
            assertion(definition(Disclosure(involvement=involvement), **context), "c2pa.actions.v2")[
                "allActionsIncluded"
            ]
        )

    assert complete(Involvement.GENERATED)
    assert not complete(Involvement.MODIFIED)
    assert not complete(Involvement.MODIFIED, parent=True)


@pytest.mark.parametrize(
    ("words", "code"), [("broken \udcff", "tanba.label.not_text"), ("x" * 100_000, "tanba.label.too_long")]
)
def test_statements_that_no_file_can_carry_are_refused_by_name(words: str, code: str) -> None:
    for said in (
        Disclosure(involvement=Involvement.GENERATED, system=words),
        Disclosure(involvement=Involvement.GENERATED, operations=("fine", words)),
        Disclosure(involvement=Involvement.GENERATED, prompt=words),
    ):
        with pytest.raises(UsageError) as refusal:
            definition(said)
        assert refusal.value.code == code


def test_a_file_name_that_is_no_text_does_not_stop_a_label() -> None:
    assert definition(Disclosure(involvement=Involvement.GENERATED), title="a\udcff.jpg")["title"] == "a?.jpg"
