"""Endpoints that go past FastAPI's layers answer as FastAPI would."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from service.hot import HotRoutes

VERIFY, LABEL = "/v1/verifications", "/v1/labels"
HASH = "0" * 64
TEXT = {"content-type": "text/plain"}

REQUESTS = [
    ("POST", VERIFY, {}, b""),
    ("POST", VERIFY, TEXT, b""),
    ("POST", VERIFY + "?as_of=yesterday", TEXT, b"a"),
    ("POST", VERIFY + "?as_of=", TEXT, b"a"),
    ("POST", VERIFY + "?name=" + "n" * 201, TEXT, b"a"),
    ("POST", VERIFY + "?unknown=1&name=a&name=b.txt", TEXT, b"an answer that holds a report"),
    ("POST", VERIFY, {"content-type": "application/json"}, b"{}"),
    ("POST", VERIFY, {"content-type": "multipart/form-data; boundary=x"}, b"--y"),
    ("POST", VERIFY, {"authorization": "Bearer tnb_wrong"}, b"a"),
    ("POST", VERIFY, {"authorization": "Basic eA=="}, b"a"),
    ("POST", VERIFY, {"content-length": "999999999999"}, b"a"),
    ("POST", VERIFY, {"content-length": "many"}, b"a"),
    ("POST", VERIFY + "/", TEXT, b"a"),
    ("PUT", VERIFY, TEXT, b"a"),
    ("HEAD", VERIFY, {}, b""),
    ("GET", f"{VERIFY}/by-hash/{HASH}", {}, b""),
    ("GET", f"{VERIFY}/by-hash/{HASH}/", {}, b""),
    ("GET", f"{VERIFY}/by-hash/{HASH}%0A", {}, b""),
    ("GET", f"{VERIFY}/by-hash/{HASH.upper()}A", {}, b""),
    ("GET", f"{VERIFY}/by-hash/", {}, b""),
    ("GET", f"{VERIFY}/by-hash/none", {}, b""),
    ("GET", f"{VERIFY}/by-hash/{HASH}", {"origin": "chrome-extension://" + "a" * 32}, b""),
    ("GET", f"{VERIFY}/by-hash/{HASH}", {"origin": "https://elsewhere.example"}, b""),
    ("POST", LABEL, TEXT, b"a"),
    ("POST", LABEL, {"authorization": "KEY"} | TEXT, b"a"),
    ("POST", LABEL + "?as=nonsense", {"authorization": "KEY"} | TEXT, b"a"),
    ("POST", LABEL + "?as=generated", {"authorization": "KEY", "idempotency-key": "two words"} | TEXT, b"a"),
    ("POST", LABEL + "?as=generated", {"authorization": "KEY", "idempotency-key": ""} | TEXT, b"a"),
    ("POST", LABEL + "?as=generated&profile=mars", {"authorization": "KEY"} | TEXT, b"a"),
    ("POST", LABEL + "?as=generated", {"authorization": "KEY", "content-type": "application/json"}, b"{}"),
]


class Innermost:
    """The application, asked through its guards with the table of hot endpoints or without it."""

    def __init__(self, service: Any) -> None:
        self.app = service.http.app
        self.key = service.key

    def ask(self, method: str, target: str, headers: dict[str, str], body: bytes, *, hot: bool) -> tuple[int, Any, Any]:
        from urllib.parse import unquote

        path, _, query = target.partition("?")
        sent = {"content-length": str(len(body)), "host": "127.0.0.1:8000", "x-request-id": "always-the-same"} | headers
        if sent.get("authorization") == "KEY":
            sent["authorization"] = f"Bearer {self.key}"
        scope = {
            "type": "http", "http_version": "1.1", "method": method, "scheme": "http", "root_path": "",
            "path": unquote(path), "raw_path": path.encode(), "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
            "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8000), "state": {}, "app": self.app,
        }  # fmt: skip
        answers: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            answers.append(message)

        asyncio.run(self.through(hot=hot)(scope, receive, send))
        content = b"".join(item.get("body", b"") for item in answers[1:])
        given = sorted((name, value) for name, value in answers[0]["headers"] if name != b"content-length")
        return answers[0]["status"], given, _steady(content)

    def through(self, *, hot: bool) -> Any:
        """Around the table as the service is built, or straight to FastAPI."""
        guarded = self.app.guarded
        if hot:
            return guarded
        return _without_table(guarded)


def _without_table(app: Any) -> Any:
    """A copy of the chain of guards that leaves the table out."""
    import copy

    if isinstance(app, HotRoutes):
        return app.app
    inner = copy.copy(app)
    inner.app = _without_table(app.app)
    return inner


def _steady(content: bytes) -> Any:
    """The body without the moment of the answer."""
    try:
        found = json.loads(content)
    except ValueError:
        return content
    if isinstance(found, dict):
        found.pop("evaluated_at", None)
    return found


@pytest.mark.parametrize(("method", "target", "headers", "body"), REQUESTS)
def test_an_answer_is_the_same_with_and_without_the_frameworks_layers(service, method, target, headers, body):
    innermost = Innermost(service)
    straight, around = (innermost.ask(method, target, headers, body, hot=hot) for hot in (True, False))
    assert straight == around


def test_the_table_is_in_the_way_of_every_request(service):
    app, kinds = service.http.app.guarded, []
    while hasattr(app, "app"):
        kinds.append(type(app).__name__)
        app = app.app
    assert kinds == ["Observe", "Origins", "Admission", "BodyGuard", "HotRoutes", "Head"]
