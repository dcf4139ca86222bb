"""Reads of issued permits: batches, rows, their lines made again, and a proof for each."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from consentledger.db.log.tree import TileCache, TreeReader
from consentledger.db.models import LogLeaf
from consentledger.db.signing.checkpoints import Published, latest_checkpoint
from consentledger.kernel.clock import to_text
from consentledger.kernel.errors import IntegrityError, NotFoundError
from consentledger.ledger import merkle
from consentledger.ledger.leaf import parse_leaf
from consentledger.ledger.permit import HEADER
from consentledger.ledger.proof import TlogProof
from consentledger.organisations.models import Organisation
from consentledger.permits import first
from consentledger.permits.lines import Lines, Row, build_lines
from consentledger.permits.links import PermitId
from consentledger.permits.models import Permit, PermitBatch
from consentledger.permits.rulings import Ruling

IN_CHUNK = 1_000


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch as stored; `message` holds the facts of its message, as its entry commits them.

    `ends` are the ends of its lines, one per ruling, and `header` what they begin with (Ruling.line_end).
    """

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
    ends: tuple[str, ...] = field(repr=False)
    header: str = HEADER

    @property
    def is_first(self) -> bool:
        """Tells whether the first edition of the law decided it."""
        return self.header == first.HEADER


@dataclass(frozen=True, slots=True)
class PermitProof:
    """One permit's line with its path in the batch, and the batch's entry with its path in the log.

    `path` leads from the line's hash to the root in the entry's `p root`, among `count` lines. `log` is the
    entry's proof (C2SP tlog-proof, its leaf in `extra`) under the newest checkpoint, None until one covers it.
    """

    permit_id: PermitId
    count: int
    disclosure: str
    path: tuple[bytes, ...]
    entry_index: int
    leaf: bytes
    log: TlogProof | None

    def bundle_member(self) -> dict[str, Any]:
        """The content of `permits/<id>.json` in a bundle."""
        return {
            "batch": self.entry_index,
            "disclosure": self.disclosure,
            "path": [b64encode(digest).decode("ascii") for digest in self.path],
            "permit": str(self.permit_id),
            "row": self.permit_id.row,
        }


def batch(session: Session, organisation_id: UUID, number: int) -> Batch:
    """Returns a batch; NotFoundError when this organisation has none of that number."""
    found = batches(session, organisation_id, [number])
    if not found:
        raise NotFoundError("no such permit")
    return found[number]


def batches(session: Session, organisation_id: UUID, numbers: Iterable[int]) -> dict[int, Batch]:
    """Returns those of these batches that this organisation has, by their numbers."""
    wanted = sorted(set(numbers))
    found: dict[int, Batch] = {}
    for start in range(0, len(wanted), IN_CHUNK):
        query = (
            select(PermitBatch.__table__, Organisation.number, PermitBatch.count.label("rows"))
            .join(Organisation, Organisation.organisation_id == PermitBatch.organisation_id)
            .where(
                PermitBatch.organisation_id == organisation_id,
                PermitBatch.batch.in_(wanted[start : start + IN_CHUNK]),
            )
        )
        found |= {row.batch: _batch(row) for row in session.execute(query)}
    return found


def _batch(row: Any) -> Batch:
    is_first, until = first.is_first(row.message), row.valid_until_at
    if is_first:
        rulings = tuple(first.ruling(kept, row.message["pack"]) for kept in row.verdicts)
        ends = tuple(first.line_end(kept, to_text(until)) for kept in row.verdicts)
    else:
        rulings = tuple(Ruling.from_json(kept) for kept in row.verdicts)
        ends = tuple(ruling.line_end(until) for ruling in rulings)
    return Batch(
        organisation_id=row.organisation_id,
        organisation_number=row.number,
        batch=row.batch,
        entry_index=row.entry_index,
        count=row.rows,
        sender_id=row.sender_id,
        purpose_id=row.purpose_id,
        channel=row.channel,
        message=row.message,
        rulings=rulings,
        issued_at=row.issued_at,
        valid_until_at=until,
        ends=ends,
        header=first.HEADER if is_first else HEADER,
    )


