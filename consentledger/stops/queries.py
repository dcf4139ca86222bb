"""Reads for stops. Permits stand above this room, so their tables are named here, not imported."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Integer, Text, Uuid, and_, column, select, table
from sqlalchemy.orm import Session

from consentledger.kernel.errors import NotFoundError
from consentledger.kernel.tokens import unpack_link
from consentledger.organisations.models import Organisation
from consentledger.stops.commands import StopPage, UnsubscribePage
from consentledger.stops.models import StopRequest

_BATCH = table(
    "permit_batch",
    column("organisation_id", Uuid),
    column("batch", BigInteger),
    column("sender_id", Uuid),
    column("purpose_id", Uuid),
    column("channel", Text),
)
_PERMIT = table(
    "permit",
    column("organisation_id", Uuid),
    column("batch", BigInteger),
    column("row_number", Integer),
    column("contact_id", Uuid),
)


@dataclass(frozen=True, slots=True)
class Target:
    """What an unsubscribe link is about; sender and purpose are None when its batch is not here."""

    organisation_id: UUID
    organisation_number: int
    sender_id: UUID | None
    purpose_id: UUID | None
    channel: str
    contact_id: UUID | None


@dataclass(frozen=True, slots=True)
class Asked:
    """A stop that was asked by address, with its organisation's number."""

    organisation_id: UUID
    organisation_number: int
    contact_id: UUID | None
    sender_id: UUID | None
    language: str
    state: str
    made_at: datetime


def target(session: Session, link_id: bytes) -> Target:
    """Reads what a permit's link stops, in one statement; NotFoundError for an unknown organisation."""
    number, rest = unpack_link(link_id)
    batch, row_number = int.from_bytes(rest[:6], "big"), int.from_bytes(rest[6:], "big")
    row = session.execute(
        select(
            Organisation.organisation_id,
            _BATCH.c.sender_id,
            _BATCH.c.purpose_id,
            _BATCH.c.channel,
            _PERMIT.c.contact_id,
        )
        .select_from(Organisation)
        .outerjoin(
            _BATCH,
            and_(_BATCH.c.organisation_id == Organisation.organisation_id, _BATCH.c.batch == batch),
        )
        .outerjoin(
            _PERMIT,
            and_(
                _PERMIT.c.organisation_id == Organisation.organisation_id,
                _PERMIT.c.batch == batch,
                _PERMIT.c.row_number == row_number,
            ),
        )
        .where(Organisation.number == number)
    ).one_or_none()
    if row is None:
        raise NotFoundError("this link is of no organisation here")
    return Target(
        row.organisation_id,
        number,
        row.sender_id,
        row.purpose_id,
        row.channel or "email",
        row.contact_id,
    )


def unsubscribe_page(session: Session, link_id: bytes) -> UnsubscribePage:
    """Reads what an unsubscribe link's page may know: nothing about the contact. Writes nothing."""
    found = target(session, link_id)
    return UnsubscribePage(
        found.organisation_id,
        found.organisation_number,
        found.sender_id,
        found.purpose_id,
        found.channel,
    )


def asked(session: Session, link_id: bytes) -> Asked:
    """Reads a stop by its mailed link's 12-byte id; NotFoundError when there is none such."""
    number, own = unpack_link(link_id)
    row = session.execute(
        select(
            StopRequest.organisation_id,
            Organisation.number,
            StopRequest.contact_id,
            StopRequest.sender_id,
            StopRequest.language,
            StopRequest.state,
            StopRequest.made_at,
        )
        .join(Organisation, Organisation.organisation_id == StopRequest.organisation_id)
        .where(Organisation.number == number, StopRequest.link_id == own)
    ).one_or_none()
    if row is None:
        raise NotFoundError("this link is not known any more")
    return Asked(*row)


def stop_page(session: Session, link_id: bytes) -> StopPage:
    """Reads what a stop link's page may know; writes nothing."""
    found = asked(session, link_id)
    return StopPage(
        found.organisation_id, found.organisation_number, found.sender_id, found.language
    )
