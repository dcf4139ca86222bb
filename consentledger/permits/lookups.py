"""Reads that a decision is made from: h0, the message's frame, the contacts' facts, and what came since."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import LargeBinary, Text, and_, bindparam, func, select, type_coerce
from sqlalchemy.orm import Session

from consentledger.contacts.models import Contact, LastSend, Suppression
from consentledger.contacts.queries import sent_since
from consentledger.contacts.rules import EVERYTHING
from consentledger.contacts.suppression import refusals
from consentledger.db.keystore.store import KeyStore
from consentledger.db.models import ContactEntry, LogHead, LogLeaf
from consentledger.kernel.clock import now
from consentledger.kernel.errors import InputError, NotFoundError
from consentledger.ledger.kinds import KINDS
from consentledger.organisations.models import Organisation, Purpose, Sender
from consentledger.permits.facts import Days

IN_CHUNK = 5_000  # SQLite takes 32,766 parameters a statement
_KIND_AT = len("consentledger/leaf/v1\nkind ") + 1
# What a leaf says of its kind, in a column: the leaf itself need not travel.
KIND_LINE = type_coerce(func.substr(LogLeaf.leaf, _KIND_AT, 80), LargeBinary)
# An erasure takes facts away without an entry of the contact's own, so it asks for a second look at all.
_SECOND_LOOK = frozenset(
    f"{name}/{version}"
    for (name, version), kind in KINDS.items()
    if kind.affects == "organisation" or name == "log.erasure"
)
# One look into an index per recipient, whatever the planner believes of the tables' sizes: without statistics it
# would read all contacts of the organisation. Who never reported a message sent has no last one to look for.
_BY_LOOKUP = (
    "SELECT c.lookup, c.contact_id, c.standing, l.sent_on, l.renewed_on FROM unnest(%(hashes)b::bytea[]) AS u (h)"
    " CROSS JOIN LATERAL (SELECT lookup, contact_id, standing FROM contact"
    " WHERE organisation_id = %(org)s AND lookup = u.h OFFSET 0) c"
    " LEFT JOIN LATERAL (SELECT sent_on, renewed_on FROM last_send"
    " WHERE (SELECT EXISTS (SELECT 1 FROM last_send WHERE organisation_id = %(org)s))"
    " AND organisation_id = %(org)s AND contact_id = c.contact_id AND channel = %(channel)s OFFSET 0) l ON true"
)
_BY_CONTACT = (
    "SELECT c.contact_id, c.standing, l.sent_on, l.renewed_on FROM unnest(%(ids)b::uuid[]) AS u (i)"
    " CROSS JOIN LATERAL (SELECT contact_id, standing FROM contact"
    " WHERE organisation_id = %(org)s AND contact_id = u.i OFFSET 0) c"
    " LEFT JOIN LATERAL (SELECT sent_on, renewed_on FROM last_send"
    " WHERE (SELECT EXISTS (SELECT 1 FROM last_send WHERE organisation_id = %(org)s))"
    " AND organisation_id = %(org)s AND contact_id = c.contact_id AND channel = %(channel)s OFFSET 0) l ON true"
)
_KNOWN = frozenset(f"{name}/{version}" for name, version in KINDS)


class Stored(NamedTuple):
    """What decisions about a contact start from: its standing as stored (JSON text), and the last messages' days."""

    standing: str
    sent_on: date | None = None
    renewed_on: date | None = None

    @property
    def days(self) -> Days:
        """The day of the last message, and of the last one under the exception."""
        return self[1:]


class Known(NamedTuple):
    """A contact of the organisation, with what is stored of it."""

    contact_id: UUID
    stored: Stored


@dataclass(frozen=True, slots=True)
class MessageFrame:
    """What a batch's message has from the organisation: read behind h0, and again when one of it changed."""

    organisation_number: int
    from_address: str
    link_host: str | None
    categories: tuple[str, ...] = ()


