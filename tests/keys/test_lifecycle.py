"""The life of identities: every change allowed or refused, rotation by two processes at once, what lies on the disk."""

from __future__ import annotations

import multiprocessing
import stat
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import keys
from keys import development, history, keyring, lifecycle, open_identity, pkcs8, publish
from keys.development import utc_now
from keys.keyring import IdentityInfo, Keyring
from keys.lifecycle import Plan
from keys.states import ALLOWED, State
from tanba.errors import (
    CredentialError,
    IdentityNotFound,
    IdentityNotUsable,
    PassphraseRequired,
    StorageError,
    TransitionRefused,
    UsageError,
)
from tests.keys.conftest import Home, label_picture, read_picture
from tests.pki import key_pem, make_key, now

P, A, G, D, R = State.PENDING, State.ACTIVE, State.RETIRING, State.RETIRED, State.REVOKED
OK, NO = True, False

TRANSITIONS = {
    "a pending identity can be activated": (P, A, OK),
    "a pending identity can be revoked before it was ever used": (P, R, OK),
    "a pending identity cannot retire, because it never worked": (P, G, NO),
    "a pending identity cannot be retired outright": (P, D, NO),
    "a pending identity cannot become pending": (P, P, NO),
    "an active identity can start retiring": (A, G, OK),
    "an active identity can be revoked": (A, R, OK),
    "an active identity cannot be retired without a grace period": (A, D, NO),
    "an active identity cannot go back to pending": (A, P, NO),
    "an active identity cannot be activated again": (A, A, NO),
    "a retiring identity can be retired": (G, D, OK),
    "a retiring identity can be revoked": (G, R, OK),
    "a retiring identity cannot be brought back": (G, A, NO),
    "a retiring identity cannot go back to pending": (G, P, NO),
    "a retiring identity cannot start retiring again": (G, G, NO),
    "a retired identity can still be revoked": (D, R, OK),
    "a retired identity cannot be brought back": (D, A, NO),
    "a retired identity cannot start retiring": (D, G, NO),
    "a retired identity cannot go back to pending": (D, P, NO),
    "a retired identity cannot be retired again": (D, D, NO),
    "a revoked identity cannot go back to pending": (R, P, NO),
    "a revoked identity cannot be activated": (R, A, NO),
    "a revoked identity cannot start retiring": (R, G, NO),
    "a revoked identity cannot be retired": (R, D, NO),
    "a revoked identity cannot be revoked again": (R, R, NO),
}


def entry(name: str = "line@2026-01-01", state: State = P, **changes) -> IdentityInfo:
    made = IdentityInfo(name, name.partition("@")[0], state, "es256", "file", now(), fingerprint="ab", public_key="cd")
    return replace(made, **changes)


@pytest.mark.parametrize("case", TRANSITIONS)
def test_life_cycle(case: str) -> None:
    old, new, allowed = TRANSITIONS[case]
    ring = Keyring((entry(state=old),))
    if allowed:
        assert ring.move("line@2026-01-01", new, now()).find("line").state is new
    else:
        with pytest.raises(TransitionRefused) as caught:
            ring.move("line@2026-01-01", new, now())
        assert caught.value.details == {"identity": "line@2026-01-01", "from": old.value, "to": new.value}
        assert caught.value.hint


def test_the_table_above_speaks_of_every_pair_of_states() -> None:
    told = {(old, new): allowed for old, new, allowed in TRANSITIONS.values()}
    assert set(told) == {(old, new) for old in State for new in State}
    assert {pair for pair, allowed in told.items() if allowed} == ALLOWED


@pytest.mark.parametrize(("state", "signs"), [(P, False), (A, True), (G, True), (D, False), (R, False)], ids=str)
def test_who_may_sign(state: State, signs: bool) -> None:
    if signs:
        assert keyring.usable(entry(state=state), now()).name
    else:
        with pytest.raises(IdentityNotUsable) as caught:
            keyring.usable(entry(state=state), now())
        assert caught.value.hint


def test_an_expired_or_future_certificate_does_not_sign() -> None:
    late = entry(state=A, not_before=now() - timedelta(days=9), not_after=now() - timedelta(days=1))
    early = entry(state=A, not_before=now() + timedelta(days=1), not_after=now() + timedelta(days=9))
    codes = []
    for item in (late, early):
        with pytest.raises(IdentityNotUsable) as caught:
            keyring.usable(item, now())
        codes.append(caught.value.code)
    assert codes == ["tanba.keys.expired", "tanba.keys.not_yet_valid"]


