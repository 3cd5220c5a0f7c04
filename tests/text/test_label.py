"""The text road of the labeler: every size and script, one signature, chaining, compact marks, choice of carrier."""

from __future__ import annotations

import unicodedata

import pytest

from labeler import text_road
from labeler.options import LabelOptions
from labeler.text import TextOptions, label_text, prepare
from tanba import jumbf
from tanba.asset import Asset
from tanba.engine import definition as defs
from tanba.errors import AlreadyLabelled, TextNotEncodable, UsageError
from tanba.model import Carrier, Disclosure, Involvement
from tanba.report import Bucket, Verdict
from tanba.text import compact, wrapper
from tanba.text.choose import choose
from tests.pki import make_pki
from tests.text import judges
from tests.text.conftest import GENERATED, MOMENT, Desk


@pytest.mark.parametrize(
    "text",
    ["", "a", "ә", "\n", "\ufeff", "a" * 255, "a" * 256, "a" * 65_535, "a" * 65_536, "я" * 50_000, "👍🏽❤️" * 30, "e\u0301" * 40,
     "مرحبا\u200f بالعالم", "新聞\r\n人工智能\r\n", "a\r\nb\nc\rd", " \t ", "\u202eabc\u202c"],
)  # fmt: skip
def test_any_text_is_labelled_in_nfc_and_verifies(desk, text):
    made = desk.label(text)
    assert made.carrier is Carrier.A8
    assert made.output.startswith(unicodedata.normalize("NFC", text).encode())
    assert desk.verify(made.output).verdict is Verdict.TRUSTED
    assert judges.encypher(made.output, "text/plain", desk.root) == judges.Opinion(True, True)


def test_five_megabytes_are_labelled_and_verified(desk):
    made = desk.label("Қазақ " * 460_000)
    assert len(made.output) > 5_000_000
    assert desk.verify(made.output).verdict is Verdict.TRUSTED


class Counting:
    """A remote key that counts its uses."""

    def __init__(self, signer):
        self.name, self.algorithm, self.chain_pem, self._sign, self.uses = (
            signer.name, signer.algorithm, signer.chain_pem, signer.sign, 0,
        )  # fmt: skip

    def sign(self, data):
        self.uses += 1
        return self._sign(data)


@pytest.mark.parametrize("media_type", ["text/plain", "text/markdown", "text/html"])
def test_the_key_is_used_once_in_the_common_case(desk, media_type):
    signer = Counting(desk.signer)
    made = [desk.label(f"text {index}", media_type, signer=signer) for index in range(40)]
    assert sum(item.signatures for item in made) == signer.uses
    assert signer.uses <= 46
    if media_type != "text/plain":
        assert signer.uses == 40


@pytest.mark.parametrize("algorithm", ["es256", "es384", "es512", "ps256", "ed25519"])
@pytest.mark.parametrize("media_type", ["text/plain", "text/markdown"])
def test_every_algorithm_makes_a_mark_of_exact_length(algorithm, media_type):
    pki = make_pki("es256" if algorithm != "ed25519" else "ed25519")
    other = Desk(pki, pki.leaf(algorithm).signer())
    made = other.label("сынақ", media_type)
    assert other.verify(made.output, media_type).verdict is Verdict.TRUSTED


def lean():
    """The smallest honest label: one action, nothing else."""
    action = {
        "action": "c2pa.created",
        "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia",
    }
    return {
        "claim_version": 2,
        "claim_generator_info": [{"name": "Tanba", "version": "1"}],
        "assertions": [{"label": "c2pa.actions.v2", "created": True, "data": {"actions": [action]}}],
    }  # fmt: skip


def test_a_mark_on_a_hundred_bytes_with_es256_and_two_certificates_is_at_most_10_1_kilobytes(desk):
    text = b"x" * 100
    full = desk.label(text)
    assert len(full.output) - len(text) <= 10_100
    made = label_text(prepare(text, "text/plain"), lean(), desk.signer)
    assert len(made.output) - len(text) <= 8_900


