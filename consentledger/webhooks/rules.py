"""What a webhook is told and how it is signed: Standard Webhooks 1.0, symmetric signature v1; pure."""

from __future__ import annotations

import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import ip_address
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from consentledger.kernel.clock import from_text, to_text
from consentledger.kernel.errors import InputError
from consentledger.kernel.network import is_public
from consentledger.organisations import addresses
from consentledger.organisations.fields import wrong

# What a receiver must do at each event: in the message itself, in `webhook add --help`, in docs/webhooks.md.
EVENTS = MappingProxyType(
    {
        "contact.erased": "delete the address, and what you derived from it, as far as you had it `before`",
        "contact.restricted": "stop using the address: it is kept for legal claims only",
        "form.paused": "look at the pages that carry the form, and resume it or publish it anew",
    }
)
TEST = "webhook.test"
MOST = 20  # webhooks of one organisation
URL = 1_000
SECRET_BYTES = 32
PREFIX = "whsec_"
OVERLAP = timedelta(hours=24)
LONGEST_OVERLAP = timedelta(days=7)
# Longer than a weekend: what could not be told by then is deleted, because it holds an address.
PATIENCE = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Secret:
    """A signing secret as its owner keeps it; `until` is when a replaced one stops signing."""

    text: str = field(repr=False)
    until: datetime | None = None


def check_url(text: object, *, loopback: bool = False) -> str:
    """Returns a webhook's address: https, port 443 or above 1023, a public host; InputError else.

    `loopback` (for demo and tests) also lets http, any port and this machine through.
    """
    found = addresses.url(text, "url")
    if found is None:
        raise wrong("url", "missing", "url is missing")
    if len(found) > URL:
        raise wrong("url", "too_long", f"url is longer than {URL} characters")
    if not found.isascii():
        raise wrong("url", "format", "url: write letters beyond ASCII percent-encoded")
    parts = urlsplit(found)
    name = parts.hostname or ""
    if _is_local(name):
        if not loopback:
            raise wrong("url", "private", "url must lead to a public address")
        return found
    if parts.scheme != "https":
        raise wrong("url", "scheme", "url must begin with https://")
    if parts.port is not None and parts.port < 1024:
        raise wrong("url", "port", "url: the port must be 443, or above 1023")
    return found


def check_events(events: Iterable[str]) -> tuple[str, ...]:
    """Returns the events, sorted and each once; an unknown one or none at all is an InputError."""
    wanted = sorted(set(events))
    unknown = [event for event in wanted if event not in EVENTS]
    if unknown or not wanted:
        what = f"{unknown[0]!r} is no event" if unknown else "a webhook needs an event"
        raise InputError(
            f"events: {what}; there are {', '.join(EVENTS)}",
            field="events",
            reason="unknown" if unknown else "missing",
        )
    return tuple(wanted)


def check_overlap(hours: int) -> timedelta:
    """Returns how long a replaced secret still signs: 0 to 168 hours."""
    found = timedelta(hours=hours)
    if not timedelta(0) <= found <= LONGEST_OVERLAP:
        raise wrong("overlap_hours", "range", "overlap_hours must be from 0 to 168")
    return found


def new_secret(random: bytes) -> str:
    """Writes random bytes as a secret of Standard Webhooks."""
    return PREFIX + b64encode(random).decode()


def rotate(
    secrets: Sequence[Secret], fresh: str, now: datetime, overlap: timedelta
) -> list[Secret]:
    """Returns the secrets after a rotation: the new one, and the one before it for `overlap`."""
    kept = [Secret(secrets[0].text, now + overlap)] if overlap else []
    return [Secret(fresh), *kept]


def signing(secrets: Sequence[Secret], now: datetime) -> list[str]:
    """Returns the secrets that sign now, the newest first."""
    return [each.text for each in secrets if each.until is None or each.until > now]


def dump_secrets(secrets: Sequence[Secret]) -> bytes:
    """Writes secrets for sealing."""
    rows = [[each.text, to_text(each.until) if each.until else None] for each in secrets]
    return json.dumps(rows).encode()


def load_secrets(content: bytes) -> list[Secret]:
    """Reads what `dump_secrets` wrote."""
    return [
        Secret(text, from_text(until) if until else None) for text, until in json.loads(content)
    ]


def body(event: str, at: datetime, data: Mapping[str, Any]) -> str:
    """Returns the body that is signed and sent, the same at every try: type, timestamp, data."""
    message = {"type": event, "timestamp": to_text(at), "data": dict(data)}
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))


def headers(
    message_id: str, now: datetime, content: bytes, secrets: Sequence[str]
) -> dict[str, str]:
    """Returns the three headers of one try: id, seconds since 1970, a signature per secret."""
    seconds = str(int(now.timestamp()))
    signed = b"%b.%b.%b" % (message_id.encode(), seconds.encode(), content)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": seconds,
        "webhook-signature": " ".join(f"v1,{_signature(each, signed)}" for each in secrets),
    }


def _signature(secret: str, signed: bytes) -> str:
    key = b64decode(secret.removeprefix(PREFIX), validate=True)
    return b64encode(hmac.digest(key, signed, "sha256")).decode()


def _is_local(name: str) -> bool:
    """Says whether a host's name alone tells that it is not public; what it resolves to is judged later."""
    try:
        ip_address(name)
    except ValueError:
        return "." not in name or name.endswith((".localhost", ".local", ".internal"))
    return not is_public(name)
