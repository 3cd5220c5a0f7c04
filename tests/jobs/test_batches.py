"""Batches over the API on both databases: real signatures, real queue engine, real web hooks."""

from __future__ import annotations

import json
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy import func, select
from standardwebhooks.webhooks import Webhook

from service.db.models import Label
from service.jobs.models import JobEffect, JobItem, WebhookDelivery
from service.log import store
from service.security import Scope
from tests.jobs.conftest import JobService


def labels(service: JobService) -> int:
    with service.state.db.read() as session:
        count = session.scalar(select(func.count()).select_from(Label))
        assert count == store.size(session), "every label has exactly one entry in the log"
        return count


def test_every_item_of_a_batch_becomes_one_logged_label(service: JobService) -> None:
    before = labels(service)
    accepted = service.batch("One river.", "Two rivers.", "Three rivers.")
    assert accepted.status_code == 202
    job = accepted.json()
    assert accepted.headers["location"] == f"/v1/jobs/{job['job_id']}"
    finished = service.wait(job["job_id"])
    assert (finished["state"], finished["done"], finished["failed"]) == ("finished", 3, 0)
    found = service.items(job["job_id"])
    assert [(item["index"], item["name"], item["state"]) for item in found] == [
        (0, "0.txt", "done"),
        (1, "1.txt", "done"),
        (2, "2.txt", "done"),
    ]
    assert labels(service) == before + 3
    record = service.http.get(f"/v1/labels/{found[1]['label_id']}").json()
    assert record["receipt"]["input_sha256"] == found[1]["input_sha256"]
    content = service.http.get(f"/v1/labels/{found[1]['label_id']}/content").content
    assert content.startswith(b"Two rivers.")
    assert service.verify(content, name="two.txt").json()["verdict"] in {"valid", "trusted"}


def test_what_is_stated_and_what_was_uploaded_is_forgotten_when_the_item_is_done(service: JobService) -> None:
    job = service.batch("A text to be forgotten.", prompt="a secret prompt").json()
    service.wait(job["job_id"])
    with service.state.db.read() as session:
        row = session.scalars(select(JobItem).where(JobItem.job_id == job["job_id"])).one()
    assert row.statement is None
    for _ in range(50):
        if service.state.blobs.get(row.input_sha256) is None:
            break
        time.sleep(0.05)
    assert service.state.blobs.get(row.input_sha256) is None


def test_the_same_bytes_with_the_same_statements_are_one_label(service: JobService) -> None:
    before = labels(service)
    first = service.batch("Twice the same.").json()
    service.wait(first["job_id"])
    second = service.batch("Twice the same.").json()
    service.wait(second["job_id"])
    assert second["job_id"] != first["job_id"]
    assert service.items(first["job_id"])[0]["label_id"] == service.items(second["job_id"])[0]["label_id"]
    assert labels(service) == before + 1
    other = service.batch("Twice the same.", system="AnotherGen").json()
    service.wait(other["job_id"])
    assert labels(service) == before + 2


def test_a_batch_repeated_with_its_idempotency_key_is_the_same_job(service: JobService) -> None:
    headers = {"Idempotency-Key": "batch-1"}
    first = service.batch("Keyed.", headers=headers)
    again = service.batch("Keyed.", headers=headers)
    assert again.status_code == 202
    assert again.json()["job_id"] == first.json()["job_id"]
    assert again.headers["idempotent-replayed"] == "true"
    different = service.batch("Keyed differently.", headers=headers)
    assert different.status_code == 409
    assert different.json()["code"] == "tanba.idempotency.mismatch"
    service.wait(first.json()["job_id"])


