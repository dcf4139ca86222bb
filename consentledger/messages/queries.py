"""What this installation knows of the permit that a message's own link names."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from consentledger.contacts.address import fold
from consentledger.contacts.models import Contact
from consentledger.contacts.queries import lookup_hash
from consentledger.db.keystore.store import KeyStore
from consentledger.kernel.errors import InputError, NotFoundError
from consentledger.kernel.tokens import TOKEN_CHARACTERS, Tokens
from consentledger.messages.model import DutyHeld, Expected, PermitHeld
from consentledger.organisations.queries import sender
from consentledger.permits import queries as permits
from consentledger.permits.links import PATH, PermitId, link_base, unsubscribe_url
from consentledger.permits.models import Permit
from consentledger.permits.rechecks import dead_by_now


@dataclass(frozen=True, slots=True)
class Held:
    """Where a message's permit is looked for: the organisation that asks, and how links of ours begin."""

    organisation_id: UUID
    keystore: KeyStore
    tokens: Tokens
    base_url: str


def permit_of_link(link: str | None, tokens: Tokens) -> PermitId | None:
    """Returns the permit that an unsubscribe link of ours names; None for any other address."""
    path = urlsplit(link or "").path
    if not path.startswith(PATH) or len(path) != len(PATH) + TOKEN_CHARACTERS:
        return None
    link_id = tokens.read("unsubscribe", path.removeprefix(PATH))
    return PermitId.from_bytes(link_id) if link_id else None


def expected_of(
    session: Session, held: Held, permit_id: PermitId | None, recipient: str | None, now: datetime
) -> Expected:
    """Returns what a message with this permit is held against; nothing for a permit of another organisation."""
    if permit_id is None:
        return Expected(None, None)
    try:
        batch = permits.batch(session, held.organisation_id, permit_id.batch)
    except NotFoundError:
        return Expected(None, None)
    row = session.execute(
        select(Permit.contact_id, Permit.verdict).where(
            Permit.organisation_id == held.organisation_id,
            Permit.batch == permit_id.batch,
            Permit.row_number == permit_id.row,
        )
    ).one_or_none()
    if row is None or batch.organisation_number != permit_id.organisation_number:
        return Expected(None, None)
    ruling = batch.rulings[row.verdict]
    dead = dead_by_now(session, held.organisation_id, [str(permit_id)], now)
    found = sender(session, held.organisation_id, batch.sender_id)
    permit = PermitHeld(
        permit=str(permit_id),
        state=dead[0].reason if dead else "valid",
        recipient=_is_recipient(session, held, row.contact_id, recipient),
        channel=batch.channel,
        valid_until=ruling.ends_at(batch.valid_until_at),
        duties=tuple(DutyHeld(one.code, one.value, one.rule) for one in ruling.verdict.duties),
        link=unsubscribe_url(
            link_base(found.link_host, held.base_url), held.tokens, permit_id.to_bytes()
        ),
    )
    return Expected(found.identity, permit)


def _is_recipient(
    session: Session, held: Held, contact_id: UUID | None, recipient: str | None
) -> bool | None:
    if recipient is None:
        return None
    if contact_id is None:
        return False
    try:
        folded = fold(recipient)
    except InputError:
        return False
    keys = held.keystore.organisation(session, held.organisation_id)
    stored = session.scalar(
        select(Contact.lookup).where(
            Contact.organisation_id == held.organisation_id, Contact.contact_id == contact_id
        )
    )
    return stored == lookup_hash(keys, folded)