def test_a_compact_mark_is_a_third_smaller_and_encypher_reads_it(desk):
    text = b"x" * 100
    made = desk.label(text, compact=True)
    assert compact.is_compressed(made.store)
    assert len(made.output) - len(text) <= 7_000
    assert desk.verify(made.output).verdict is Verdict.TRUSTED
    assert judges.encypher(made.output, "text/plain", desk.root) == judges.Opinion(True, True)


def test_a_compact_ed25519_mark_is_the_smallest():
    pki = make_pki("ed25519")
    desk = Desk(pki, pki.leaf().signer())
    made = label_text(prepare(b"x" * 100, "text/plain"), lean(), desk.signer, TextOptions(compact=True))
    assert len(made.output) - 100 <= 6_000
    assert desk.verify(made.output).verdict is Verdict.TRUSTED


@pytest.mark.parametrize("media_type", ["text/markdown", "text/html", "application/json"])
def test_compact_works_for_every_carrier(desk, media_type):
    made = desk.label("{}", media_type, compact=True)
    beside = made.store if made.carrier is Carrier.SIDECAR else None
    assert desk.verify(made.output, media_type, beside).verdict is Verdict.TRUSTED


def test_a_compressed_store_expands_to_itself_and_no_further_than_allowed(desk):
    store = desk.label("x").store
    assert compact.expand(compact.compress(store), len(store)) == store
    with pytest.raises(Exception, match="expands"):
        compact.expand(compact.compress(store), 500)


@pytest.mark.parametrize("media_type", ["text/plain", "text/markdown", "text/html"])
@pytest.mark.parametrize("compressed", [False, True])
def test_a_labelled_text_is_chained_and_never_doubled(desk, media_type, compressed):
    first = desk.label("<p>one</p>", media_type, compact=compressed)
    edited = Disclosure(involvement=Involvement.MODIFIED, system="Editor")
    second = desk.label(first.output, media_type, compact=compressed, disclosure=edited)
    reading = desk.read(second.output, media_type)
    assert len(reading.scan.marks) == 1
    plain = compact.expand(second.store, 1 << 20)
    assert len(jumbf.manifests(plain)) == 2
    assert reading.evidence.state == "Trusted"
    parent = reading.evidence.manifest()["ingredients"][0]
    assert parent["relationship"] == "parentOf"
    recorded = [item["code"] for item in parent["validation_results"]["activeManifest"]["success"]]
    assert "assertion.dataHash.match" in recorded
    report = desk.verify(second.output, media_type)
    assert report.verdict is Verdict.TRUSTED
    assert len(report.history[0].ingredients) == 1
    third = desk.label(second.output, media_type, disclosure=edited)
    assert len(jumbf.manifests(compact.expand(third.store, 1 << 20))) == 3
    assert judges.encypher(third.output, media_type, desk.root).intact


def test_a_tampered_text_is_refused_as_a_parent_unless_the_caller_insists(desk):
    broken = b"Z" + desk.label("one").output
    with pytest.raises(AlreadyLabelled, match="changed"):
        prepare(broken, "text/plain")
    kept = prepare(broken, "text/plain", accept_tampered=True)
    assert kept.content == b"Zone"
    assert kept.parent is not None
    assert kept.parent.problem == ("assertion.dataHash.malformed",)
    made = desk.label_prepared(kept)
    assert desk.verify(made.output).verdict is Verdict.TRUSTED


@pytest.mark.parametrize("broken", ["truncated", "doubled", "foreign"])
def test_a_broken_mark_is_not_covered_by_a_new_one(desk, broken):
    output = desk.label("one").output
    raw = {"truncated": output[:-400], "doubled": output + output[3:], "foreign": wrapper.attach(b"one", b"junk")}[
        broken
    ]
    with pytest.raises(AlreadyLabelled):
        prepare(raw, "text/plain")


