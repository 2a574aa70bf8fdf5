"""A receiver's address leads to the public internet, however it is written."""

from __future__ import annotations

import socket

import pytest

from pipeline.webhooks.addresses import Address, is_public, public_addresses, read_address
from pipeline.webhooks.errors import AddressNotPublic, ReceiverUnavailable

PUBLIC = "93.184.215.14"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://example.com", Address("example.com", 443, "/")),
        ("https://Example.COM/hooks?a=b", Address("example.com", 443, "/hooks?a=b")),
        ("https://example.com:8443/x", Address("example.com", 8443, "/x")),
        ("https://[2606:2800:21f::1]/x", Address("2606:2800:21f::1", 443, "/x")),
        ("https://xn--bcher-kva.example/", Address("xn--bcher-kva.example", 443, "/")),
    ],
)
def test_an_https_address_is_read(url: str, expected: Address) -> None:
    assert read_address(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "ftp://example.com/",
        "//example.com/",
        "example.com",
        "",
        "https://",
        "https:///hooks",
        "https://user@example.com/",
        "https://user:word@example.com/",
        "https://example.com@127.0.0.1/",
        "https://example.com#@127.0.0.1/",
        "https://example.com/#part",
        "https://example.com\\@127.0.0.1/",
        "https://example.com /",
        "https://exa\nmple.com/",
        "https://example.com/\r\nHost: localhost",
        "https://example.com:0/",
        "https://example.com:65536/",
        "https://example.com:https/",
        "https://[::1/",
        "https://[v1.x]/",
        "https://b\N{LATIN SMALL LETTER U WITH DIAERESIS}cher.example/",
        "https://exam%70le.com/",
        f"https://example.com/{'x' * 2048}",
        "http://127.0.0.1:8000/",
    ],
)
def test_any_other_is_refused_by_name(url: str) -> None:
    with pytest.raises(AddressNotPublic):
        read_address(url)


@pytest.mark.parametrize(
    "url", ["http://localhost:1/", "http://127.0.0.2:1/", "http://[::1]:1/", "http://10.0.0.1/"]
)
def test_the_local_cloud_sends_to_its_own_computer_by_one_name_only(url: str) -> None:
    assert read_address("http://127.0.0.1:8000/x", local_receivers=True).tls is False
    with pytest.raises(AddressNotPublic):
        read_address(url, local_receivers=True)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",  # noqa: S104 - refused
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "169.254.170.2",
        "172.16.0.1",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:93.184.215.14",
        "::ffff:a9fe:a9fe",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:1::1",
        "3fff::1",
        "2001:db8::1",
        "2002:7f00:1::1",
        "2002:a9fe:a9fe::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "2606:2800:21f::1%eth0",
        "fec0::1",
        "ff02::1",
        "nonsense",
    ],
)
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    assert not is_public(address)
    for found in ([address], [PUBLIC, address]):
        with pytest.raises(AddressNotPublic, match="not public"):
            public_addresses(read_address("https://example.com"), lambda *_, found=found: found)


@pytest.mark.parametrize("address", [PUBLIC, "8.8.8.8", "2606:2800:21f::1", "2a00:1450::1"])
def test_a_public_address_is_used(address: str) -> None:
    assert public_addresses(read_address("https://example.com"), lambda *_: [address]) == [address]


def test_ipv4_comes_first_because_functions_may_have_no_ipv6() -> None:
    found = ["2606:2800:21f::1", PUBLIC, PUBLIC]

    assert public_addresses(read_address("https://example.com"), lambda *_: found) == [
        PUBLIC,
        "2606:2800:21f::1",
    ]


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "0", "[::1]",
     "[::ffff:169.254.169.254]", "[64:ff9b::a9fe:a9fe]", "169.254.169.254", "localhost"],
)  # fmt: skip
def test_every_way_to_write_a_private_address_is_refused_by_the_real_resolver(host: str) -> None:
    with pytest.raises((AddressNotPublic, ReceiverUnavailable)) as refused:
        public_addresses(read_address(f"https://{host}/"))

    if host != "localhost":  # which some computers do not resolve
        assert refused.type is AddressNotPublic


def test_a_name_that_is_not_resolved_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror("no such name")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(ReceiverUnavailable, match="no such name"):
        public_addresses(read_address("https://example.com"))
    with pytest.raises(ReceiverUnavailable, match="no IP address"):
        public_addresses(read_address("https://example.com"), lambda *_: [])
