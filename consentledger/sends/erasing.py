"""Taking a person out of reports, as out of permits: contact, hashes and salt go, the line's hash stays."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from operator import itemgetter
from uuid import UUID

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.orm import Session

from consentledger.contacts.models import LastSend
from consentledger.db.unit_of_work import Tx
from consentledger.sends import queries
from consentledger.sends.last import LastDays, later
from consentledger.sends.lines import build_lines, shape_of
from consentledger.sends.models import MessageBatch, MessageSent

Place = tuple[int, int]
"""(batch, row)"""
ERASED_SALT = bytes(16)
CHUNK = 500
_ERASE = (
    update(MessageSent.__table__)  # type: ignore[arg-type]
    .where(
        MessageSent.organisation_id == bindparam("org"),
        MessageSent.batch == bindparam("its_batch"),
        MessageSent.row_number == bindparam("its_row"),
    )
    .values(
        contact_id=None,
        message_hash=None,
        headers_hash=None,
        salt=ERASED_SALT,
        line_hash=bindparam("its_hash"),
    )
)


def batches_among(session: Session, organisation_id: UUID, numbers: Iterable[int]) -> set[int]:
    """Returns those of `numbers` that are batches of reports (others are of permits)."""
    wanted = sorted(set(numbers))
    found: set[int] = set()
    for start in range(0, len(wanted), CHUNK):
        query = select(MessageBatch.batch).where(
            MessageBatch.organisation_id == organisation_id,
            MessageBatch.batch.in_(wanted[start : start + CHUNK]),
        )
        found.update(session.scalars(query))
    return found


def erase_places(tx: Tx, organisation_id: UUID, places: Iterable[Place]) -> int:
    """Takes the person out of these rows and keeps their lines' hashes; returns how many it found.

    Rows that were erased before are left as they are.
    """
    by_batch: dict[int, list[int]] = defaultdict(list)
    for number, row in sorted(set(places)):
        by_batch[number].append(row)
    return sum(_erase(tx, organisation_id, number, rows) for number, rows in by_batch.items())


def _erase(tx: Tx, organisation_id: UUID, number: int, wanted: list[int]) -> int:
    told = queries.batch(tx.session, organisation_id, number)
    every = queries.rows(tx.session, organisation_id, number)
    going = [row for row in wanted if row < len(every) and every[row].line_hash is None]
    if not going:
        return 0
    made = build_lines(
        told.organisation_number, told.shapes, [every[row] for row in going], numbers=going
    )
    tx.connection.execute(
        _ERASE,
        [
            {"org": organisation_id, "its_batch": number, "its_row": row, "its_hash": digest}
            for row, digest in zip(going, made.hashes, strict=True)
        ],
    )
    return len(going)


def last_of(
    session: Session, organisation_id: UUID, contact_ids: Iterable[UUID]
) -> dict[tuple[UUID, str], tuple[LastDays, int]]:
    """Makes last_send from the reports: by contact and channel the last days, and the first entry that told of them.

    IntegrityError when a report was changed by hand so that it tells nothing.
    """
    found: dict[tuple[UUID, str], tuple[LastDays, int]] = {}
    wanted = sorted(set(contact_ids))
    for start in range(0, len(wanted), CHUNK):
        query = (
            select(
                MessageSent.contact_id,
                MessageSent.sent_at,
                MessageSent.shape,
                MessageBatch.shapes,
                MessageBatch.entry_index,
            )
            .join(
                MessageBatch,
                (MessageBatch.organisation_id == MessageSent.organisation_id)
                & (MessageBatch.batch == MessageSent.batch),
            )
            .where(MessageSent.organisation_id == organisation_id)
            .where(MessageSent.contact_id.in_(wanted[start : start + CHUNK]))
            .order_by(MessageBatch.entry_index)
        )
        for contact_id, at, number, shapes, index in session.execute(query):
            shape = shape_of(shapes, number)
            key, before = (contact_id, shape.channel), found.get((contact_id, shape.channel))
            days = later(before[0] if before else None, shape, at)
            if days is not None and (before is None or days != before[0]):
                found[key] = (days, index)  # told in the log's order: the first of a day stays
    return found


def remake_last(tx: Tx, organisation_id: UUID, contact_ids: Iterable[UUID]) -> int:
    """Makes last_send of these contacts anew from the reports that are left; returns how many rows they have now."""
    wanted = sorted(set(contact_ids))
    for start in range(0, len(wanted), CHUNK):
        tx.session.execute(
            delete(LastSend).where(
                LastSend.organisation_id == organisation_id,
                LastSend.contact_id.in_(wanted[start : start + CHUNK]),
            ),
            execution_options={"synchronize_session": False},
        )
    made = [
        {
            "organisation_id": organisation_id,
            "contact_id": contact_id,
            "channel": channel,
            "sent_on": days.sent_on,
            "renewed_on": days.renewed_on,
            "entry_index": index,
        }
        for (contact_id, channel), (days, index) in sorted(
            last_of(tx.session, organisation_id, wanted).items(), key=itemgetter(0)
        )
    ]
    if made:
        tx.session.execute(insert(LastSend), made)
    return len(made)