@pytest.mark.parametrize(
    ("content", "media_type", "carrier", "reason"),
    [
        (b"a", "text/plain", Carrier.A8, "A.8"),
        (b"a", "text/markdown", Carrier.A9, "comments"),
        (b"a", "text/html", Carrier.A7, "head"),
        (b"{}", "application/json", Carrier.SIDECAR, "no comment"),
        (b"a,b", "text/csv", Carrier.SIDECAR, "no comment"),
        (b"a\rb\r", "text/markdown", Carrier.SIDECAR, "bare CR"),
        (b"\xff\xfea\0", "text/plain", Carrier.SIDECAR, "UTF-16"),
        (b"caf\xe9", "text/plain", Carrier.SIDECAR, "not UTF-8"),
        (b"# caf\xe9", "text/markdown", Carrier.A9, "comments"),
        (b"\xed\xa0\x80", "text/plain", Carrier.SIDECAR, "not UTF-8"),
        (b'{"a": [1]}\n', "text/plain", Carrier.SIDECAR, "JSON"),
        (b'{"a": 1}\n{"a": 2}\n', "text/plain", Carrier.SIDECAR, "JSON"),
        (b"[sic]", "text/plain", Carrier.A8, "A.8"),
        (b"[" * 200_000 + b"]" * 200_000, "text/plain", Carrier.A8, "A.8"),
        (b"#!/opt/unknown\n", "text/plain", Carrier.SIDECAR, "program"),
    ],
)
def test_the_carrier_is_chosen_with_a_reason(desk, content, media_type, carrier, reason):
    choice = choose(content, media_type)
    assert choice.carrier is carrier
    assert reason in choice.reason
    made = desk.label(content, media_type)
    assert made.carrier is carrier
    if carrier is Carrier.SIDECAR:
        assert made.output == content
        assert desk.read(content, media_type, made.store).evidence.state == "Trusted"


def test_a_carrier_that_cannot_hold_the_text_is_refused_with_the_one_that_can(desk):
    with pytest.raises(UsageError) as caught:
        desk.label("{}", "application/json", carrier=Carrier.A9)
    assert "sidecar" in (caught.value.hint or "")
    with pytest.raises(UsageError):
        desk.label(b"\xff", carrier=Carrier.A8)
    with pytest.raises(UsageError):
        desk.label("a", carrier=Carrier.EMBEDDED)
    with pytest.raises(UsageError):
        desk.label("a", reference="https://example.org/a")


def test_a_wish_overrides_the_choice(desk):
    made = desk.label("# A\n", "text/markdown", carrier=Carrier.A8)
    assert made.carrier is Carrier.A8
    assert desk.verify(made.output, "text/markdown").verdict is Verdict.TRUSTED


def test_combining_marks_without_end_get_a_sidecar(desk):
    assert desk.label(("a" + "\u0301" * 500).encode()).carrier is Carrier.SIDECAR
    with pytest.raises((UsageError, TextNotEncodable)):
        desk.label(("a" + "\u0301" * 500).encode(), carrier=Carrier.A8)


def test_the_label_says_what_was_disclosed_and_nothing_fails(desk):
    made = desk.label("hello")
    labels = [item["label"] for item in made.evidence.manifest()["assertions"]]
    assert {"c2pa.actions.v2", "c2pa.ai-disclosure"} <= set(labels)
    assert made.evidence.codes_in(Bucket.FAILURE) == ("signingCredential.untrusted",)
    assert defs.build(GENERATED, defs.Context(moment=MOMENT, content_id="1"))["claim_version"] == 2


@pytest.mark.parametrize(
    ("name", "carrier"),
    [
        ("a.txt", Carrier.A8),
        ("README", Carrier.A8),
        ("a.unknown", Carrier.SIDECAR),
        ("a.bat", Carrier.SIDECAR),
        ("a.hs", Carrier.A9),
    ],
)
def test_a_name_that_nobody_knows_gets_a_sidecar_because_the_file_may_be_a_program(name, carrier):
    asset = Asset.from_bytes(b"a\n", name=name)
    assert choose(asset.read(), asset.format.media_type, extension=asset.format.extension).carrier is carrier
    assert text_road.carrier(asset, LabelOptions())[0] is carrier
