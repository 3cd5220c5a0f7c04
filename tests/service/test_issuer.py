"""``tanba verify --service URL``: a withdrawn label is said to be withdrawn, in words and in JSON."""

from __future__ import annotations

import json

import pytest

from tanba.cli import main
from tanba.report import (
    Answers,
    AssetFacts,
    Bucket,
    HistoryNode,
    IntegrityAnswer,
    IntegrityState,
    SignerAnswer,
    Verdict,
    VerificationReport,
)
from tests.service.conftest import jpeg
from tests.service.server import Server


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("issuer"), TANBA_WORKERS="1").start()
    yield running
    running.stop()


@pytest.fixture
def labelled(server, tmp_path):
    import httpx2

    answer = httpx2.post(
        f"{server.url}/v1/labels",
        headers=server.auth | {"Accept": "image/jpeg"},
        files=[("file", ("a.jpg", jpeg())), ("as", (None, "generated"))],
    )
    path = tmp_path / "a.jpg"
    path.write_bytes(answer.content)
    return path, answer.headers["x-label-id"]


def withdraw(server: Server, label_id: str) -> None:
    import httpx2

    url = f"{server.url}/v1/labels/{label_id}/withdraw"
    httpx2.post(url, headers=server.auth, json={"reason": "the wrong picture"}).raise_for_status()


@pytest.fixture
def check(server, monkeypatch, capsys):
    """``tanba verify`` with these arguments: exit code and standard output."""
    monkeypatch.setenv("TANBA_HOME", str(server.home))

    def run(*arguments: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as left:
            main(["verify", *arguments])
        return left.value.code, capsys.readouterr().out

    return run


def test_the_verifier_says_that_the_issuer_withdrew_a_label_when_it_may_ask(server, labelled, check):
    path, label_id = labelled
    code, text = check(str(path), "--service", server.url, "--lang", "en")
    assert code == 0
    assert "withdrew" not in text
    withdraw(server, label_id)
    code, text = check(str(path), "--service", server.url, "--lang", "en")
    assert code == 0  # the verdict is about the file; the withdrawal stands beside it
    assert "The issuer withdrew this label on 20" in text
    _, text = check(str(path), "--service", server.url, "--json")
    report = json.loads(text)
    found = next(item for item in report["findings"] if item["code"] == "tanba.label.withdrawn")
    assert (found["bucket"], found["subject"]) == ("informational", label_id)
    assert found["params"]["reason"] == "the wrong picture"
    assert report["basis"]["network"] is True
    _, text = check(str(path.parent), "--service", server.url, "--jsonl")
    assert "tanba.label.withdrawn" in text
    _, text = check(str(path), "--json")
    assert "tanba.label.withdrawn" not in text


@pytest.mark.parametrize("lang", ["en", "ru", "kk"])
def test_the_words_exist_in_three_languages(server, labelled, check, lang):
    from tanba.i18n import sentence

    path, label_id = labelled
    withdraw(server, label_id)
    _, text = check(str(path), "--service", server.url, "--lang", lang)
    words = sentence("note-tanba-label-withdrawn", lang, day="#").partition("#")[0].strip()
    assert words in " ".join(text.split())


def test_a_service_that_cannot_be_asked_is_said_and_changes_no_verdict(server, labelled, check):
    path, _ = labelled
    code, text = check(str(path), "--service", "http://127.0.0.1:9", "--json")
    report = json.loads(text)
    assert (code, report["verdict"]) == (0, "trusted")
    assert "tanba.label.status_unknown" in [item["code"] for item in report["findings"]]


def test_a_number_in_a_strangers_manifest_does_not_count(server, labelled):
    from tanba.asset import Asset
    from verifier import Settings, verify_asset
    from verifier.issuer import Issuer

    path, label_id = labelled
    report = verify_asset(Asset.from_bytes(path.read_bytes(), name="a.jpg"), Settings())
    signer = report.answers.signer.fingerprint

    class Records:
        def __init__(self, fingerprint: str) -> None:
            self.fingerprint = fingerprint

        def get(self, asked: str) -> dict:
            assert asked == label_id
            identity = {"fingerprint": self.fingerprint}
            return {"state": "withdrawn", "withdrawn_at": "2026-01-01", "receipt": {"identity": identity}}

    for fingerprint, said in ((signer, True), ("0" * 64, False)):
        found = Issuer(Records(fingerprint)).complete(report).findings[len(report.findings) :]
        assert [item.code for item in found] == ["tanba.label.withdrawn"] * said
        assert all(item.bucket is Bucket.INFORMATIONAL for item in found)


def test_labels_of_the_history_are_asked_about_too_and_a_strangers_copy_of_a_number_is_not():
    from verifier.issuer import told

    def node(number: str | None, by: str | None, *below: HistoryNode, state: str = "valid") -> HistoryNode:
        return HistoryNode("a.jpg", state, label=number, fingerprint=by, ingredients=below)

    def report(*top: HistoryNode, integrity: str = "intact") -> VerificationReport:
        answers = Answers(IntegrityAnswer(IntegrityState(integrity)), SignerAnswer(fingerprint="f0"))
        facts = AssetFacts("a.jpg", "0" * 64, 1, "image/jpeg")
        return VerificationReport(asset=facts, verdict=Verdict.VALID, answers=answers, history=top)

    deep = node("urn:c2pa:3", "f3", node("urn:c2pa:4", "f4", state="trusted"))
    broken = node("urn:c2pa:5", "f5", node("urn:c2pa:6", "f6"), state="invalid")
    top = node("urn:c2pa:1", None, deep, broken, node(None, None, state="unlabelled"), node("urn:uuid:x", "f7"), deep)
    found = told(report(top))
    assert [(item.number, item.fingerprint, item.newest) for item in found] == [
        ("urn:c2pa:1", "f0", True),
        ("urn:c2pa:3", "f3", False),
        ("urn:c2pa:4", "f4", False),
        ("urn:c2pa:6", "f6", False),
    ]
    assert told(report(top, integrity="broken")) == ()
    assert told(report()) == ()
    many = node("urn:c2pa:0", None, *(node(f"urn:c2pa:many-{number}", "f") for number in range(500)))
    assert len(told(report(many))) == 64


def test_the_verifier_says_that_a_label_in_the_history_was_withdrawn(server, labelled, check, tmp_path):
    import httpx2

    path, label_id = labelled
    answer = httpx2.post(
        f"{server.url}/v1/labels",
        headers=server.auth | {"Accept": "image/jpeg"},
        files=[("file", ("b.jpg", path.read_bytes())), ("as", (None, "modified"))],
    )
    newer = tmp_path / "newer.jpg"
    newer.write_bytes(answer.content)
    withdraw(server, label_id)
    code, text = check(str(newer), "--service", server.url, "--lang", "en")
    assert code == 0
    assert "holds a label that its issuer withdrew on 20" in " ".join(text.split())
    _, text = check(str(newer), "--service", server.url, "--json")
    found = [item for item in json.loads(text)["findings"] if item["code"].startswith("tanba.label.")]
    assert [(item["code"], item["subject"]) for item in found] == [("tanba.label.ingredient_withdrawn", label_id)]


def test_the_option_needs_an_address(labelled, check):
    assert check(str(labelled[0]), "--service", "labels.example")[0] == 2
