"""Labelling over HTTP: receipts, bytes, idempotency, look-up, withdrawal, rights."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from service.log import LogRecord, NoteVerifier
from service.log.checkpoint import Checkpoint
from service.log.merkle import verify_inclusion
from service.problems import Forbidden
from service.security import Caller, Scope
from tests.service.conftest import jpeg


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_a_photo_comes_back_labelled_and_verifies_as_trusted_by_the_list_of_this_machine(service, photo):
    made = service.label(photo, no_training="true")
    assert made.status_code == 201, made.text
    receipt = made.json()
    assert receipt["schema"] == "tanba.receipt/1"
    assert receipt["input_sha256"] == sha(photo)
    content = service.http.get(made.headers["location"] + "/content")
    assert content.headers["content-type"] == "image/jpeg"
    assert sha(content.content) == receipt["output_sha256"]
    report = service.verify(content.content).json()
    assert (report["verdict"], report["answers"]["ai"]["state"]) == ("trusted", "generated")
    assert report["label"]["id"] == receipt["label_id"]
    assert report["label"]["state"] == "issued"


def test_the_labelled_bytes_come_back_in_one_round_trip_when_they_are_asked_for(service, photo):
    answer = service.label(photo, headers={"Accept": "image/jpeg"})
    assert answer.status_code == 201
    record = service.http.get(answer.headers["location"]).json()
    assert record["receipt"]["output_sha256"] == sha(answer.content)
    assert record["label_id"] == answer.headers["x-label-id"]
    assert answer.headers["content-length"] == str(len(answer.content))


def test_a_raw_body_with_query_parameters_is_the_same_as_a_form(service, photo):
    answer = service.http.post(
        "/v1/labels?as=composite&system=Mixer&name=../../x/photo.jpg",
        content=photo,
        headers=service.auth | {"Content-Type": "image/jpeg"},
    )
    assert answer.status_code == 201, answer.text
    record = service.http.get(answer.headers["location"]).json()
    assert (record["disclosure"]["involvement"], record["disclosure"]["system"]) == ("composite", "Mixer")


def test_a_text_is_labelled_and_verified(service):
    words = "The steppe is wide. " * 20
    answer = service.http.post(
        "/v1/labels", headers=service.auth, files=[("as", (None, "assisted")), ("text", (None, words))]
    )
    assert answer.status_code == 201, answer.text
    receipt = answer.json()
    content = service.http.get(answer.headers["location"] + "/content").content
    parts = {"file": ("text.txt", content)}
    if receipt["carrier"] == "sidecar":
        parts["manifest"] = ("m.c2pa", service.http.get(answer.headers["location"] + "/manifest").content)
    report = service.http.post("/v1/verifications", files=parts).json()
    assert (report["verdict"], report["answers"]["ai"]["state"]) == ("trusted", "assisted")


def test_bytes_that_hold_no_label_say_where_it_is(service):
    """Who asks for bytes and sees no receipt would otherwise publish an unlabelled file in good faith."""
    made = service.label(b"\x7fELF" + bytes(64), name="tool.bin", headers={"Accept": "application/octet-stream"})
    assert made.content == b"\x7fELF" + bytes(64)
    manifest = f"/v1/labels/{made.headers['x-label-id']}/manifest"
    link = f'<{manifest}>; rel="c2pa-manifest"; type="application/c2pa"'
    assert made.headers["link"] == link
    assert service.http.get(f"/v1/labels/{made.headers['x-label-id']}/content").headers["link"] == link
    parts = {"file": ("tool.bin", made.content), "manifest": ("m.c2pa", service.http.get(manifest).content)}
    assert service.http.post("/v1/verifications", files=parts).json()["verdict"] == "trusted"
    assert "link" not in service.label(jpeg(), headers={"Accept": "image/jpeg"}).headers


def test_head_is_get_without_its_body(service, photo):
    label_id = service.label(photo).json()["label_id"]
    for path in (
        "/",
        "/healthz",
        "/docs",
        f"/v1/labels/{label_id}",
        f"/v1/labels/{label_id}/content",
        "/v1/log/checkpoint",
    ):
        asked, got = service.http.head(path), service.http.get(path)
        assert (asked.status_code, asked.content) == (200, b""), path
        assert asked.headers["content-length"] == got.headers["content-length"], path
    assert service.http.head("/v1/labels/urn:c2pa:nothing-of-this-name").status_code == 404
    assert service.http.head("/v1/verifications").status_code == 405


def test_every_label_is_recorded_with_receipt_manifest_and_what_was_stated(service, photo):
    receipt = service.label(photo, prompt="a secret prompt", profile=["none"], lang="ru,kk").json()
    record = service.http.get(f"/v1/labels/{receipt['label_id']}").json()
    assert record["receipt"] == receipt
    assert record["disclosure"]["system"] == "ExampleGen"
    assert "a secret prompt" not in str(record)
    store = service.http.get(f"/v1/labels/{receipt['label_id']}/manifest")
    assert store.headers["content-type"] == "application/c2pa"
    assert sha(store.content) == receipt["manifest_sha256"]


def test_did_you_label_this_is_answered_for_input_output_and_manifest(service, photo):
    receipt = service.label(photo).json()
    for kind in ("input_sha256", "output_sha256", "manifest_sha256"):
        found = service.http.get(f"/v1/labels?sha256={receipt[kind]}").json()
        assert [item["label_id"] for item in found["labels"]] == [receipt["label_id"]]
    nothing = service.http.get(f"/v1/labels?sha256={'1' * 64}").json()
    assert nothing["labels"] == []
    assert "says nothing about the content" in nothing["note"]


def test_the_proof_in_the_receipt_and_a_later_one_lead_to_signed_checkpoints(service, photo):
    receipt = service.label(photo).json()
    service.label(photo + b"\0")
    later = service.http.get(f"/v1/labels/{receipt['label_id']}/proof").json()
    assert later["size"] > receipt["log"]["size"] - 1
    key = NoteVerifier.parse(service.http.get("/v1/log").json()["key"])
    for proof in (receipt["log"], later):
        head = Checkpoint.open(proof["checkpoint"], key)
        leaf = LogRecord.from_dict(proof["entry"]).leaf
        path = [bytes.fromhex(item) for item in proof["proof"]]
        assert verify_inclusion(proof["index"], head.size, leaf, path, head.root)
        assert proof["entry"]["output_sha256"] == receipt["output_sha256"]


class TestIdempotency:
    def test_the_same_key_and_request_give_the_same_receipt_and_bytes(self, service, photo):
        key = {"Idempotency-Key": "same-" + sha(photo)}
        first, again = service.label(photo, headers=key), service.label(photo, headers=key)
        assert first.json() == again.json()
        assert again.headers["idempotent-replayed"] == "true"
        bytes_again = service.label(photo, headers=key | {"Accept": "application/octet-stream"})
        assert sha(bytes_again.content) == first.json()["output_sha256"]

    @pytest.mark.parametrize("change", ["content", "statement"])
    def test_the_same_key_for_another_request_is_refused(self, service, photo, change):
        key = {"Idempotency-Key": f"{change}-" + sha(photo)}
        assert service.label(photo, headers=key).status_code == 201
        other = (
            service.label(photo + b"\0", headers=key)
            if change == "content"
            else service.label(photo, headers=key, system="Other")
        )
        assert (other.status_code, other.json()["code"]) == (409, "tanba.idempotency.mismatch")

    def test_of_many_at_once_one_is_signed_and_the_others_get_it_or_are_told_to_wait(self, service, photo):
        key = {"Idempotency-Key": "many-" + sha(photo)}
        before = service.http.get("/v1/log").json()["size"]
        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(lambda _: service.label(photo, headers=key), range(12)))
        labels = {item.json()["label_id"] for item in answers if item.status_code == 201}
        refused = [item for item in answers if item.status_code != 201]
        assert len(labels) == 1
        assert {(item.status_code, item.json()["code"]) for item in refused} <= {(409, "tanba.idempotency.in_flight")}
        assert all(item.headers["retry-after"] for item in refused)
        assert service.http.get("/v1/log").json()["size"] == before + 1

    def test_a_request_that_failed_can_be_sent_again_with_its_key(self, service, photo):
        key = {"Idempotency-Key": "fail-" + sha(photo)}
        assert service.label(photo, identity="nobody", headers=key).status_code == 422
        assert service.label(photo, headers=key).status_code == 201

    def test_keys_of_two_clients_do_not_meet(self, service, photo):
        other = service.new_key("other-idempotency", Scope.LABEL)
        key = {"Idempotency-Key": "two-" + sha(photo)}
        mine = service.label(photo, headers=key).json()
        theirs = service.label(photo, headers=key | {"Authorization": f"Bearer {other}"}).json()
        assert mine["label_id"] != theirs["label_id"]


def test_a_withdrawn_label_in_the_history_is_said_of_every_file_that_was_made_from_it(service, photo):
    first = service.label(photo, headers={"Accept": "image/jpeg"})
    second = service.label(first.content, **{"as": "modified"}, headers={"Accept": "image/jpeg"})
    third = service.label(second.content, **{"as": "modified"}, headers={"Accept": "image/jpeg"}).content
    old = first.headers["x-label-id"]
    before = service.verify(third)
    assert "withdrawn" not in before.text.replace("withdrawn_", "")
    body = {"reason": "the wrong picture"}
    service.http.post(f"/v1/labels/{old}/withdraw", json=body, headers=service.auth).raise_for_status()
    service.state.statuses.clear()  # as after the few seconds for which a state is remembered
    after = service.verify(third)
    report = after.json()
    assert (report["verdict"], report["label"]["state"]) == ("trusted", "issued")
    found = [item for item in report["findings"] if item["code"].startswith("tanba.label.")]
    assert [(item["code"], item["subject"], item["bucket"]) for item in found] == [
        ("tanba.label.ingredient_withdrawn", old, "informational")
    ]
    assert found[0]["params"]["reason"] == "the wrong picture"
    assert before.headers["etag"] != after.headers["etag"]
    digest = hashlib.sha256(third).hexdigest()
    assert service.http.get(f"/v1/verifications/by-hash/{digest}").json()["findings"][-1]["subject"] == old
    for lang, words in (
        ("en", "a label that its issuer withdrew on 20"),
        ("ru", "которую выдавший отозвал 20"),
        ("kk", "берген тарап 20"),
    ):
        page = service.http.post(f"/?lang={lang}", files={"file": ("a.jpg", third)}).text
        assert words in page, lang
    # The parent itself is the newest label of its own file.
    assert [item["code"] for item in service.verify(first.content).json()["findings"]][-1] == "tanba.label.withdrawn"


def test_a_withdrawn_label_says_so_everywhere_and_its_record_stays(service, photo):
    made = service.label(photo)
    label_id = made.json()["label_id"]
    content = service.http.get(f"/v1/labels/{label_id}/content").content
    before = service.http.get("/v1/log").json()["size"]
    answer = service.http.post(
        f"/v1/labels/{label_id}/withdraw", headers=service.auth, json={"reason": "the wrong picture"}
    )
    assert (answer.status_code, answer.json()["state"]) == (200, "withdrawn")
    assert service.http.get("/v1/log").json()["size"] == before + 1
    status = service.http.get(f"/v1/labels/{label_id}/status").json()
    assert (status["state"], status["withdrawn_reason"]) == ("withdrawn", "the wrong picture")
    report = service.verify(content).json()
    assert report["label"]["state"] == "withdrawn"
    assert "tanba.label.withdrawn" in [item["code"] for item in report["findings"]]
    again = service.http.post(f"/v1/labels/{label_id}/withdraw", headers=service.auth, json={"reason": "again"})
    assert again.status_code == 409


class TestRights:
    def test_a_key_without_the_scope_is_refused(self, service, photo):
        key = {"Authorization": "Bearer " + service.new_key("only-verify", Scope.VERIFY)}
        assert service.label(photo, headers=key).json()["code"] == "tanba.auth.scope"

    def test_a_client_withdraws_its_own_labels_only(self, service, photo):
        label_id = service.label(photo).json()["label_id"]
        other = {"Authorization": "Bearer " + service.new_key("withdrawer", Scope.WITHDRAW)}
        answer = service.http.post(f"/v1/labels/{label_id}/withdraw", headers=other, json={"reason": "not mine"})
        assert answer.status_code == 404

    def test_profiles_and_identities_outside_the_allowance_are_refused(self, service, photo):
        key = service.new_key("narrow", Scope.LABEL, profiles=("kz",), identities=("development",))
        auth = {"Authorization": f"Bearer {key}"}
        assert service.label(photo, headers=auth, profile="eu").json()["code"] == "tanba.auth.profile"
        assert service.label(photo, headers=auth, identity="another").json()["code"] == "tanba.auth.identity"
        assert service.label(photo, headers=auth).status_code == 201

    @pytest.mark.parametrize(
        ("allowed", "wanted", "default", "signs"),
        [
            (None, None, None, None),
            (None, "a", "b", "a"),
            (("a",), None, None, "a"),
            (("a",), None, "b", "a"),
            (("a",), "a@2026-11-25", None, "a@2026-11-25"),
            (("a", "b"), None, "b", "b"),
            (("a",), "b", None, False),
            (("a", "b"), None, None, False),
            (("a", "b"), None, "c", False),
            ((), None, None, False),
        ],
    )
    def test_a_client_that_is_held_to_identities_never_signs_with_another_by_saying_nothing(
        self, allowed, wanted, default, signs
    ):
        held = Caller(
            id="x", name="x", scopes=frozenset(), identities=frozenset(allowed) if allowed is not None else None
        )
        if signs is False:
            with pytest.raises(Forbidden) as refused:
                held.identity(wanted, default)
            assert refused.value.code == "tanba.auth.identity"
        else:
            assert held.identity(wanted, default) == signs

    def test_a_client_held_to_an_identity_that_is_not_the_default_is_refused_rather_than_signed_for(
        self, service, photo
    ):
        key = service.new_key("elsewhere", Scope.LABEL, identities=("newsroom", "archive"))
        answer = service.label(photo, headers={"Authorization": f"Bearer {key}"})
        assert (answer.status_code, answer.json()["code"]) == (403, "tanba.auth.identity")

    def test_rate_and_concurrency_of_a_client_end_in_429_with_a_time_to_wait(self, service, photo):
        auth = {"Authorization": "Bearer " + service.new_key("slow", Scope.LABEL, label_rate="1/minute")}
        assert service.label(photo, headers=auth).status_code == 201
        refused = service.label(photo, headers=auth)
        assert (refused.status_code, refused.json()["code"]) == (429, "tanba.rate.limited")
        assert 1 <= int(refused.headers["retry-after"]) <= 120


def test_an_unknown_identity_profile_or_option_is_the_callers_mistake(service, photo):
    assert service.label(photo, identity="nobody").json()["code"] == "tanba.keys.not_found"
    for wrong in ({"profile": "atlantis"}, {"as": "magic"}, {"colour": "red"}, {"timestamp": "true"}):
        assert service.label(photo, **wrong).status_code == 422


def test_a_tampered_label_is_not_built_upon(service, photo):
    made = service.label(photo, headers={"Accept": "image/jpeg"}).content
    broken = made[:-40] + bytes([made[-40] ^ 1]) + made[-39:]
    answer = service.label(broken)
    assert (answer.status_code, answer.json()["code"]) == (409, "tanba.label.parent_refused")


def test_an_existing_label_becomes_the_history_of_the_new_one(service, photo):
    first = service.label(photo, headers={"Accept": "image/jpeg"}).content
    second = service.label(first, headers={"Accept": "image/jpeg"}, **{"as": "modified"}).content
    history = service.verify(second).json()["history"]
    assert history[0]["ingredients"][0]["relationship"] == "parentOf"
