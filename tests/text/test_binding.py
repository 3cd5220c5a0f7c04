"""The strict hard binding: what is excluded is exactly one carrier, and the carrier holds nothing but the manifest."""

from __future__ import annotations

import hashlib

import pytest

from tanba import jumbf
from tanba.engine.write import DataHash, sign_detached
from tanba.model import Carrier
from tanba.report import Bucket, Verdict
from tanba.text import binding, html, selectors, structured, wrapper
from tanba.text.marks import Mark, Span

PAGE = b"<html><head></head><body>Hello</body></html>"
TEXT = b"Hello"
NOTE = b"a: 1\n"


def definition():
    action = {
        "action": "c2pa.created",
        "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia",
    }
    return {
        "claim_generator_info": [{"name": "attack", "version": "1"}],
        "assertions": [{"label": "c2pa.actions.v2", "created": True, "data": {"actions": [action]}}],
    }  # fmt: skip


def signed(desk, exclusions, digest):
    """A store by our own trusted signer with any binding, padding left in place (about 1 KB of COSE zeros)."""
    return sign_detached(b"", definition(), desk.signer, data_hash=DataHash(digest, tuple(exclusions)))


def failures(desk, raw, media_type, manifest=None):
    report = desk.verify(raw, media_type, manifest)
    assert report.verdict is Verdict.INVALID
    return {item.code for item in report.findings if item.bucket is Bucket.FAILURE}


def test_the_shrunken_pad_attack_on_html_fails(desk):
    """A signer's page: shrink the COSE pad and put markup into the freed bytes inside the signed exclusion."""
    size = html.script_size(len(signed(desk, [(12, 9999)], bytes(32))))
    store = signed(desk, [(12, size)], hashlib.sha256(PAGE).digest())
    honest = PAGE[:12] + html.script(store) + PAGE[12:]
    assert desk.verify(honest, "text/html").verdict is Verdict.TRUSTED
    small = html.script(jumbf.repad(store, None))
    evil = b"<!-- " + b"x" * (size - len(small) - 9) + b" -->"
    attack = PAGE[:12] + small + evil + PAGE[12:]
    assert len(attack) == len(honest)
    assert failures(desk, attack, "text/html") >= {binding.MISMATCH}


def test_the_shrunken_pad_attack_on_structured_text_fails(desk):
    frame = structured.Frame(0, b"# " + structured.BEGIN + b" ", b" " + structured.END + b"\n")
    size = frame.overhead + structured.uri_size(len(signed(desk, [(0, 9999)], bytes(32))))
    store = signed(desk, [(0, size)], hashlib.sha256(NOTE).digest())
    honest = frame.attach(NOTE, structured.data_uri(store))
    assert desk.verify(honest, "application/yaml").verdict is Verdict.TRUSTED
    small = frame.attach(b"", structured.data_uri(jumbf.repad(store, None)))
    freed = size - len(small)
    for evil in (small + b"evil: " + b"1" * (freed - 7) + b"\n", b"# " + b"x" * (freed - 3) + b"\n" + small):
        assert len(evil + NOTE) == len(honest)
        assert failures(desk, evil + NOTE, "application/yaml") >= {binding.MISMATCH}


def test_the_shrunken_pad_attack_on_plain_text_fails(desk):
    made = desk.label(TEXT)
    size = len(made.output) - len(TEXT)
    small = wrapper.attach(TEXT, jumbf.repad(made.store, None))
    attack = small + b"x" * (size - (len(small) - len(TEXT)))
    assert len(attack) == len(made.output)
    assert failures(desk, attack, "text/plain") >= {binding.MALFORMED}


