"""What a stop ends, and when a second press is a new act: pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from consentledger.contacts import standing as standings
from consentledger.ledger.disclosure import Value

PAUSE = timedelta(days=7)
ONE_MAIL_IN = timedelta(hours=24)
# A forwarded mail must tell nothing: a stop's receipt opens these and no more (ledger.md, Witnesses).
SHOWN = frozenset(("at", "method", "scope"))


def alive(standing: Mapping[str, Any], sender: UUID, purpose: UUID, channel: str) -> str | None:
    """Returns the id of the confirmed consent for this, or None; a pause does not end one."""
    consent = standing["consents"].get(standings.key_of(sender, purpose, channel))
    return str(consent["id"]) if consent and consent["state"] == "confirmed" else None


def alive_under(standing: Mapping[str, Any], sender: UUID | None) -> bool:
    """Says whether any confirmed consent is left, of one sender or of the whole organisation."""
    return any(
        consent["state"] == "confirmed" and (sender is None or key.startswith(f"{sender}/"))
        for key, consent in standing["consents"].items()
    )


def carries(standing: Mapping[str, Any], channel: str) -> bool:
    """Says whether the existing-customer exception may carry a message on a channel: it is a thing to stop, too."""
    grounds = standing.get("customers", ())
    return channel not in standing["closed"] and any(one["channel"] == channel for one in grounds)


def withdrawal(
    consent: str, sender: UUID, purpose: UUID, channel: str, *, method: str, permit: str | None
) -> dict[str, Value]:
    """Returns the values of a consent.withdrawn."""
    return {
        "consent": consent,
        "sender": str(sender),
        "purpose": str(purpose),
        "channel": channel,
        "method": method,
        "permit": permit,
    }


def objection(
    scope: str,
    sender: UUID | None,
    purpose: UUID | None,
    channel: str,
    *,
    method: str,
    permit: str | None = None,
    until: str | None = None,
) -> dict[str, Value]:
    """Returns the values of an objection.recorded; only what its scope needs is named."""
    return {
        "scope": scope,
        "sender": str(sender) if sender and scope != "organisation" else None,
        "purpose": str(purpose) if purpose and scope == "purpose" else None,
        "channel": channel,
        "method": method,
        "until": until,
        "permit": permit,
    }


def customer_objection(channel: str, *, method: str, permit: str) -> dict[str, Value]:
    """Returns the values of a customer.objected: to all marketing as an existing customer on this channel."""
    return {"channel": channel, "method": method, "permit": permit}
