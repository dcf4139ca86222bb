"""Which DNS servers an installation is told to ask: addresses with ports, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from consentledger.kernel.errors import ConfigurationError
from consentledger.kernel.settings import Settings
from tests.support.installations import environment_for, settings_from


def told(servers: str) -> Settings:
    return settings_from(environment_for("sqlite:///:memory:", Path(), DNS_SERVERS=servers))


@pytest.mark.parametrize(
    ("text", "servers"),
    [
        ("", ()),
        ("9.9.9.9", (("9.9.9.9", 53),)),
        ("127.0.0.1:5353, [::1]:54,::1", (("127.0.0.1", 5353), ("::1", 54), ("::1", 53))),
    ],
)
def test_servers_are_addresses_with_ports(text: str, servers: tuple[tuple[str, int], ...]):
    assert told(text).dns_servers == servers


@pytest.mark.parametrize(
    "text",
    ["dns.example", "1.2.3", "9.9.9.9:99999", "9.9.9.9:x", "[::1", "a b", "a@9.9.9.9", "9.9.9.9/x"],
)
def test_anything_else_stops_the_start(text: str):
    with pytest.raises(ConfigurationError, match="DNS_SERVERS must be addresses"):
        told(text)
