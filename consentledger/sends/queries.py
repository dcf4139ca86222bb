"""Reads of reports: batches, rows, lines made again, what was told before, and a proof for each."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from consentledger.db.log.tree import TileCache, TreeReader
from consentledger.db.models import LogLeaf
from consentledger.db.signing.checkpoints import latest_checkpoint
from consentledger.kernel.errors import IntegrityError, NotFoundError
from consentledger.ledger import merkle
from consentledger.ledger.leaf import parse_leaf
from consentledger.ledger.proof import TlogProof
from consentledger.organisations.models import Organisation
from consentledger.permits.lines import Lines
from consentledger.permits.links import PermitId
from consentledger.sends.lines import Row, Shape, build_lines, shape_of
from consentledger.sends.models import MessageBatch, MessageSent

CHUNK = 1_000
MOST_FOUND = 100
_ROW = (
    MessageSent.permit_batch,
    MessageSent.permit_row,
    MessageSent.contact_id,
    MessageSent.shape,
    MessageSent.sent_at,
    MessageSent.message_hash,
    MessageSent.headers_hash,
    MessageSent.salt,
    MessageSent.line_hash,
)
_OF_BATCH = (MessageBatch.organisation_id == MessageSent.organisation_id) & (
    MessageBatch.batch == MessageSent.batch
)


class Told(NamedTuple):
    """An earlier report about a permit."""

    status: str
    sent_at: datetime
    message_hash: bytes | None
    flags: str
    entry_index: int
    row: int


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch as stored."""

    organisation_id: UUID
    organisation_number: int
    batch: int
    entry_index: int
    count: int
    shapes: tuple[Shape, ...]
    reported_at: datetime


@dataclass(frozen=True, slots=True)
class SentProof:
    """A report's line with its path in the batch, the batch's entry, and that one's proof in the log.

    `log` is None until a checkpoint covers the entry.
    """

    permit: PermitId
    shape: Shape
    sent_at: datetime
    row: int
    count: int
    disclosure: str
    path: tuple[bytes, ...]
    entry_index: int
    leaf: bytes
    log: TlogProof | None

    def bundle_member(self) -> dict[str, Any]:
        """The content of `sent/<entry>-<row>.json` in a bundle."""
        return {
            "batch": self.entry_index,
            "disclosure": self.disclosure,
            "path": [b64encode(digest).decode("ascii") for digest in self.path],
            "row": self.row,
        }


def batch(session: Session, organisation_id: UUID, number: int) -> Batch:
    """Returns a batch; NotFoundError when this organisation has none of that number."""
    row = session.execute(
        select(MessageBatch.__table__, Organisation.number, MessageBatch.count.label("rows"))
        .join(Organisation, Organisation.organisation_id == MessageBatch.organisation_id)
        .where(MessageBatch.organisation_id == organisation_id, MessageBatch.batch == number)
    ).one_or_none()
    if row is None:
        raise NotFoundError("no such batch of reports")
    shapes = tuple(Shape(*kept) for kept in row.shapes)
    return Batch(
        organisation_id, row.number, number, row.entry_index, row.rows, shapes, row.reported_at
    )


def rows(session: Session, organisation_id: UUID, number: int) -> list[Row]:
    """Returns a batch's rows in order; IntegrityError when their numbers are not 0, 1, 2 …"""
    query = (
        select(MessageSent.row_number, *_ROW)
        .where(MessageSent.organisation_id == organisation_id, MessageSent.batch == number)
        .order_by(MessageSent.row_number)
    )
    found = session.execute(query).all()
    if any(row.row_number != place for place, row in enumerate(found)):
        raise IntegrityError(f"the rows of batch {number} are not numbered from 0 on")
    return [Row(*tuple(row)[1:]) for row in found]


def lines(session: Session, organisation_id: UUID, number: int) -> Lines:
    """Makes a batch's lines again from its rows; IntegrityError when rows are missing."""
    told, found = batch(session, organisation_id, number), rows(session, organisation_id, number)
    if len(found) != told.count:
        raise IntegrityError(f"batch {number} has {len(found)} rows, not {told.count}")
    return build_lines(told.organisation_number, told.shapes, found)


