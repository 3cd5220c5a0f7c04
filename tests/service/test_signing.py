"""The service's keys and time stamps: opened once, followed through rotations, stamped by whoever answers in time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from starlette.testclient import TestClient

import keys
from keys import close_kept, lifecycle, tsa
from keys.development import utc_now
from keys.providers import file
from keys.states import State
from service import work
from service.app import create_app
from tanba.errors import CredentialError
from tanba.limits import Limits
from tanba.model import Disclosure, Involvement
from tests.beside import beside
from tests.keys.test_timestamps import MISBEHAVING, serving
from tests.pki import make_pki
from tests.service.conftest import Service, jpeg, make_settings

NOBODY = "http://127.0.0.1:9/"


@contextmanager
def running(folder: Path, **changes) -> Iterator[Service]:
    with TestClient(create_app(make_settings(folder, **changes)), base_url="http://127.0.0.1:8000") as client:
        yield Service(client)


def task(tmp_path: Path, content: bytes) -> work.LabelTask:
    source = tmp_path / "in.jpg"
    source.write_bytes(content)
    return work.LabelTask(
        file=work.FileRef(path=source, name="in.jpg", sha256="0" * 64, size=len(content)),
        output=tmp_path / "out.jpg",
        disclosure=Disclosure(involvement=Involvement.GENERATED, system="X"),
        options={},
        profiles=(),
        parent=None,
        identity=None,
        keys_dir=tmp_path / "keys",
        trust=work.TrustRef(folder=tmp_path / "trust", digest="x"),
        limits=Limits(),
    )


def test_a_worker_opens_its_key_once_and_follows_rotation_and_revocation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    real = file.open_key

    @contextmanager
    def watched(reference):
        opened.append(reference.directory.name)
        with real(reference) as key:
            yield key

    keys.ensure_development_identity(tmp_path / "keys", tmp_path / "trust")
    monkeypatch.setattr(file, "open_key", watched)
    one = task(tmp_path, jpeg())
    try:
        first = [work.label(one).receipt["identity"]["name"] for _ in range(4)]
        assert (len(set(first)), len(opened)) == (1, 1)
        broken = task(tmp_path, b"\xff\xd8\xff not a picture")
        with pytest.raises(Exception, match=r".+"):
            work.label(broken)
        one = task(tmp_path, jpeg())
        assert work.label(one).receipt["identity"]["name"] == first[0]
        assert len(opened) == 1, "a bad file costs no opening"
        lifecycle.rotate(tmp_path / "keys", "development", clock=utc_now)
        opened.clear()
        second = [work.label(one).receipt["identity"]["name"] for _ in range(3)]
        assert (len(set(second)), len(opened)) == (1, 1)
        assert second[0] != first[0]
        lifecycle.move(tmp_path / "keys", second[0], State.REVOKED, clock=utc_now, reason="keyCompromise")
        with pytest.raises(CredentialError):
            work.label(one)
    finally:
        close_kept()


def test_a_revocation_names_the_labels_that_the_service_made(tmp_path: Path) -> None:
    from keys import publish

    with running(tmp_path) as service:
        made = [service.label(jpeg((number, 0, 0))).json()["label_id"] for number in range(3)]
    revoked = lifecycle.move(tmp_path / "keys", "development", State.REVOKED, clock=utc_now, reason="keyCompromise")
    assert list(publish.revocation(tmp_path / "keys", revoked, since=None).label_ids) == made


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[str]:
    home = tmp_path / "keys"
    stamping = tsa.local(home, utc_now())
    tsa.trust(home, tmp_path / "trust", utc_now())
    with beside(tsa.server(stamping, utc_now)) as url:
        yield url


def test_the_second_authority_stamps_when_the_first_is_down(tmp_path: Path, authority: str) -> None:
    with running(tmp_path, timestamp_url=f"{NOBODY} {authority}") as service:
        made = service.label(jpeg(), timestamp="true")
        assert made.status_code == 201, made.text
        assert made.json()["timestamp"]["trusted"]
        content = service.http.get(made.headers["location"] + "/content").content
        assert service.verify(content).json()["answers"]["time"]["state"] == "timestamped"


@pytest.mark.parametrize("policy", ["fail", "without"])
def test_an_authority_that_will_not_do_is_answered_by_the_policy_in_time(policy: str, tmp_path: Path) -> None:
    leaf = (pki := make_pki()).tsa()
    stamping = tsa.LocalTsa((*leaf.chain, pki.root), leaf.key)
    for case in ("never answers", "stamps a time in the future"):
        code, behave = MISBEHAVING[case]
        with (
            serving(behave(stamping)) as url,
            running(tmp_path / code, timestamp_url=url, timestamp_policy=policy, timestamp_seconds=0.5) as service,
        ):
            began = time.monotonic()
            made = service.label(jpeg(), timestamp="true")
            assert time.monotonic() - began < 8
            if policy == "fail":
                assert (made.status_code, made.json()["code"]) == (503, f"tanba.timestamp.{code}"), case
            else:
                assert made.status_code == 201, case
                assert made.json()["timestamp"] is None
                assert made.json()["warnings"][0].startswith("signed without a time stamp")


def test_without_a_configured_authority_a_wish_for_a_stamp_is_refused(service: Service) -> None:
    answer = service.label(jpeg(), timestamp="true")
    assert (answer.status_code, answer.json()["code"]) == (422, "tanba.timestamp.not_configured")


@pytest.mark.parametrize("url", ["ftp://tsa.example/", "tsa.example", "https://user:secret@tsa.example/"])
def test_what_is_no_address_of_an_authority_stops_the_start(url: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="timestamp_url"):
        make_settings(tmp_path, timestamp_url=url)
