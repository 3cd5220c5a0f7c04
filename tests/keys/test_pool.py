"""Identities kept open: opened once, followed through rotations, closed after errors and by the last user."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

import keys
from keys import close_kept, kept_identity, lifecycle
from keys.development import utc_now
from keys.providers import file
from keys.states import State
from tanba.errors import IdentityNotFound, IdentityNotUsable, ProviderUnavailable
from tests.keys.conftest import Home, label_picture, read_picture


@pytest.fixture
def opened(home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A journal of what the file provider really opens and closes."""
    journal: list[str] = []
    real = file.open_key

    @contextmanager
    def watched(reference):
        journal.append("open")
        with real(reference) as key:
            yield key
        journal.append("close")

    monkeypatch.setattr(file, "open_key", watched)
    keys.ensure_development_identity(home.keys, home.trust_dir)
    journal.clear()
    yield journal
    close_kept()


def test_it_is_opened_once_for_many_labels(home: Home, opened: list[str]) -> None:
    for _ in range(5):
        with kept_identity(home=home.keys) as signer:
            assert signer.sign(b"data")
    assert opened == ["open"]


def test_a_rotation_reaches_the_next_label_and_the_running_one_finishes_with_its_key(
    home: Home, opened: list[str]
) -> None:
    with kept_identity(home=home.keys) as first:
        lifecycle.rotate(home.keys, "development", clock=utc_now)
        opened.clear()
        with kept_identity(home=home.keys) as second:
            assert second.name != first.name
            assert "close" not in opened
        assert first.sign(b"data")
    assert "close" in opened


def test_a_revocation_stops_it_at_once(home: Home, opened: list[str]) -> None:
    with kept_identity(home=home.keys) as signer:
        name = signer.name
    lifecycle.move(home.keys, name, State.REVOKED, clock=utc_now, reason="keyCompromise")
    with pytest.raises(IdentityNotFound), kept_identity(home=home.keys):
        pass


def test_it_does_not_outlive_its_certificate(home: Home, opened: list[str]) -> None:
    with kept_identity(home=home.keys):
        pass
    with pytest.raises(IdentityNotUsable), kept_identity(home=home.keys, clock=lambda: utc_now() + timedelta(days=400)):
        pass


def test_a_signature_that_fails_closes_it(home: Home, opened: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(*_: object) -> bytes:
        raise OSError("the session is gone")

    with monkeypatch.context() as broken:
        broken.setattr(file.MemoryKey, "sign", lost)
        with pytest.raises(ProviderUnavailable), kept_identity(home=home.keys) as signer:
            signer.sign(b"data")
    with kept_identity(home=home.keys) as signer:
        assert signer.sign(b"data")
    assert opened == ["open", "close", "open"]


def test_a_callers_own_error_does_not_cost_an_opening(home: Home, opened: list[str]) -> None:
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), kept_identity(home=home.keys):
            raise ZeroDivisionError
    assert opened == ["open"]


def test_a_process_closes_what_it_kept_open_when_it_ends(home: Home) -> None:
    keys.ensure_development_identity(home.keys, home.trust_dir)
    program = """if True:
        import pathlib, sys
        from contextlib import contextmanager
        from keys import kept_identity
        from keys.providers import file
        real = file.open_key
        @contextmanager
        def watched(reference):
            with real(reference) as key:
                yield key
            print("closed")
        file.open_key = watched
        with kept_identity(home=pathlib.Path(sys.argv[1])) as signer:
            print("signed", len(signer.sign(b"data")))
    """
    done = subprocess.run([sys.executable, "-c", program, home.keys], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n") == ["signed 64", "closed", ""]


def test_rotating_under_load_loses_no_label_and_each_is_trusted(home: Home, picture: bytes) -> None:
    import threading
    from concurrent.futures import ThreadPoolExecutor

    keys.ensure_development_identity(home.keys, home.trust_dir)
    trust = home.trust()
    stop = threading.Event()

    def work(_: int) -> list[tuple[str, str | None]]:
        made = []
        while not stop.is_set():
            with kept_identity(home=home.keys) as signer:
                made.append((signer.name, read_picture(label_picture(picture, signer), trust).state))
        return made

    with ThreadPoolExecutor(3) as pool:
        workers = [pool.submit(work, number) for number in range(3)]
        try:
            for _ in range(10):
                lifecycle.rotate(home.keys, "development", clock=utc_now)
                stop.wait(0.1)
        finally:
            stop.set()
        made = [item for worker in workers for item in worker.result()]
    close_kept()
    assert {state for _, state in made} == {"Trusted"}
    assert len({name for name, _ in made}) > 3, "several keys have signed"