def told_before(
    session: Session, organisation_id: UUID, places: Iterable[tuple[int, int]]
) -> dict[tuple[int, int], list[Told]]:
    """Returns what was reported about permits, by their (batch, row), in the log's order."""
    found: dict[tuple[int, int], list[Told]] = {}
    wanted = sorted(set(places))
    for start in range(0, len(wanted), CHUNK):
        query = (
            select(
                MessageSent.permit_batch,
                MessageSent.permit_row,
                MessageSent.shape,
                MessageSent.sent_at,
                MessageSent.message_hash,
                MessageSent.row_number,
                MessageBatch.entry_index,
                MessageBatch.shapes,
            )
            .join(MessageBatch, _OF_BATCH)
            .where(MessageSent.organisation_id == organisation_id)
            .where(
                tuple_(MessageSent.permit_batch, MessageSent.permit_row).in_(
                    wanted[start : start + CHUNK]
                )
            )
            .order_by(MessageBatch.entry_index, MessageSent.row_number)
        )
        for row in session.execute(query):
            shape = shape_of(row.shapes, row.shape)
            told = Told(
                shape.status, row.sent_at, row.message_hash, shape.flags, row.entry_index, row.row_number
            )  # fmt: skip
            found.setdefault((row.permit_batch, row.permit_row), []).append(told)
    return found


def places_by_message(
    session: Session, organisation_id: UUID, message_hash: bytes
) -> list[tuple[int, int]]:
    """Returns (batch, row) of the reports that name a message, in the log's order, at most 100."""
    query = (
        select(MessageSent.batch, MessageSent.row_number)
        .join(MessageBatch, _OF_BATCH)
        .where(MessageSent.organisation_id == organisation_id)
        .where(MessageSent.message_hash == message_hash)
        .order_by(MessageBatch.entry_index, MessageSent.row_number)
        .limit(MOST_FOUND)
    )
    return [(number, row) for number, row in session.execute(query)]


def places_of(
    session: Session, organisation_id: UUID, contact_ids: Iterable[UUID]
) -> dict[UUID, list[tuple[int, int, int]]]:
    """Reads (entry index, batch, row) of every report that names these contacts, sorted."""
    found: dict[UUID, list[tuple[int, int, int]]] = {one: [] for one in contact_ids}
    wanted = sorted(found)
    for start in range(0, len(wanted), CHUNK):
        query = (
            select(
                MessageSent.contact_id,
                MessageBatch.entry_index,
                MessageSent.batch,
                MessageSent.row_number,
            )
            .join(MessageBatch, _OF_BATCH)
            .where(MessageSent.organisation_id == organisation_id)
            .where(MessageSent.contact_id.in_(wanted[start : start + CHUNK]))
            .order_by(MessageBatch.entry_index, MessageSent.row_number)
        )
        for contact_id, index, number, row in session.execute(query):
            if contact_id is not None:
                found[contact_id].append((index, number, row))
    return found


def proofs(
    session: Session,
    organisation_id: UUID,
    number: int,
    wanted: Sequence[int],
    tiles: TileCache | None = None,
) -> list[SentProof]:
    """Returns the proofs of rows of one batch; those that were erased are left out.

    IntegrityError when the rows do not give the root that the log holds: somebody changed them by hand.
    """
    told, found = batch(session, organisation_id, number), rows(session, organisation_id, number)
    made = build_lines(told.organisation_number, told.shapes, found)
    leaf = session.scalar(
        select(LogLeaf.leaf).where(
            LogLeaf.organisation_id == organisation_id, LogLeaf.entry_index == told.entry_index
        )
    )
    if leaf is None or parse_leaf(leaf).plain.get("root") != made.root.hex():
        raise IntegrityError(f"the rows of batch {number} do not give the root in its entry")
    log = _log_proof(session, organisation_id, told.entry_index, leaf, tiles)
    node = merkle.nodes_of(made.hashes)
    return [
        SentProof(
            permit=PermitId(
                told.organisation_number, found[row].permit_batch, found[row].permit_row
            ),
            shape=told.shapes[found[row].shape],
            sent_at=found[row].sent_at,
            row=row,
            count=told.count,
            disclosure=made.disclosures[row].decode("ascii"),
            path=tuple(merkle.inclusion_proof(row, told.count, node)),
            entry_index=told.entry_index,
            leaf=leaf,
            log=log,
        )
        for row in wanted
        if made.disclosures[row]
    ]


def _log_proof(
    session: Session, organisation_id: UUID, index: int, leaf: bytes, tiles: TileCache | None
) -> TlogProof | None:
    checkpoint = latest_checkpoint(session, organisation_id)
    if checkpoint is None or checkpoint.size <= index:
        return None
    path = TreeReader(session, organisation_id, tiles).inclusion_proof(index, checkpoint.size)
    return TlogProof(index, tuple(path), checkpoint.note, leaf)