def test_a_keyring_with_two_active_identities_for_one_purpose_and_tenant_is_never_written(home: Home) -> None:
    two = Keyring((entry("a@2026-01-01", A), entry("b@2026-01-01", A)))
    with pytest.raises(CredentialError), keyring.changing(home.keys) as save:
        save(two)
    assert keyring.load(home.keys) == Keyring()


def test_each_purpose_and_each_tenant_has_its_own_active_identity(home: Home) -> None:
    ring = Keyring((entry("a@1", A), entry("b@1", A, tenant="x"), entry("c@1", A, purpose="log")))
    with keyring.changing(home.keys) as save:
        save(ring)
    found = keyring.load(home.keys)
    assert found == ring
    assert [found.active().name, found.active(tenant="x").name, found.active("log").name] == ["a@1", "b@1", "c@1"]


def test_first_use_makes_a_development_identity_that_is_trusted_here_and_only_valid_elsewhere(
    home: Home, picture: bytes, pki
) -> None:
    info, made = keys.ensure_development_identity(home.keys, home.trust_dir)
    again, made_again = keys.ensure_development_identity(home.keys, home.trust_dir)
    assert (made, made_again, again) == (True, False, info)
    assert info.organization
    with open_identity(home=home.keys) as signer:
        labelled = label_picture(picture, signer)
    assert read_picture(labelled, home.trust()).state == "Trusted"
    assert read_picture(labelled, pki.store()).state == "Valid"


def test_private_files_are_only_the_owners_and_nothing_secret_stands_in_the_keyring(home: Home) -> None:
    keys.ensure_development_identity(home.keys, home.trust_dir)
    for path in (home.keys, *home.keys.rglob("*")):
        mode = stat.S_IMODE(path.stat().st_mode)
        private = path.is_dir() or b"PRIVATE KEY" in path.read_bytes()
        assert not (mode & 0o077 if private else mode & 0o022), path.name
    assert b"PRIVATE" not in (home.keys / "keyring.toml").read_bytes()
    assert not [path for path in home.keys.rglob(".*") if path.name != ".lock"], "no temporary file is left"


def test_the_development_roots_private_key_is_thrown_away(home: Home) -> None:
    info, _ = keys.ensure_development_identity(home.keys, home.trust_dir)
    private = {
        path.relative_to(home.keys).as_posix()
        for path in home.keys.rglob("*")
        if path.is_file() and b"PRIVATE KEY" in path.read_bytes()
    }
    assert private == {"authority/issuing.key", f"{info.name}/key.pem"}


def test_a_key_file_that_others_can_read_is_refused(home: Home) -> None:
    info, _ = keys.ensure_development_identity(home.keys, home.trust_dir)
    (home.keys / info.name / "key.pem").chmod(0o644)
    with pytest.raises(CredentialError) as caught, open_identity(home=home.keys):
        pass
    assert caught.value.code == "tanba.keys.permissions"


def test_an_expired_development_identity_is_replaced_and_its_old_root_stays_trusted(home: Home) -> None:
    old, _ = keys.ensure_development_identity(home.keys, home.trust_dir)
    later = utc_now() + timedelta(days=5 * 365)
    new, made = keys.ensure_development_identity(home.keys, home.trust_dir, lambda: later)
    assert made
    assert new.name != old.name
    states = {item.name: item.state for item in keys.list_identities(home=home.keys)}
    assert states == {old.name: G, new.name: A}
    assert home.trust().lists[0].anchors_pem.count("BEGIN CERTIFICATE") == 2


def test_after_a_revocation_no_development_identity_is_invented(home: Home) -> None:
    info, _ = keys.ensure_development_identity(home.keys, home.trust_dir)
    lifecycle.move(home.keys, info.name, R, clock=utc_now, reason="keyCompromise")
    with pytest.raises(IdentityNotUsable):
        keys.ensure_development_identity(home.keys, home.trust_dir)
    with pytest.raises(IdentityNotFound), open_identity(home=home.keys):
        pass
    with pytest.raises(IdentityNotUsable), open_identity(info.name, home=home.keys):
        pass


