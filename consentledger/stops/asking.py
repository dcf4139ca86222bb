"""Stop by address: the same writes and the same answer for every address, whoever it belongs to.

Strangers may type in other people's addresses, so it only pauses, for 7 days, and mails one link to addresses
on record; a press on that link makes it final.
"""

from __future__ import annotations

import os
from uuid import UUID

from sqlalchemy import insert, select, update

from consentledger.contacts import address as addresses
from consentledger.contacts import service as contacts
from consentledger.db.log.entries import Draft
from consentledger.db.unit_of_work import Tx
from consentledger.kernel.clock import to_text
from consentledger.kernel.tokens import pack_link
from consentledger.organisations.queries import sender
from consentledger.outbox import service as outbox
from consentledger.stops import queries, rules
from consentledger.stops.commands import StopAsked, StopByAddress, StopMail
from consentledger.stops.models import StopRequest

DECIDE = "stop.decide"
SEND = "stop.send"


def stop_by_address(tx: Tx, command: StopByAddress) -> StopAsked:
    """Pauses everything of a sender to an address for 7 days.

    InputError names what is amiss with the address, NotFoundError says that there is no such sender.
    """
    address = addresses.parse(command.address)
    number = sender(tx.session, command.organisation_id, command.sender_id).organisation_number
    contact = contacts.upsert(tx, command.organisation_id, address)
    own, until_at = os.urandom(8), tx.now + rules.PAUSE
    link_id = pack_link(number, own)
    tx.session.execute(
        insert(StopRequest).values(
            organisation_id=command.organisation_id,
            link_id=own,
            contact_id=contact.contact_id,
            sender_id=command.sender_id,
            language=command.language,
            state="asked",
            made_at=tx.now,
            expires_at=until_at,
            entry_index=None,
        )
    )
    outbox.enqueue(
        tx,
        command.organisation_id,
        DECIDE,
        {"link": link_id.hex()},
        keys=contact.chain.keys,
    )
    values = rules.objection(
        "sender",
        command.sender_id,
        None,
        command.channel,
        method="stop_form",
        until=to_text(until_at),
    )
    draft = Draft("objection.recorded", values, actor=command.actor, chain=contact.chain)
    contacts.record(contact, [draft], to_text(tx.now))
    contacts.save(tx, contact)
    [entry] = tx.log.append(tx, command.organisation_id, [draft])
    return StopAsked(link_id, until_at, entry.index, entry.leaf_hash)


def decide_stop(tx: Tx, link_id: bytes) -> StopMail | None:
    """Says what the one mail must contain, or None: only addresses on record get one, once in 24 hours.

    Nothing is appended; decided twice it says None.
    """
    asked = queries.asked(tx.session, link_id)
    org, own = asked.organisation_id, link_id[4:]
    if asked.contact_id is None or asked.sender_id is None:
        return None
    contact = contacts.lock(tx, org, [asked.contact_id]).get(asked.contact_id)
    if contact is None or queries.asked(tx.session, link_id).state != "asked":
        return None
    # On record is whoever has something left to stop. A mere request is not (a stranger typed in here must get
    # no mail), and after a final stop no mail is sent at all (promise 8).
    alive = rules.alive_under(contact.standing, asked.sender_id) or rules.carries(
        contact.standing, "email"
    )
    mailing = alive and not _mailed(tx, org, contact.contact_id)
    tx.session.execute(
        update(StopRequest)
        .where(StopRequest.organisation_id == org, StopRequest.link_id == own)
        .values(state="mailed" if mailing else "unmailed")
    )
    if not mailing:
        return None
    return StopMail(
        organisation_id=org,
        contact_id=contact.contact_id,
        sender_id=asked.sender_id,
        address=contact.address,
        language=asked.language,
        link_id=link_id,
        at=tx.now,
    )


def _mailed(tx: Tx, organisation_id: UUID, contact_id: UUID) -> bool:
    query = select(StopRequest.link_id).where(
        StopRequest.organisation_id == organisation_id,
        StopRequest.contact_id == contact_id,
        StopRequest.state == "mailed",
        StopRequest.made_at > tx.now - rules.ONE_MAIL_IN,
    )
    return tx.session.execute(query.limit(1)).one_or_none() is not None
