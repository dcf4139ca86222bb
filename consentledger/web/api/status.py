"""What an organisation may know of one address: consents, open requests, objections, and what blocks a mail."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from consentledger.consents import queries as consents
from consentledger.consents.queries import Request
from consentledger.consents.rules import CONFIRMATION, OPEN
from consentledger.contacts import address as addresses
from consentledger.contacts import queries as contacts
from consentledger.contacts import standing as standings
from consentledger.contacts.suppression import Refusal, refusals
from consentledger.db.keystore.store import KeyStore


@dataclass(frozen=True, slots=True)
class ConsentStatus:
    """One consent as it stands: requested, confirmed, paused or withdrawn."""

    sender: str
    purpose: str
    channel: str
    state: str
    since_at: datetime


@dataclass(frozen=True, slots=True)
class ContactStatus:
    """One address as one organisation knows it."""

    known: bool
    consents: tuple[ConsentStatus, ...] = ()
    objections: tuple[dict[str, Any], ...] = ()
    confirmation_blocked_until: datetime | None = None
    flags: tuple[str, ...] = ()


def status_of(
    session: Session, keystore: KeyStore, organisation_id: UUID, address: str, now: datetime
) -> ContactStatus:
    """Reads what stands about an address; InputError when it is none (field `address`)."""
    folded = addresses.fold_parsed(addresses.parse(address, "address"))
    found = refusals(session, keystore, organisation_id, [folded])
    blocked = _blocked_until(found.get(folded, ()), now)
    keys = keystore.organisation(session, organisation_id)
    lookup = contacts.lookup_hash(keys, folded)
    contact = contacts.contact_by_lookup(session, organisation_id, lookup)
    if contact is None:
        return ContactStatus(blocked is not None, confirmation_blocked_until=blocked)
    standing = contact.standing
    given = [
        ConsentStatus(
            str(row.sender_id),
            str(row.purpose_id),
            row.channel,
            standings.consent_state(standing, row.sender_id, row.purpose_id, row.channel, now),
            row.changed_at,
        )
        for row in consents.consents_of(session, organisation_id, contact.contact_id)
    ]
    requests = consents.requests_of_contact(session, organisation_id, contact.contact_id)
    asked = _requested(requests, now)
    flags = sorted({flag for request in requests for flag in request.flags or ()})
    objections = tuple(
        {name: item[name] for name in ("scope", "sender", "purpose", "channel", "until")}
        for item in standing["objections"]
        if standings.in_force(item, now)
    )
    return ContactStatus(True, (*given, *asked), objections, blocked, tuple(flags))


def _requested(requests: Iterable[Request], now: datetime) -> list[ConsentStatus]:
    return [
        ConsentStatus(
            str(request.sender_id),
            box["purpose"],
            request.channel,
            "requested",
            request.requested_at,
        )
        for request in requests
        if request.state == OPEN and now < request.expires_at
        for box in request.purposes
        if box["state"] == OPEN
    ]


def _blocked_until(found: Iterable[Refusal], now: datetime) -> datetime | None:
    ends = [
        one.until_at
        for one in found
        if one.scope == CONFIRMATION and one.until_at is not None and now < one.until_at
    ]
    return max(ends, default=None)