def test_a_rotation_hands_over_at_once_and_the_old_identity_may_finish_its_work(home: Home, picture: bytes) -> None:
    first, _ = keys.ensure_development_identity(home.keys, home.trust_dir)
    with open_identity(home=home.keys) as in_the_middle:
        second = lifecycle.rotate(home.keys, "development", clock=utc_now)
        assert read_picture(label_picture(picture, in_the_middle), home.trust()).state == "Trusted"
    assert second.fingerprint != first.fingerprint
    assert second.public_key != first.public_key, "every renewal is a new key"
    with open_identity(home=home.keys) as signer:
        assert signer.name == second.name
    with open_identity(first.name, home=home.keys) as signer:
        assert signer.state is G
    lifecycle.move(home.keys, first.name, D, clock=utc_now)
    with pytest.raises(IdentityNotUsable), open_identity(first.name, home=home.keys):
        pass


def test_the_name_of_a_line_never_falls_back_to_a_retiring_predecessor(home: Home) -> None:
    first, _ = keys.ensure_development_identity(home.keys, home.trust_dir)
    second = lifecycle.rotate(home.keys, "development", clock=utc_now)
    lifecycle.move(home.keys, second.name, R, clock=utc_now, reason="keyCompromise")
    with pytest.raises(IdentityNotUsable), open_identity("development", home=home.keys):
        pass
    with open_identity(first.name, home=home.keys) as signer:
        assert signer.state is G


def test_the_name_of_a_line_is_enough_only_where_one_identity_can_be_meant(home: Home) -> None:
    first, _ = keys.ensure_development_identity(home.keys, home.trust_dir)
    lifecycle.rotate(home.keys, "development", clock=utc_now)
    with pytest.raises(UsageError) as caught:
        lifecycle.move(home.keys, "development", R, clock=utc_now, reason="keyCompromise")
    assert first.name in (caught.value.hint or "")
    assert lifecycle.move(home.keys, "development", D, clock=utc_now).name == first.name


def _rotate(home: Path, barrier, results) -> None:
    barrier.wait()
    try:
        results.put(lifecycle.rotate(home, "development", clock=utc_now).name)
    except (TransitionRefused, StorageError) as error:
        results.put(error.code)


def test_two_processes_rotating_at_once_leave_one_consistent_keyring(home: Home) -> None:
    keys.ensure_development_identity(home.keys, home.trust_dir)
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(2), context.Queue()
    workers = [context.Process(target=_rotate, args=(home.keys, barrier, results)) for _ in range(2)]
    for worker in workers:
        worker.start()
    made = {results.get(timeout=30) for _ in workers}
    for worker in workers:
        worker.join(30)
    assert len(made) == 2, "each made its own"
    ring = keyring.load(home.keys)
    assert sorted(item.state for item in ring.entries) == [A, G, G]
    assert len({item.name for item in ring.entries}) == 3
    with open_identity(home=home.keys) as signer:
        assert signer.sign(b"data")


