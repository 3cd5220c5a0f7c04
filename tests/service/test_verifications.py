"""Verification over HTTP: verdicts, cache, hashes, batches, addresses, other origins, and nothing kept."""

from __future__ import annotations

import hashlib
import io
import logging
import zipfile
from pathlib import Path

import pytest

from tests.service.conftest import Service, jpeg


@pytest.fixture
def labelled(service, photo) -> bytes:
    return service.label(photo, headers={"Accept": "image/jpeg"}).content


def test_the_verdict_is_never_an_http_error(service, labelled):
    broken = labelled[:-40] + bytes([labelled[-40] ^ 1]) + labelled[-39:]
    for content, verdict in ((labelled, "trusted"), (broken, "invalid"), (jpeg(), "unmarked")):
        answer = service.verify(content)
        assert (answer.status_code, answer.json()["verdict"]) == (200, verdict)


def test_unmarked_is_never_called_human(service):
    report = service.verify(jpeg((1, 2, 3))).json()
    assert report["verdict"] == "unmarked"
    assert report["answers"]["ai"]["state"] == "none_declared"


def test_the_second_answer_comes_from_the_cache_and_has_the_same_etag(service, labelled):
    first, second = service.verify(labelled, name="one.jpg"), service.verify(labelled, name="two.jpg")
    assert first.headers["etag"] == second.headers["etag"]
    assert first.json()["basis"]["checked_at"] == second.json()["basis"]["checked_at"]
    assert (first.json()["asset"]["name"], second.json()["asset"]["name"]) == ("one.jpg", "two.jpg")


def test_a_stranger_who_writes_the_number_of_our_label_does_not_get_its_status(service, photo):
    from service.reports import written_before
    from service.usecases.verifications import Own, own_labels

    receipt = service.label(photo).json()
    content = service.http.get(f"/v1/labels/{receipt['label_id']}/content").content
    report = service.verify(content).json()
    assert report["label"]["state"] == "issued"
    for change in (
        {"integrity": {"state": "broken", "codes": []}},
        {"signer": report["answers"]["signer"] | {"fingerprint": "0" * 64}},
    ):
        forged = report | {"answers": report["answers"] | change}
        assert service.http.portal.call(own_labels, service.state, written_before(forged).labels) == Own()


def test_by_hash_needs_no_bytes_and_honours_the_etag(service, labelled):
    digest = hashlib.sha256(labelled).hexdigest()
    unseen = service.http.get(f"/v1/verifications/by-hash/{digest}")
    assert (unseen.status_code, unseen.json()["code"]) == (404, "tanba.verification.not_seen")
    assert "nothing about the content" in unseen.json()["detail"]
    service.verify(labelled)
    seen = service.http.get(f"/v1/verifications/by-hash/{digest}")
    assert (seen.json()["verdict"], seen.json()["asset"]["name"]) == ("trusted", None)
    tag = seen.headers["etag"]
    assert int(seen.headers["cache-control"].rpartition("=")[2]) <= 300
    assert service.http.get(f"/v1/verifications/by-hash/{digest}", headers={"If-None-Match": tag}).status_code == 304


def test_a_hash_in_capitals_as_windows_prints_it_is_the_same_hash(service, labelled):
    digest = hashlib.sha256(labelled).hexdigest()
    service.verify(labelled)
    assert service.http.get(f"/v1/verifications/by-hash/{digest.upper()}").status_code == 200
    asked = service.http.post("/v1/verifications/batch", json={"items": [{"sha256": digest.upper()}]})
    assert asked.json()["items"][0]["status"] == 200
    found = service.http.get(f"/v1/labels?sha256={digest.upper()}").json()
    assert (found["sha256"], len(found["labels"])) == (digest, 1)
    refused = service.http.get(f"/v1/verifications/by-hash/{digest[:-1]}g")
    assert (refused.status_code, refused.json()["code"]) == (422, "tanba.input.invalid")


def test_a_new_trust_list_changes_the_etag_and_forgets_old_answers(service, labelled):
    before = service.verify(labelled).headers["etag"]
    digest = hashlib.sha256(labelled).hexdigest()
    service.state.trust._next = 0.0  # look again now instead of in a few seconds
    from tanba import trustdir
    from tanba.trust import Purpose, TrustList
    from tests import pki

    extra = TrustList("another", Purpose.MANIFEST, _any_root(pki))
    trustdir.add(service.state.trust.folder, extra)
    try:
        service.state.trust._next = 0.0
        assert service.http.get(f"/v1/verifications/by-hash/{digest}").status_code == 404
        assert service.verify(labelled).headers["etag"] != before
    finally:
        trustdir.remove(service.state.trust.folder, "another")
        service.state.trust._next = 0.0


