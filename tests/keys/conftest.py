"""What the key tests share: one test PKI per session, a home of its own per test, a picture to sign."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from tanba import trustdir
from tanba.asset import Asset
from tanba.engine.read import Evidence, read
from tanba.engine.write import sign
from tanba.trust import TrustStore
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


@dataclass(frozen=True)
class Home:
    """One user's directories."""

    keys: Path
    trust_dir: Path

    def trust(self) -> TrustStore:
        return trustdir.load(self.trust_dir)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "keys", tmp_path / "trust")


@pytest.fixture(scope="session")
def pki() -> test_pki.Pki:
    return test_pki.make_pki()


@pytest.fixture(scope="session")
def picture() -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (48, 32), (200, 90, 30)).save(stream, "PNG")
    return stream.getvalue()


def label_picture(picture: bytes, signer, timestamp_url: str | None = None) -> bytes:
    """A PNG signed by the engine itself."""
    out = io.BytesIO()
    sign(io.BytesIO(picture), "image/png", DEFINITION, signer, out, timestamp_url=timestamp_url)
    return out.getvalue()


def read_picture(content: bytes, trust: TrustStore) -> Evidence:
    return read(Asset.from_bytes(content, name="picture.png"), trust=trust)


def codes(evidence: Evidence) -> set[str]:
    return {finding.code for finding in evidence.codes}