def rows(session: Session, organisation_id: UUID, number: int) -> list[Row]:
    """Returns a batch's rows in order; IntegrityError when their numbers are not 0, 1, 2 …"""
    query = (
        select(Permit.row_number, Permit.contact_id, Permit.verdict, Permit.salt, Permit.line_hash)
        .where(Permit.organisation_id == organisation_id, Permit.batch == number)
        .order_by(Permit.row_number)
    )
    found = session.execute(query).all()
    # The numbers stand in every permit's link, and in no line: only here are they held against anything.
    if any(row.row_number != place for place, row in enumerate(found)):
        raise IntegrityError(f"the rows of batch {number} are not numbered from 0 on")
    return [Row(*row[1:]) for row in found]


def row(session: Session, organisation_id: UUID, permit_id: PermitId) -> Row:
    """Returns one permit's row; NotFoundError when there is none such."""
    query = select(Permit.contact_id, Permit.verdict, Permit.salt, Permit.line_hash).where(
        Permit.organisation_id == organisation_id,
        Permit.batch == permit_id.batch,
        Permit.row_number == permit_id.row,
    )
    found = session.execute(query).one_or_none()
    if found is None:
        raise NotFoundError("no such permit")
    return Row(*found)


def lines(session: Session, organisation_id: UUID, number: int) -> Lines:
    """Makes a batch's lines again from its rows: the very lines whose root its entry holds."""
    return lines_of(batch(session, organisation_id, number), rows(session, organisation_id, number))


def lines_of(issued: Batch, found: list[Row]) -> Lines:
    """Makes a batch's lines from what was read; IntegrityError when rows are missing."""
    if len(found) != issued.count:
        raise IntegrityError(f"batch {issued.batch} has {len(found)} rows, not {issued.count}")
    return some_lines(issued, found)


def some_lines(issued: Batch, found: Sequence[Row], numbers: Sequence[int] | None = None) -> Lines:
    """Makes lines of a batch from these rows of it, `numbers` if they are not all."""
    return build_lines(
        organisation_number=issued.organisation_number,
        batch=issued.batch,
        ends=issued.ends,
        rows=found,
        numbers=numbers,
        header=issued.header,
    )


def permit_proof(
    session: Session, organisation_id: UUID, permit_id: PermitId, tiles: TileCache | None = None
) -> PermitProof:
    """Returns a permit's proof; NotFoundError for an id that this organisation did not issue, or that was erased.

    IntegrityError when the rows do not give the root that the log holds: somebody changed them by hand.
    """
    issued = batch(session, organisation_id, permit_id.batch)
    if permit_id.organisation_number != issued.organisation_number:
        raise NotFoundError("no such permit")
    if permit_id.row >= issued.count:
        raise NotFoundError("no such permit")
    made = lines_of(issued, rows(session, organisation_id, permit_id.batch))
    leaf = session.scalar(
        select(LogLeaf.leaf).where(
            LogLeaf.organisation_id == organisation_id, LogLeaf.entry_index == issued.entry_index
        )
    )
    if leaf is None or parse_leaf(leaf).plain.get("root") != made.root.hex():
        raise IntegrityError(f"the rows of batch {issued.batch} do not give the root in its entry")
    if not made.disclosures[permit_id.row]:
        raise NotFoundError("this permit was erased with its person")
    path = merkle.inclusion_proof(permit_id.row, issued.count, merkle.nodes_of(made.hashes))
    return PermitProof(
        permit_id=permit_id,
        count=issued.count,
        disclosure=made.disclosures[permit_id.row].decode("ascii"),
        path=tuple(path),
        entry_index=issued.entry_index,
        leaf=leaf,
        log=_log_proof(
            TreeReader(session, organisation_id, tiles),
            issued.entry_index,
            leaf,
            latest_checkpoint(session, organisation_id),
        ),
    )


def _log_proof(
    tree: TreeReader, index: int, leaf: bytes, checkpoint: Published | None
) -> TlogProof | None:
    if checkpoint is None or checkpoint.size <= index:
        return None
    path = tree.inclusion_proof(index, checkpoint.size)
    return TlogProof(index, tuple(path), checkpoint.note, leaf)