def _any_root(pki) -> str:
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "R")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(7).not_valid_before(now).not_valid_after(now + timedelta(days=9))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def test_a_batch_answers_each_item_for_itself(service, labelled):
    service.verify(labelled)
    digest = hashlib.sha256(labelled).hexdigest()
    items = [{"sha256": digest}, {"sha256": "2" * 64}, {"url": "http://169.254.169.254/latest"}, {}]
    found = service.http.post("/v1/verifications/batch", json={"items": items}).json()["items"]
    assert [item["status"] for item in found] == [200, 404, 422, 422]
    assert found[0]["report"]["verdict"] == "trusted"
    assert found[1]["problem"]["code"] == "tanba.verification.not_seen"
    parts = [("file", ("a.jpg", labelled)), ("file", ("b.jpg", jpeg()))]
    found = service.http.post("/v1/verifications/batch", files=parts).json()["items"]
    assert [item["report"]["verdict"] for item in found] == ["trusted", "unmarked"]
    assert service.http.post("/v1/verifications/batch", json={"items": [{"sha256": "0" * 64}] * 101}).status_code == 422


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/", "http://localhost/", "http://[::1]/", "http://10.0.0.1/", "http://169.254.169.254/",
        "http://[::ffff:127.0.0.1]/", "http://2130706433/", "http://0x7f000001/", "file:///etc/passwd",
        "http://user:pw@example.org/", "ftp://example.org/", "http://example.org:22/", "gopher://x/", "http://",
    ],
)  # fmt: skip
def test_addresses_that_are_not_public_are_refused(service, url):
    answer = service.http.post("/v1/verifications/url", json={"url": url})
    assert answer.status_code == 422
    assert answer.json()["code"].startswith("tanba.network.")


def test_an_address_is_fetched_and_verified_through_the_guarded_client(service, labelled, web_server, monkeypatch):
    from tanba.net import PUBLIC, guarded_client

    base = web_server({"/photo.jpg": labelled})
    client = guarded_client(PUBLIC.allowing(base.removeprefix("http://")))
    monkeypatch.setattr(type(service.state), "fetch", property(lambda _: client), raising=False)
    answer = service.http.post("/v1/verifications/url", json={"url": f"{base}/photo.jpg"})
    assert (answer.status_code, answer.json()["verdict"]) == (200, "trusted")
    gone = service.http.post("/v1/verifications/url", json={"url": f"{base}/missing"})
    assert (gone.status_code, gone.json()["code"]) == (422, "tanba.network.status")


