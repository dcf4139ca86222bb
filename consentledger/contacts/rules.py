"""What is kept about where an act came from: pure, and as little as the policy says (docs/privacy.md)."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

MAX_PAGE = 300
# The scope of the suppression that an erasure leaves: no permit, until the person confirms something anew.
EVERYTHING = "all"
# Later names win: every browser also calls itself Mozilla, Chrome and Safari.
_FAMILIES = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Version", "Safari"),
    ("curl", "curl"),
    ("python-requests", "python-requests"),
)
_AT = re.compile(r"@|%(?:25)*40", re.IGNORECASE)
_PRODUCT = re.compile(r"([A-Za-z-]{1,32})/([0-9]{1,4})")


def truncated(ip: str | None) -> str | None:
    """Returns an address cut to its network: /24 for IPv4, /48 for IPv6; None for anything else."""
    try:
        parsed = ipaddress.ip_address(ip or "")
    except ValueError:
        return None
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    prefix = 24 if parsed.version == 4 else 48
    return str(ipaddress.ip_network((parsed, prefix), strict=False))


def ip_by_policy(ip: str | None, policy: str) -> str | None:
    """Returns what an organisation's policy keeps of an IP address: none, truncated or full."""
    if policy == "none" or not ip:
        return None
    return _whole(ip) if policy == "full" else truncated(ip)


def _whole(ip: str) -> str | None:
    try:
        return str(ipaddress.ip_address(ip))
    except ValueError:
        return None


def user_agent_family(header: str | None) -> str | None:
    """Returns family and major version of a user agent, `Firefox 131`; `other` when it is not known."""
    if not header:
        return None
    products = dict(_PRODUCT.findall(header[:500]))
    for name, family in _FAMILIES:
        if name in products:
            return f"{family} {products[name]}"
    return "other"


def page_of(address: str | None) -> str | None:
    """Returns the page a form was posted from without query and fragment, which may name people.

    A path with an address in it goes too: this stands in a row in the clear, and in the request's entry.
    """
    if not address or len(address) > 2000 or any(ord(c) < 0x21 or ord(c) == 0x7F for c in address):
        return None
    try:
        parts = urlsplit(address)
        host = parts.hostname
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not host:
        return None
    path = "/" if _AT.search(parts.path) else parts.path
    return f"{parts.scheme}://{host}{port}{path}"[:MAX_PAGE]
