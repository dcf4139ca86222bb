"""Batches of reports held against their entries' roots, and the day that clocks run from against the reports."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from consentledger.contacts.models import LastSend
from consentledger.contacts.service import lock_rows
from consentledger.db.engine import Database
from consentledger.db.fsck.opener import Opener, bytes_of
from consentledger.kernel.errors import ConsentLedgerError, IntegrityError
from consentledger.ledger.leaf import parse_leaf
from consentledger.replay.model import Difference
from consentledger.sends import queries
from consentledger.sends.erasing import last_of, remake_last
from consentledger.sends.last import LastDays
from consentledger.sends.models import MessageBatch, MessageSent

AT_ONCE = 500


def report_differences(opener: Opener) -> Iterator[Difference]:
    """Makes each batch's lines again from its rows and compares their root with the one in its entry."""
    session, org = opener.session, opener.organisation_id
    query = select(MessageBatch.batch, MessageBatch.entry_index).where(
        MessageBatch.organisation_id == org
    )
    known = set()
    for number, index in session.execute(query.order_by(MessageBatch.entry_index)).all():
        known.add(number)
        try:
            made = queries.lines(session, org, number).root.hex()
            leaf = next((row[1] for row in opener.rows.leaves_at([index])), b"")
            parsed = parse_leaf(bytes_of(leaf))
            if (parsed.kind_name, parsed.plain.get("root")) != ("message.sent", made):
                raise IntegrityError("its rows do not give the root in its entry")
        except ConsentLedgerError as error:
            yield Difference("message_sent", (number,), note=str(error))
        except (ValueError, KeyError, TypeError, IndexError):
            note = "its rows make no lines: a shape or a value is not what was stored"
            yield Difference("message_sent", (number,), note=note)
    batches = select(MessageSent.batch).where(MessageSent.organisation_id == org).distinct()
    for number in sorted(set(session.scalars(batches)) - known):
        yield Difference("message_sent", (number,), surplus=True)


def last_differences(opener: Opener) -> Iterator[Difference]:
    """Compares last_send with what the reports say, contact by contact."""
    for contacts in contacts_told(opener.session, opener.organisation_id):
        yield from _named(opener.session, opener.organisation_id, contacts)


def mend_last(
    database: Database, organisation_id: UUID, *, dry_run: bool = False
) -> Iterator[Difference]:
    """Makes last_send anew where it is not what the reports say; yields what differed; with a note: what can't be."""
    with database.read() as session:
        parts = list(contacts_told(session, organisation_id))
    for contacts in parts:
        with database.begin() as tx:
            lock_rows(tx, organisation_id, contacts)
            found = _named(tx.session, organisation_id, contacts)
            if found and not dry_run and not found[0].note:
                remake_last(tx, organisation_id, contacts)
        yield from found


def contacts_told(session: Session, organisation_id: UUID) -> Iterator[list[UUID]]:
    """Yields the contacts that reports or last_send name, sorted, in parts."""
    tables = (MessageSent, LastSend)
    first: UUID | None = None
    while True:
        found = [_after(session, organisation_id, table, first) for table in tables]
        # What lies behind the end of a full part may miss some of the other table's: it comes with the next.
        ends = [part[-1] for part in found if len(part) == AT_ONCE]
        contacts = sorted({one for part in found for one in part if not ends or one <= min(ends)})
        if not contacts:
            return
        first = contacts[-1]
        yield contacts


def _after(
    session: Session,
    organisation_id: UUID,
    table: type[MessageSent] | type[LastSend],
    first: UUID | None,
) -> list[UUID]:
    """The next contacts that a table names, by its index on them."""
    query = select(table.contact_id).where(table.organisation_id == organisation_id)
    query = query.where(
        table.contact_id.is_not(None) if first is None else table.contact_id > first
    )
    found = session.scalars(query.distinct().order_by(table.contact_id).limit(AT_ONCE))
    return [one for one in found if one is not None]


def _named(session: Session, organisation_id: UUID, contacts: Sequence[UUID]) -> list[Difference]:
    try:
        return list(_last(session, organisation_id, contacts))
    except ConsentLedgerError as error:  # the rows themselves are named by their roots
        return [Difference("last_send", (), note=f"can't be made: {error}")]


def _last(
    session: Session, organisation_id: UUID, contacts: Sequence[UUID]
) -> Iterator[Difference]:
    derived = last_of(session, organisation_id, contacts)
    rows = session.execute(
        select(LastSend.__table__).where(
            LastSend.organisation_id == organisation_id, LastSend.contact_id.in_(contacts)
        )
    )
    stored = {
        (row.contact_id, row.channel): (LastDays(row.sent_on, row.renewed_on), row.entry_index)
        for row in rows
    }
    for key in sorted(derived.keys() | stored.keys()):
        if key not in stored:
            yield Difference("last_send", key)
        elif key not in derived:
            yield Difference("last_send", key, surplus=True)
        elif stored[key] != derived[key]:
            names = ("sent_on", "renewed_on", "entry_index")
            (ours, its_index), (theirs, index) = stored[key], derived[key]
            pairs = zip(names, (*ours, its_index), (*theirs, index), strict=True)
            yield Difference("last_send", key, tuple(n for n, a, b in pairs if a != b))
