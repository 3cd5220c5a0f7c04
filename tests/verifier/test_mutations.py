"""Two thousand mutated files of three formats: no crash, no hang, no unmapped exception, no `trusted` for changed bytes.

Bit flips, truncations, spliced stores and absurd headers, from a fixed seed so that a failure can be repeated.
"""

from __future__ import annotations

import io
import random
import time
from dataclasses import dataclass

import pytest
from PIL import Image

from tanba.engine.write import sign
from tanba.report import Verdict
from tests.pictures import CREATED, PHOTO
from tests.pki import Credential, Pki, issue, make_key, make_pki, subject
from verifier import Settings, verify_bytes

PER_FORMAT = 670
SLOWEST_SECONDS = 5.0


@dataclass(frozen=True)
class Labelled:
    data: bytes
    settings: Settings
    excluded: tuple[tuple[int, int], ...]
    """Byte ranges (start, end) that the hard binding leaves out: the manifest itself."""

    def bound(self, at: int) -> bool:
        return not any(start <= at < end for start, end in self.excluded)


@pytest.fixture(scope="module")
def pki() -> Pki:
    return make_pki()


def labelled(pki: Pki, media_type: str, kind: str) -> Labelled:
    plain, out = io.BytesIO(), io.BytesIO()
    with Image.open(PHOTO) as picture:
        picture.resize((160, 107)).save(plain, kind)
    sign(plain, media_type, CREATED, pki.leaf().signer(), out)
    settings = Settings(trust=pki.store())
    report = verify_bytes(out.getvalue(), settings)
    assert report.verdict is Verdict.TRUSTED
    from tanba.asset import Asset
    from tanba.engine.read import read

    crjson = read(Asset.from_bytes(out.getvalue()), trust=pki.store()).crjson
    ranges = crjson["manifests"][0]["assertions"]["c2pa.hash.data"]["exclusions"]
    return Labelled(out.getvalue(), settings, tuple((r["start"], r["start"] + r["length"]) for r in ranges))


def flip(good: Labelled, rng: random.Random) -> tuple[bytes, bool]:
    data = bytearray(good.data)
    spots = [rng.randrange(len(data)) for _ in range(rng.choice((1, 1, 1, 8)))]
    for at in spots:
        data[at] ^= 1 << rng.randrange(8)
    return bytes(data), bytes(data) != good.data and any(
        good.bound(at) for at in set(spots) if data[at] != good.data[at]
    )


def flip_in_store(good: Labelled, rng: random.Random) -> tuple[bytes, bool]:
    data = bytearray(good.data)
    start, end = good.excluded[0]
    data[rng.randrange(start, end)] ^= 1 << rng.randrange(8)
    return bytes(data), False


def truncate(good: Labelled, rng: random.Random) -> tuple[bytes, bool]:
    return good.data[: rng.randrange(len(good.data))], True


def splice(good: Labelled, rng: random.Random) -> tuple[bytes, bool]:
    """The store once more somewhere else, or a piece of the file repeated."""
    start, end = good.excluded[0]
    piece = good.data[start:end] if rng.random() < 0.5 else good.data[: rng.randrange(1, len(good.data))]
    at = rng.randrange(len(good.data))
    return good.data[:at] + piece + good.data[at:], good.bound(at)


def absurd_header(good: Labelled, rng: random.Random) -> tuple[bytes, bool]:
    data = bytearray(good.data)
    at = rng.choice([0, 4, 8, 16, 20, good.excluded[0][0], good.excluded[0][0] + 4]) + rng.randrange(4)
    width = rng.choice((2, 4, 8))
    data[at : at + width] = rng.choice((b"\xff", b"\0", b"\x7f")) * width
    changed = [n for n in range(at, at + width) if data[n] != good.data[n]]
    return bytes(data), any(good.bound(n) for n in changed)


MUTATIONS = (flip, flip, flip_in_store, flip_in_store, truncate, splice, absurd_header)


@pytest.mark.parametrize(("media_type", "kind"), [("image/jpeg", "JPEG"), ("image/png", "PNG"), ("image/webp", "WEBP")])
def test_mutated_files_are_answered_in_bounded_time_and_never_trusted_when_bound_bytes_changed(
    pki: Pki, media_type: str, kind: str
) -> None:
    good = labelled(pki, media_type, kind)
    rng = random.Random(f"tanba {kind}")
    for number in range(PER_FORMAT):
        mutate = rng.choice(MUTATIONS)
        data, bound_bytes_changed = mutate(good, rng)
        started = time.monotonic()
        report = verify_bytes(data, good.settings)
        assert time.monotonic() - started < SLOWEST_SECONDS, (number, mutate.__name__)
        if bound_bytes_changed:
            assert report.verdict is not Verdict.TRUSTED, (number, mutate.__name__)
            assert report.verdict is not Verdict.VALID, (number, mutate.__name__)


@pytest.mark.parametrize("curve", [b"\x2a\xea\x48\xce\x3d\x03\x01\x07", b"\x2a\x86\x48\xce\x3d\x03\x01\x55"])
def test_a_self_signed_certificate_of_a_curve_that_nobody_knows_is_answered(curve: bytes) -> None:
    key, name = make_key(), subject("Alone", "Alone")
    alone = issue("Alone", key.public_key(), name, key, organization="Alone")
    signer = Credential("es256", key, alone, (alone,)).signer()
    plain, out = io.BytesIO(), io.BytesIO()
    Image.new("RGB", (16, 16)).save(plain, "PNG")
    sign(plain, "image/png", CREATED, signer, out)
    prime256v1 = b"\x2a\x86\x48\xce\x3d\x03\x01\x07"
    assert verify_bytes(out.getvalue()).verdict is Verdict.VALID
    assert verify_bytes(out.getvalue().replace(prime256v1, curve, 1)).verdict is Verdict.INVALID
