"""The header fields of a permitted message: each on one line of at most 998 octets, never an encoded word.

No mailto and no CFBL-Address before somebody reads that mail: a dead way out is worse than none (2002/58/EC
art. 13(4) wants a valid address).
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import urlsplit
from uuid import UUID

LINE_OCTETS = 998  # RFC 5322, 2.1.1, without CRLF
LIST_ID_OCTETS = 255  # RFC 2919, 2
ONE_CLICK = "List-Unsubscribe=One-Click"
_CAMPAIGN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\Z", re.ASCII)
_DOMAIN = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\Z", re.ASCII)


def is_campaign(text: str) -> bool:
    """Tells whether a campaign's name may stand in Feedback-ID: letters, digits, `_.-`, at most 64."""
    return _CAMPAIGN.match(text) is not None


def shared_headers(
    *,
    base: str,
    organisation_number: int,
    sender_id: UUID,
    purpose_id: UUID,
    from_address: str,
    campaign: str | None,
) -> dict[str, str]:
    """Returns the fields that all messages of a batch share.

    List-Id (RFC 2919) names sender and purpose for good, below the domain of the From address. Feedback-ID has
    up to three values of ours and a fixed SenderId at the end; nothing in it depends on the recipient.
    List-Unsubscribe-Post (RFC 8058) promises one click, so it only stands with an https address (or with this
    very machine's, where the demo runs).
    """
    domain = from_address.rpartition("@")[2].lower()
    label = f"{purpose_id.hex}.{sender_id.hex[-12:]}.{domain}"
    headers = {}
    if one_click(base):
        headers["List-Unsubscribe-Post"] = ONE_CLICK
    if _DOMAIN.match(domain) and len(label) <= LIST_ID_OCTETS - 2:
        headers["List-Id"] = f"<{label}>"
    feedback = (campaign or "none", purpose_id.hex[-12:], str(organisation_number))
    headers["Feedback-ID"] = f"{':'.join(feedback)}:s{sender_id.hex[-12:]}"
    return headers


def list_unsubscribe(url: str) -> str:
    """Returns the value of List-Unsubscribe: exactly one address, in angle brackets (RFC 2369, RFC 8058)."""
    return f"<{url}>"


def one_click(base: str) -> bool:
    """Tells whether links that begin so may be announced as one-click: https, or a loopback address."""
    parts = urlsplit(base)
    if parts.scheme == "https":
        return True
    host = parts.hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
