"""The OpenAPI document as a file: ``python -m service.openapi docs/openapi.json``. A test fails when it is stale."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from service.app import create_app
from service.config import Settings


def document() -> str:
    """The document as JSON text, the same on every machine: no setting and no address of this one is in it."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        settings = Settings(
            environment="development",
            service_dir=home / "service",
            keys_dir=home / "keys",
            trust_dir=home / "trust",
            database_url=None,
            blobs_url=None,
        )
        app = create_app(settings)
        try:
            return json.dumps(app.openapi(), indent=1, ensure_ascii=False) + "\n"
        finally:
            app.state.tanba.db.close()


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(document(), "utf-8")
