"""Which addresses and URLs the guard lets through, from the IANA registries and the cloud providers' documentation."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tanba.errors import NetworkRefused, UsageError
from tanba.net import PUBLIC, NetworkPolicy, is_public
from tanba.net.guard import check_url

NOT_PUBLIC = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.1.1.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:a9fe:a9fe",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "3fff::1",
    "5f00::1",
]

PUBLIC_ADDRESSES = [
    "8.8.8.8",
    "1.1.1.1",
    "93.184.216.34",
    "2606:4700:4700::1111",
    "2a00:1450:4001::1",
    "::ffff:8.8.8.8",
]


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_off_the_public_internet_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC_ADDRESSES)
def test_an_ordinary_address_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", ["", "localhost", "127.1", "0x7f000001", "8.8.8.8/32", "1.2.3.4.5"])
def test_what_is_not_a_literal_address_is_not_public(address: str) -> None:
    assert not is_public(address)


@given(st.ip_addresses(v=4))
def test_wrapping_a_private_ipv4_address_in_ipv6_never_makes_it_public(address: ipaddress.IPv4Address) -> None:
    number = int(address)
    wrapped = (
        f"::ffff:{address}",
        f"::{address}",
        str(ipaddress.IPv6Address((0x64FF9B << 96) | number)),
        str(ipaddress.IPv6Address((0x2002 << 112) | (number << 80))),
    )
    for text in wrapped:
        assert is_public(str(address)) or not is_public(text)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("file:///etc/passwd", "scheme_refused"),
        ("gopher://example.com/", "scheme_refused"),
        ("ftp://example.com/", "scheme_refused"),
        ("//example.com/", "scheme_refused"),
        ("example.com", "scheme_refused"),
        ("http:///nohost", "url_refused"),
        ("http://example.com:22/", "port_refused"),
        ("http://example.com:0/", "port_refused"),
        ("http://example.com:99999/", "port_refused"),
        ("http://user:pass@example.com/", "url_refused"),
        ("http://example.com@127.0.0.1/", "url_refused"),
        ("http://127.0.0.1\\@example.com/", "url_refused"),
        ("http://exam ple.com/", "url_refused"),
        ("http://example.com/\r\nHost: evil", "url_refused"),
        ("http://example.com/\tx", "url_refused"),
        ("http://example.com/\x00", "url_refused"),
        ("http://[::1/", "url_refused"),
        ("http://0177.0.0.1/", "url_refused"),
        ("http://①②⑦.⓪.⓪.①/", "url_refused"),
        ("http://example.com/" + "a" * 2048, "url_refused"),
    ],
)
def test_a_url_that_breaks_the_rules_is_refused_before_any_lookup(url: str, code: str) -> None:
    with pytest.raises(NetworkRefused) as caught:
        check_url(url, PUBLIC)
    assert caught.value.code == f"tanba.network.{code}"


def test_an_https_only_policy_refuses_http() -> None:
    with pytest.raises(NetworkRefused):
        check_url("http://example.com/", NetworkPolicy(schemes=frozenset({"https"})))


@given(st.text(max_size=60))
def test_any_text_is_either_a_target_or_refused(text: str) -> None:
    for url in (text, f"http://{text}/", f"https://example.com/{text}"):
        try:
            target = check_url(url, PUBLIC)
        except NetworkRefused:
            continue
        assert target.scheme in {"http", "https"}
        assert target.port in {80, 443}
        assert target.host


def test_an_operator_exception_names_one_host_and_port() -> None:
    policy = PUBLIC.allowing("127.0.0.1:3161", "[::1]:8080")
    assert check_url("http://127.0.0.1:3161/", policy).excepted
    assert check_url("http://[::1]:8080/x", policy).excepted
    with pytest.raises(NetworkRefused):
        check_url("http://127.0.0.1:3162/", policy)


@pytest.mark.parametrize("text", ["", "host", ":80", "host:", "host:0", "host:99999", "host:http", "host:٣"])
def test_an_exception_that_is_not_host_and_port_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError):
        PUBLIC.allowing(text)
