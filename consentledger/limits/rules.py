"""What one may do how often, who shares a count, and when a form is under pressure; numbers and pure functions.

Two kinds of limits: hard ones refuse (an IP address, its network, a mailbox, a token); the posts of a form and of an
organisation are soft: many of them refuse nobody, they make each further one cost work or a wait.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Rule:
    """At most `count` in each window of `seconds`."""

    count: int
    seconds: int


WINDOW = 600
IP = Rule(30, WINDOW)
NETWORK = Rule(300, WINDOW)
# Sign-up and /stop share the number: a stranger must not bomb a mailbox through either (law notes, 5.1).
ADDRESS = Rule(6, 3600)
# Counted over the token's own life, not in slices of the clock: a solution of work counts once, whenever.
TOKEN = Rule(5, 7200)
WORK = Rule(1, 7200)
API_KEY = Rule(600, WINDOW)
# What a form and an organisation take of posts that were paid for by work or by waiting, while under pressure.
FORM_TAKEN = Rule(6_000, WINDOW)
ORGANISATION_TAKEN = Rule(30_000, WINDOW)
# The path without work: so that patient robots cannot fill it, what a network does once is not counted to the form.
# Below a dozen an IP's turns are used up by an office, not by robots: those have addresses enough.
WAITING_IP = Rule(12, WINDOW)
WAITING_NETWORK = Rule(24, WINDOW)
WAITING_FORM = Rule(60, WINDOW)
STOP_ORGANISATION = Rule(30_000, WINDOW)

# More posts than this in a window are pressure of level 1, 2, 3.
FORM_PRESSURE = (60, 600, 3_000)
ORGANISATION_PRESSURE = (300, 3_000, 15_000)
WAIT_SECONDS = 10


def ip_of(remote: str | None) -> str:
    """Returns what counts as one asker: an IPv4 address, an IPv6 /64, or `unknown`."""
    return place_of(remote)[0]


def network_of(remote: str | None) -> str:
    """Returns the network of an asker: an IPv4 /24, an IPv6 /48, or `unknown`."""
    return place_of(remote)[1]


def place_of(remote: str | None) -> tuple[str, str]:
    """Returns ip_of and network_of, reading the address once."""
    try:
        parsed = ipaddress.ip_address(remote or "")
    except ValueError:
        return UNKNOWN, UNKNOWN
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is None:
            number = int(parsed)
            inner, outer = (ipaddress.IPv6Address(number >> n << n) for n in (64, 80))
            return f"{inner}/64", f"{outer}/48"
        parsed = parsed.ipv4_mapped
    text = str(parsed)
    return text, f"{text.rpartition('.')[0]}.0/24"


def pressure(posts: int, thresholds: Sequence[int]) -> int:
    """Returns the level, 0 to 3, that so many posts in one window make."""
    return sum(posts > threshold for threshold in thresholds)


def waiting_seconds(level: int) -> int:
    """Returns how long a person without work must wait under pressure of this level, in seconds."""
    return WAIT_SECONDS * level
