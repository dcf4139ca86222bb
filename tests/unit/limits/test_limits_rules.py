"""Who shares a count, which level posts make, and what a process remembers."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentledger.limits import rules
from consentledger.limits.memory import Memory


@pytest.mark.parametrize(
    ("remote", "ip", "network"),
    [
        ("192.0.2.1", "192.0.2.1", "192.0.2.0/24"),
        ("::ffff:192.0.2.1", "192.0.2.1", "192.0.2.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("2001:DB8:1:2::", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/64", "fe80::/48"),
        ("", "unknown", "unknown"),
        (None, "unknown", "unknown"),
        ("unix", "unknown", "unknown"),
        ("<x>", "unknown", "unknown"),
        ("192.0.2.1, 198.51.100.7", "unknown", "unknown"),
        ("192.0.2.01", "unknown", "unknown"),
        ("192.0.2.1:443", "unknown", "unknown"),
    ],
)
def test_who_shares_a_count(remote: str | None, ip: str, network: str) -> None:
    assert rules.ip_of(remote) == ip
    assert rules.network_of(remote) == network


@given(st.ip_addresses())
def test_everybody_is_in_a_network_of_their_own_kind(address: IPv4Address | IPv6Address) -> None:
    inner, outer = ip_network(rules.ip_of(str(address))), ip_network(rules.network_of(str(address)))
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    assert (mapped or address) in inner
    assert inner[0] in outer
    assert inner.prefixlen == {4: 32, 6: 64}[inner.version]
    assert outer.prefixlen == {4: 24, 6: 48}[outer.version]


@given(st.text(max_size=60))
def test_no_text_breaks_it(remote: str) -> None:
    for found in (rules.ip_of(remote), rules.network_of(remote)):
        assert found == rules.UNKNOWN or ip_network(found)


@given(st.integers(0, 2**128 - 1), st.integers(0, 2**64 - 1))
def test_the_lower_half_of_an_ipv6_address_tells_nobody_apart(address: int, lower: int) -> None:
    first = ip_address(address | 1 << 127)
    second = ip_address((int(first) >> 64 << 64) | lower)
    assert rules.ip_of(str(first)) == rules.ip_of(str(second))


@given(st.lists(st.integers(0, 100_000), min_size=2, max_size=2).map(sorted))
def test_more_posts_are_never_less_pressure(posts: list[int]) -> None:
    for thresholds in (rules.FORM_PRESSURE, rules.ORGANISATION_PRESSURE):
        few, many = (rules.pressure(number, thresholds) for number in posts)
        assert 0 <= few <= many <= 3


def test_levels_begin_above_their_thresholds() -> None:
    assert [rules.pressure(n, (60, 600, 3_000)) for n in (60, 61, 600, 601, 3_000, 3_001)] == [
        0,
        1,
        1,
        2,
        2,
        3,
    ]
    assert [rules.waiting_seconds(level) for level in (0, 1, 2, 3)] == [0, 10, 20, 30]


def test_memory_forgets_at_the_end_and_when_it_is_full() -> None:
    memory = Memory(most=3)
    memory.put(b"a", 1, until=10.0)
    assert memory.get(b"a", 9.9) == 1
    assert memory.get(b"a", 10.0) is None
    assert memory.get(b"b", 0.0) is None
    for key in (b"b", b"c", b"a", b"d"):
        memory.put(key, 2, until=20.0)
    assert len(memory) == 3
    assert memory.get(b"b", 11.0) is None
    assert [memory.get(key, 11.0) for key in (b"a", b"c", b"d")] == [2, 2, 2]


def test_a_flood_of_keys_does_not_grow_the_memory() -> None:
    memory = Memory(most=100)
    for n in range(10_000):
        memory.put(n.to_bytes(16, "big"), n, until=1e12)
    assert len(memory) == 100
    assert memory.get((9_999).to_bytes(16, "big"), 0.0) == 9_999