@pytest.fixture
def web_server():
    import threading
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    servers = []

    def start(files: dict[str, bytes]) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = files.get(self.path)
                self.send_response(200 if body is not None else 404)
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *_) -> None: ...

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("chrome-extension://abcdefghijklmnopabcdefghijklmnop", True),
        ("moz-extension://0b6a4b52-8a6e-4c39-9d8f-2f6f2f0a7c11", True),
        ("https://evil.example", False),
        ("chrome-extension://abcdefghijklmnopabcdefghijklmnop.evil.example", False),
        ("null", False),
    ],
)
def test_browser_extensions_may_call_and_pages_may_not(service, origin, allowed):
    ask = {"Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    answer = service.http.options("/v1/verifications", headers=ask)
    assert (answer.headers.get("access-control-allow-origin") == origin) is allowed
    assert "access-control-allow-credentials" not in answer.headers


def test_verification_can_be_for_known_clients_only_and_needs_no_keys_to_sign(tmp_path, photo):
    from starlette.testclient import TestClient

    from service.app import create_app
    from tests.service.conftest import make_settings

    settings = make_settings(tmp_path, labelling=False, anonymous_verify=False)
    with TestClient(create_app(settings)) as client:
        quiet = Service(client)
        assert quiet.verify(photo).status_code == 401
        with_key = client.post("/v1/verifications", headers=quiet.auth, files={"file": ("a.jpg", photo)})
        assert with_key.json()["verdict"] == "unmarked"
        assert quiet.label(photo).json()["code"] == "tanba.label.disabled"
        assert client.get("/readyz").json()["checks"] == {"database": "ok", "storage": "ok", "trust": "ok", "log": "ok"}
        assert client.post("/", files={"file": ("a.jpg", photo)}).status_code == 401
    assert not (tmp_path / "keys").exists()


@pytest.fixture
def json_logs():
    import structlog

    from service import observability

    def configure() -> None:
        observability.configure_logging(json_lines=True)
        structlog.configure(cache_logger_on_first_use=False)  # a cached logger would keep this test's captured stream

    yield configure
    structlog.reset_defaults()


def test_nothing_of_a_verified_content_its_name_or_its_address_is_stored_or_logged(tmp_path, capfd, caplog, json_logs):
    """Zero retention: after verifying by every way, no file and no log line of the service holds a trace."""
    from starlette.testclient import TestClient

    from service.app import create_app
    from tests.service.conftest import make_settings

    caplog.set_level(logging.DEBUG)
    json_logs()
    canary = "kAnArY9vX3"
    body = f"{canary} is a secret draft".encode()
    digest = hashlib.sha256(body).hexdigest()
    with TestClient(create_app(make_settings(tmp_path))) as client:
        client.post("/v1/verifications", files={"file": (f"{canary}.txt", body)}).raise_for_status()
        client.post(f"/v1/verifications?name={canary}.md", content=body, headers={"Content-Type": "text/plain"})
        client.post("/v1/verifications", files={"text": (None, canary)}).raise_for_status()
        client.post("/v1/verifications/url", json={"url": f"http://127.0.0.1/{canary}"})
        client.get(f"/v1/verifications/by-hash/{digest}").raise_for_status()
        client.post("/", files={"file": (f"{canary}.txt", body)}).raise_for_status()
        client.post("/v1/verifications/batch", files=[("file", (f"{canary}.txt", body))]).raise_for_status()
        client.get("/metrics")
    # The records of the test's own HTTP client are not the service's.
    ours = [item.getMessage() for item in caplog.records if not item.name.startswith("httpx2")]
    logs = "\n".join([*capfd.readouterr(), *ours])
    assert "request" in logs
    assert canary not in logs
    assert digest not in logs
    for path in (item for item in tmp_path.rglob("*") if item.is_file()):
        data = path.read_bytes()
        assert canary.encode() not in data, path.name
        assert digest.encode() not in data, path.name
        assert bytes.fromhex(digest) not in data, path.name
    assert not list(Path(tmp_path).rglob("*.part"))


def _huge_png() -> bytes:
    import struct
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    rows = chunk(b"IDAT", zlib.compress(bytes(1_000_000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + rows + chunk(b"IEND", b"")


def _zip_bomb() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("word/document.xml", "w", force_zip64=True) as out:
            for _ in range(200):
                out.write(bytes(1 << 20))
        archive.writestr("[Content_Types].xml", "<Types/>")
    return buffer.getvalue()


BOMBS = {
    "ten thousand JUMBF boxes": lambda: jpeg() + b"\xff\xeb" + b"jumb" * 10_000,
    "a picture of 60,000 squared pixels": _huge_png,
    "a zip of a gigabyte": _zip_bomb,
    "ten megabytes of variation selectors": ("a" + "\U000e0100" * 1_500_000).encode,
    "a JPEG that ends in the middle": lambda: jpeg()[:300],
    "a PNG called JPEG": lambda: _huge_png()[:60],
    "nothing but zeroes": lambda: bytes(100_000),
}


@pytest.mark.parametrize("name", BOMBS)
def test_files_built_to_exhaust_a_reader_cost_a_bounded_time_and_nobody_else(service, name):
    import time

    started = time.monotonic()
    answer = service.verify(BOMBS[name](), name="x.jpg")
    assert time.monotonic() - started < 8
    assert answer.status_code in {200, 413, 415, 422}, answer.text
    if answer.status_code == 200:
        assert answer.json()["verdict"] in {"unmarked", "unchecked", "invalid"}
    assert service.verify(jpeg()).status_code == 200


def test_without_zero_retention_a_result_outlives_the_process_and_the_name_is_kept_nowhere(tmp_path, labelled):
    from starlette.testclient import TestClient

    from service.app import create_app
    from tests.service.conftest import make_settings

    settings = make_settings(tmp_path, zero_retention=False)

    def verify(client: TestClient, name: str):
        return client.post("/v1/verifications", files={"file": (name, labelled)}).raise_for_status()

    with TestClient(create_app(settings)) as client:
        first = verify(client, "very-private.jpg").json()
    with TestClient(create_app(settings)) as client:
        second, third = verify(client, "other.jpg"), verify(client, "third.jpg")
        held = client.get(f"/v1/verifications/by-hash/{first['asset']['sha256']}").json()
    assert second.json() == first | {"asset": first["asset"] | {"name": "other.jpg"}}  # and so when it was checked
    assert third.headers["etag"] == second.headers["etag"]
    assert held == first | {"asset": first["asset"] | {"name": None}}
    assert all(b"very-private" not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
