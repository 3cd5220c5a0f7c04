"""Labels made while no authority answered are stamped later, and then outlive their certificate."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import keys
from keys import late, late_stamp, timestamping, tsa
from tanba.asset import Asset
from tanba.cli import main
from tanba.engine.read import read
from tanba.engine.write import sign_detached
from tanba.errors import TimestampError, UnsupportedFormat
from tests.beside import beside
from tests.keys.conftest import DEFINITION, Home, codes, label_picture, read_picture
from tests.pki import now


@pytest.fixture
def authority(home: Home) -> Iterator[str]:
    made = tsa.local(home.keys, now())
    tsa.trust(home.keys, home.trust_dir, now())
    with beside(tsa.server(made, now)) as url:
        yield url


def after(moment: datetime) -> None:
    time.sleep(max(0.0, (moment - datetime.now(UTC)).total_seconds()) + 1.1)


def test_a_sidecar_and_a_picture_stamped_later_stay_trusted_after_the_certificate_expired(
    home: Home, authority: str, pki, picture: bytes, tmp_path: Path
) -> None:
    leaf = pki.leaf(ends=timedelta(seconds=4))
    sidecar, image = tmp_path / "a.txt.c2pa", tmp_path / "a.png"
    sidecar.write_bytes(sign_detached(b"text", DEFINITION, leaf.signer()))
    image.write_bytes(label_picture(picture, leaf.signer()))
    plain = sidecar.read_bytes()
    late_stamp.stamp_sidecar(sidecar, (authority,))
    with timestamping([authority]) as stamps:
        late_stamp.stamp_embedded(image, leaf.signer(), stamps)
    after(leaf.certificate.not_valid_after_utc)
    trust = home.trust().plus(pki.trust_list())

    def text(store: bytes) -> str | None:
        return read(Asset.from_bytes(b"text", name="a.txt"), trust=trust, manifest=store).state

    assert text(sidecar.read_bytes()) == "Trusted"
    assert text(plain) == "Invalid"
    evidence = read_picture(image.read_bytes(), trust)
    assert evidence.state == "Trusted"
    assert "timeStamp.trusted" in codes(evidence)


def test_a_picture_keeps_its_first_label_under_the_update(authority: str, pki, picture: bytes, tmp_path: Path) -> None:
    from tanba import jumbf

    image = tmp_path / "a.png"
    image.write_bytes(label_picture(picture, pki.leaf().signer()))
    before = read_picture(image.read_bytes(), pki.store())
    with timestamping([authority]) as stamps:
        late_stamp.stamp_embedded(image, pki.leaf().signer(), stamps)
    evidence = read_picture(image.read_bytes(), pki.store())
    assert evidence.store is not None
    assert before.active in [item.label for item in jumbf.manifests(evidence.store)]
    assert evidence.active != before.active


def test_when_no_authority_answers_the_file_stays_as_it_was(pki, picture: bytes, tmp_path: Path) -> None:
    image = tmp_path / "a.png"
    image.write_bytes(label_picture(picture, pki.leaf().signer()))
    before = image.read_bytes()
    with timestamping(["http://127.0.0.1:9/"], timeout=0.5) as stamps, pytest.raises(TimestampError):
        late_stamp.stamp_embedded(image, pki.leaf().signer(), stamps)
    assert image.read_bytes() == before
    assert [item.name for item in tmp_path.iterdir()] == ["a.png"]


def test_a_label_inside_a_text_is_labelled_again_instead(authority: str, pki, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("text")
    with timestamping([authority]) as stamps, pytest.raises(UnsupportedFormat):
        late_stamp.stamp_embedded(tmp_path / "a.txt", pki.leaf().signer(), stamps)


def test_what_waits_is_stamped_by_one_command_and_what_fails_goes_on_waiting(
    home: Home, authority: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TANBA_KEYS_DIR", str(home.keys))
    monkeypatch.setenv("TANBA_TRUST_DIR", str(home.trust_dir))
    keys.ensure_development_identity(home.keys, home.trust_dir)
    with keys.open_identity(home=home.keys) as signer:
        (tmp_path / "a.txt.c2pa").write_bytes(sign_detached(b"text", DEFINITION, signer))
        for name in ("a.txt.c2pa", "gone.c2pa"):
            late.queue(
                home.keys, tmp_path / name, identity=signer.name, label_id="urn:c2pa:1",
                reason="tanba.timestamp.down", now=now(),
            )  # fmt: skip
    with pytest.raises(SystemExit) as left:
        main(["keys", "stamp", "--queued", "--timestamp", authority, "--json"])
    assert left.value.code == 5
    first, second = json.loads(capsys.readouterr().out)
    assert first["time"]
    assert second["error"]["code"] == "tanba.keys.unreadable"
    assert [Path(item.path).name for item in late.queued(home.keys)] == ["gone.c2pa"]
    evidence = read(
        Asset.from_bytes(b"text", name="a.txt"), trust=home.trust(), manifest=(tmp_path / "a.txt.c2pa").read_bytes()
    )
    assert "timeStamp.trusted" in codes(evidence)
