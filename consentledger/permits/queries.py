"""Reads for permits: the message's frame, the contacts' facts, batches and their rows; no ORM objects."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Text, and_, func, select, type_coerce
from sqlalchemy.orm import Session

from consentledger.contacts.models import Contact
from consentledger.db.models import ContactEntry, LogHead, LogLeaf
from consentledger.kernel.errors import InputError, NotFoundError
from consentledger.ledger.kinds import KINDS
from consentledger.organisations.models import Organisation, Purpose, Sender
from consentledger.permits.lines import Row, Ruling
from consentledger.permits.links import PermitId
from consentledger.permits.models import Permit, PermitBatch

IN_CHUNK = 5_000  # SQLite takes 32,766 parameters a statement
_KIND_AT = len("consentledger/leaf/v1\nkind ") + 1
_KIND_LENGTH = 80
# An erasure takes facts away without an entry of the contact's own, so it asks for a second look at all.
_SECOND_LOOK = frozenset(
    f"{name}/{version}"
    for (name, version), kind in KINDS.items()
    if kind.affects == "organisation" or name == "log.erasure"
)
_KNOWN = frozenset(f"{name}/{version}" for name, version in KINDS)


class Known(NamedTuple):
    """A contact of the organisation, with its standing as stored (JSON text)."""

    contact_id: UUID
    standing: str


@dataclass(frozen=True, slots=True)
class MessageFrame:
    """What a batch's message has from the organisation: read behind h0, and again when one of it changed."""

    organisation_number: int
    from_address: str
    link_host: str | None


@dataclass(frozen=True, slots=True)
class Since:
    """What was appended at or beyond h0: whose entries, and whether something concerns every contact."""

    contacts: frozenset[UUID]
    everyone: bool


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch as stored; `message` holds class, campaign, pack, pack_hash and versions."""

    organisation_id: UUID
    organisation_number: int
    batch: int
    entry_index: int
    count: int
    sender_id: UUID
    purpose_id: UUID
    channel: str
    message: dict[str, Any]
    rulings: tuple[Ruling, ...]
    issued_at: datetime
    valid_until_at: datetime


@dataclass(frozen=True, slots=True)
class PermitTarget:
    """Whom and what a permit was about: what its unsubscribe link stops."""

    permit_id: PermitId
    organisation_id: UUID
    contact_id: UUID | None
    sender_id: UUID
    purpose_id: UUID
    channel: str
    allowed: bool


def head_size(session: Session, organisation_id: UUID) -> int:
    """Returns h0, the size of the log's tree; a statement of its own, before any fact is read."""
    query = select(LogHead.size).where(LogHead.organisation_id == organisation_id)
    size = session.execute(query).scalar_one_or_none()
    if size is None:
        raise NotFoundError("this organisation has no log")
    return size


def message_frame(
    session: Session, organisation_id: UUID, sender_id: UUID, purpose_id: UUID, channel: str
) -> tuple[MessageFrame, str]:
    """Returns a message's frame and the purpose's class; InputError for what is not published here.

    Ids of another organisation are as unknown as those that never were.
    """
    row = session.execute(
        select(
            Organisation.number,
            Sender.published_at.label("sender_at"),
            Sender.identity,
            Sender.link_host,
            Purpose.published_at.label("purpose_at"),
            Purpose.purpose_class,
            Purpose.channels,
        )
        .select_from(Organisation)
        .outerjoin(
            Sender,
            and_(Sender.organisation_id == organisation_id, Sender.sender_id == sender_id),
        )
        .outerjoin(
            Purpose,
            and_(Purpose.organisation_id == organisation_id, Purpose.purpose_id == purpose_id),
        )
        .where(Organisation.organisation_id == organisation_id)
    ).one_or_none()
    if row is None:
        raise NotFoundError("no such organisation")
    if row.sender_at is None:
        raise InputError("sender: no such published sender", field="sender", reason="unknown")
    if row.purpose_at is None:
        raise InputError("purpose: no such published purpose", field="purpose", reason="unknown")
    if channel not in row.channels:
        raise InputError(
            "channel: the purpose is not for this channel", field="channel", reason="unknown"
        )
    return MessageFrame(row.number, row.identity["from_address"], row.link_host), row.purpose_class


def known_by_lookup(
    session: Session, organisation_id: UUID, hashes: Sequence[bytes]
) -> dict[bytes, Known]:
    """Returns the contacts that have these look-up hashes; others are missing from the result."""
    if _is_postgresql(session):
        rows = session.connection().exec_driver_sql(
            "SELECT c.lookup, c.contact_id, c.standing FROM unnest(%(hashes)s::bytea[]) WITH ORDINALITY AS u (h, n)"
            " JOIN contact c ON c.organisation_id = %(org)s AND c.lookup = u.h",
            {"hashes": list(hashes), "org": organisation_id},
        )
        return {lookup: Known(contact, standing) for lookup, contact, standing in rows}
    found: dict[bytes, Known] = {}
    for chunk in _chunks(hashes):
        query = select(Contact.lookup, Contact.contact_id, type_coerce(Contact.standing, Text))
        query = query.where(Contact.organisation_id == organisation_id, Contact.lookup.in_(chunk))
        for lookup, contact, standing in session.execute(query):
            found[lookup] = Known(contact, standing)
    return found


