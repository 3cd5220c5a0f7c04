"""The measured traps of c2pa-python end at the engine's border (facts: c2pa-python.md, section 0)."""

from __future__ import annotations

import contextlib
import http.server
import io
import json
import threading
import time
import zipfile
from collections.abc import Iterator
from typing import ClassVar

import pytest
from PIL import Image

from tanba.asset import Asset
from tanba.engine import native
from tanba.engine.prescan import prescan
from tanba.engine.read import EvidenceStatus, read
from tanba.engine.write import DataHash, Ingredient, sign, sign_detached
from tanba.errors import CredentialError, MalformedAsset, TanbaError
from tanba.limits import Limits
from tanba.trust import TrustStore
from tests.pictures import CREATED, PHOTO
from tests.pki import C2PA_SIGNING, Pki, make_pki


@pytest.fixture(scope="module")
def pki() -> Pki:
    return make_pki()


def signed(pki: Pki, *, definition: dict[str, object] | None = None) -> bytes:
    out = io.BytesIO()
    with PHOTO.open("rb") as stream:
        sign(stream, "image/jpeg", definition or CREATED, pki.leaf().signer(), out)
    return out.getvalue()


class _Counter(http.server.BaseHTTPRequestHandler):
    hits: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.hits.append(self.path)
        self.send_response(404)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def listener() -> Iterator[tuple[int, list[str]]]:
    _Counter.hits.clear()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Counter)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1], _Counter.hits
    server.shutdown()


