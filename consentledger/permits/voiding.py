"""Taking permits back before they are used: an act of the marketer, with an entry of its own; a stop needs none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from consentledger.db.log.entries import Draft
from consentledger.db.unit_of_work import Tx
from consentledger.kernel.errors import InputError
from consentledger.organisations.models import Organisation
from consentledger.permits.links import PermitId, batch_text, parse_batch
from consentledger.permits.models import PermitBatch, PermitVoid
from consentledger.permits.rules import MAX_RECIPIENTS, wrong

IN_CHUNK = 1_000
LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class VoidPermits:
    """Takes back whole batches, or permits by their ids (as the API writes both); `reason` in the marketer's words."""

    organisation_id: UUID
    batches: tuple[str, ...]
    permits: tuple[str, ...] = field(repr=False)
    reason: str
    actor: str


@dataclass(frozen=True, slots=True)
class Voided:
    """What an act took back of one batch; `count` are rows that were not void before."""

    batch: str
    entry_index: int
    count: int


@dataclass(frozen=True, slots=True)
class Void:
    """Which rows of a batch are void."""

    whole: bool = False
    rows: frozenset[int] = frozenset()

    def covers(self, row: int) -> bool:
        """Tells whether a row is void."""
        return self.whole or row in self.rows


def read_void(body: Mapping[str, Any], organisation_id: UUID, actor: str) -> VoidPermits:
    """Reads the body of POST /permits:void; InputError names the field and a reason."""
    for key in sorted(body.keys() - {"batch", "permits", "reason"}):
        raise wrong(str(key)[:64], "unknown", "this field is unknown")
    batch, ids, why = body.get("batch"), body.get("permits"), body.get("reason")
    if (batch is None) == (ids is None):
        raise wrong("permits", "missing", "name a batch, or a list of permits, and one of them")
    if not isinstance(why, str) or not why.strip() or len(why) > LONGEST_REASON:
        raise wrong("reason", "missing", f"say why, in at most {LONGEST_REASON} characters")
    if any(ord(character) < 0x20 for character in why):
        raise wrong("reason", "format", "it is one line of text")
    if batch is not None:
        if parse_batch(batch) is None:
            raise wrong("batch", "format", "no batch's id")
        return VoidPermits(organisation_id, (batch,), (), why, actor)
    if not isinstance(ids, list) or not ids:
        raise wrong("permits", "missing", "a list of ids")
    if len(ids) > MAX_RECIPIENTS:
        raise wrong("permits", "too_many", f"at most {MAX_RECIPIENTS} ids")
    for number, text in enumerate(ids):
        if PermitId.parse(text) is None:
            raise wrong(f"permits[{number}]", "format", "no permit's id")
    return VoidPermits(organisation_id, (), tuple(ids), why, actor)


def void(tx: Tx, command: VoidPermits) -> tuple[Voided, ...]:
    """Takes permits back, one entry per batch; what is void already is left alone and appends nothing.

    InputError names a batch or a permit that this organisation did not issue; then nothing is taken back.
    """
    wanted = _wanted(tx.session, command)
    counts = _hold(tx, command, wanted)
    before = voided_rows(tx.session, command.organisation_id, wanted)
    drafts, fresh = [], []
    for batch in sorted(wanted):
        known, rows = before.get(batch, Void()), wanted[batch]
        if known.whole or (rows is not None and rows <= known.rows):
            continue
        rest = None if rows is None else sorted(rows - known.rows)
        fresh.append((batch, rest, counts[batch] - len(known.rows) if rest is None else len(rest)))
        drafts.append(_draft(tx.session, command, batch, rest))
    if not drafts:
        return ()
    entries = tx.log.append(tx, command.organisation_id, drafts)
    done = []
    for (batch, rest, count), entry in zip(fresh, entries, strict=True):
        tx.session.add(
            PermitVoid(
                organisation_id=command.organisation_id,
                entry_index=entry.index,
                batch=batch,
                row_numbers=rest or [],
                voided_at=tx.now,
            )
        )
        done.append(Voided(batch_text(batch), entry.index, count))
    return tuple(done)


def voided_rows(session: Session, organisation_id: UUID, batches: Iterable[int]) -> dict[int, Void]:
    """Returns what is void of these batches; those of which nothing is are missing."""
    wanted = sorted(batches)
    found: dict[int, Void] = {}
    for start in range(0, len(wanted), IN_CHUNK):
        query = select(PermitVoid.batch, PermitVoid.row_numbers).where(
            PermitVoid.organisation_id == organisation_id,
            PermitVoid.batch.in_(wanted[start : start + IN_CHUNK]),
        )
        for batch, rows in session.execute(query):
            known = found.get(batch, Void())
            found[batch] = Void(known.whole or not rows, known.rows | set(rows))
    return found


def _wanted(session: Session, command: VoidPermits) -> dict[int, set[int] | None]:
    wanted: dict[int, set[int] | None] = {}
    number = session.scalar(
        select(Organisation.number).where(Organisation.organisation_id == command.organisation_id)
    )
    for text in command.batches:
        batch = parse_batch(text)
        if batch is None:
            raise _unknown("batch")
        wanted[batch] = None
    for place, text in enumerate(command.permits):
        permit = PermitId.parse(text)
        if permit is None or permit.organisation_number != number:
            raise _unknown(f"permits[{place}]")
        rows = wanted.setdefault(permit.batch, set())
        if rows is not None:
            rows.add(permit.row)
    return wanted


def _hold(tx: Tx, command: VoidPermits, wanted: Mapping[int, set[int] | None]) -> dict[int, int]:
    """Locks the batches' rows, so that one after the other takes them back; returns how many rows each has."""
    numbers = sorted(wanted)
    counts: dict[int, int] = {}
    for start in range(0, len(numbers), IN_CHUNK):
        query = (
            select(PermitBatch.batch, PermitBatch.count.label("rows"))
            .where(
                PermitBatch.organisation_id == command.organisation_id,
                PermitBatch.batch.in_(numbers[start : start + IN_CHUNK]),
            )
            .order_by(PermitBatch.batch)
            .with_for_update()
        )
        counts |= {row.batch: row.rows for row in tx.session.execute(query)}
    for batch, rows in wanted.items():
        if batch not in counts or max(rows or (0,)) >= counts[batch]:
            raise _unknown(_field(command, batch, counts.get(batch, 0)))
    return counts


def _field(command: VoidPermits, batch: int, count: int) -> str:
    for place, text in enumerate(command.permits):
        permit = PermitId.parse(text)
        if permit is not None and permit.batch == batch and permit.row >= count:
            return f"permits[{place}]"
    return "batch"


def _draft(session: Session, command: VoidPermits, batch: int, rows: Sequence[int] | None) -> Draft:
    number = session.scalar(
        select(Organisation.number).where(Organisation.organisation_id == command.organisation_id)
    )
    permits = [str(PermitId(int(number or 0), batch, row)) for row in rows or ()]
    values = {"batch": batch_text(batch), "permits": permits, "reason": command.reason}
    return Draft("permits.voided", values, actor=command.actor)


def _unknown(name: str) -> InputError:
    return wrong(name, "unknown", "this organisation has issued nothing of this id")
