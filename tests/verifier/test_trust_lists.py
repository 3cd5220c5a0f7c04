"""Named trust lists on disk and at the command line: real lists, pins, signatures, tampering, age."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st

from tanba import trustdir, x509
from tanba.errors import TrustError, UsageError
from tanba.report import SignerState, TimeState, Verdict
from tanba.trust import DEFAULT_EKUS, Purpose, TrustList, TrustStore
from tests import corpus
from tests.pki import C2PA_SIGNING, EMAIL, Pki, make_pki
from tests.verifier.conftest import labelled
from verifier import Settings, verify_bytes
from verifier.checks import lists
from verifier.trust_cli import trust as trust_command

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
REAL = (
    ("c2pa.pem", Purpose.MANIFEST, 30),
    ("tsa.pem", Purpose.TSA, 22),
    ("itl_anchors.pem", Purpose.MANIFEST, 18),
    ("itl_allowed.pem", Purpose.MANIFEST, 86),
    ("test_roots.pem", Purpose.MANIFEST, 8),
    ("c2patxt-signer.pem", Purpose.MANIFEST, 1),
)


def listed(pki: Pki, **changes: object) -> TrustList:
    return TrustList(
        **{"name": "newsroom", "purpose": Purpose.MANIFEST, "anchors_pem": pki.root_pem.decode(), **changes}
    )  # type: ignore[arg-type]  # a table of keywords


@corpus.needs_corpus
@pytest.mark.parametrize(("file", "purpose", "certificates"), REAL, ids=str)
def test_a_published_list_is_stored_and_read_back_whole(
    tmp_path: Path, file: str, purpose: Purpose, certificates: int
) -> None:
    text = (corpus.HOME / "trust" / file).read_text("utf-8")
    item = TrustList("list", purpose, text, source=file, date="2026-08-21")
    trustdir.add(tmp_path, item, now=NOW)
    found = trustdir.load(tmp_path).lists[0]
    assert found == item
    assert trustdir.check_content(found) == certificates


@corpus.needs_corpus
def test_the_published_key_usage_file_holds_the_six_usages_of_the_programme() -> None:
    for file in ("store.cfg", "itl_store.cfg"):
        found = trustdir.parse_ekus((corpus.HOME / "trust" / file).read_text("utf-8"))
        assert set(found) == set(DEFAULT_EKUS)


def test_an_empty_or_missing_directory_is_the_empty_store(tmp_path: Path) -> None:
    assert trustdir.load(tmp_path) == TrustStore.empty()
    assert trustdir.load(tmp_path / "nowhere") == TrustStore.empty()


def test_a_list_that_was_changed_behind_our_back_is_refused(tmp_path: Path, pki: Pki) -> None:
    trustdir.add(tmp_path, listed(pki), now=NOW)
    (tmp_path / "newsroom.pem").write_bytes(make_pki().root_pem)
    with pytest.raises(TrustError) as caught:
        trustdir.load(tmp_path)
    assert caught.value.code == "tanba.trust.changed"


@pytest.mark.parametrize("damage", ["garbage = ", 'purpose = "everything"\nsha256 = ""', ""])
def test_a_damaged_description_is_refused_by_name(tmp_path: Path, pki: Pki, damage: str) -> None:
    trustdir.add(tmp_path, listed(pki), now=NOW)
    (tmp_path / "newsroom.toml").write_text(damage)
    with pytest.raises(TrustError, match="newsroom"):
        trustdir.load(tmp_path)


def test_the_list_without_a_date_is_dated_by_the_day_it_was_added(tmp_path: Path, pki: Pki) -> None:
    entry = trustdir.add(tmp_path, listed(pki), now=NOW)
    assert trustdir.load(tmp_path).lists[0].date == "2026-11-23"
    assert entry.age_days(NOW + timedelta(days=7)) == 7


@pytest.mark.parametrize("name", ["", "A", "../up", "a/b", ".hidden", "x" * 65, "ю", "a b", "con\n"])
def test_a_name_that_could_leave_the_directory_is_refused(tmp_path: Path, pki: Pki, name: str) -> None:
    with pytest.raises(UsageError):
        trustdir.add(tmp_path, listed(pki, name=name), now=NOW)
    assert not list(tmp_path.iterdir())


def test_a_pin_must_match_the_bytes_of_the_file(tmp_path: Path, pki: Pki) -> None:
    good = hashlib.sha256(pki.root_pem).hexdigest()
    with pytest.raises(TrustError) as caught:
        trustdir.add(tmp_path, listed(pki), pin_sha256="0" * 64, now=NOW)
    assert caught.value.code == "tanba.trust.pin_mismatch"
    assert trustdir.add(tmp_path, listed(pki), pin_sha256=good.upper(), now=NOW)


def test_a_certificate_that_does_not_parse_keeps_the_whole_list_out(tmp_path: Path, pki: Pki) -> None:
    broken = pki.root_pem.decode().replace("MII", "MIJ", 1)
    with pytest.raises(TrustError) as caught:
        trustdir.add(tmp_path, listed(pki, anchors_pem=broken), now=NOW)
    assert caught.value.code == "tanba.trust.bad_certificate"


def test_an_update_needs_a_digest_or_a_signature_and_keeps_the_old_list_otherwise(tmp_path: Path, pki: Pki) -> None:
    trustdir.add(tmp_path, listed(pki), now=NOW)
    new = make_pki().root_pem
    with pytest.raises(TrustError) as caught:
        trustdir.update(tmp_path, "newsroom", new, now=NOW)
    assert caught.value.code == "tanba.trust.unpinned"
    assert trustdir.load(tmp_path).lists[0].anchors_pem == pki.root_pem.decode()
    made = trustdir.update(tmp_path, "newsroom", new, pin_sha256=hashlib.sha256(new).hexdigest(), now=NOW)
    assert made.list.anchors_pem == new.decode()


def keys() -> list[tuple[str, object]]:
    return [("ed25519", ed25519.Ed25519PrivateKey.generate()), ("ecdsa", ec.generate_private_key(ec.SECP256R1()))]


def signature(key: object, data: bytes) -> bytes:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(data)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key.sign(data, ec.ECDSA(hashes.SHA256()))


def public_pem(key: object) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()  # type: ignore[attr-defined]  # any private key


@pytest.mark.parametrize("key", [key for _, key in keys()], ids=[name for name, _ in keys()])
def test_an_update_signed_by_the_recorded_publisher_is_taken_and_any_other_refused(
    tmp_path: Path, pki: Pki, key: object
) -> None:
    source = trustdir.UpdateSource("https://lists.example/list.pem", public_key_pem=public_pem(key))
    trustdir.add(tmp_path, listed(pki), update=source, now=NOW)
    new = make_pki().root_pem
    assert (
        trustdir.update(tmp_path, "newsroom", new, signature=signature(key, new), now=NOW).list.anchors_pem
        == new.decode()
    )
    for wrong, code in ((signature(key, b"other"), "signature_mismatch"), (None, "signature_missing")):
        with pytest.raises(TrustError) as caught:
            trustdir.update(tmp_path, "newsroom", new, signature=wrong, now=NOW)
        assert caught.value.code == f"tanba.trust.{code}"


def test_a_digest_does_not_replace_the_publishers_signature(tmp_path: Path, pki: Pki) -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    trustdir.add(tmp_path, listed(pki), update=trustdir.UpdateSource("x", public_key_pem=public_pem(key)), now=NOW)
    new = make_pki().root_pem
    with pytest.raises(TrustError):
        trustdir.update(tmp_path, "newsroom", new, pin_sha256=hashlib.sha256(new).hexdigest(), now=NOW)


def test_an_rsa_publisher_key_is_refused_with_its_own_code(tmp_path: Path, pki: Pki) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    trustdir.add(tmp_path, listed(pki), update=trustdir.UpdateSource("x", public_key_pem=public_pem(key)), now=NOW)
    with pytest.raises(TrustError) as caught:
        trustdir.update(tmp_path, "newsroom", pki.root_pem, signature=b"x", now=NOW)
    assert caught.value.code == "tanba.trust.bad_key"


@given(st.text(max_size=200))
def test_reading_key_usages_gives_object_identifiers_or_a_typed_error(text: str) -> None:
    try:
        found = trustdir.parse_ekus(text)
    except TrustError:
        return
    assert all(part.isascii() and part.isdigit() for item in found for part in item.split("."))


@pytest.mark.parametrize(
    ("store", "expected"),
    [
        (TrustStore.empty(), {"no_lists", "no_tsa_list"}),
        (TrustStore((TrustList("a", Purpose.MANIFEST, "x", date="2026-11-20"),)), {"no_tsa_list"}),
        (TrustStore((TrustList("a", Purpose.MANIFEST, "x", date="2026-08-01"),
                     TrustList("t", Purpose.TSA, "x", date="2026-11-20"))), {"list_old"}),
        (TrustStore((TrustList("a", Purpose.MANIFEST, "x", date="2026-11-20", frozen=True),
                     TrustList("t", Purpose.TSA, "x", date="2026-11-20"))), {"list_frozen"}),
        (TrustStore((TrustList("a", Purpose.MANIFEST, "x", date="2026-11-20", dated=False),
                     TrustList("t", Purpose.TSA, "x", date="2026-11-20"))), {"list_undated"}),
    ],
    ids=["none", "no authority list", "old", "frozen", "undated"],
)  # fmt: skip
def test_missing_old_and_frozen_lists_are_said_loudly(store: TrustStore, expected: set[str]) -> None:
    found = lists.findings(store, SignerState.UNKNOWN, TimeState.CLAIMED, NOW)
    assert {item.code.removeprefix("tanba.trust.") for item in found} == expected


def test_a_list_added_without_a_date_is_known_to_be_undated(tmp_path: Path, pki: Pki) -> None:
    trustdir.add(tmp_path, listed(pki), now=NOW)
    trustdir.add(tmp_path, listed(pki, name="dated", date="2026-11-01"), now=NOW)
    assert {item.name: item.dated for item in trustdir.load(tmp_path).lists} == {"newsroom": False, "dated": True}


def test_the_digest_of_a_list_is_the_sha256_of_its_file(tmp_path: Path, pki: Pki) -> None:
    file = tmp_path / "root.pem"
    file.write_bytes(pki.root_pem.replace(b"\n", b"\r\n"))
    expected = hashlib.sha256(file.read_bytes()).hexdigest()
    assert TrustList.from_file("a", file).sha256 == expected
    allowed_only = listed(pki, anchors_pem="", allowed_pem=file.read_bytes().decode())
    assert allowed_only.sha256 == expected


@pytest.mark.parametrize(
    ("usage", "names", "verdict", "codes"),
    [
        (C2PA_SIGNING, ("strict",), Verdict.TRUSTED, set()),
        (EMAIL, ("strict",), Verdict.VALID, {"tanba.trust.wrong_usage", "signingCredential.untrusted"}),
        (EMAIL, ("strict", "lenient"), Verdict.TRUSTED, set()),
        (EMAIL, ("lenient",), Verdict.TRUSTED, set()),
    ],
)
def test_a_list_vouches_only_for_the_usages_it_was_added_with(
    pki: Pki, usage: str, names: tuple[str, ...], verdict: Verdict, codes: set[str]
) -> None:
    own = {"strict": listed(pki, name="strict", ekus=(C2PA_SIGNING,)), "lenient": listed(pki, name="lenient")}
    data = labelled(pki.leaf(ekus=(usage,)).signer())
    report = verify_bytes(data, Settings(trust=TrustStore(tuple(own[name] for name in names))))
    assert report.verdict is verdict
    found = {item.code for item in report.findings}
    assert codes <= found
    assert ("signingCredential.trusted" in found) is (verdict is Verdict.TRUSTED)
    assert report.history[0].state == verdict.value, "the history tells the same story as the verdict"
    if verdict is Verdict.TRUSTED:
        assert report.answers.signer.list is not None
        assert report.answers.signer.list.name == names[-1]


def test_a_usage_that_only_one_list_accepts_is_vouched_for_by_that_list_alone(pki: Pki) -> None:
    chain = pki.leaf(ekus=("1.3.6.1.4.1.99999.7",)).chain
    general, house = listed(pki, name="general"), listed(pki, name="house", ekus=("1.3.6.1.4.1.99999.7",))
    now = datetime.now(UTC)
    assert x509.find_path(chain, (general, house), now, accepted_ekus=DEFAULT_EKUS).list == house
    assert x509.find_path(chain, (general,), now, accepted_ekus=DEFAULT_EKUS).reason == "usage"
    assert TrustStore((general, house)).engine_ekus == (*DEFAULT_EKUS, "1.3.6.1.4.1.99999.7")


def test_usages_are_stored_with_their_list(tmp_path: Path, pki: Pki, monkeypatch: pytest.MonkeyPatch) -> None:
    file, config = tmp_path / "root.pem", tmp_path / "store.cfg"
    file.write_bytes(pki.root_pem)
    config.write_text("// claim signing\n1.3.6.1.4.1.62558.2.1\n")
    added = command(tmp_path, monkeypatch, "add", "strict", str(file), "--ekus", str(config), "--json")
    assert json.loads(added.stdout)["ekus"] == [C2PA_SIGNING]
    assert trustdir.load(tmp_path / "lists").lists[0].ekus == (C2PA_SIGNING,)
    refused = command(tmp_path, monkeypatch, "add", "t", str(file), "--purpose", "tsa", "--ekus", str(config))
    assert isinstance(refused.exception, UsageError)


def test_lists_are_not_mentioned_for_a_file_without_a_label() -> None:
    assert lists.findings(TrustStore.empty(), SignerState.ABSENT, TimeState.ABSENT, NOW) == ()


def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *args: str):
    monkeypatch.setenv("TANBA_TRUST_DIR", str(tmp_path / "lists"))
    return CliRunner().invoke(trust_command, args, standalone_mode=False)


def test_the_command_adds_shows_lists_updates_and_removes(tmp_path: Path, pki: Pki, monkeypatch) -> None:
    file = tmp_path / "root.pem"
    file.write_bytes(pki.root_pem)
    digest = hashlib.sha256(pki.root_pem).hexdigest()
    added = command(
        tmp_path, monkeypatch, "add", "newsroom", str(file), "--sha256", digest, "--date", "2026-11-01", "--json"
    )
    assert json.loads(added.stdout)["date"] == "2026-11-01"
    shown = json.loads(command(tmp_path, monkeypatch, "show", "newsroom", "--json").stdout)
    assert shown["certificates"][0]["fingerprint"] == pki.root.fingerprint(hashes.SHA256()).hex()
    assert [item["name"] for item in json.loads(command(tmp_path, monkeypatch, "list", "--json").stdout)["lists"]] == [
        "newsroom"
    ]
    assert isinstance(command(tmp_path, monkeypatch, "update", "newsroom", str(file)).exception, TrustError)
    assert command(tmp_path, monkeypatch, "update", "newsroom", str(file), "--sha256", digest).exception is None
    assert command(tmp_path, monkeypatch, "remove", "newsroom").exception is None
    assert json.loads(command(tmp_path, monkeypatch, "list", "--json").stdout)["lists"] == []


def test_names_in_certificates_cannot_steer_the_terminal(tmp_path: Path, pki: Pki, monkeypatch) -> None:
    file = tmp_path / "root.pem"
    file.write_bytes(pki.leaf(common_name="Evil \x1b[2J\u202egnp").chain_pem)
    source = "from\x1b]0;owned\x07"
    assert command(tmp_path, monkeypatch, "add", "evil", str(file), "--source", source).exception is None
    for words in (("show", "evil"), ("list",)):
        shown = command(tmp_path, monkeypatch, *words).stdout
        assert not {"\x1b", "\x07", "\u202e"} & set(shown)
    assert "‹U+202E›" in command(tmp_path, monkeypatch, "show", "evil").stdout


def test_no_list_at_all_is_said_on_standard_error(tmp_path: Path, monkeypatch) -> None:
    assert "every signer will be reported as unknown" in command(tmp_path, monkeypatch, "list").stderr


def test_a_recorded_url_is_only_read_with_network_allowed(tmp_path: Path, pki: Pki, monkeypatch) -> None:
    file = tmp_path / "root.pem"
    file.write_bytes(pki.root_pem)
    command(tmp_path, monkeypatch, "add", "newsroom", str(file), "--update-from", "https://127.0.0.1/list.pem")
    refused = command(tmp_path, monkeypatch, "update", "newsroom").exception
    assert isinstance(refused, UsageError)
    guarded = command(tmp_path, monkeypatch, "update", "newsroom", "--network").exception
    assert getattr(guarded, "code", "").startswith("tanba.network.")


def test_known_lists_are_descriptions_and_hold_no_certificate(tmp_path: Path, monkeypatch) -> None:
    known = json.loads(command(tmp_path, monkeypatch, "list", "--known", "--json").stdout)["known"]
    assert {item["name"] for item in known} >= {"c2pa", "c2pa-tsa", "interim", "iptc-publishers"}
    assert "BEGIN CERTIFICATE" not in json.dumps(known)
    assert trustdir.load(tmp_path / "lists").lists == ()
