"""Pictures drawn or taken from samples, a throw-away PKI, and one way to label."""

from __future__ import annotations

import io
import wave
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from labeler import Labelled, LabelOptions, label
from tanba.asset import Asset
from tanba.model import Disclosure, Involvement
from tanba.trust import TrustStore
from tests.pki import LocalSigner, make_pki

PHOTO = Path(__file__).resolve().parents[2] / "samples" / "sources" / "photo.jpg"

GENERATED = Disclosure(involvement=Involvement.GENERATED, system="ExampleGen", system_version="1.2")

PILLOW_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "AVIF", "PDF")


def drawn(format: str, size: tuple[int, int] = (320, 240)) -> bytes:
    """A small picture with structure in it, written by Pillow."""
    picture = Image.linear_gradient("L").resize(size).convert("RGB")
    out = io.BytesIO()
    picture.save(out, format)
    return out.getvalue()


def made(name: str) -> bytes:
    """A small file of a type that Pillow does not write."""
    out = io.BytesIO()
    if name.endswith(".wav"):
        with wave.open(out, "wb") as sound:
            sound.setnchannels(1)
            sound.setsampwidth(2)
            sound.setframerate(8000)
            sound.writeframes(b"\0\1" * 8000)
    elif name.endswith(".svg"):
        out.write(b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="5" height="5"/></svg>')
    elif name.endswith(".docx"):
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr("[Content_Types].xml", "<Types/>")
            archive.writestr("word/document.xml", "<document/>")
    elif name.endswith(".epub"):
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr("mimetype", "application/epub+zip")
            archive.writestr("book.xhtml", "<html/>")
    return out.getvalue()


@dataclass(frozen=True)
class Lab:
    """One throw-away signer and the trust that knows it."""

    signer: LocalSigner
    trust: TrustStore
    root_pem: str


@pytest.fixture(scope="session")
def lab() -> Lab:
    pki = make_pki()
    return Lab(pki.leaf().signer(), pki.store(), pki.root_pem.decode())


@pytest.fixture(scope="session")
def photo() -> bytes:
    return PHOTO.read_bytes()


@pytest.fixture(scope="session")
def labelled(lab: Lab) -> Callable[..., Labelled]:
    """``labelled(data, name="a.jpg", disclosure=..., **options)`` in memory."""

    def run(data: bytes, name: str = "a.jpg", disclosure: Disclosure = GENERATED, **options: object) -> Labelled:
        return label(
            Asset.from_bytes(data, name=name),
            disclosure,
            signer=lab.signer,
            trust=lab.trust,
            options=LabelOptions(**options),  # type: ignore[arg-type]  # keyword options of the test table
        )

    return run
