"""Which addresses everybody can reach: what somebody else chose must not lead into our own network."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

# IANA's special-purpose registries, as far as `is_global` of the oldest Python here leaves them out.
_CLOSED_4 = tuple(ip_network(text) for text in ("192.0.0.0/24", "192.88.99.0/24"))
_CLOSED_6 = tuple(
    ip_network(text)
    # Teredo, ORCHID, documentation, 6to4: tunnels and examples, where no server of today stands.
    for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)
_UNICAST_6 = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address

Resolver = Callable[..., Sequence[tuple[Any, ...]]]


def is_public(text: str) -> bool:
    """Says whether an IP address is a unicast one of the open internet.

    An IPv4 address inside an IPv6 one (mapped, NAT64) is judged itself.
    """
    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv4Address):
        return _is_public_4(address)
    if address.ipv4_mapped is not None:
        return _is_public_4(address.ipv4_mapped)
    if address in _NAT64:
        return _is_public_4(IPv4Address(int(address) & 0xFFFF_FFFF))
    return _is_public_6(address)


def is_loopback(text: str) -> bool:
    """Says whether an IP address is this machine itself."""
    address = ip_address(text.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def resolve(host: str, port: int, resolver: Resolver = socket.getaddrinfo) -> list[str]:
    """Returns the addresses of `host`, best first; OSError when it has none.

    Ask once, judge these, and connect to one of these: a second look-up could answer otherwise.
    """
    found = resolver(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def _is_public_4(address: IPv4Address) -> bool:
    closed = address.is_multicast or any(address in network for network in _CLOSED_4)
    return address.is_global and not closed


def _is_public_6(address: IPv6Address) -> bool:
    closed = any(address in network for network in _CLOSED_6)
    return address in _UNICAST_6 and address.is_global and not closed