def test_a_bad_item_fails_alone_and_says_why(service: JobService) -> None:
    auth = service.auth
    parts = [
        ("file", ("good.txt", b"A good text.", "text/plain")),
        ("file", ("bad.jpg", b"\xff\xd8\xff\xe0 not a picture", "image/jpeg")),
        ("as", (None, "generated")),
        ("system", (None, "ExampleGen")),
    ]
    job = service.http.post("/v1/labels/batch", headers=auth, files=parts).json()
    finished = service.wait(job["job_id"])
    assert (finished["done"], finished["failed"]) == (1, 1)
    bad = service.items(job["job_id"], state="failed")[0]
    assert bad["name"] == "bad.jpg"
    assert bad["error"]["code"].startswith("tanba.")


def test_objects_in_the_inbox_are_labelled_by_reference(service: JobService) -> None:
    client_id = service.state.accounts.recognise(service.key).id
    folder = Path(urlsplit(service.state.settings.jobs.inbox_url).path) / client_id / "day"
    folder.mkdir(parents=True)
    (folder / "a.txt").write_text("From the inbox.")
    body = {
        "label": {"as": "generated", "system": "ExampleGen"},
        "items": [{"object": "day/a.txt", "label": {"title": "Its own title"}}, {"object": "day/missing.txt"}],
    }
    job = service.http.post("/v1/labels/batch", headers=service.auth, json=body).json()
    service.wait(job["job_id"])
    first, second = service.items(job["job_id"])
    assert first["state"] == "done"
    assert second["error"]["code"] == "tanba.jobs.no_object"
    assert (folder / "a.txt").read_text() == "From the inbox.", "the original is never touched"


@pytest.mark.parametrize("key", ["../other/a.txt", "/etc/passwd", "a/../../b", "a\\b", "a//b", ".", "a\x00b"])
def test_an_object_reference_cannot_leave_the_clients_folder(service: JobService, key: str) -> None:
    body = {"label": {"as": "generated", "system": "x"}, "items": [{"object": key}]}
    answer = service.http.post("/v1/labels/batch", headers=service.auth, json=body)
    assert answer.status_code == 422
    assert answer.json()["code"] == "tanba.jobs.bad_object"