def standings(session: Session, organisation_id: UUID, contacts: Iterable[UUID]) -> dict[UUID, str]:
    """Returns the standing of each of these contacts that still exists, as stored."""
    wanted = list(contacts)
    if _is_postgresql(session):
        rows = session.connection().exec_driver_sql(
            "SELECT c.contact_id, c.standing FROM unnest(%(ids)s::uuid[]) WITH ORDINALITY AS u (i, n)"
            " JOIN contact c ON c.organisation_id = %(org)s AND c.contact_id = u.i",
            {"ids": wanted, "org": organisation_id},
        )
        return dict(rows.tuples())
    found: dict[UUID, str] = {}
    for chunk in _chunks(wanted):
        query = select(Contact.contact_id, type_coerce(Contact.standing, Text))
        query = query.where(
            Contact.organisation_id == organisation_id, Contact.contact_id.in_(chunk)
        )
        found.update(dict(session.execute(query).tuples()))
    return found


def appended_since(session: Session, organisation_id: UUID, first: int, size: int) -> Since:
    """Returns what lies in [first, size) of the log: read under the head's lock, in its own statement."""
    query = (
        select(func.substr(LogLeaf.leaf, _KIND_AT, _KIND_LENGTH), ContactEntry.contact_id)
        .outerjoin(
            ContactEntry,
            and_(
                ContactEntry.organisation_id == LogLeaf.organisation_id,
                ContactEntry.entry_index == LogLeaf.entry_index,
            ),
        )
        .where(LogLeaf.organisation_id == organisation_id)
        .where(LogLeaf.entry_index >= first, LogLeaf.entry_index < size)
    )
    contacts, everyone = set(), False
    for line, contact in session.execute(query):
        kind = bytes(line).partition(b"\n")[0].decode("ascii", "replace")
        # A kind that this version does not know may mean anything: look at all again.
        everyone = everyone or kind in _SECOND_LOOK or kind not in _KNOWN
        if contact is not None:
            contacts.add(contact)
    return Since(frozenset(contacts), everyone)


def batch(session: Session, organisation_id: UUID, number: int) -> Batch:
    """Returns a batch; NotFoundError when this organisation has none of that number."""
    row = session.execute(
        select(PermitBatch.__table__, Organisation.number, PermitBatch.count.label("rows"))
        .join(Organisation, Organisation.organisation_id == PermitBatch.organisation_id)
        .where(PermitBatch.organisation_id == organisation_id, PermitBatch.batch == number)
    ).one_or_none()
    if row is None:
        raise NotFoundError("no such permit")
    return Batch(
        organisation_id=organisation_id,
        organisation_number=row.number,
        batch=row.batch,
        entry_index=row.entry_index,
        count=row.rows,
        sender_id=row.sender_id,
        purpose_id=row.purpose_id,
        channel=row.channel,
        message=row.message,
        rulings=tuple(Ruling.from_json(kept) for kept in row.verdicts),
        issued_at=row.issued_at,
        valid_until_at=row.valid_until_at,
    )


def rows(session: Session, organisation_id: UUID, number: int) -> list[Row]:
    """Returns a batch's rows in order."""
    query = (
        select(Permit.contact_id, Permit.verdict, Permit.salt)
        .where(Permit.organisation_id == organisation_id, Permit.batch == number)
        .order_by(Permit.row_number)
    )
    return [Row(contact, verdict, salt) for contact, verdict, salt in session.execute(query)]


def permit_target(
    session: Session, organisation_id: UUID, permit_id: PermitId
) -> PermitTarget | None:
    """Returns whom and what a permit was about, in one statement, or None when there is no such row.

    `contact_id` is None for a permit that was only counted, and after an erasure.
    """
    row = session.execute(
        select(
            Permit.contact_id,
            Permit.verdict,
            PermitBatch.sender_id,
            PermitBatch.purpose_id,
            PermitBatch.channel,
            PermitBatch.verdicts,
        )
        .join(
            PermitBatch,
            and_(
                PermitBatch.organisation_id == Permit.organisation_id,
                PermitBatch.batch == Permit.batch,
            ),
        )
        .where(Permit.organisation_id == organisation_id)
        .where(Permit.batch == permit_id.batch, Permit.row_number == permit_id.row)
    ).one_or_none()
    if row is None:
        return None
    return PermitTarget(
        permit_id=permit_id,
        organisation_id=organisation_id,
        contact_id=row.contact_id,
        sender_id=row.sender_id,
        purpose_id=row.purpose_id,
        channel=row.channel,
        allowed=bool(row.verdicts[row.verdict]["allowed"]),
    )


def _is_postgresql(session: Session) -> bool:
    return session.connection().dialect.name == "postgresql"


def _chunks(values: Sequence[Any]) -> Iterable[Sequence[Any]]:
    for start in range(0, len(values), IN_CHUNK):
        yield values[start : start + IN_CHUNK]
