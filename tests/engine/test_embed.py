"""Manifests that Tanba inserts itself read as the engine's own do, in every shape of JPEG and PNG."""

from __future__ import annotations

import hashlib
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tanba import jumbf
from tanba.asset import Asset
from tanba.engine import embed
from tanba.engine.read import read
from tanba.engine.write import Ingredient
from tanba.jumbf import Repadder
from tests.pictures import CREATED, PHOTO
from tests.pki import LocalSigner, Pki, make_pki


@pytest.fixture(scope="module")
def pki() -> Pki:
    return make_pki()


@pytest.fixture(scope="module")
def signer(pki: Pki) -> LocalSigner:
    return pki.leaf().signer()


def encoded(kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    with Image.open(PHOTO) as picture:
        picture.convert("RGB").resize((96, 64)).save(out, kind, **options)
    return out.getvalue()


def without_jfif(data: bytes) -> bytes:
    length = 2 + int.from_bytes(data[4:6])
    return data[:2] + data[2 + length :]


SHAPES = {
    "baseline JPEG": ("image/jpeg", lambda: encoded("JPEG")),
    "progressive JPEG": ("image/jpeg", lambda: encoded("JPEG", progressive=True)),
    "JPEG without JFIF": ("image/jpeg", lambda: without_jfif(encoded("JPEG"))),
    "JPEG with a comment": ("image/jpeg", lambda: encoded("JPEG", comment=b"hello")),
    "a camera's JPEG": ("image/jpeg", PHOTO.read_bytes),
    "PNG": ("image/png", lambda: encoded("PNG")),
    "interlaced-like PNG with text": ("image/png", lambda: encoded("PNG", dpi=(300, 300))),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_the_picture_is_trusted_and_nothing_but_the_manifest_was_added(
    pki: Pki, signer: LocalSigner, shape: str
) -> None:
    media_type, make = SHAPES[shape]
    plain, out = make(), io.BytesIO()
    store = embed.sign(io.BytesIO(plain), media_type, CREATED, signer, out)
    evidence = read(Asset.from_bytes(out.getvalue()), trust=pki.store())
    assert evidence.state == "Trusted"
    assert evidence.store == store
    assert evidence.embedded
    assert out.getvalue().replace(embed.block(media_type, store), b"") == plain


@pytest.mark.parametrize("shape", SHAPES)
def test_every_changed_byte_outside_the_manifest_is_noticed(pki: Pki, signer: LocalSigner, shape: str) -> None:
    media_type, make = SHAPES[shape]
    out = io.BytesIO()
    store = embed.sign(io.BytesIO(make()), media_type, CREATED, signer, out)
    data = out.getvalue()
    start = data.index(embed.block(media_type, store))
    end = start + len(embed.block(media_type, store))
    for at in (*range(12, start), *range(end, len(data), max(1, (len(data) - end) // 40))):
        changed = bytearray(data)
        changed[at] ^= 0x01
        assert read(Asset.from_bytes(bytes(changed)), trust=pki.store()).state in (None, "Invalid"), at


def test_a_store_longer_than_one_segment_is_split_and_read_back(pki: Pki, signer: LocalSigner) -> None:
    filler = {"label": "org.example.big", "created": True, "data": {"text": "x" * 200_000}}
    definition = {**CREATED, "assertions": [*CREATED["assertions"], filler]}
    out = io.BytesIO()
    store = embed.sign(io.BytesIO(encoded("JPEG")), "image/jpeg", definition, signer, out)
    assert len(store) > 3 * 65_535
    assert read(Asset.from_bytes(out.getvalue()), trust=pki.store()).state == "Trusted"


def test_a_file_that_already_holds_a_manifest_goes_to_the_engine_and_keeps_its_history(
    pki: Pki, signer: LocalSigner
) -> None:
    first, second = io.BytesIO(), io.BytesIO()
    embed.sign(io.BytesIO(encoded("JPEG")), "image/jpeg", CREATED, signer, first)
    assert embed.insertion_point(io.BytesIO(first.getvalue()), "image/jpeg") is None
    edited = {
        "assertions": [
            {
                "label": "c2pa.actions.v2",
                "created": True,
                "data": {"actions": [{"action": "c2pa.opened", "parameters": {"ingredientIds": ["parent"]}}]},
            }
        ]
    }
    parent = Ingredient(io.BytesIO(first.getvalue()), "image/jpeg", "first.jpg", label="parent")
    embed.sign(io.BytesIO(first.getvalue()), "image/jpeg", edited, signer, second, ingredients=[parent])
    evidence = read(Asset.from_bytes(second.getvalue()), trust=pki.store())
    assert evidence.state == "Trusted"
    assert len(evidence.report["manifests"]) == 2


def test_the_digest_that_binds_the_output_is_the_digest_of_the_input(pki: Pki, signer: LocalSigner) -> None:
    plain, out = encoded("PNG"), io.BytesIO()
    embed.sign(io.BytesIO(plain), "image/png", CREATED, signer, out)
    detail = read(Asset.from_bytes(out.getvalue()), trust=pki.store()).crjson
    import base64

    stated = detail["manifests"][0]["assertions"]["c2pa.hash.data"]["hash"].removeprefix("b64'").rstrip("'")
    assert base64.b64decode(stated) == hashlib.sha256(plain).digest()


@settings(max_examples=60, deadline=None)
@given(gap=st.integers(0, 70_000))
def test_padding_is_exact_or_refused(gap: int) -> None:
    grown = embed.padded(Repadder.of(_STORE), _STORE, gap)
    assert grown is None or len(grown) == len(_STORE) + gap
    if gap in range(5, 29) or gap in range(30, 262) or gap in range(263, 60_000):
        assert grown is not None


def _bare_store() -> bytes:
    from tanba.engine.write import sign_detached
    from tanba.jumbf import repad

    return repad(sign_detached(b"anything", CREATED, make_pki().leaf().signer()), None)


_STORE = _bare_store()


def test_a_store_is_taken_apart_once_however_often_its_parts_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    store = bytes(bytearray(_STORE))
    superbox, asked = jumbf.superbox, []
    monkeypatch.setattr(jumbf, "superbox", lambda *given: asked.append(1) or superbox(*given))
    jumbf.manifests.cache_clear()
    first = jumbf.manifests(store)
    once = len(asked)
    assert all(jumbf.manifests(bytes(bytearray(store))) == first for _ in range(5))
    assert len(asked) == once
