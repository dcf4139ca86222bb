"""From an unsubscribe link to its locked contact, in one statement when the contact is there."""

from __future__ import annotations

from sqlalchemy import and_, bindparam, select

from consentledger.consents.queries import OWNER
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
from consentledger.organisations.models import Organisation
from consentledger.stops import queries
from consentledger.stops.queries import BASIS, BATCH, PERMIT, Target

_TARGET = (
    Organisation.organisation_id,
    Organisation.number,
    BATCH.c.sender_id,
    BATCH.c.purpose_id,
    BATCH.c.channel,
    PERMIT.c.contact_id,
    BASIS,
)
# The permit first, then its one contact: a planner that knows no statistics yet (a fresh database) would rather
# begin with all contacts of the organisation.
_PERMIT = (
    select(*_TARGET)
    .select_from(Organisation)
    .join(
        BATCH,
        and_(
            BATCH.c.organisation_id == Organisation.organisation_id,
            BATCH.c.organisation_id == OWNER.scalar_subquery(),
            BATCH.c.batch == bindparam("batch"),
        ),
    )
    .join(
        PERMIT,
        and_(
            PERMIT.c.organisation_id == Organisation.organisation_id,
            PERMIT.c.organisation_id == OWNER.scalar_subquery(),
            PERMIT.c.batch == bindparam("batch"),
            PERMIT.c.row_number == bindparam("row"),
        ),
    )
    .where(Organisation.number == bindparam("number"))
    .cte("target")
    .prefix_with("MATERIALIZED", dialect="postgresql")
)
_LOCK = (
    select(_PERMIT, *FACTS)
    .join(
        Contact,
        and_(
            Contact.organisation_id == _PERMIT.c.organisation_id,
            Contact.contact_id == _PERMIT.c.contact_id,
        ),
    )
    .outerjoin(ContactKey, KEY_OF_CONTACT)
    .with_for_update(of=Contact)
)


def lock_target(tx: Tx, link_id: bytes) -> tuple[Target, LockedContact | None]:
    """Returns what a permit's link stops, and its contact, locked; None when it is gone or never was.

    A batch and its rows never change, so only the contact's row must be as it is under the lock: it is read
    again after a wait. NotFoundError for an unknown organisation.
    """
    row = tx.connection.execute(_LOCK, queries.link_parameters(link_id)).one_or_none()
    if row is None:
        return queries.target(tx.connection, link_id), None
    values = tuple(row)
    target = Target(*values[: len(_TARGET)])
    facts = ContactFacts(*values[len(_TARGET) :])
    return target, locked_contact(tx, target.organisation_id, facts)