def test_data_in_the_cose_padding_fails(desk):
    store = signed(desk, [(12, 1000)], bytes(32))
    size = html.script_size(len(store))
    store = signed(desk, [(12, size)], hashlib.sha256(PAGE).digest())
    pad = jumbf.cose(store).unprotected["pad"]
    assert not pad.strip(b"\0")
    hidden = jumbf.repad(store, (b"read me" + pad)[: len(pad)])
    attack = PAGE[:12] + html.script(hidden) + PAGE[12:]
    assert failures(desk, attack, "text/html") >= {binding.MISMATCH}


def tuned(desk, fill):
    """A text whose wrapper reaches its declared length by one run of 0x10 and one of zeros in the COSE padding."""
    slim = jumbf.repad(signed(desk, [(5, 9999)], bytes(32)), None)
    declared = len(wrapper.attach(TEXT, slim)) - len(TEXT) + 400
    store = signed(desk, [(5, declared)], hashlib.sha256(TEXT).digest())
    for zeros in range(60, 140):
        for tens in range(40):
            made = wrapper.attach(TEXT, jumbf.repad(store, fill(tens, zeros)))
            if len(made) == len(TEXT) + declared:
                return made
    raise AssertionError("no padding reaches the declared length")


@pytest.mark.parametrize(
    "fill",
    [lambda tens, zeros: b"\x10" * tens + bytes(zeros), lambda tens, zeros: bytes(zeros) + b"\x10" * tens],
    ids=["tens-first", "zeros-first"],
)
def test_a_wrapper_tuned_with_the_two_filling_bytes_is_intact(desk, fill):
    assert desk.verify(tuned(desk, fill), "text/plain").verdict is Verdict.TRUSTED


def test_filling_bytes_that_spell_something_fail(desk):
    spelled = tuned(desk, lambda tens, zeros: b"\x10\0\0\x10" + b"\x10" * tens + bytes(zeros))
    assert failures(desk, spelled, "text/plain") >= {binding.MISMATCH}


def test_bytes_after_the_manifest_store_fail(desk):
    store = signed(desk, [(12, 9999)], bytes(32))
    size = html.script_size(len(store) + 30)
    store = signed(desk, [(12, size)], hashlib.sha256(PAGE).digest())
    attack = PAGE[:12] + html.script(store + b"these are thirty hidden bytes!") + PAGE[12:]
    assert failures(desk, attack, "text/html") & {binding.MISMATCH, "tanba.c2pa.store_unreadable"}


@pytest.mark.parametrize(
    ("exclusions", "code"),
    [
        ([(5, 10)], binding.MALFORMED),
        ([(4, 0)], binding.MALFORMED),
        ([(0, 5)], binding.MALFORMED),
        ([(5, 1 << 40)], binding.MALFORMED),
        ([(0, 2), (5, 99)], binding.MALFORMED),
        ([(5, 9), (3, 4)], binding.MALFORMED),
        ([(5, 9), (8, 4)], binding.MALFORMED),
        ([], binding.MALFORMED),
    ],
)
def test_exclusions_that_are_not_the_wrapper_are_malformed(desk, exclusions, code):
    store = signed(desk, exclusions, hashlib.sha256(TEXT).digest())
    assert failures(desk, wrapper.attach(TEXT, store), "text/plain") >= {code}


def test_an_external_manifest_may_exclude_nothing(desk):
    store = signed(desk, [(0, 2)], hashlib.sha256(TEXT[2:]).digest())
    assert failures(desk, TEXT, "text/plain", store) >= {binding.MALFORMED}
    whole = signed(desk, [], hashlib.sha256(TEXT).digest())
    assert desk.verify(TEXT, "text/plain", whole).verdict is Verdict.TRUSTED
    assert failures(desk, TEXT + b"!", "text/plain", whole) >= {binding.MISMATCH}


