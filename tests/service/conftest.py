"""One running application for the folder's tests: real database, real worker processes, real signatures."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from starlette.testclient import TestClient

from service.accounts import ClientSpec
from service.app import create_app
from service.config import Settings
from service.security import Scope
from service.state import State


def make_settings(folder: Path, **changes) -> Settings:
    given = {
        "service_dir": folder / "service",
        "keys_dir": folder / "keys",
        "trust_dir": folder / "trust",
        "workers": 1,
    }
    return Settings(**(given | changes))


class Service:
    """A started application and a key with every scope."""

    def __init__(self, client: TestClient) -> None:
        self.http = client
        self.state: State = client.app.state.tanba
        self.key = self.new_key("tests", *Scope)

    def new_key(self, name: str, *scopes: Scope, **more) -> str:
        return self.state.accounts.create(ClientSpec(name=name, scopes=scopes, **more), live=False, actor="test")

    @property
    def auth(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    def label(self, content: bytes, *, name: str = "photo.jpg", headers=None, **fields):
        fields = {"as": "generated", "system": "ExampleGen"} | fields
        parts = [
            (key, (None, item))
            for key, value in fields.items()
            for item in ([value] if isinstance(value, str) else value)
        ]
        return self.http.post(
            "/v1/labels", headers=self.auth | (headers or {}), files=[("file", (name, content)), *parts]
        )

    def verify(self, content: bytes, *, name: str = "photo.jpg"):
        return self.http.post("/v1/verifications", files={"file": (name, content)})


def jpeg(color: tuple[int, int, int] = (40, 90, 120), size: tuple[int, int] = (160, 120)) -> bytes:
    """A real picture, drawn here."""
    buffer = io.BytesIO()
    Image.new("RGB", size, color).save(buffer, "JPEG")
    return buffer.getvalue()


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    app = create_app(
        make_settings(tmp_path_factory.mktemp("service"), metrics=True, rates={"anonymous_verify": "100000/minute"})
    )
    with TestClient(app, base_url="http://127.0.0.1:8000") as client:
        yield Service(client)


@pytest.fixture
def photo() -> bytes:
    import secrets

    r, g, b = secrets.token_bytes(3)
    return jpeg((r, g, b))
