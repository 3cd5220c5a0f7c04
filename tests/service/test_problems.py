"""Every error is a problem document (RFC 9457), and every error class of ours has a status."""

from __future__ import annotations

import json

import pytest

from service import problems
from tanba import errors
from tanba.errors import TanbaError


def _leaves(kind: type[TanbaError]) -> list[type[TanbaError]]:
    below = [leaf for child in kind.__subclasses__() for leaf in _leaves(child)]
    return below or [kind]


@pytest.mark.parametrize("kind", _leaves(TanbaError), ids=lambda kind: kind.__name__)
def test_every_leaf_of_the_error_tree_has_a_status_of_its_own_or_of_a_named_ancestor(kind):
    if kind.__module__.startswith(("tests", "keys", "labeler", "verifier", "tanba.client")):
        pytest.skip("an error of another package is mapped through its ancestor")
    listed = [item for item in kind.__mro__ if item in problems.STATUS]
    assert listed, f"{kind.__name__} would become a 500 by accident"
    assert 400 <= problems.status_of(kind("x")) < 600


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.UsageError("x"), 422),
        (errors.UnsupportedFormat("x"), 415),
        (errors.AssetTooLarge("x"), 413),
        (errors.MalformedAsset("x"), 422),
        (errors.AlreadyLabelled("x"), 409),
        (errors.RequirementUnmet("x"), 422),
        (errors.ProviderUnavailable("x"), 503),
        (errors.StorageError("x"), 503),
        (errors.StorageError("x", code="tanba.storage.full"), 507),
        (errors.NetworkRefused("x"), 422),
        (errors.EngineError("x"), 500),
        (problems.Unauthenticated("x"), 401),
        (problems.NotSeen("x"), 404),
        (problems.Overloaded("x"), 503),
        (problems.TooManyRequests("x"), 429),
    ],
    ids=lambda item: type(item).__name__ if isinstance(item, TanbaError) else str(item),
)
def test_the_table_of_statuses(error, status):
    found, document, headers = problems.from_error(error, "rid")
    assert found == status == document["status"]
    assert ("Retry-After" in headers) == (status in {429, 503})