@pytest.mark.parametrize(
    "change",
    [
        lambda raw, size: raw[:-size] + b"!" + raw[-size:],
        lambda raw, size: b"H" + raw[1:-size] + b" " + raw[-size:],
        lambda raw, size: raw + b"\n",
        lambda raw, size: b"\n" + raw,
        lambda raw, size: raw[-size:] + raw[:-size],
        lambda raw, size: b"Jello" + raw[-size:],
        lambda raw, size: raw + selectors.encode(b"\0\0\0"),
        lambda raw, size: raw + raw[-size:],
        lambda raw, size: raw[:-4],
        lambda raw, size: raw[: -size // 2],
    ],
)  # fmt: skip
def test_every_change_of_a_wrapped_text_is_invalid(desk, change):
    made = desk.label(TEXT)
    changed = change(made.output, len(made.output) - len(TEXT))
    assert desk.verify(changed, "text/plain").verdict is Verdict.INVALID


def test_a_mark_moved_to_another_text_of_the_same_length_is_a_mismatch(desk):
    made = desk.label(TEXT)
    assert failures(desk, b"World" + made.output[len(TEXT) :], "text/plain") >= {binding.MISMATCH}


def test_marks_of_two_annexes_in_one_text_are_ambiguous(desk):
    inner = desk.label("# A\n", "text/markdown")
    outer = wrapper.attach(inner.output, desk.label("# A\n").store)
    assert failures(desk, outer, "text/markdown") >= {"tanba.text.several_carriers"}


def test_a_wrapper_around_something_else_is_unreadable_not_absent(desk):
    for payload in (b"\xff\xd8\xff not jumbf", b"\0" * 64, bytes(range(256))):
        report = desk.verify(wrapper.attach(TEXT, payload), "text/plain")
        assert report.verdict is Verdict.INVALID


@pytest.mark.parametrize(
    "data",
    [
        None, [], {"alg": "sha256"}, {"alg": "sha256", "hash": b"short"}, {"alg": "sha256", "hash": 5},
        {"alg": "sha256", "hash": bytes(32), "exclusions": []},
        {"alg": "sha256", "hash": bytes(32), "exclusions": [{"start": True, "length": 1}]},
        {"alg": "sha256", "hash": bytes(32), "exclusions": [{"start": -1, "length": 1}]},
        {"alg": "sha256", "hash": bytes(32), "exclusions": "all"},
    ],
)  # fmt: skip
def test_a_malformed_assertion_has_the_code_for_it(data):
    found = binding.check(TEXT, {"c2pa.hash.data": data}, mark=None, store=b"")
    assert found is not None
    assert found.code in (binding.MALFORMED, "algorithm.unsupported")


def test_two_data_hashes_are_malformed_and_weak_algorithms_unsupported():
    good = {"alg": "sha256", "hash": hashlib.sha256(TEXT).digest()}
    both = {"c2pa.hash.data": good, "c2pa.hash.data__1": good}
    assert binding.check(TEXT, both, mark=None, store=b"").code == binding.MALFORMED  # type: ignore[union-attr]
    weak = {"c2pa.hash.data": {**good, "alg": "md5"}}
    assert binding.check(TEXT, weak, mark=None, store=b"").code == "algorithm.unsupported"  # type: ignore[union-attr]
    inherited = {"c2pa.hash.data": {"hash": good["hash"]}}
    assert binding.check(TEXT, inherited, mark=None, store=b"", claim_algorithm="sha256").intact  # type: ignore[union-attr]


def test_the_wrapper_is_removed_before_normalisation_as_section_15_12_1_3_1_says():
    """For ``a``, wrapper, U+0301 the rest composes to U+00E1 only when the wrapper goes first."""
    raw = b"a" + b"WRAP" + "\u0301".encode()
    assertion = {"alg": "sha256", "exclusions": [{"start": 1, "length": 4}]}
    digest = hashlib.sha256("á".encode()).digest()
    found = binding.check(
        raw,
        {"c2pa.hash.data": {**assertion, "hash": digest}},
        mark=Mark(Carrier.A8, Span(1, 4), b"x"),
        store=b"x",
    )
    assert found is not None
    assert found.intact
