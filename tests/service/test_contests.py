"""Anyone may contest a label; the case has a number, a state and an answer; operators have an inbox."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from service.security import Scope


@pytest.fixture
def label_id(service, photo) -> str:
    return service.label(photo).json()["label_id"]


def contest(service, label_id: str, **changes):
    body = {"reason": "not_ai", "statement": "I took this photo.", "lang": "kk"} | changes
    return service.http.post(f"/v1/labels/{label_id}/contest", json=body)


def test_a_contest_gets_a_number_and_its_answer_can_be_followed_with_it(service, label_id):
    opened = contest(service, label_id)
    assert opened.status_code == 201
    number = opened.json()["number"]
    follow = service.http.get(opened.json()["follow"])
    assert (follow.json()["state"], follow.json()["answer"]) == ("open", None)
    assert "statement" not in follow.json()
    assert service.http.get(f"/v1/labels/{label_id}/status").json()["contests"] == {"open": 1}
    step = {"state": "in_review"}
    assert service.http.post(f"/v1/contests/{number}/answer", headers=service.auth, json=step).status_code == 200
    step = {"state": "upheld", "answer": "You are right."}
    assert service.http.post(f"/v1/contests/{number}/answer", headers=service.auth, json=step).status_code == 200
    done = service.http.get(f"/v1/contests/{number.lower()}").json()
    assert (done["state"], done["answer"]) == ("upheld", "You are right.")
    again = service.http.post(
        f"/v1/contests/{number}/answer", headers=service.auth, json={"state": "rejected", "answer": "no"}
    )
    assert (again.status_code, again.json()["code"]) == (409, "tanba.case.decided")


def test_the_inbox_is_for_operators_and_holds_what_was_said(service, label_id):
    number = contest(service, label_id, statement="See <b>here</b>").json()["number"]
    assert service.http.get("/v1/contests").status_code == 401
    other = {"Authorization": "Bearer " + service.new_key("no-operator", Scope.LABEL, Scope.VERIFY)}
    assert service.http.get("/v1/contests", headers=other).status_code == 403
    inbox = service.http.get("/v1/contests?state=open", headers=service.auth).json()
    assert {"number": number, "statement": "See <b>here</b>"}.items() <= next(
        item for item in inbox if item["number"] == number
    ).items()


def test_a_decision_without_an_answer_is_refused(service, label_id):
    number = contest(service, label_id).json()["number"]
    answer = service.http.post(f"/v1/contests/{number}/answer", headers=service.auth, json={"state": "rejected"})
    assert (answer.status_code, answer.json()["code"]) == (422, "tanba.case.answer_missing")


@pytest.mark.parametrize(
    "change", [{"reason": "boring"}, {"statement": " "}, {"statement": "x" * 4001}, {"statement": "a\0b"}]
)
def test_a_contest_that_makes_no_sense_is_refused(service, label_id, change):
    assert contest(service, label_id, **change).status_code == 422


def test_only_labels_of_this_service_can_be_contested(service):
    answer = contest(service, "urn:c2pa:00000000-0000-0000-0000-000000000000")
    assert (answer.status_code, answer.json()["code"]) == (404, "tanba.label.not_found")


def test_contests_are_limited_by_address_and_the_address_is_nowhere(tmp_path, photo):
    from starlette.testclient import TestClient

    from service.app import create_app
    from tests.service.conftest import Service, make_settings

    settings = make_settings(tmp_path, rates={"contest": "2/hour"})
    with TestClient(create_app(settings), client=("203.0.113.77", 4711)) as client:
        limited = Service(client)
        label_id = limited.label(photo).json()["label_id"]
        answers = [contest(limited, label_id) for _ in range(3)]
    assert [item.status_code for item in answers] == [201, 201, 429]
    assert int(answers[2].headers["retry-after"]) > 60
    for path in (item for item in tmp_path.rglob("*") if item.is_file()):
        assert b"203.0.113.77" not in path.read_bytes()


def test_the_inbox_on_the_command_line(tmp_path, photo, monkeypatch):
    import json

    from starlette.testclient import TestClient

    from service import cli
    from service.app import create_app
    from tests.service.conftest import Service, make_settings

    settings = make_settings(tmp_path)
    monkeypatch.setenv("TANBA_SERVICE_DIR", str(settings.service_dir))
    with TestClient(create_app(settings)) as client:
        running = Service(client)
        label_id = running.label(photo).json()["label_id"]
        number = contest(running, label_id, statement="bad\x1b[31m bytes").json()["number"]
    run = CliRunner()
    listed = run.invoke(cli.cases, ["list"])
    assert number in listed.output
    assert "\x1b" not in listed.output
    done = run.invoke(cli.cases, ["answer", number, "--state", "rejected", "--answer", "The label stands."])
    assert done.output.strip() == f"{number}: rejected"
    taken = run.invoke(cli.cases, ["withdraw", label_id, "--reason", "The photo is real."])
    assert taken.output.strip() == f"{label_id}: withdrawn"
    again = run.invoke(cli.cases, ["withdraw", label_id, "--reason", "again"])
    assert again.exception.code == "tanba.label.withdrawn_before"
    with TestClient(create_app(settings)) as client:
        assert client.get(f"/v1/labels/{label_id}/status").json()["withdrawn_reason"] == "The photo is real."
        assert client.get("/v1/log").json()["size"] == 2
    found = json.loads(run.invoke(cli.cases, ["list", "--json"]).output)
    assert found[0]["answer"] == "The label stands."
    assert "rows hold" in run.invoke(cli.db, ["audit"], standalone_mode=False).output
