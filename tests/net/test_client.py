"""The guarded client against real listeners: what must not be reached is proved by a listener that heard nothing."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import socket
import ssl
import time
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tanba.errors import NetworkRefused, ResolverError, TanbaError
from tanba.net import PUBLIC, GuardedClient, NetworkPolicy
from tests.net.servers import PretendInternet, answer, drip, endless, hang, redirect, serving

WEB = "93.184.216.34"
QUICK = replace(PUBLIC, connect_seconds=0.5, read_seconds=0.6, total_seconds=1.2, max_bytes=1 << 20)


def surfer(port: int, policy: NetworkPolicy = QUICK, **names: list[str]) -> GuardedClient:
    """A client for whom example.com is the local server, and every other name what ``names`` say."""
    book = {"example.com": [WEB], **{name.replace("_", "."): found for name, found in names.items()}}
    return GuardedClient(policy, resolve=lambda host, _: book.get(host, [host]), backend=PretendInternet({WEB: port}))


def refused(client: GuardedClient, url: str) -> TanbaError:
    with pytest.raises((NetworkRefused, ResolverError)) as caught:
        client.get(url)
    return caught.value


SPELLINGS = [
    "http://127.0.0.1:{port}/", "http://localhost:{port}/", "http://2130706433:{port}/", "http://0x7f000001:{port}/",
    "http://0x7f.1:{port}/", "http://127.1:{port}/", "http://017700000001:{port}/", "http://127。0。0。1:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/", "http://[::ffff:7f00:1]:{port}/", "http://[::127.0.0.1]:{port}/",
    "http://[64:ff9b::7f00:1]:{port}/", "http://[2002:7f00:1::]:{port}/", "http://0:{port}/", "http://0.0.0.0:{port}/",
    "http://127.0.0.1.:{port}/", "http://LOCALHOST.:{port}/",
]  # fmt: skip


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_spelling_of_loopback_reaches_a_listener(spelling: str) -> None:
    with serving() as canary:
        policy = replace(QUICK, ports=frozenset({canary.port}))
        refused(GuardedClient(policy), spelling.format(port=canary.port))
    assert canary.connections == 0


def test_ipv6_loopback_is_not_reached() -> None:
    with serving(host="::1") as canary:
        policy = replace(QUICK, ports=frozenset({canary.port}))
        error = refused(GuardedClient(policy), f"http://[::1]:{canary.port}/")
    assert error.code == "tanba.network.address_refused"
    assert canary.connections == 0


@pytest.mark.parametrize("address", ["169.254.169.254", "10.0.0.1", "192.168.1.1", "fd00:ec2::254", "100.100.100.200"])
def test_metadata_and_private_addresses_are_refused_without_connecting(address: str) -> None:
    backend = PretendInternet({})
    client = GuardedClient(QUICK, resolve=lambda *_: [address], backend=backend)
    assert refused(client, "http://innocent.example/latest/meta-data/").code == "tanba.network.address_refused"
    assert backend.connected == []


def test_one_private_address_among_public_ones_spoils_the_host() -> None:
    backend = PretendInternet({})
    client = GuardedClient(QUICK, resolve=lambda *_: [WEB, "127.0.0.1"], backend=backend)
    assert refused(client, "http://mixed.example/").code == "tanba.network.address_refused"
    assert backend.connected == []


def test_a_name_that_changes_its_mind_is_resolved_only_once() -> None:
    with serving() as web, serving() as canary:
        answers = iter([[WEB], ["127.0.0.1"], ["127.0.0.1"]])
        policy = replace(QUICK, ports=frozenset({80, canary.port}))
        backend = PretendInternet({WEB: web.port})
        response = GuardedClient(policy, resolve=lambda *_: next(answers), backend=backend).get(
            "http://rebind.example/"
        )
    assert response.body == b"hello"
    assert backend.connected == [WEB]
    assert canary.connections == 0


def test_a_redirect_to_a_rebound_name_is_judged_again() -> None:
    with serving({"/": redirect("http://rebind.example/next")}) as web:
        answers = iter([[WEB], ["127.0.0.1"]])
        backend = PretendInternet({WEB: web.port})
        client = GuardedClient(QUICK, resolve=lambda *_: next(answers), backend=backend)
        assert refused(client, "http://rebind.example/").code == "tanba.network.address_refused"
    assert backend.connected == [WEB]


@pytest.mark.parametrize(
    "location",
    ["http://127.0.0.1:{port}/", "http://[::ffff:127.0.0.1]:{port}/", "//localhost:{port}/", "file:///etc/passwd",
     "http://2130706433:{port}/", "http://u:p@example.com/", "http://169.254.169.254/"],
)  # fmt: skip
def test_a_redirect_cannot_lead_inside(location: str) -> None:
    with serving() as canary, serving({"/": redirect(location.format(port=canary.port))}) as web:
        client = surfer(web.port, replace(QUICK, ports=frozenset({80, canary.port})))
        refused(client, "http://example.com/")
    assert web.connections == 1
    assert canary.connections == 0


def test_a_redirect_to_an_endpoint_only_the_operator_may_name_is_refused() -> None:
    with serving() as inside, serving({"/": redirect(f"http://127.0.0.1:{inside.port}/")}) as outside:
        client = surfer(outside.port, QUICK.allowing(f"127.0.0.1:{inside.port}"))
        assert refused(client, "http://example.com/").code == "tanba.network.redirect_refused"
    assert inside.connections == 0


def test_an_operator_exception_reaches_the_named_endpoint() -> None:
    with serving() as inside:
        client = GuardedClient(QUICK.allowing(f"127.0.0.1:{inside.port}"))
        assert client.get(f"http://127.0.0.1:{inside.port}/").body == b"hello"


def test_three_redirects_are_followed_and_four_are_not() -> None:
    chain = {f"/{n}": redirect(f"/{n - 1}") for n in range(1, 6)}
    with serving(chain) as web:
        client = surfer(web.port)
        assert client.get("http://example.com/3").url == "http://example.com/0"
        assert refused(client, "http://example.com/4").code == "tanba.network.too_many_redirects"


def test_a_redirect_loop_ends() -> None:
    with serving({"/": redirect("/")}) as web:
        assert refused(surfer(web.port), "http://example.com/").code == "tanba.network.too_many_redirects"
    assert web.connections == 4


def test_credentials_do_not_follow_a_redirect_to_another_origin() -> None:
    with serving({"/a": redirect("http://other.example/b")}) as web:
        client = surfer(web.port, other_example=[WEB])
        client.get("http://example.com/a", headers={"Authorization": "Bearer secret", "X-Kept": "yes"})
    assert b"secret" in web.requests[0]
    assert b"secret" not in web.requests[1]
    assert b"x-kept: yes" in web.requests[1].lower()


def test_a_post_is_never_redirected() -> None:
    with serving({"/": redirect("/elsewhere", "307 Temporary Redirect")}) as web:
        assert surfer(web.port).post("http://example.com/", b"payload").status == 307
    assert web.connections == 1


def test_an_announced_oversize_is_refused_unread() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"
    with serving({"/": drip(head)}) as web:
        assert refused(surfer(web.port), "http://example.com/").code == "tanba.network.too_large"


def test_an_endless_body_is_cut_at_the_cap() -> None:
    with serving({"/": endless}) as web:
        sink = io.BytesIO()
        with pytest.raises(NetworkRefused) as caught:
            surfer(web.port).get("http://example.com/", destination=sink)
    assert caught.value.code == "tanba.network.too_large"
    assert len(sink.getvalue()) <= QUICK.max_bytes


@pytest.mark.parametrize(
    "head",
    [b"", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"],
    ids=["before the status", "in a header", "in the body"],
)
def test_a_slow_drip_ends_at_the_deadline(head: bytes) -> None:
    with serving({"/": drip(head, 0.05)}) as web:
        start = time.monotonic()
        error = refused(surfer(web.port), "http://example.com/")
    assert error.code in {"tanba.network.timeout", "tanba.network.failed"}
    assert time.monotonic() - start < QUICK.total_seconds + 0.8


def test_a_silent_server_is_given_up() -> None:
    with serving({"/": hang}) as web:
        start = time.monotonic()
        assert refused(surfer(web.port), "http://example.com/").code == "tanba.network.timeout"
    assert time.monotonic() - start < QUICK.total_seconds


def test_a_hanging_name_server_is_given_up() -> None:
    client = GuardedClient(QUICK, resolve=lambda *_: time.sleep(5) or [WEB])
    start = time.monotonic()
    assert refused(client, "http://example.com/").code == "tanba.network.timeout"
    assert time.monotonic() - start < QUICK.total_seconds


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "gzip, gzip"])
def test_a_compressed_answer_is_refused_undecoded(encoding: str) -> None:
    bomb = gzip.compress(bytes(1 << 20))
    with serving({"/": answer(bomb, Content_Encoding=encoding)}) as web:
        assert refused(surfer(web.port), "http://example.com/").code == "tanba.network.encoding_refused"
    assert b"accept-encoding: identity" in web.requests[0].lower()


def test_an_unwanted_content_type_is_refused() -> None:
    policy = replace(QUICK, content_types=frozenset({"image/*", "text/plain"}))
    with serving({"/p": answer(b"x", Content_Type="image/png"), "/h": answer(b"x", Content_Type="text/html")}) as web:
        client = surfer(web.port, policy)
        assert client.get("http://example.com/p").media_type == "image/png"
        assert refused(client, "http://example.com/h").code == "tanba.network.content_type_refused"


@pytest.mark.parametrize(
    "garbage",
    [b"SSH-2.0-OpenSSH\r\n", b"\x00" * 500, b"HTTP/9.9 banana\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"A" * 300_000],
)
def test_garbage_instead_of_http_is_a_typed_error(garbage: bytes) -> None:
    def script(channel: socket.socket, _: bytes) -> None:
        channel.sendall(garbage)

    with serving({"/": script}) as web:
        assert refused(surfer(web.port), "http://example.com/").code.startswith("tanba.network.")


def test_headers_cannot_smuggle_a_request() -> None:
    with serving() as web, pytest.raises(NetworkRefused):
        surfer(web.port).get("http://example.com/", headers={"X-A": "1\r\nHost: internal"})
    assert web.requests == []


def test_the_caller_cannot_replace_the_host_header() -> None:
    with serving() as web:
        surfer(web.port).get("http://example.com/", headers={"Host": "internal"})
    assert b"host: example.com\r\n" in web.requests[0].lower()
    assert b"internal" not in web.requests[0]


def test_proxy_settings_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as proxy, serving() as web:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "https_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert surfer(web.port).get("http://example.com/").body == b"hello"
    assert proxy.connections == 0


def test_a_status_that_is_not_success_raises_when_asked() -> None:
    with serving({"/": answer(b"", "503 Service Unavailable")}) as web:
        response = surfer(web.port).get("http://example.com/")
        with pytest.raises(ResolverError) as caught:
            response.raise_for_status()
    assert caught.value.details == {"status": 503}


def _certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    cert, secret = folder / "cert.pem", folder / "key.pem"
    cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(cert, secret)
    return server, ssl.create_default_context(cafile=str(cert))


def test_tls_checks_the_name_in_the_url_not_the_address(tmp_path: Path) -> None:
    server, trusting = _certificate(tmp_path, "example.com")
    with serving(tls=server) as web:
        names = {"example.com": [WEB], "evil.example": [WEB]}
        client = GuardedClient(
            QUICK, resolve=lambda host, _: names[host], backend=PretendInternet({WEB: web.port}), ssl_context=trusting
        )
        assert client.get("https://example.com/").body == b"hello"
        refused(client, "https://evil.example/")
        strict = GuardedClient(QUICK, resolve=lambda host, _: names[host], backend=PretendInternet({WEB: web.port}))
        refused(strict, "https://example.com/")
    assert len(web.requests) == 1


def test_a_redirect_from_https_to_http_is_refused(tmp_path: Path) -> None:
    server, trusting = _certificate(tmp_path, "example.com")
    with serving({"/": redirect("http://example.com/plain")}, tls=server) as web:
        client = GuardedClient(
            QUICK, resolve=lambda *_: [WEB], backend=PretendInternet({WEB: web.port}), ssl_context=trusting
        )
        assert refused(client, "https://example.com/").code == "tanba.network.redirect_refused"


def test_an_error_never_tells_what_an_internal_name_resolves_to() -> None:
    client = GuardedClient(QUICK, resolve=lambda *_: ["10.11.12.13"])
    assert "10.11.12.13" not in str(refused(client, "http://db.internal/").to_dict())