REQUESTS = [
    ("GET", "/v1/nothing", {}, 404),
    ("GET", "/nothing", {}, 404),
    ("PUT", "/v1/labels", {}, 405),
    ("POST", "/v1/labels", {"files": {"file": ("a.jpg", b"x")}}, 401),
    ("POST", "/v1/labels", {"headers": {"Authorization": "Bearer tnb_dev_wrong"}, "content": b"x"}, 401),
    ("POST", "/v1/labels", {"headers": {"Authorization": "Basic eDp5"}, "content": b"x"}, 401),
    ("POST", "/v1/verifications", {"json": {"x": 1}}, 415),
    ("POST", "/v1/verifications", {"data": {"text": "x"}}, 415),
    ("POST", "/v1/verifications", {"files": {"other": ("a.jpg", b"x")}}, 422),
    ("POST", "/v1/verifications", {"content": b"--x", "headers": {"Content-Type": "multipart/form-data"}}, 422),
    ("POST", "/v1/verifications", {}, 422),
    ("POST", "/v1/verifications", {"files": [("file", ("a", b"x")), ("text", (None, "x"))]}, 422),
    ("POST", "/v1/recoveries", {"content": b"x"}, 501),
    ("GET", "/c2pa/services/supportedAlgorithms", {}, 501),
    ("POST", "/c2pa/matches/byContent", {"content": b"x"}, 501),
    (
        "OPTIONS",
        "/v1/labels",
        {"headers": {"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}},
        403,
    ),
    ("POST", "/v1/verifications/batch", {"json": {"items": []}}, 422),
    ("POST", "/v1/verifications/batch", {"content": b"{"}, 422),
    ("POST", "/v1/verifications/url", {"json": {"url": "http://127.0.0.1/x"}}, 422),
    ("POST", "/v1/verifications/url", {"content": b"{", "headers": {"Content-Type": "application/json"}}, 422),
    ("GET", "/v1/verifications/by-hash/xyz", {}, 422),
    ("GET", "/v1/verifications/by-hash/" + "0" * 64, {}, 404),
    ("GET", "/v1/labels", {}, 422),
    ("GET", "/v1/labels/urn:c2pa:00000000-0000-0000-0000-000000000000", {}, 404),
    ("GET", "/v1/labels/urn:c2pa:00000000-0000-0000-0000-000000000000/content", {}, 404),
    ("GET", "/v1/contests/AAAA-BBBB-CCCC", {}, 404),
    ("GET", "/v1/contests", {}, 401),
    ("GET", "/v1/explain/no.such.code", {}, 404),
    ("GET", "/v1/explain/tanba.input.too_large?lang=xx", {}, 422),
]


@pytest.mark.parametrize(("method", "path", "more", "status"), REQUESTS, ids=lambda item: str(item)[:60])
def test_every_refusal_is_a_problem_document(service, method, path, more, status):
    answer = service.http.request(method, path, **more)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert document["status"] == status
    assert document["code"].startswith("tanba.")
    assert document["type"] == f"/v1/explain/{document['code']}"
    assert document["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize("path", ["/v1/verifications/url", "/v1/verifications/batch"])
def test_a_body_that_is_not_json_is_called_that(service, path):
    answer = service.http.post(path, content=b"{", headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (422, "tanba.input.json")


def test_reading_public_records_has_a_limit_for_each_address(tmp_path):
    from starlette.testclient import TestClient

    from service.app import create_app
    from tests.service.conftest import make_settings

    settings = make_settings(tmp_path, rates={"anonymous_read": "2/minute"})
    with TestClient(create_app(settings)) as http:
        assert [http.get("/v1/log").status_code for _ in range(2)] == [200, 200]
        refused = http.get("/v1/labels/urn:c2pa:00000000-0000-0000-0000-000000000000")
        assert (refused.status_code, refused.json()["code"]) == (429, "tanba.rate.limited")
        assert refused.headers["retry-after"]
        assert http.get("/healthz").status_code == 200


def test_a_declared_and_an_undeclared_body_over_the_limit_are_413_problems(service):
    most = service.state.settings.limits.asset_bytes

    def endless():
        for _ in range(most // (1 << 20) + 2):
            yield b"\0" * (1 << 20)

    for content in (b"\0" * (most + (1 << 20)), endless()):
        answer = service.http.post(
            "/v1/verifications", content=content, headers={"Content-Type": "application/octet-stream"}
        )
        assert (answer.status_code, answer.json()["code"]) == (413, "tanba.input.too_large")
        assert answer.headers["content-type"] == "application/problem+json"
    assert not list(service.state.spool.folder.glob("*.part"))


def test_our_codes_are_explained_in_three_languages(service):
    for code in (
        "tanba.verification.not_seen",
        "tanba.idempotency.mismatch",
        "tanba.auth.scope",
        "tanba.limit.deadline",
    ):
        said = {lang: service.http.get(f"/v1/explain/{code}?lang={lang}").json()["text"] for lang in ("kk", "ru", "en")}
        assert len(set(said.values())) == 3, code


def test_a_wrong_field_is_named_and_its_value_is_never_echoed(service, photo):
    answer = service.label(photo, oversight="canary-5512")
    assert answer.status_code == 422
    assert answer.json()["details"]["fields"][0]["where"].endswith("oversight")
    assert answer.json()["detail"].startswith("oversight: ")
    assert "canary-5512" not in answer.text


def test_a_request_id_is_kept_when_it_is_harmless_and_replaced_when_it_is_not(service):
    assert service.http.get("/healthz", headers={"X-Request-Id": "abc-12345"}).headers["x-request-id"] == "abc-12345"
    assert service.http.get("/healthz", headers={"X-Request-Id": "a b\tc"}).headers["x-request-id"] != "a b\tc"


def test_an_unexpected_error_is_a_problem_without_a_word_about_its_cause(service, monkeypatch):
    import service.api.trust as module

    monkeypatch.setattr(module, "TrustView", lambda **_: 1 / 0)
    answer = service.http.get("/v1/trust")
    assert answer.status_code == 500
    assert answer.json()["code"] == "tanba.bug"
    assert "division" not in json.dumps(answer.json())
