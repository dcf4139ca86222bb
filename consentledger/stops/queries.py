"""Reads for stops. Permits stand above this room, so their tables are named here, not imported."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Integer, Text, Uuid, and_, bindparam, column, select, table
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.functions import FunctionElement

from consentledger.consents.queries import Reader
from consentledger.kernel.errors import NotFoundError
from consentledger.kernel.tokens import unpack_link
from consentledger.organisations.models import Organisation
from consentledger.stops.commands import StopPage, UnsubscribePage
from consentledger.stops.models import StopRequest

BATCH = table(
    "permit_batch",
    column("organisation_id", Uuid),
    column("batch", BigInteger),
    column("sender_id", Uuid),
    column("purpose_id", Uuid),
    column("channel", Text),
    column("verdicts", Text),
)
PERMIT = table(
    "permit",
    column("organisation_id", Uuid),
    column("batch", BigInteger),
    column("row_number", Integer),
    column("contact_id", Uuid),
    column("verdict", Integer),
)


class BasisOf(FunctionElement[str]):
    """The basis of one permit, out of the rulings of its batch: there may be hundreds, and one is wanted."""

    inherit_cache = True
    type = Text()


@compiles(BasisOf, "postgresql")
def _basis_on_postgresql(element: Any, compiler: Any, **more: Any) -> str:
    verdicts, verdict = (compiler.process(one, **more) for one in element.clauses)
    return f"json_extract_path_text({verdicts}::json, {verdict}::text, 'basis')"


@compiles(BasisOf, "sqlite")
def _basis_on_sqlite(element: Any, compiler: Any, **more: Any) -> str:
    verdicts, verdict = (compiler.process(one, **more) for one in element.clauses)
    return f"json_extract({verdicts}, '$[' || {verdict} || '].basis')"


BASIS = BasisOf(BATCH.c.verdicts, PERMIT.c.verdict).label("basis")


@dataclass(frozen=True, slots=True)
class Target:
    """What an unsubscribe link is about; sender and purpose are None when its batch is not here.

    `basis` is what the message was permitted on, a word of law.model.BASES; None where it was not.
    """

    organisation_id: UUID
    organisation_number: int
    sender_id: UUID | None
    purpose_id: UUID | None
    channel: str
    contact_id: UUID | None
    basis: str | None = None

    @property
    def as_customer(self) -> bool:
        """Says whether the message came on the existing-customer exception: its stop is an objection to all such."""
        return self.basis == "existing_customer"


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


_TARGET = (
    select(
        Organisation.organisation_id,
        BATCH.c.sender_id,
        BATCH.c.purpose_id,
        BATCH.c.channel,
        PERMIT.c.contact_id,
        BASIS,
    )
    .select_from(Organisation)
    .outerjoin(
        BATCH,
        and_(
            BATCH.c.organisation_id == Organisation.organisation_id,
            BATCH.c.batch == bindparam("batch"),
        ),
    )
    .outerjoin(
        PERMIT,
        and_(
            PERMIT.c.organisation_id == Organisation.organisation_id,
            PERMIT.c.batch == bindparam("batch"),
            PERMIT.c.row_number == bindparam("row"),
        ),
    )
    .where(Organisation.number == bindparam("number"))
)


def link_parameters(link_id: bytes) -> dict[str, int]:
    """Returns what a permit's 12-byte id says: the organisation's number, the batch, the row."""
    number, rest = unpack_link(link_id)
    return {
        "number": number,
        "batch": int.from_bytes(rest[:6], "big"),
        "row": int.from_bytes(rest[6:], "big"),
    }


def target(reader: Reader, link_id: bytes) -> Target:
    """Reads what a permit's link stops, in one statement; NotFoundError for an unknown organisation."""
    wanted = link_parameters(link_id)
    row = reader.execute(_TARGET, wanted).one_or_none()
    if row is None:
        raise NotFoundError("this link is of no organisation here")
    return Target(
        row.organisation_id,
        wanted["number"],
        row.sender_id,
        row.purpose_id,
        row.channel or "email",
        row.contact_id,
        row.basis,
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