def with_provenance(port: int) -> bytes:
    """An unsigned JPEG whose XMP points at a listener: c2pa's default Reader would fetch it."""
    url = f"http://127.0.0.1:{port}/x.c2pa"
    packet = (
        '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        f'xmlns:dcterms="http://purl.org/dc/terms/" dcterms:provenance="{url}"/></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()
    body = b"http://ns.adobe.com/xap/1.0/\0" + packet
    photo = PHOTO.read_bytes()
    return photo[:2] + b"\xff\xe1" + (len(body) + 2).to_bytes(2) + body + photo[2:]


def test_a_remote_manifest_is_named_and_never_fetched(listener: tuple[int, list[str]]) -> None:
    port, hits = listener
    evidence = read(Asset.from_bytes(with_provenance(port)), trust=TrustStore.empty())
    assert evidence.status is EvidenceStatus.REMOTE_ONLY
    assert evidence.remote_url == f"http://127.0.0.1:{port}/x.c2pa"
    assert hits == []


def test_signing_over_a_file_with_a_remote_reference_fetches_nothing(pki: Pki, listener: tuple[int, list[str]]) -> None:
    port, hits = listener
    data = with_provenance(port)
    definition = {**CREATED, "assertions": []}
    parent = Ingredient(io.BytesIO(data), "image/jpeg", "parent.jpg", label="parent")
    with contextlib.suppress(TanbaError):
        sign(io.BytesIO(data), "image/jpeg", definition, pki.leaf().signer(), io.BytesIO(), ingredients=[parent])
    assert hits == []


def test_a_certificate_with_only_the_c2pa_key_usage_is_accepted() -> None:
    """The library's default settings call it invalid; our settings list the OID at top level."""
    own = make_pki()
    leaf = own.leaf(ekus=(C2PA_SIGNING,))
    out = io.BytesIO()
    with PHOTO.open("rb") as stream:
        sign(stream, "image/jpeg", CREATED, leaf.signer(), out)
    evidence = read(Asset.from_bytes(out.getvalue()), trust=own.store())
    assert evidence.state == "Trusted"


def test_the_signers_own_exception_is_the_cause_and_nothing_is_written(pki: Pki) -> None:
    class Burning:
        name, algorithm, chain_pem = "hsm", "es256", pki.leaf().signer().chain_pem

        def sign(self, data: bytes) -> bytes:
            raise OSError("token on fire")

    out = io.BytesIO()
    with PHOTO.open("rb") as stream, pytest.raises(CredentialError) as caught:
        sign(stream, "image/jpeg", CREATED, Burning(), out)
    assert isinstance(caught.value.__cause__, OSError)
    assert "token on fire" in str(caught.value.__cause__)


def test_ten_thousand_assertions_cost_a_refusal_and_not_fifteen_seconds(pki: Pki) -> None:
    bomb = signed(pki, definition=_many(2_000))
    started = time.monotonic()
    evidence = read(Asset.from_bytes(bomb), trust=TrustStore.empty(), limits=Limits(seconds=0.3))
    assert evidence.status is EvidenceStatus.OVER_LIMIT
    assert time.monotonic() - started < 8
    refused = read(Asset.from_bytes(bomb), trust=TrustStore.empty(), limits=Limits(jumbf_boxes=1_000))
    assert refused.status is EvidenceStatus.OVER_LIMIT


def test_a_costly_but_honest_file_is_read_in_a_worker_with_the_same_result(pki: Pki) -> None:
    asset = Asset.from_bytes(signed(pki, definition=_many(50)))
    here = read(asset, trust=pki.store(), isolate=False)
    there = read(asset, trust=pki.store(), limits=Limits(inline_jumbf_boxes=10, seconds=60))
    assert here.state == there.state == "Trusted"
    assert here.codes == there.codes
    assert here.store == there.store


MP4 = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom"
FREE = b"\0\0\0\x08free"


@pytest.mark.parametrize(
    "data",
    [
        MP4 + FREE * 100_000,
        MP4 + (8 + 8 * 100_000).to_bytes(4) + b"moov" + FREE * 100_000,
        b"GIF89a\1\0\1\0\0\0\0" + b"!\xfe\1a\0" * 1_000_000 + b";",
        b"RIFF" + (8 * 1_000_000 + 4).to_bytes(4, "little") + b"WEBP" + b"abcd\0\0\0\0" * 1_000_000,
        b"\x89PNG\r\n\x1a\n" + b"\0\0\0\0abCd\0\0\0\0" * 1_000_000,
    ],
    ids=["mp4", "moov", "gif", "webp", "png"],
)
def test_a_container_of_very_many_parts_is_stopped_and_never_called_unlabelled(data: bytes) -> None:
    """The engine would take half a minute and more for each of them, and cannot be interrupted."""
    started = time.monotonic()
    evidence = read(Asset.from_bytes(data), trust=TrustStore.empty(), limits=Limits(seconds=0.5))
    assert evidence.status is EvidenceStatus.OVER_LIMIT
    assert time.monotonic() - started < 20


@pytest.mark.parametrize("kind", ["GIF", "AVIF", "PNG", "WEBP"])
def test_an_ordinary_picture_is_not_crowded(kind: str) -> None:
    from tanba.engine.places import look

    out = io.BytesIO()
    with Image.open(PHOTO) as picture:
        picture.save(out, kind)
    asset = Asset.from_bytes(out.getvalue())
    assert not look(out, asset.size, asset.format.media_type).crowded


def book(parts: int, *, overlapping: int = 0) -> bytes:
    """An EPUB of many small parts; with ``overlapping``, each of them is the same part of so many bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/epub+zip")
        archive.writestr("whole", bytes(overlapping))
        whole = archive.getinfo("whole")
        for number in range(parts):
            archive.writestr(f"part/{number}", b"x")
            if overlapping:
                item = archive.infolist()[-1]
                item.header_offset, item.CRC = whole.header_offset, whole.CRC
                item.file_size = item.compress_size = overlapping
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "costly"),
    [(book(1_900), False), (book(2_100), True), (book(65_000), True), (book(2, overlapping=1 << 20), True)],
    ids=["1900", "2100", "65000", "overlapping"],
)
def test_a_document_of_very_many_or_overlapping_parts_is_for_the_worker(data: bytes, costly: bool) -> None:
    assert prescan(Asset.from_bytes(data, name="a.epub"), Limits()).costly is costly


def test_a_document_whose_parts_are_one_part_is_stopped_and_never_called_unlabelled(pki: Pki) -> None:
    """A megabyte that the engine hashes for each of 1,500 names, and whose label is sound: 1.5 GB of hashing."""
    out = io.BytesIO()
    sign(io.BytesIO(book(1_500, overlapping=1 << 20)), "application/epub+zip", CREATED, pki.leaf().signer(), out)
    asset = Asset.from_bytes(out.getvalue(), name="a.epub")
    assert asset.size < 2 << 20
    evidence = read(asset, trust=pki.store(), limits=Limits(seconds=0.2))
    assert evidence.status is EvidenceStatus.OVER_LIMIT


def test_a_book_of_many_parts_is_read_in_a_worker_with_the_same_result(pki: Pki) -> None:
    out = io.BytesIO()
    sign(io.BytesIO(book(2_100)), "application/epub+zip", CREATED, pki.leaf().signer(), out)
    asset = Asset.from_bytes(out.getvalue(), name="a.epub")
    here = read(asset, trust=pki.store(), isolate=False)
    there = read(asset, trust=pki.store(), limits=Limits(seconds=60))
    assert here.state == there.state == "Trusted"
    assert here.codes == there.codes


def _many(count: int) -> dict[str, object]:
    filler = [{"label": f"org.example.note{n}", "created": True, "data": {"n": n}} for n in range(count)]
    return {**CREATED, "assertions": [*CREATED["assertions"], *filler]}


@pytest.mark.parametrize(
    ("data", "name", "status"),
    [
        (b"", "empty.jpg", EvidenceStatus.UNREADABLE),
        (b"\x89PNG\r\n\x1a\n\0\0", "cut.png", EvidenceStatus.UNREADABLE),
        (b"\0\x01\x02\x03" * 100, "noise.bin", EvidenceStatus.UNSUPPORTED),
        (b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0" + b"\0" * 60, "old.bmp", EvidenceStatus.UNSUPPORTED),
    ],
)
def test_what_cannot_be_read_is_told_apart_and_never_called_unlabelled(
    data: bytes, name: str, status: EvidenceStatus
) -> None:
    assert read(Asset.from_bytes(data, name=name), trust=TrustStore.empty()).status is status


def test_a_store_damaged_beyond_reading_is_malformed_and_not_absent(pki: Pki) -> None:
    data = bytearray(signed(pki))
    at = data.index(b"jumdc2pa")
    data[at - 8 : at - 4] = b"\xff\xff\xff\xff"
    evidence = read(Asset.from_bytes(bytes(data)), trust=TrustStore.empty())
    assert evidence.status in (EvidenceStatus.MALFORMED, EvidenceStatus.FOUND)
    assert evidence.state in (None, "Invalid")


def test_a_signer_is_reused_and_two_signers_never_share_a_signature(pki: Pki) -> None:
    other = make_pki()
    assert read(Asset.from_bytes(signed(pki)), trust=pki.store()).state == "Trusted"
    assert read(Asset.from_bytes(signed(other)), trust=pki.store()).state == "Valid"
    assert read(Asset.from_bytes(signed(other)), trust=other.store()).state == "Trusted"


def test_a_detached_manifest_binds_any_bytes_and_notices_one_changed_byte(pki: Pki) -> None:
    content = b'{"answer": 42}\n'
    store = sign_detached(content, CREATED, pki.leaf().signer())
    asset = Asset.from_bytes(content, name="answer.json")
    changed = Asset.from_bytes(b'{"answer": 43}\n', name="answer.json")
    assert read(asset, trust=pki.store(), manifest=store).state == "Trusted"
    assert read(changed, trust=pki.store(), manifest=store).state == "Invalid"


def test_an_empty_file_is_refused_with_a_clear_error(pki: Pki) -> None:
    with pytest.raises(MalformedAsset, match="empty file"):
        sign_detached(b"", CREATED, pki.leaf().signer())


def test_our_own_hard_binding_stands_in_the_claim_as_bytes(pki: Pki) -> None:
    store = sign_detached(b"text", CREATED, pki.leaf().signer(), data_hash=DataHash(bytes(range(32)), ((4, 10),)))
    evidence = read(Asset.from_bytes(b"text" + b"x" * 10, name="a.txt"), trust=pki.store(), manifest=store)
    assertions = evidence.crjson["manifests"][0]["assertions"]["c2pa.hash.data"]
    assert assertions["exclusions"] == [{"start": 4, "length": 10}]
    assert evidence.store == store


def test_the_settings_leave_no_door_to_the_network_open() -> None:
    settings = json.loads(json.dumps(native.settings(TrustStore.empty(), signing=True)))
    assert settings["core"]["allowed_network_hosts"] == []
    assert settings["core"]["allow_redirects"] is False
    assert settings["verify"]["remote_manifest_fetch"] is False
    assert settings["verify"]["ocsp_fetch"] is False
    assert settings["builder"]["thumbnail"]["enabled"] is False
