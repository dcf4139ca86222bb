"""Writes a batch of reports: COPY for its rows on PostgreSQL, executemany on SQLite; no object per row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, case, insert, or_
from sqlalchemy.dialects import sqlite

from consentledger.contacts.models import LastSend
from consentledger.db.unit_of_work import Tx
from consentledger.kernel.clock import to_text
from consentledger.sends.last import LastDays
from consentledger.sends.lines import Row, Shape
from consentledger.sends.models import MessageBatch

COPY_ABOVE = 16
_NAMES = (
    "organisation_id, batch, row_number, permit_batch, permit_row, contact_id, shape, sent_at, message_hash,"
    " headers_hash, salt"
)
_TYPES = ("uuid", "int8", "int4", "int8", "int4", "uuid", "int2", "timestamptz", "bytea", "bytea", "bytea")  # fmt: skip
_COPY = f"COPY message_sent ({_NAMES}) FROM STDIN (FORMAT BINARY)"
_INSERT = {
    "sqlite": f"INSERT INTO message_sent ({_NAMES}) VALUES ({', '.join('?' * 11)})",  # noqa: S608 - our own names
    "postgresql": f"INSERT INTO message_sent ({_NAMES}) VALUES ({', '.join(['%s'] * 11)})",  # noqa: S608
}


def _upsert() -> Any:
    made = sqlite.insert(LastSend).values(
        organisation_id=bindparam("org"),
        contact_id=bindparam("contact"),
        channel=bindparam("its_channel"),
        sent_on=bindparam("day"),
        renewed_on=bindparam("renewed"),
        entry_index=bindparam("entry"),
    )
    new = made.excluded
    later = new.sent_on > LastSend.sent_on
    renewed = or_(
        new.renewed_on > LastSend.renewed_on,
        LastSend.renewed_on.is_(None) & new.renewed_on.is_not(None),
    )
    return made.on_conflict_do_update(
        index_elements=["organisation_id", "contact_id", "channel"],
        set_={
            "sent_on": case((later, new.sent_on), else_=LastSend.sent_on),
            "renewed_on": case((renewed, new.renewed_on), else_=LastSend.renewed_on),
            "entry_index": new.entry_index,
        },
        where=or_(later, renewed),
    )


_LAST = _upsert()


# The head is locked meanwhile: one statement for all, where a statement each took half a second for 5,000.
_LAST_AT_ONCE = """
INSERT INTO last_send AS l (organisation_id, contact_id, channel, sent_on, renewed_on, entry_index)
SELECT %(org)s, c, ch, d, r, %(entry)s
FROM unnest(%(contacts)b::uuid[], %(channels)b::text[], %(days)b::date[], %(renewed)b::date[]) AS u (c, ch, d, r)
ON CONFLICT (organisation_id, contact_id, channel) DO UPDATE
SET sent_on = GREATEST(l.sent_on, excluded.sent_on),
 renewed_on = GREATEST(l.renewed_on, excluded.renewed_on), entry_index = excluded.entry_index
WHERE excluded.sent_on > l.sent_on OR excluded.renewed_on > l.renewed_on
 OR (l.renewed_on IS NULL AND excluded.renewed_on IS NOT NULL)
"""


def write_rows(tx: Tx, organisation_id: UUID, batch: int, rows: Sequence[Row]) -> None:
    """Writes the rows of a new batch, before the head is locked."""
    is_sqlite = tx.database.name == "sqlite"
    values = [_values(organisation_id, batch, n, row, is_sqlite) for n, row in enumerate(rows)]
    if not is_sqlite and len(rows) > COPY_ABOVE:
        with tx.driver.cursor() as cursor, cursor.copy(_COPY) as copy:
            copy.set_types(_TYPES)
            for row in values:
                copy.write_row(row)
        return
    tx.connection.exec_driver_sql(_INSERT[tx.database.name], values)


def _values(
    organisation_id: UUID, batch: int, number: int, row: Row, is_sqlite: bool
) -> tuple[Any, ...]:
    organisation: Any = organisation_id
    contact: Any = row.contact_id
    at: Any = row.sent_at
    if is_sqlite:
        organisation, at = organisation_id.hex, to_text(row.sent_at)
        contact = row.contact_id.hex if row.contact_id else None
    return (
        organisation,
        batch,
        number,
        row.permit_batch,
        row.permit_row,
        contact,
        row.shape,
        at,
        row.message_hash,
        row.headers_hash,
        row.salt,
    )


def write_batch(
    tx: Tx, organisation_id: UUID, batch: int, index: int, count: int, shapes: Sequence[Shape]
) -> None:
    """Writes what all rows share; it needs the entry's index, so it comes behind the append."""
    tx.connection.execute(
        insert(MessageBatch).values(
            organisation_id=organisation_id,
            batch=batch,
            entry_index=index,
            count=count,
            shapes=[list(shape) for shape in shapes],
            reported_at=tx.now,
        )
    )


def write_last(
    tx: Tx, organisation_id: UUID, index: int, days: Mapping[tuple[UUID, str], LastDays]
) -> None:
    """Moves the days that clocks run from, forward only; behind the append, under the contacts' own locks."""
    if not days:
        return
    ordered = sorted(days.items(), key=itemgetter(0))
    if tx.database.name == "postgresql":
        values = {
            "org": organisation_id,
            "entry": index,
            "contacts": [contact for (contact, _), _ in ordered],
            "channels": [channel for (_, channel), _ in ordered],
            "days": [day.sent_on for _, day in ordered],
            "renewed": [day.renewed_on for _, day in ordered],
        }
        tx.connection.exec_driver_sql(_LAST_AT_ONCE, values)
        return
    rows = [
        {
            "org": organisation_id,
            "contact": contact,
            "its_channel": channel,
            "day": day.sent_on,
            "renewed": day.renewed_on,
            "entry": index,
        }
        for (contact, channel), day in ordered
    ]
    tx.connection.execute(_LAST, rows)
