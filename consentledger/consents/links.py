"""From a confirm link to its mail and its locked contact, in one statement when the contact is there."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import select

from consentledger.consents import queries
from consentledger.consents.queries import MAIL, Mail
from consentledger.contacts.models import Contact
from consentledger.contacts.service import (
    FACTS,
    KEY_OF_CONTACT,
    ContactFacts,
    LockedContact,
    locked_contact,
)
from consentledger.db.models import ContactKey
from consentledger.db.unit_of_work import Tx
from consentledger.kernel.tokens import unpack_link

# The link first, then its one contact: a planner that knows no statistics yet (a fresh database) would rather
# begin with all contacts of the organisation.
_LINK = queries.MAIL_OF_LINK.cte("mail").prefix_with("MATERIALIZED", dialect="postgresql")
_LOCK = (
    select(_LINK, *FACTS)
    .join(
        Contact,
        (Contact.organisation_id == _LINK.c.organisation_id)
        & (Contact.contact_id == _LINK.c.contact_id),
    )
    .outerjoin(ContactKey, KEY_OF_CONTACT)
    .with_for_update(of=Contact)
)


def lock_link(tx: Tx, link_id: bytes) -> tuple[Mail, LockedContact | None]:
    """Returns a confirm link's mail and its contact, locked; None when only the keyed hash is left.

    The mail's state may be older than the lock (a joined row is not read again after a wait): ask
    `state_under_lock` where it matters. NotFoundError when the link is not known any more.
    """
    number, own = unpack_link(link_id)
    row = tx.connection.execute(_LOCK, {"number": number, "link": own}).one_or_none()
    if row is None:
        return queries.mail_by_link(tx.connection, link_id), None
    mail = Mail(*tuple(row)[: len(MAIL)])
    facts = ContactFacts(*tuple(row)[len(MAIL) :])
    return mail, locked_contact(tx, mail.organisation_id, facts)


def state_under_lock(tx: Tx, mail: Mail, link_id: bytes) -> Mail:
    """Returns the mail with its state read again, by a statement behind the contact's lock."""
    return replace(mail, state=queries.mail_by_link(tx.connection, link_id).state)