def test_a_crash_before_the_keyring_is_written_leaves_the_old_one(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    info, _ = keys.ensure_development_identity(home.keys, home.trust_dir)
    before = (home.keys / "keyring.toml").read_bytes()

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", crash)
    with pytest.raises(KeyboardInterrupt):
        lifecycle.rotate(home.keys, info.name, clock=utc_now)
    assert (home.keys / "keyring.toml").read_bytes() == before


@pytest.mark.parametrize(
    "content", ["", "schema = 3", "not toml [", 'schema = "tanba.keyring/1"\n[[identity]]\nname = 3\n']
)
def test_a_keyring_that_cannot_be_understood_is_refused_not_half_believed(home: Home, content: str) -> None:
    home.keys.mkdir()
    (home.keys / "keyring.toml").write_text(content)
    with pytest.raises(StorageError):
        keyring.load(home.keys)


@pytest.mark.parametrize("name", ["", "../x", "a/b", "A", "é", ".hidden", "x" * 49, "a b"])
def test_a_name_that_could_leave_its_folder_is_refused(home: Home, name: str) -> None:
    with pytest.raises(UsageError):
        lifecycle.create(home.keys, Plan(name), clock=utc_now)


def test_a_chain_that_was_swapped_behind_the_keyrings_back_is_refused(home: Home, pki) -> None:
    info, _ = keys.ensure_development_identity(home.keys, home.trust_dir)
    (home.keys / info.name / "chain.pem").write_bytes(pki.leaf().chain_pem)
    with pytest.raises(CredentialError) as caught, open_identity(home=home.keys):
        pass
    assert caught.value.code == "tanba.keys.chain_changed"


class TestPassphrases:
    """Encrypted PKCS#8."""

    def test_openssl_opens_what_we_encrypted(self, tmp_path: Path) -> None:
        key = make_key()
        path = tmp_path / "key.pem"
        path.write_bytes(pkcs8.dump(key, "correct horse", scrypt_n=1 << 14))
        done = subprocess.run(
            ["openssl", "pkcs8", "-in", path, "-passin", "pass:correct horse"], capture_output=True, check=True
        )
        assert done.stdout == key_pem(key)

    def test_we_open_what_openssl_encrypted(self, tmp_path: Path) -> None:
        path = tmp_path / "key.pem"
        path.write_bytes(key_pem(make_key()))
        done = subprocess.run(
            ["openssl", "pkcs8", "-topk8", "-v2", "aes-256-cbc", "-in", path, "-passout", "pass:x"],
            capture_output=True, check=True,
        )  # fmt: skip
        assert pkcs8.load(done.stdout, "x").key_size == 256

    def test_the_default_cost_of_one_guess_is_scrypt_with_128_mib(self) -> None:
        sealed = pkcs8.dump(make_key("ed25519"), "x")
        done = subprocess.run(["openssl", "asn1parse"], input=sealed, capture_output=True, check=True)
        assert b"scrypt" in done.stdout
        assert b"INTEGER           :020000" in done.stdout
        assert pkcs8.load(sealed, "x")

    @pytest.mark.parametrize("given", [None, "", "wrong"])
    def test_a_missing_or_wrong_pass_phrase_is_its_own_error(self, given: str | None) -> None:
        sealed = pkcs8.dump(make_key(), "right", scrypt_n=1 << 14)
        with pytest.raises(PassphraseRequired) as caught:
            pkcs8.load(sealed, given)
        assert "right" not in str(caught.value.to_dict())

    def test_an_empty_pass_phrase_is_refused(self) -> None:
        with pytest.raises(PassphraseRequired):
            pkcs8.dump(make_key(), "")


class TestHistory:
    """Which labels were made with which certificate."""

    def test_a_revocation_names_the_labels_it_touches_and_what_to_publish(self, home: Home) -> None:
        info, _ = keys.ensure_development_identity(home.keys, home.trust_dir)
        moments = [datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2, 3)]
        for number, moment in enumerate(moments):
            keys.record_use(info.fingerprint, f"urn:c2pa:{number}", moment, home=home.keys)
        keys.record_use("ff" * 32, "urn:c2pa:other", moments[0], home=home.keys)
        revoked = lifecycle.move(home.keys, info.name, R, clock=utc_now, reason="keyCompromise")
        told = publish.revocation(home.keys, revoked, since=moments[1])
        assert told.label_ids == ("urn:c2pa:1", "urn:c2pa:2")
        assert told.to_do
        assert publish.revocation(home.keys, revoked, since=None).labels == 3

    def test_a_line_cut_short_by_a_crash_is_passed_over(self, home: Home) -> None:
        keys.record_use("aa", "one", now(), home=home.keys)
        with (home.keys / history.FILE).open("a") as stream:
            stream.write('{"fingerprint": "aa", "lab\n')
        keys.record_use("aa", "two", now(), home=home.keys)
        assert [use.label_id for use in history.uses(home=home.keys)] == ["one", "two"]

    def test_an_absurd_identifier_is_refused(self, home: Home) -> None:
        with pytest.raises(StorageError):
            keys.record_use("aa", "x" * 5000, now(), home=home.keys)


def test_what_is_exported_is_enough_to_verify_and_holds_no_secret(home: Home, picture: bytes, tmp_path: Path) -> None:
    import hashlib
    import json

    from tanba.trust import TrustList, TrustStore

    keys.ensure_development_identity(home.keys, home.trust_dir)
    done = publish.export_public(home.keys, "development", tmp_path / "public", now=now())
    anchors = tmp_path / "public" / "anchors.pem"
    assert hashlib.sha256(anchors.read_bytes()).hexdigest() == done.sha256
    assert json.loads((tmp_path / "public" / "list.json").read_text())["sha256"] == done.sha256
    assert all(b"PRIVATE" not in path.read_bytes() for path in (tmp_path / "public").iterdir())
    with open_identity(home=home.keys) as signer:
        labelled = label_picture(picture, signer)
    store = TrustStore((TrustList.from_file("theirs", anchors),))
    assert read_picture(labelled, store).state == "Trusted"


def test_the_development_authority_names_itself_as_not_real(home: Home) -> None:
    info, _ = keys.ensure_development_identity(home.keys, home.trust_dir)
    assert "not real" in info.organization
    assert development.existing(home.keys) is not None
