"""Hostile and broken input: a defined code or a typed answer, in bounded time, and never a crash."""

from __future__ import annotations

import random
import time
import tracemalloc

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tanba.asset import Asset
from tanba.engine.read import EvidenceStatus
from tanba.limits import Limits
from tanba.report import Verdict
from tanba.text import compact, html, locate, selectors, structured, wrapper
from tanba.text.evidence import read_marked
from tanba.trust import TrustStore
from verifier.text import read_text

BIG = 20_000_000
NOBODY = TrustStore.empty()

LARGE = {
    "plain": b"plain text, nothing else. " * (BIG // 26),
    "a million stray selectors": selectors.encode(bytes(range(256))) * 4000,
    "byte order marks": selectors.PREFIX * 1_000_000,
    "openings of wrappers": (selectors.PREFIX + selectors.encode(wrapper.MAGIC)) * 100_000,
    "one endless wrapper": selectors.PREFIX + selectors.encode(wrapper.MAGIC + b"\1\xff\xff\xff\xff") + selectors.encode(b"x") * 1_000_000,
    "delimiters": (structured.BEGIN + b" ") * 200_000,
    "delimiter pairs": (structured.BEGIN + b" x " + structured.END + b"\n") * 100_000,
    "one endless reference": b"# " + structured.BEGIN + b" https://" + b"a" * 5_000_000 + b" " + structured.END,
    "open tags": b"<div>application/c2pa" * 20_000,
    "open scripts": b'<script type="application/c2pa">' * 20_000,
    "whole scripts": b'<script type="application/c2pa">AAAA</script>' * 100_000,
    "whole links": b'<link rel="c2pa-manifest" href="x">' * 100_000,
    "attributes": b'<script type="application/c2pa" ' + b" ".join(b"a%d=1" % at for at in range(100_000)) + b">AAAA</script>",
    "empty comments": b"<!---->" * 1_000_000,
    "a wrapper of eight megabytes": selectors.PREFIX + selectors.encode(wrapper.MAGIC + b"\1\0\x7a\x12\0") + selectors.encode(b"x") * 8_000_000,
    "combining marks": b"a" + "\u0301\u0316".encode() * 500_000,
}  # fmt: skip


@pytest.mark.parametrize("media_type", ["text/plain", "text/markdown", "text/html"])
@pytest.mark.parametrize("name", LARGE)
def test_large_hostile_texts_are_answered_within_seconds(name, media_type):
    started = time.process_time()
    evidence, _ = read_text(
        Asset.from_bytes(LARGE[name], name={"text/html": "a.html", "text/markdown": "a.md"}.get(media_type, "a.txt")),
        trust=NOBODY,
    )
    assert evidence.status in (EvidenceStatus.ABSENT, EvidenceStatus.MALFORMED, EvidenceStatus.REMOTE_ONLY)
    assert time.process_time() - started < 8


LINK = b'<!doctype html><link rel="c2pa-manifest" href="x.c2pa">'
SLOW = {
    "attributes of many html tags": LINK + b"".join(b"<html a%d=x>" % at for at in range(40_000)),
    "attributes of some body tags": LINK + b"".join(b"<body " + b" ".join(b"a%d_%d" % (tag, at) for at in range(8_000)) + b">" for tag in range(32)),
    "formatting that stays open": LINK + b"".join(b"<b a%d><p>" % at for at in range(60_000)),
}  # fmt: skip


@pytest.mark.parametrize("name", SLOW)
def test_a_document_that_parsers_take_minutes_for_is_stopped_and_never_called_unlabelled(name):
    evidence, notes = read_text(Asset.from_bytes(SLOW[name], name="a.html"), trust=NOBODY, limits=Limits(seconds=0.3))
    assert evidence.status is EvidenceStatus.OVER_LIMIT
    assert notes == ()


def test_a_large_honest_document_is_read_in_a_worker_with_the_same_result(desk):
    made = desk.label(b"<!doctype html><title>x</title>" + b"<p>All is well.</p>\n" * 60_000, "text/html")
    asset = Asset.from_bytes(made.output, name="a.html")
    here = read_text(asset, trust=desk.trust, isolate=False)
    there = read_text(asset, trust=desk.trust, limits=Limits(seconds=60))
    assert locate.slow(made.output, "text/html", given=False)
    assert here[0].state == there[0].state == "Trusted"
    assert here[0].codes == there[0].codes
    assert here[1] == there[1]


@pytest.mark.parametrize("name", [*SLOW, "large"])
def test_a_document_without_any_sign_of_a_label_is_not_parsed_at_all(name):
    raw = SLOW.get(name, LINK + b"<p>" * 1_000_000).replace(b"c2pa-manifest", b"icon")
    assert not locate.slow(raw, "text/html", given=False)


def test_a_hundred_megabytes_take_bounded_time_and_three_times_their_size(desk):
    made = desk.label(b"0123456789abcde\n" * 64)
    text = b"0123456789abcde\n" * (100_000_000 // 16)
    raw = text + made.output[-(len(made.output) - 1024) :]
    tracemalloc.start()
    started = time.process_time()
    reading = read_marked(raw, "text/plain", trust=NOBODY)
    spent = time.process_time() - started
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert reading.evidence.state == "Invalid"
    assert spent < 10
    assert peak < 3 * len(raw)


def test_a_text_over_the_limit_is_not_read():
    evidence, _ = read_text(Asset.from_bytes(b"x" * 1001, name="a.txt"), trust=NOBODY, limits=Limits(text_bytes=1000))
    assert evidence.status is EvidenceStatus.OVER_LIMIT


def test_a_compression_bomb_stops_at_the_limit(desk):
    import struct

    import brotli

    made = desk.label("x", compact=True)
    bomb = brotli.compress(bytes(200_000_000), quality=1)
    at = made.store.index(b"brob") - 4
    store = made.store[:at] + struct.pack(">I4s", len(bomb) + 8, b"brob") + bomb
    for offset in (0, made.store.index(b"jumb", 8) - 4):
        store = store[:offset] + struct.pack(">I", len(store) - offset) + store[offset + 4 :]
    started = time.process_time()
    reading = read_marked(wrapper.attach(b"x", store), "text/plain", trust=NOBODY)
    assert reading.evidence.status is EvidenceStatus.OVER_LIMIT
    assert time.process_time() - started < 3


NOT_UTF8 = [
    b"\xff\xfe" + "Сәлем".encode("utf-16-le"), b"\xfe\xff" + "hi".encode("utf-16-be"), "hi".encode("utf-32"),
    b"caf\xe9", b"\xed\xa0\x80\xed\xb0\x80", b"\x80", b"a\xc0\xafb", b"\xf5\x80\x80\x80", "привет".encode("cp1251"),
]  # fmt: skip


@pytest.mark.parametrize("raw", NOT_UTF8)
def test_text_that_is_not_utf_8_is_unmarked_or_invalid_never_a_crash(desk, raw):
    for media_type in ("text/plain", "text/markdown", "text/html"):
        assert desk.verify(raw, media_type).verdict in (Verdict.UNMARKED, Verdict.UNCHECKED)
    marked = desk.label("hello").output
    assert desk.verify(raw + marked).verdict is Verdict.INVALID


def test_a_utf_16_copy_of_a_marked_text_is_not_trusted(desk):
    copy = desk.label("hello").output.decode().encode("utf-16")
    report = desk.verify(copy)
    assert report.verdict in (Verdict.UNMARKED, Verdict.UNCHECKED)
    assert "tanba.text.not_utf8" in {item.code for item in report.findings}


@pytest.mark.parametrize("carrier", ["text/plain", "text/markdown", "text/html"])
def test_no_random_damage_changes_the_text_of_a_trusted_mark(desk, carrier):
    """200 random edits. A few bits of a manifest store are unsigned (box types, toggles); the text never is."""
    chance = random.Random(7)
    text = "<p>Бірінші</p>\n<p>second</p>\n"
    made = desk.label(text, carrier)
    for _ in range(200):
        raw = bytearray(made.output)
        at = chance.randrange(len(raw))
        match chance.randrange(4):
            case 0:
                raw[at] ^= 1 << chance.randrange(8)
            case 1:
                del raw[at : at + chance.randrange(1, 40)]
            case 2:
                raw[at:at] = bytes(chance.randrange(256) for _ in range(chance.randrange(1, 9)))
            case _:
                raw = raw[:at]
        if bytes(raw) != made.output and desk.verify(bytes(raw), carrier).verdict in (Verdict.TRUSTED, Verdict.VALID):
            mark = desk.read(bytes(raw), carrier).scan.marks[0]
            assert mark.span.cut(bytes(raw)) == text.encode()


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.binary(max_size=600), st.sampled_from(["text/plain", "text/markdown", "text/html"]))
def test_reading_never_raises(data, media_type):
    for raw in (
        data,
        wrapper.attach(b"text", data or b"x"),
        b"# " + structured.BEGIN + b" " + structured.data_uri(data) + b" " + structured.END,
        b"<html><head>" + html.script(data) + b"</head>",
    ):
        read_marked(raw, media_type, trust=NOBODY)
        read_marked(b"text", media_type, trust=NOBODY, manifest=data)


@pytest.fixture(scope="module")
def plain_store(desk):
    return compact.expand(desk.label("x", compact=True).store, 1 << 20)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(where=st.floats(0, 1, exclude_max=True), value=st.integers(0, 255))
def test_a_damaged_store_is_never_a_crash_and_never_says_something_else(desk, plain_store, where, value):
    at = int(where * len(plain_store))
    broken = plain_store[:at] + bytes([value]) + plain_store[at + 1 :]
    reading = desk.read(wrapper.attach(b"x", broken))
    if reading.evidence.state not in ("Invalid", None):
        assert said(reading.evidence) == said(desk.read(b"x", manifest=plain_store).evidence)
    compressed = compact.compress(plain_store)
    cut = compressed[: int(where * len(compressed))]
    assert desk.read(b"x", manifest=cut).evidence.state in ("Invalid", None)


def said(evidence):
    """What a reader would be told: assertions, claim generator, signer."""
    manifest = evidence.manifest()
    return [manifest.get(key) for key in ("assertions", "claim_generator_info", "signature_info", "title")]
