"""What Tanba signs is intact and trusted for independent validators, 320 generated texts per carrier; and back."""

from __future__ import annotations

import hashlib
import unicodedata

import c2patxt
import pytest

from tanba.report import Verdict
from tests.pki import make_pki
from tests.text import judges, samples

ROUNDS = 320
BATCH = 40
BATCHES = range(0, ROUNDS, BATCH)


@pytest.mark.parametrize("first", BATCHES)
def test_plain_texts_are_trusted_by_c2patxt_and_encypher_and_bind_for_c2pa_unstructured_text(desk, first):
    for seed in range(first, first + BATCH):
        text = samples.text(seed)
        made = desk.label(text)
        normal = unicodedata.normalize("NFC", text).encode()
        assert made.output.startswith(normal)
        assert judges.c2pa_text_signed(made.output, desk.root) == judges.Opinion(True, True), seed
        assert judges.encypher(made.output, "text/plain", desk.root) == judges.Opinion(True, True), seed
        assert judges.unstructured_payload(made.output) == made.store
        span = (len(normal), len(made.output) - len(normal))
        assert judges.unstructured_binds(made.output, hashlib.sha256(normal).digest(), [span])


@pytest.mark.parametrize("first", BATCHES)
def test_structured_texts_are_trusted_by_encypher_and_read_by_c2pa_structured_text(desk, first):
    for seed in range(first, first + BATCH):
        media_type, content = samples.structured(seed)
        made = desk.label(content, media_type)
        assert judges.encypher(made.output, media_type, desk.root) == judges.Opinion(True, True), (seed, media_type)
        assert judges.structured_payload(made.output) == made.store
        digest, exclusions = judges.structured_hash(made.output)
        assert digest == hashlib.sha256(content.encode()).digest(), (seed, media_type)
        assert [(span.start, span.length) for span in _exclusions(desk, made, media_type)] == exclusions


def _exclusions(desk, made, media_type):
    binding = desk.read(made.output, media_type).binding
    assert binding is not None
    assert binding.assertion is not None
    return binding.assertion.exclusions


@pytest.mark.parametrize("first", BATCHES)
def test_html_is_trusted_by_encypher(desk, first):
    for seed in range(first, first + BATCH):
        content = samples.html(seed)
        made = desk.label(content, "text/html")
        assert judges.encypher(made.output, "text/html", desk.root) == judges.Opinion(True, True), seed
        assert judges.html_payload(made.output) == made.store


@pytest.mark.parametrize("seed", range(3, 60, 3))
def test_an_edited_text_is_rejected_by_every_judge(desk, seed):
    made = desk.label(samples.text(seed))
    broken = made.output.replace(made.output[:1], b"Z", 1) if made.output[:1] != b"Z" else b"Y" + made.output[1:]
    try:
        broken.decode()
    except UnicodeDecodeError:
        broken = b"Z" + made.output
    assert not judges.encypher(broken, "text/plain", desk.root).intact
    assert not judges.c2pa_text_signed(broken, desk.root).intact
    assert desk.verify(broken).verdict is Verdict.INVALID


@pytest.fixture(scope="module")
def c2patxt_signer():
    pki = make_pki("ed25519")
    leaf = pki.leaf()
    return pki, c2patxt.Signer(private_key=leaf.key, certificates=leaf.chain)


@pytest.mark.parametrize("seed", range(40))
def test_what_c2patxt_signs_is_trusted_here(c2patxt_signer, seed):
    from tanba.text.evidence import read_marked

    pki, signer = c2patxt_signer
    disclosure = c2patxt.Disclosure(media_type="text/plain", model_type=c2patxt.ModelType.GENERIC)
    marked = c2patxt.embed(samples.text(seed), signer, disclosure).encode()
    reading = read_marked(marked, "text/plain", trust=pki.store())
    assert reading.evidence.state == "Trusted"
    assert reading.binding is not None
    assert reading.binding.intact
    assert read_marked(b"Z" + marked, "text/plain", trust=pki.store()).evidence.state == "Invalid"
