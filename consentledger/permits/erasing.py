"""Taking a person out of issued permits: salt and contact go, the line's hash stays in the row.

So every other line of the batch keeps its proof, and nobody can try addresses or ids against the line that
went: without its salt of 16 random bytes it fits nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TypeVar
from uuid import UUID

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from consentledger.db.unit_of_work import Tx
from consentledger.permits import queries
from consentledger.permits.lines import Row
from consentledger.permits.models import Permit, PermitBatch

Place = tuple[int, int]
"""(batch, row)"""
ERASED_SALT = bytes(16)
_Value = TypeVar("_Value")
CHUNK = 500
_ERASE = (
    update(Permit.__table__)  # type: ignore[arg-type]
    .where(
        Permit.organisation_id == bindparam("org"),
        Permit.batch == bindparam("its_batch"),
        Permit.row_number == bindparam("its_row"),
    )
    .values(contact_id=None, salt=ERASED_SALT, line_hash=bindparam("its_hash"))
)


def places_of(
    session: Session, organisation_id: UUID, contact_ids: Iterable[UUID]
) -> dict[UUID, list[tuple[int, int, int]]]:
    """Reads (entry index, batch, row) of every permit that names these contacts, sorted."""
    found: dict[UUID, list[tuple[int, int, int]]] = {one: [] for one in contact_ids}
    for chunk in _chunks(sorted(found)):
        query = (
            select(Permit.contact_id, PermitBatch.entry_index, Permit.batch, Permit.row_number)
            .join(
                PermitBatch,
                (PermitBatch.organisation_id == Permit.organisation_id)
                & (PermitBatch.batch == Permit.batch),
            )
            .where(Permit.organisation_id == organisation_id, Permit.contact_id.in_(chunk))
            .order_by(PermitBatch.entry_index, Permit.row_number)
        )
        for contact_id, index, batch, row in session.execute(query):
            if contact_id is not None:
                found[contact_id].append((index, batch, row))
    return found


def erase_places(tx: Tx, organisation_id: UUID, places: Iterable[Place]) -> int:
    """Takes salt and contact out of these rows and keeps their lines' hashes; returns how many it found.

    Rows that were erased before are left as they are.
    """
    erased = 0
    for batch, group in groupby(sorted(set(places)), key=lambda place: place[0]):
        for chunk in _chunks([row for _, row in group]):
            erased += _erase_rows(tx, organisation_id, batch, chunk)
    return erased


def _erase_rows(tx: Tx, organisation_id: UUID, batch: int, numbers: list[int]) -> int:
    issued = queries.batch(tx.session, organisation_id, batch)
    found = tx.session.execute(
        select(Permit.row_number, Permit.contact_id, Permit.verdict, Permit.salt)
        .where(
            Permit.organisation_id == organisation_id,
            Permit.batch == batch,
            Permit.row_number.in_(numbers),
            Permit.line_hash.is_(None),
        )
        .order_by(Permit.row_number)
    ).all()
    if not found:
        return 0
    rows, places = [Row(*row[1:]) for row in found], [row.row_number for row in found]
    made = queries.some_lines(issued, rows, places)
    tx.connection.execute(
        _ERASE,
        [
            {"org": organisation_id, "its_batch": batch, "its_row": row.row_number, "its_hash": h}
            for row, h in zip(found, made.hashes, strict=True)
        ],
    )
    return len(found)


def _chunks(values: list[_Value]) -> Iterator[list[_Value]]:
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]
