"""Where webhooks may be sent."""

from ipaddress import ip_address

import pytest

from penstock.model.errors import InvalidError, UnavailableError
from penstock.notify.address import (
    Reach,
    Resolve,
    Target,
    check_address,
    find_addresses,
    read_network,
    read_target,
)

PUBLIC = Reach()
LAX = Reach(protocols=frozenset({"https", "http"}), ports=frozenset({0}))


def test_the_parts_of_an_address_are_found() -> None:
    target = read_target("https://Hooks.Example.com/a/b?c=d#e", PUBLIC)
    assert target == Target(secure=True, name="hooks.example.com", port=443, path="/a/b?c=d")
    assert (target.host, target.header) == ("hooks.example.com:443", "hooks.example.com")
    other = read_target("https://example.com:8443", PUBLIC)
    assert (other.path, other.host, other.header) == ("/", "example.com:8443", "example.com:8443")
    plain = read_target("http://[2606:4700::1111]:80/", LAX)
    assert (plain.secure, plain.host, plain.header) == (False, "[2606:4700::1111]:80", "[2606:4700::1111]")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "//example.com/",
        "http://example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com/_x",
        "javascript:alert(1)",
        "https://",
        "https:///path",
        "https://:443/",
        "https://example.com:/",
        "https://example.com:0/",
        "https://example.com:99999/",
        "https://example.com:-1/",
        "https://example.com:٤٤٣/",
        "https://example.com:22/",
        "https://example.com:6379/",
        "https://user@example.com/",
        "https://user:word@example.com/",
        "https://example.com\\@127.0.0.1/",
        "https://exa mple.com/",
        "https://example.com/a b",
        "https://example.com/\r\nX: y",
        "https://example.com/\x00",
        "https://exämple.com/",
        "https://example.com/ä",
        "https://[::1/",
        "https://[fe80::1%25eth0]/",
        "https://ex%61mple.com/",
        "https://127.0.0.1/",
        "https://127.1/",
        "https://0x7f.0.0.1/",
        "https://2130706433/",
        "https://017700000001/",
        "https://0/",
        "https://10.0.0.1/",
        "https://[::ffff:10.0.0.1]/",
        "https://[64:ff9b::a00:1]/",
        "https://[2002:a00:1::]/",
        "https://169.254.169.254/latest/meta-data/",
        "https://example.com/" + "a" * 2000,
        "https://" + "a" * 300 + "/",
        "https://example.com/\ud800",
    ],
)
def test_what_webhooks_may_not_be_sent_to_is_refused(url: str) -> None:
    with pytest.raises(InvalidError):
        read_target(url, PUBLIC)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.1",
        "10.1.2.3",
        "100.64.0.1",
        "100.127.255.254",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.192",
        "192.168.1.1",
        "198.18.0.1",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "::ffff:127.0.0.1",
        "::ffff:a9fe:a9fe",
        "::ffff:0:127.0.0.1",
        "64:ff9b::127.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::808:808",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::1",
        "2002:808:808::1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ],
)
def test_private_and_special_addresses_are_refused_in_every_disguise(address: str) -> None:
    with pytest.raises(InvalidError, match="private or special"):
        check_address(ip_address(address), PUBLIC)


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "100.63.255.255", "172.32.0.1", "::ffff:8.8.8.8", "64:ff9b::808:808", "2606:4700::1111"],
)
def test_public_addresses_are_open(address: str) -> None:
    check_address(ip_address(address), PUBLIC)


@pytest.mark.parametrize("address", ["10.9.8.7", "::ffff:10.9.8.7", "64:ff9b::a09:807", "fd00::5"])
def test_the_operators_networks_are_open(address: str) -> None:
    reach = Reach(networks=(read_network("10.0.0.0/8"), read_network("fd00::/64")))
    check_address(ip_address(address), reach)
    with pytest.raises(InvalidError):
        check_address(ip_address("192.168.0.1"), reach)


def test_every_address_of_a_name_counts() -> None:
    target = read_target("https://example.com/", PUBLIC)
    assert find_addresses(target, PUBLIC, lambda *_: ["8.8.8.8", "2606:4700::1"]) == (
        "8.8.8.8",
        "2606:4700::1",
    )
    for bad in (["8.8.8.8", "127.0.0.1"], ["fe80::1%eth0", "8.8.8.8"], ["not an address"]):
        with pytest.raises(InvalidError):
            find_addresses(target, PUBLIC, lambda *_, bad=bad: bad)


def test_a_name_without_addresses_is_unavailable() -> None:
    def fail(name: str, port: int) -> list[str]:
        raise OSError(name, port)

    def confuse(name: str, _port: int) -> list[str]:
        return [name.encode("idna").decode()] if len(name) < 5 else [("x" * 70).encode("idna").decode()]

    target = read_target("https://example.com/", PUBLIC)
    empty: Resolve = lambda *_: []  # noqa: E731 - short
    for resolve in (fail, confuse, empty):
        with pytest.raises(UnavailableError, match="cannot be resolved"):
            find_addresses(target, PUBLIC, resolve)


def test_a_refusal_tells_nothing_of_what_a_name_leads_to() -> None:
    target = read_target("https://db.internal/", PUBLIC)
    with pytest.raises(InvalidError) as refusal:
        find_addresses(target, PUBLIC, lambda *_: ["10.20.30.40"])
    assert "10.20" not in str(refusal.value)


@pytest.mark.parametrize("text", ["10.0.0.0/40", "all", "", "10.0.0.1/8/8"])
def test_what_is_no_network_is_said(text: str) -> None:
    with pytest.raises(InvalidError, match="is no network"):
        read_network(text)
