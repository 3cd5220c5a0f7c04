"""What the tests of the evidence half share: one test PKI, a labelled picture made with it, a local authority."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tanba.engine.write import sign
from tests import pki as test_pki

DEFINITION = {
    "claim_generator_info": [{"name": "test"}],
    "assertions": [
        {
            "label": "c2pa.actions.v2",
            "data": {
                "actions": [
                    {
                        "action": "c2pa.created",
                        "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia",
                    }
                ]
            },
        }
    ],
}


@pytest.fixture(scope="session")
def pki() -> test_pki.Pki:
    return test_pki.make_pki()


def png(size: tuple[int, int] = (64, 48), color: str = "teal") -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", size, color).save(stream, "PNG")
    return stream.getvalue()


def labelled(signer: Any, *, source: bytes | None = None, timestamp_url: str | None = None) -> bytes:
    """A PNG with a manifest made by the engine."""
    out = io.BytesIO()
    sign(io.BytesIO(source or png()), "image/png", DEFINITION, signer, out, timestamp_url=timestamp_url)
    return out.getvalue()


@pytest.fixture(scope="session")
def label(pki: test_pki.Pki) -> Callable[..., bytes]:
    """``label(credential=..., timestamp_url=...)`` -> labelled PNG bytes."""

    def make(credential: test_pki.Credential | None = None, **options: Any) -> bytes:
        return labelled((credential or pki.leaf()).signer(), **options)

    return make


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)