# Written once: to put a statement together anew costs a single permit as much as to run it.
_HEAD_SIZE = select(LogHead.size).where(LogHead.organisation_id == bindparam("org"))
_FRAME = (
    select(
        Organisation.number,
        Sender.published_at.label("sender_at"),
        Sender.identity,
        Sender.link_host,
        Purpose.published_at.label("purpose_at"),
        Purpose.purpose_class,
        Purpose.channels,
        Purpose.categories,
    )
    .select_from(Organisation)
    .outerjoin(
        Sender,
        and_(Sender.organisation_id == bindparam("org"), Sender.sender_id == bindparam("sender")),
    )
    .outerjoin(
        Purpose,
        and_(
            Purpose.organisation_id == bindparam("org"), Purpose.purpose_id == bindparam("purpose")
        ),
    )
    .where(Organisation.organisation_id == bindparam("org"))
)
_ANY_ERASED = (
    select(Suppression.hash)
    .where(Suppression.organisation_id == bindparam("org"), Suppression.scope == EVERYTHING)
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Since:
    """What was appended at or beyond h0: whose entries, and whether something concerns every contact."""

    contacts: frozenset[UUID]
    everyone: bool


def head_size(session: Session, organisation_id: UUID) -> int:
    """Returns h0, the size of the log's tree; a statement of its own, before any fact is read."""
    size = session.execute(_HEAD_SIZE, {"org": organisation_id}).scalar_one_or_none()
    if size is None:
        raise NotFoundError("this organisation has no log")
    return size


def message_frame(
    session: Session, organisation_id: UUID, sender_id: UUID, purpose_id: UUID, channel: str
) -> tuple[MessageFrame, str]:
    """Returns a message's frame and the purpose's class; InputError for what is not published here.

    Ids of another organisation are as unknown as those that never were.
    """
    asked = {"org": organisation_id, "sender": sender_id, "purpose": purpose_id}
    row = session.execute(_FRAME, asked).one_or_none()
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
    frame = MessageFrame(
        row.number, row.identity["from_address"], row.link_host, tuple(row.categories)
    )
    return frame, row.purpose_class


def check_tracking(session: Session, organisation_id: UUID, purpose_id: UUID, channel: str) -> None:
    """Holds the purpose whose consent tracking needs against what is published; InputError where it is not that."""
    row = session.execute(
        select(Purpose.purpose_class, Purpose.channels).where(
            Purpose.organisation_id == organisation_id,
            Purpose.purpose_id == purpose_id,
            Purpose.published_at.is_not(None),
        )
    ).one_or_none()
    if row is None:
        raise InputError("tracking: no such published purpose", field="tracking", reason="unknown")
    if row.purpose_class != "tracking" or channel not in row.channels:
        raise InputError(
            "tracking: the purpose is not for tracking on this channel",
            field="tracking",
            reason="class",
        )


def known_by_lookup(
    session: Session, organisation_id: UUID, hashes: Sequence[bytes], channel: str
) -> dict[bytes, Known]:
    """Returns the contacts that have these look-up hashes; others are missing from the result."""
    if _is_postgresql(session):
        asked = {"hashes": list(hashes), "org": organisation_id, "channel": channel}
        return {
            lookup: Known(contact, Stored(standing, sent_on, renewed_on))
            for lookup, contact, standing, sent_on, renewed_on in _fetched(
                session, _BY_LOOKUP, asked
            )
        }
    found: dict[bytes, Known] = {}
    for chunk in _chunks(hashes):
        query = _stored(organisation_id, channel).where(Contact.lookup.in_(chunk))
        for lookup, contact, *rest in session.execute(query):
            found[lookup] = Known(contact, Stored(*rest))
    return found


def suppressed(
    session: Session, keystore: KeyStore, organisation_id: UUID, folded: Iterable[str | None]
) -> set[str]:
    """Returns those folded addresses that an erasure left a refusal of."""
    if session.execute(_ANY_ERASED, {"org": organisation_id}).one_or_none() is None:
        return set()  # nobody here was ever erased
    wanted = {one for one in folded if one is not None}
    found = refusals(session, keystore, organisation_id, wanted)
    at = now()
    return {
        address
        for address, refused in found.items()
        if any(one.scope == EVERYTHING and one.in_force(at) for one in refused)
    }


def stored(
    session: Session, organisation_id: UUID, contacts: Iterable[UUID], channel: str
) -> dict[UUID, Stored]:
    """Returns what is stored of each of these contacts that still exists."""
    wanted = list(contacts)
    found: dict[UUID, Stored] = {}
    if _is_postgresql(session):
        asked = {"ids": wanted, "org": organisation_id, "channel": channel}
        return {contact: Stored(*rest) for contact, *rest in _fetched(session, _BY_CONTACT, asked)}
    for chunk in _chunks(wanted):
        query = _stored(organisation_id, channel).where(Contact.contact_id.in_(chunk))
        for _, contact, *rest in session.execute(query):
            found[contact] = Stored(*rest)
    return found


def _stored(organisation_id: UUID, channel: str) -> Any:
    return (
        select(
            Contact.lookup,
            Contact.contact_id,
            type_coerce(Contact.standing, Text),
            LastSend.sent_on,
            LastSend.renewed_on,
        )
        .outerjoin(
            LastSend,
            and_(
                LastSend.organisation_id == Contact.organisation_id,
                LastSend.contact_id == Contact.contact_id,
                LastSend.channel == channel,
            ),
        )
        .where(Contact.organisation_id == organisation_id)
    )


def kind_of(line: bytes) -> str:
    """Returns the kind, `consent.withdrawn/1`, at the start of what KIND_LINE selects."""
    return bytes(line).partition(b"\n")[0].decode("ascii", "replace")


def appended_since(session: Session, organisation_id: UUID, first: int, size: int) -> Since:
    """Returns what lies in [first, size) of the log: read under the head's lock, in its own statement."""
    query = (
        select(KIND_LINE, ContactEntry.contact_id)
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
        kind = kind_of(line)
        # A kind that this version does not know may mean anything: look at all again.
        everyone = everyone or kind in _SECOND_LOOK or kind not in _KNOWN
        if contact is not None:
            contacts.add(contact)
    # A report of what was sent has no contact of its own, and moves the clocks of many.
    return Since(frozenset(contacts | sent_since(session, organisation_id, first)), everyone)


def _fetched(session: Session, statement: str, asked: dict[str, Any]) -> list[tuple[Any, ...]]:
    """All rows of a statement, by the driver itself and in binary: half the time for 5,000 of them."""
    driver: Any = session.connection().connection.driver_connection
    found: list[tuple[Any, ...]] = driver.execute(statement, asked, binary=True).fetchall()
    return found


def _is_postgresql(session: Session) -> bool:
    return session.connection().dialect.name == "postgresql"


def _chunks(values: Sequence[Any]) -> Iterable[Sequence[Any]]:
    for start in range(0, len(values), IN_CHUNK):
        yield values[start : start + IN_CHUNK]
