"""Functions of network addresses; none asks a network."""

import ipaddress
from collections.abc import Iterator
from typing import TypeAlias

from penstock.policy.rego.builtins.strings import check_text
from penstock.policy.rego.builtins.table import make_table
from penstock.policy.rego.errors import BuiltinError, EvaluationError
from penstock.policy.rego.values import Obj, Value, list_items

MOST_ADDRESSES = 1 << 16
"""How many addresses a network may be written out as."""

_CLASSES = ((8, 128), (16, 192), (24, 224))
"""Bits of the network, for first bytes below."""

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


def _read_network(text: Value) -> Network:
    return ipaddress.ip_network(check_text(text), strict=False)


def _contains(network: Value, other: Value) -> Value:
    outer, inner = _read_network(network), _read_network(other)
    return outer.version == inner.version and (
        inner.network_address in outer and inner.broadcast_address in outer
    )


def _overlap(one: Value, other: Value) -> Value:
    left, right = _read_network(one), _read_network(other)
    return left.version == right.version and left.overlaps(right)


def _is_network(text: Value) -> Value:
    try:
        return "/" in check_text(text) and bool(_read_network(text).version)
    except ValueError:
        return False


def _match(networks: Value, others: Value) -> Value:
    """The pairs of keys of which the network of the first contains the second."""
    inner = list(_list_networks(others))
    return frozenset(
        (key, other)
        for key, network in _list_networks(networks)
        for other, part in inner
        if _contains(network, part)
    )


def _list_networks(value: Value) -> Iterator[tuple[Value, str]]:
    """Networks, each perhaps the first of an array, with their keys."""
    if isinstance(value, str):
        yield value, value
        return
    if not isinstance(value, tuple | frozenset | Obj):
        raise BuiltinError
    for key, each in list_items(value):
        yield key, check_text(each[0] if isinstance(each, tuple) and each else each)


def _expand(text: Value) -> Value:
    network = _read_network(text)
    if network.num_addresses > MOST_ADDRESSES:
        raise EvaluationError(f"net.cidr_expand gives more than {MOST_ADDRESSES} addresses")
    return frozenset(str(address) for address in network)


def _merge(networks: Value) -> Value:
    if not isinstance(networks, tuple | frozenset):
        raise BuiltinError
    found = [_read_merged(each) for each in networks]
    four = ipaddress.collapse_addresses(each for each in found if isinstance(each, ipaddress.IPv4Network))
    six = ipaddress.collapse_addresses(each for each in found if isinstance(each, ipaddress.IPv6Network))
    return frozenset(str(each) for each in (*four, *six))


def _read_merged(text: Value) -> Network:
    """The network; an address alone is that of its class, and of none in version 6."""
    network = _read_network(text)
    if "/" in text:
        return network
    first = int(network.network_address) >> 24
    size = next((size for size, last in _CLASSES if first < last), None)
    if network.version == 6 or size is None:  # noqa: PLR2004 - IPv6
        raise BuiltinError
    return ipaddress.ip_network(f"{network.network_address}/{size}", strict=False)


TABLE = make_table({
    "net.cidr_contains": _contains,
    "net.cidr_contains_matches": _match,
    "net.cidr_expand": _expand,
    "net.cidr_intersects": _overlap,
    "net.cidr_is_valid": _is_network,
    "net.cidr_merge": _merge,
    "net.cidr_overlap": _overlap,
})  # fmt: skip