def test_the_web_hook_is_signed_and_says_only_counts(service: JobService) -> None:
    url = f"http://127.0.0.1:{service.receiver.port}/hook"
    heard = len(service.receiver.requests)
    job = service.batch("With a hook.", webhook_url=url).json()
    service.wait(job["job_id"])
    for _ in range(100):
        if len(service.receiver.requests) > heard:
            break
        time.sleep(0.05)
    head = service.receiver.requests[heard].decode()
    lines, _, _ = head.partition("\r\n\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines.split("\r\n")[1:])}
    with service.state.db.read() as session:
        delivery = session.scalars(select(WebhookDelivery).where(WebhookDelivery.job_id == job["job_id"])).one()
    secret = service.http.get("/v1/webhook-secret", headers=service.auth).json()["secret"]
    said = Webhook(secret).verify(delivery.body, headers)
    assert said["type"] == "job.finished"
    assert said["data"]["job_id"] == job["job_id"]
    assert set(said["data"]) == {
        "job_id", "state", "total", "done", "failed", "cancelled", "created_at", "finished_at"
    }  # fmt: skip
    other = service.new_key(f"other {time.monotonic_ns()}", Scope.LABEL)
    answer = service.http.get("/v1/webhook-secret", headers={"Authorization": f"Bearer {other}"})
    assert answer.json()["secret"] != secret


def test_a_receiver_that_fails_is_asked_again_by_the_engine(service: JobService) -> None:
    job = service.batch("Broken hook.", webhook_url=f"http://127.0.0.1:{service.receiver.port}/broken").json()
    service.wait(job["job_id"])
    for _ in range(100):
        with service.state.db.read() as session:
            row = session.scalars(select(WebhookDelivery).where(WebhookDelivery.job_id == job["job_id"])).one()
        if row.attempts:
            break
        time.sleep(0.05)
    assert (row.state, row.attempts, row.last_error) == ("pending", 1, "tanba.network.status")


@pytest.mark.parametrize(
    "url",
    ["http://example.com/", "https://127.0.0.1/", "https://localhost/", "https://[::1]/", "https://169.254.169.254/",
     "https://10.0.0.1/", "https://u:p@example.com/", "https://example.com:22/", "ftp://example.com/", "nonsense"],
)  # fmt: skip
def test_a_web_hook_never_reaches_inside(service: JobService, url: str) -> None:
    """Bad spelling is refused at once; a name or address that is not public is refused when it is connected to."""
    heard = service.receiver.connections
    answer = service.batch("Inside?", webhook_url=url)
    if answer.status_code == 422:
        assert answer.json()["code"].startswith("tanba.network.")
        return
    job = answer.json()
    service.wait(job["job_id"])
    for _ in range(100):
        with service.state.db.read() as session:
            row = session.scalars(select(WebhookDelivery).where(WebhookDelivery.job_id == job["job_id"])).one()
        if row.state != "pending":
            break
        time.sleep(0.05)
    assert (row.state, row.last_error) == ("failed", "tanba.network.address_refused")
    assert service.receiver.connections == heard


def test_a_job_of_another_client_cannot_be_seen_or_cancelled(service: JobService) -> None:
    job = service.batch("Mine.").json()
    other = {"Authorization": f"Bearer {service.new_key(f'other {time.monotonic_ns()}', Scope.LABEL)}"}
    for method, path in (("GET", ""), ("GET", "/items"), ("DELETE", "")):
        assert service.http.request(method, f"/v1/jobs/{job['job_id']}{path}", headers=other).status_code == 404
        assert service.http.request(method, f"/v1/jobs/{job['job_id']}{path}").status_code == 401
    service.wait(job["job_id"])


def test_a_cancelled_job_finishes_what_it_began_and_nothing_else(service: JobService) -> None:
    before = labels(service)
    job = service.batch(*(f"Item {number} to cancel." for number in range(40))).json()
    cancelled = service.http.delete(f"/v1/jobs/{job['job_id']}", headers=service.auth).json()
    assert cancelled["cancelled"] > 0
    finished = service.wait(job["job_id"])
    assert finished["state"] == "cancelled"
    assert finished["done"] + finished["cancelled"] == 40
    time.sleep(0.5)
    assert labels(service) == before + finished["done"]
    again = service.http.delete(f"/v1/jobs/{job['job_id']}", headers=service.auth).json()
    assert again == finished


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"as": "nonsense"}, 422),
        ({"profile": "atlantis"}, 422),
        ({"timestamp": "true"}, 422),
        ({"unknown_field": "x"}, 422),
        ({"prompt": "a\x00b"}, 422),
        ({"title": "a\x00b"}, 422),
    ],
)
def test_statements_are_checked_before_the_batch_is_taken_on(service: JobService, change: dict, status: int) -> None:
    answer = service.batch("Text.", **change)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_empty_and_oversized_batches_are_refused(service: JobService) -> None:
    assert service.batch().status_code == 422
    assert service.batch(*(str(number) for number in range(51))).status_code == 422
    for body in ("[]", "{", '{"label": {}, "items": []}', json.dumps({"items": [{"object": "a"}]})):
        answer = service.http.post(
            "/v1/labels/batch", headers=service.auth | {"Content-Type": "application/json"}, content=body
        )
        assert answer.status_code == 422


def test_items_come_in_pages(service: JobService) -> None:
    job = service.batch(*(f"Page {number}." for number in range(5))).json()
    service.wait(job["job_id"])
    path = f"/v1/jobs/{job['job_id']}/items"
    first = service.http.get(path, headers=service.auth, params={"limit": 2}).json()
    second = service.http.get(path, headers=service.auth, params={"limit": 3, "start": first["next"]}).json()
    assert [item["index"] for item in first["items"] + second["items"]] == [0, 1, 2, 3, 4]
    assert second["next"] is None


def test_each_effect_was_done_once(service: JobService) -> None:
    with service.state.db.read() as session:
        rows = session.scalars(select(JobEffect)).all()
        named = [row.label_id for row in rows if row.state == "done"]
    assert len(named) == len(set(named)) > 0
