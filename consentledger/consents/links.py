"""From a confirm link to its mail and its locked contact, in one statement when the contact is there."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import bindparam, select

from consentledger.consents import queries
from consentledger.consents.models import ConfirmationMail
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
from consentledger.organisations.models import Organisation

_LOCK = (
    select(*MAIL, *FACTS)
    .select_from(ConfirmationMail)
    .join(Organisation, Organisation.organisation_id == ConfirmationMail.organisation_id)
    .join(
        Contact,
        (Contact.organisation_id == ConfirmationMail.organisation_id)
        & (Contact.contact_id == ConfirmationMail.contact_id),
    )
    .join(ContactKey, KEY_OF_CONTACT)
    .where(
        Organisation.number == bindparam("number"), ConfirmationMail.link_id == bindparam("link")
    )
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
