"""Where a webhook may be sent: what an address must be, and which machines it may lead to.

A name is resolved right before each connection, every address it has is looked at, and the connection goes to
one of those. So a name that leads elsewhere a moment later gains nothing.
"""

import socket
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

import msgspec

from penstock.model.errors import InvalidError, UnavailableError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolve = Callable[[str, int], Sequence[str]]
"""The addresses of a host. Raises OSError when it has none, UnicodeError for what is no name."""

ANY_PORT = 0
MOST_LETTERS = 2000
_DEFAULT_PORTS = {"https": 443, "http": 80}
_MOST_NAME = 253
_EMBEDDED = 96
"""Bits before an IPv4 address inside an IPv6 one of a translator."""

_TRANSLATED = ip_network("64:ff9b::/96")
_CLOSED: tuple[Network, ...] = tuple(
    ip_network(each)
    for each in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # shared by a provider's customers
        "127.0.0.0/8",
        "169.254.0.0/16",  # with what clouds tell their machines
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",  # relays into 2002::/16
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",  # multicast, reserved, broadcast
        "::/8",  # unspecified, loopback, IPv4 in disguise; 64:ff9b::/96 is looked at first
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",  # Teredo and other makeshifts
        "2001:db8::/32",
        "2002::/16",  # an IPv4 address of anybody's choice
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",
        "fe80::/9",  # link-local and site-local
        "ff00::/8",
    )
)


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator lets webhooks reach, beside all public machines."""

    protocols: frozenset[str] = frozenset({"https"})
    ports: frozenset[int] = frozenset({80, 443, 8080, 8443})
    networks: tuple[Network, ...] = ()

    def allows_port(self, port: int) -> bool:
        """True when webhooks may be sent to the port."""
        return port in self.ports or ANY_PORT in self.ports

    def allows_address(self, address: Address) -> bool:
        """True for a public machine, and for one in the operator's networks."""
        plain = _unwrap(address)
        if any(each.version == plain.version and plain in each for each in self.networks):
            return True
        return not any(each.version == plain.version and plain in each for each in _CLOSED)


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of an address, checked. `name` is what a certificate must be for, in ASCII."""

    secure: bool
    name: str
    port: int
    path: str  # with the query

    @property
    def host(self) -> str:
        """Name and port, in one spelling for all addresses of one receiver."""
        return f"{self._bracketed}:{self.port}"

    @property
    def header(self) -> str:
        """The value of the header `Host`."""
        usual = _DEFAULT_PORTS["https" if self.secure else "http"]
        return self._bracketed if self.port == usual else self.host

    @property
    def _bracketed(self) -> str:
        return f"[{self.name}]" if ":" in self.name else self.name


def read_target(url: str, reach: Reach) -> Target:
    """The parts of the address. Raises InvalidError for one that webhooks may not be sent to.

    Which machines a name leads to is seen when something is sent.
    """
    parts, port = _split(url)
    if parts.scheme not in reach.protocols:
        allowed = " or ".join(f"{each}://" for each in sorted(reach.protocols, reverse=True))
        raise InvalidError(f"the URL of a webhook begins with {allowed}")
    port = port or _DEFAULT_PORTS[parts.scheme]
    if not reach.allows_port(port):
        raise InvalidError(f"webhooks are not sent to port {port}: see the setting webhook_ports")
    path = parts.path or "/"
    target = Target(
        secure=parts.scheme == "https",
        name=_encode_name(parts.hostname or ""),
        port=port,
        path=f"{path}?{parts.query}" if parts.query else path,
    )
    literal = _read_address(target.name) or _read_number(target.name)
    if literal is not None:
        check_address(literal, reach)
    return target


def find_addresses(target: Target, reach: Reach, resolve: Resolve) -> tuple[str, ...]:
    """All addresses of the target, each of which may be reached.

    Raises InvalidError when one may not, UnavailableError when there are none.
    """
    try:
        found = resolve(target.name, target.port)
    except (OSError, UnicodeError) as error:
        raise UnavailableError(f"{target.name} cannot be resolved") from error
    if not found:
        raise UnavailableError(f"{target.name} cannot be resolved")
    for each in found:
        address = _read_address(each)
        if address is None:
            raise InvalidError(f"{target.name} has an address that cannot be read")
        check_address(address, reach)
    return tuple(found)


def check_address(address: Address, reach: Reach) -> None:
    """Return when webhooks may be sent there. Raises InvalidError; which address it was is not told.

    Who sets up a webhook must not learn what names mean inside of the server's network.
    """
    if not reach.allows_address(address):
        raise InvalidError("the URL leads to a private or special address: see the setting webhook_networks")


def resolve_host(name: str, port: int) -> Sequence[str]:
    """The addresses the system knows, a `Resolve`."""
    found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def read_network(text: str) -> Network:
    """The network of a text like 10.0.0.0/8. Raises InvalidError."""
    try:
        return ip_network(text.strip(), strict=False)
    except ValueError as error:
        raise InvalidError(f"{text[:60]!r} is no network: write it like 10.0.0.0/8 or fd00::/8") from error


def _split(url: str) -> tuple[SplitResult, int | None]:
    """The parts of the address and its port. Raises InvalidError."""
    if not 0 < len(url) <= MOST_LETTERS:
        raise InvalidError(f"the URL of a webhook has 1 to {MOST_LETTERS} characters")
    if not url.isascii() or not url.isprintable() or any(sign in url for sign in ' \\"<>^`{|}'):
        raise InvalidError("the URL of a webhook has characters that must be percent-encoded")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise InvalidError("the URL of a webhook cannot be read") from error
    if "@" in parts.netloc:
        raise InvalidError("the URL of a webhook holds no user or password")
    if not parts.hostname or port == 0 or parts.netloc.endswith(":"):
        raise InvalidError("the URL of a webhook needs a host, like https://example.com/path")
    return parts, port


def _encode_name(name: str) -> str:
    """The name of the host, checked. Raises InvalidError."""
    plain = name.removesuffix(".")
    fine = all(sign.isalnum() or sign in "-._:" for sign in plain)
    if not 0 < len(plain) <= _MOST_NAME or not fine or "%" in plain:
        raise InvalidError("the URL of a webhook needs a host, like https://example.com/path")
    return plain


def _read_address(text: str) -> Address | None:
    """The address a text is, without its zone; None for a name."""
    try:
        return ip_address(text.partition("%")[0])
    except ValueError:
        return None


def _read_number(text: str) -> Address | None:
    """The address that a text like 0x7f.1 or 2130706433 stands for to most programs; None for a name."""
    try:
        return IPv4Address(socket.inet_aton(text))
    except OSError:
        return None


def _unwrap(address: Address) -> Address:
    """The IPv4 address that is meant by an IPv6 one of a kind that stands for IPv4."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _TRANSLATED:
        return IPv4Address(int(address) & ((1 << (128 - _EMBEDDED)) - 1))
    return address
