"""The API's description: exported, complete, and true (schemathesis asks every operation)."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

from service.openapi import document
from tests.service.server import Server

EXPORT = Path(__file__).parents[2] / "docs" / "openapi.json"
schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is a test dependency")


def test_the_exported_document_is_the_one_the_service_serves(service):
    assert EXPORT.read_text("utf-8") == document(), "run: python -m service.openapi docs/openapi.json"
    assert service.http.get("/openapi.json").json() == json.loads(EXPORT.read_text("utf-8"))


def test_every_operation_is_described_and_every_error_is_a_problem(service):
    for path, methods in service.http.get("/openapi.json").json()["paths"].items():
        for method, operation in methods.items():
            where = f"{method} {path}"
            assert operation["summary"], where
            assert operation["description"], where
            for item in operation.get("parameters", []):
                assert item.get("description") or item["schema"]["description"], f"{where} {item['name']}"
            for body in operation.get("requestBody", {}).get("content", {}).values():
                for name, field in body["schema"].get("properties", {}).items():
                    assert field["description"], f"{where} {name}"
            assert not re.search(r"``|:[a-z]+:`", json.dumps(operation)), f"{where}: markup of the source code"
            assert operation["operationId"], where
            assert operation["x-codeSamples"][0]["source"].startswith("curl "), where
            for status, answer in operation["responses"].items():
                if int(status) >= 400:
                    assert list(answer["content"]) == ["application/problem+json"], f"{where} {status}"


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    running = Server(
        tmp_path_factory.mktemp("contract"), TANBA_WORKERS="1", TANBA_RATES__CONTEST="1000000/hour"
    ).start()
    yield running
    running.stop()


schema = schemathesis.openapi.from_path(EXPORT)

# No server error; no undocumented status, media type or body. Left out: what a schema cannot say (a label that is not
# here, an address that is not public) is refused although it fits the schema.
CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
]


@schema.parametrize()
@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisDeprecationWarning")  # inside schemathesis
@settings(
    max_examples=int(os.environ.get("TANBA_EXAMPLES", "4")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize="TANBA_EXAMPLES" not in os.environ,
    phases=[Phase.explicit, Phase.generate],
)
def test_no_operation_fails_or_answers_what_is_not_described(case, server):
    case.headers = {**(case.headers or {}), **server.auth}
    schemathesis.checks.load_all_checks()
    checks = schemathesis.checks.CHECKS.get_by_names(CHECKS)
    case.call_and_validate(base_url=server.url, checks=checks)
