"""Time stamps: what is accepted, what each misbehaving authority leads to, and that a stamp outlives a certificate."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from asn1crypto import tsp
from cryptography import x509
from rfc3161_client import PKIStatus, VerifierBuilder, decode_timestamp_response

from keys import timestamp, timestamping, tsa
from tanba.errors import TimestampError, UsageError
from tanba.trust import Purpose, TrustStore
from tests.beside import beside
from tests.keys.conftest import codes, label_picture, read_picture
from tests.pki import make_pki, now

LIMIT = 1.0
"""Seconds an authority may take in these tests."""


@contextmanager
def serving(handle: Callable[[BaseHTTPRequestHandler, bytes], None]) -> Iterator[str]:
    """An HTTP server whose POST is ``handle``."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            with suppress(BrokenPipeError, ConnectionResetError):
                handle(self, body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    with beside(server) as url:
        yield f"{url}tsa"


def reply(handler: BaseHTTPRequestHandler, body: bytes, *, status: int = 200, length: int | None = None) -> None:
    handler.send_response(status)
    handler.send_header("Content-Type", "application/timestamp-reply")
    handler.send_header("Content-Length", str(len(body) if length is None else length))
    handler.end_headers()
    handler.wfile.write(body)


@pytest.fixture(scope="module")
def authority(pki) -> tsa.LocalTsa:
    made = pki.tsa()
    return tsa.LocalTsa((*made.chain, pki.root), made.key)


@pytest.fixture
def tsa_url(authority) -> Iterator[str]:
    with serving(lambda handler, body: reply(handler, authority.respond(body, now()))) as url:
        yield url


def altered(authority: tsa.LocalTsa, body: bytes, **changes: object) -> bytes:
    """A correctly signed token about something else than was asked."""
    asked = tsp.TimeStampReq.load(body)
    info = {
        "version": "v1",
        "policy": tsa.POLICY,
        "message_imprint": asked["message_imprint"].copy(),
        "serial_number": 1,
        "gen_time": now(),
        "nonce": asked["nonce"].native,
        **changes,
    }
    moment = changes.get("gen_time", now())
    return authority.token(tsp.TSTInfo(info).dump(), moment)


def hang(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    time.sleep(6)


def drip(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "application/timestamp-reply")
    handler.send_header("Content-Length", "5000")
    handler.end_headers()
    for _ in range(30):
        handler.wfile.write(b"0")
        handler.wfile.flush()
        time.sleep(0.2)


WRONG_IMPRINT = {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": hashlib.sha256(b"other").digest()}

MISBEHAVING = {
    "answers HTTP 500": ("down", lambda a: lambda h, b: reply(h, b"no", status=500)),
    "never answers": ("slow", lambda a: hang),
    "drips one byte at a time": ("slow", lambda a: drip),
    "answers garbage": ("garbage", lambda a: lambda h, b: reply(h, b"\x30\x03garbage")),
    "answers nothing": ("garbage", lambda a: lambda h, b: reply(h, b"")),
    "answers with a wrong nonce": ("nonce", lambda a: lambda h, b: reply(h, altered(a, b, nonce=4711))),
    "stamps other data": ("imprint", lambda a: lambda h, b: reply(h, altered(a, b, message_imprint=WRONG_IMPRINT))),
    "sends 64 MiB": ("too_large", lambda a: lambda h, b: reply(h, b"0" * (1 << 16) * 1024)),
    "announces 2 GB": ("too_large", lambda a: lambda h, b: reply(h, b"0" * 1000, length=2_000_000_000)),
    "stamps a time in the future": (
        "future", lambda a: lambda h, b: reply(h, altered(a, b, gen_time=now() + timedelta(days=20))),
    ),
    "stamps a time in the past": (
        "skewed", lambda a: lambda h, b: reply(h, altered(a, b, gen_time=now() - timedelta(minutes=3))),
    ),
    "refuses": ("rejected", lambda a: lambda h, b: reply(h, a.respond(b"\x30\x00", now()))),
    "signs with a key that is not its certificate's": (
        "signature", lambda a: lambda h, b: reply(h, tsa.LocalTsa(a.chain, make_pki().tsa().key).respond(b, now())),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", MISBEHAVING)
def test_an_authority_that(case: str, authority, picture: bytes, pki) -> None:
    """… leads to its own typed error, within the configured time, and to no label."""
    expected, handler = MISBEHAVING[case]
    with serving(handler(authority)) as url, timestamping([url], timeout=LIMIT) as stamps:
        started = time.monotonic()
        with pytest.raises(TimestampError) as caught:
            stamps.sign(lambda relay: label_picture(picture, pki.leaf().signer(), relay))
        took = time.monotonic() - started
    assert caught.value.code == f"tanba.timestamp.{expected}"
    assert caught.value.hint
    assert took < LIMIT + 1.0


def test_an_authority_that_is_not_there_is_down(picture: bytes, pki) -> None:
    with timestamping(["http://127.0.0.1:9/"], timeout=LIMIT) as stamps, pytest.raises(TimestampError) as caught:
        stamps.sign(lambda relay: label_picture(picture, pki.leaf().signer(), relay))
    assert caught.value.code == "tanba.timestamp.down"
    assert caught.value.retryable


def test_the_cms_signing_time_is_held_to_the_same_rule_because_the_engine_prefers_it(authority) -> None:
    request = timestamp.build_request(b"data")
    asked = tsp.TimeStampReq.load(request)
    info = {
        "version": "v1", "policy": tsa.POLICY, "message_imprint": asked["message_imprint"], "serial_number": 1,
        "gen_time": now(), "nonce": asked["nonce"].native,
    }  # fmt: skip
    body = authority.token(tsp.TSTInfo(info).dump(), now() + timedelta(days=1))
    with pytest.raises(TimestampError) as caught:
        timestamp.check(request, body, "http://tsa.test/", now=now())
    assert caught.value.code == "tanba.timestamp.future"


def test_our_authority_satisfies_an_independent_client(authority, pki) -> None:
    request = timestamp.build_request(b"some data")
    response = decode_timestamp_response(authority.respond(request, now()))
    root = x509.load_pem_x509_certificate(pki.root_pem)
    verifier = VerifierBuilder(roots=[root], intermediates=[pki.intermediate]).build()
    assert verifier.verify_message(response, b"some data")


def test_our_authority_satisfies_openssl(authority, pki, tmp_path) -> None:
    query, answer, data, root = (tmp_path / name for name in ("q", "r", "data", "root.pem"))
    data.write_bytes(b"some data")
    root.write_bytes(pki.root_pem)
    subprocess.run(
        ["openssl", "ts", "-query", "-data", data, "-sha256", "-cert", "-out", query], check=True, capture_output=True
    )
    answer.write_bytes(authority.respond(query.read_bytes(), now()))
    done = subprocess.run(
        ["openssl", "ts", "-verify", "-queryfile", query, "-in", answer, "-CAfile", root],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Verification: OK" in done.stdout + done.stderr


@pytest.mark.parametrize("request_bytes", [b"", b"\x30\x00", b"garbage", b"\x30\x80" + b"\xff" * 4000])
def test_our_authority_refuses_what_is_no_request(authority, request_bytes: bytes) -> None:
    response = decode_timestamp_response(authority.respond(request_bytes, now()))
    assert PKIStatus(response.status) is PKIStatus.REJECTION


def test_a_second_authority_takes_over_and_stays_first(tsa_url: str, picture: bytes, pki) -> None:
    asked = []

    def failing(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        asked.append(1)
        reply(handler, b"", status=503)

    signer = pki.leaf().signer()
    with serving(failing) as bad, timestamping([bad, tsa_url], timeout=LIMIT) as stamps:
        for _ in range(3):
            labelled = stamps.sign(lambda relay: label_picture(picture, signer, relay))
        assert stamps.last_token is not None
        assert stamps.last_token.url == tsa_url
    assert "timeStamp.validated" in codes(read_picture(labelled, pki.store()))
    assert len(asked) == 1


@pytest.mark.parametrize("policy", ["without", "queue"])
def test_without_an_authority_the_label_is_made_unstamped_only_when_the_operator_said_so(
    policy: str, picture: bytes, pki
) -> None:
    with timestamping(["http://127.0.0.1:9/"], timeout=LIMIT, policy=policy) as stamps:
        labelled = stamps.sign(lambda relay: label_picture(picture, pki.leaf().signer(), relay))
        assert [error.code for error in stamps.missing] == ["tanba.timestamp.down"]
    evidence = read_picture(labelled, pki.store())
    assert evidence.state == "Trusted"
    assert "timeStamp.validated" not in codes(evidence)


def test_an_error_that_is_not_the_authoritys_passes_through_unchanged(tsa_url: str) -> None:
    with timestamping([tsa_url], policy="without") as stamps, pytest.raises(UsageError):
        stamps.sign(lambda relay: (_ for _ in ()).throw(UsageError("mine")))
    assert not stamps.missing


def test_the_relay_answers_nobody_who_does_not_know_its_path(tsa_url: str) -> None:
    with timestamping([tsa_url]) as stamps:
        base = stamps.url.rsplit("/", 2)[0]
        with pytest.raises(TimestampError) as caught:
            timestamp.fetch(timestamp.build_request(b"x"), f"{base}/guess/shared")
        assert caught.value.code == "tanba.timestamp.down"
        assert timestamp.fetch(timestamp.build_request(b"x"), stamps.url).serial


def test_the_relay_stops_listening_when_it_is_closed(tsa_url: str) -> None:
    with timestamping([tsa_url]) as stamps:
        url = stamps.url
    with pytest.raises(TimestampError):
        timestamp.fetch(timestamp.build_request(b"x"), url, seconds=LIMIT)


@pytest.mark.parametrize(
    "url", ["", "ftp://tsa.test/", "http://", "http://user:secret@tsa.test/", "file:///etc/passwd"]
)
def test_what_is_no_address_of_an_authority_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(UsageError) as caught, timestamping([url]):
        pass
    assert "secret" not in str(caught.value.to_dict())


BEHIND_A_PROXY = """
import sys
import keys
from tanba.engine.write import sign_detached
from tanba.errors import TimestampError
from tests.keys.conftest import DEFINITION
from tests.pki import make_pki
with keys.timestamping([sys.argv[1]], timeout=1) as stamps:
    try:
        stamps.sign(lambda relay: sign_detached(b"data", DEFINITION, make_pki().leaf().signer(), timestamp_url=relay))
        print("stamped")
    except TimestampError as error:
        print(error.code)
"""


@pytest.mark.parametrize(
    ("exempt", "expected"), [({}, "tanba.timestamp.relay"), ({"NO_PROXY": "127.0.0.1"}, "stamped")]
)
def test_a_proxy_in_the_environment_that_hides_the_relay_is_named(exempt: dict, expected: str, tsa_url: str) -> None:
    environment = {**os.environ, "HTTP_PROXY": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9", **exempt}
    command = [sys.executable, "-c", BEHIND_A_PROXY, tsa_url]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == expected


def test_a_stamped_label_stays_trusted_after_its_certificate_expired_and_an_unstamped_one_does_not(
    home, picture: bytes, pki
) -> None:
    """The leaf lives for three seconds; nothing is moved but real time."""
    made = tsa.local(home.keys, now())
    tsa.trust(home.keys, home.trust_dir, now())
    leaf = pki.leaf(ends=timedelta(seconds=3))
    with serving(lambda handler, body: reply(handler, made.respond(body, now()))) as url, timestamping([url]) as stamps:
        stamped = stamps.sign(lambda relay: label_picture(picture, leaf.signer(), relay))
    plain = label_picture(picture, leaf.signer())
    end = leaf.certificate.not_valid_after_utc
    both = home.trust().plus(pki.trust_list())
    assert read_picture(plain, both).state == "Trusted"
    time.sleep(max(0.0, (end - datetime.now(UTC)).total_seconds()) + 1.1)
    assert read_picture(stamped, both).state == "Trusted"
    assert read_picture(plain, both).state == "Invalid"
    assert read_picture(stamped, pki.store()).state == "Invalid", "nobody vouches for the time"


CHECK_LATER = """
import sys
from pathlib import Path
from tanba import trustdir
from tanba.asset import Asset
from tanba.engine.read import read
from datetime import datetime
evidence = read(Asset.from_path(Path(sys.argv[1])), trust=trustdir.load(Path(sys.argv[2])))
print(datetime.now().year, evidence.state)
"""


@pytest.mark.skipif(shutil.which("faketime") is None, reason="libfaketime moves the verifier's clock")
def test_three_years_later_only_the_stamped_label_is_still_trusted(home, picture: bytes, pki, tmp_path) -> None:
    from tanba import trustdir

    made = tsa.local(home.keys, now())
    tsa.trust(home.keys, home.trust_dir, now())
    trustdir.add(home.trust_dir, pki.trust_list())
    signer = pki.leaf(ends=timedelta(days=30)).signer()
    with serving(lambda handler, body: reply(handler, made.respond(body, now()))) as url, timestamping([url]) as stamps:
        (tmp_path / "stamped.png").write_bytes(stamps.sign(lambda relay: label_picture(picture, signer, relay)))
    (tmp_path / "plain.png").write_bytes(label_picture(picture, signer))
    found = {
        name: subprocess.run(
            ["faketime", "-f", "+3y", sys.executable, "-c", CHECK_LATER, tmp_path / name, home.trust_dir],
            check=True, capture_output=True, text=True,
        ).stdout.split()
        for name in ("stamped.png", "plain.png")
    }  # fmt: skip
    later = str((datetime.now(UTC) + timedelta(days=3 * 365)).year)
    assert found == {"stamped.png": [later, "Trusted"], "plain.png": [later, "Invalid"]}


def test_a_list_for_signers_and_a_list_for_time_stay_apart(home) -> None:
    tsa.local(home.keys, now())
    tsa.trust(home.keys, home.trust_dir, now())
    store: TrustStore = home.trust()
    assert [item.name for item in store.of(Purpose.TSA)] == ["tanba-development-tsa"]
    assert store.of(Purpose.MANIFEST) == ()
