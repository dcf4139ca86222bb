"""The ends of imports: those that were given up are undone, those replaced long ago are forgotten."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ColumnElement, CursorResult, func, select, update

from consentledger.db.engine import Database
from consentledger.kernel.clock import now
from consentledger.registers import rows
from consentledger.registers.models import RegisterImport
from consentledger.registers.queries import CURRENT, FORGOTTEN, GIVEN_UP, LOADING, REPLACED
from consentledger.registers.rules import KEEP, STALLED


def give_up(database: Database, organisation_id: UUID, register: str, number: int) -> None:
    """Ends an import that did not become current, and takes back what it wrote, a page at a time."""
    with database.begin() as tx:
        ended = tx.session.execute(
            update(RegisterImport)
            .where(*_of(organisation_id, register), RegisterImport.number == number)
            .where(RegisterImport.state.in_((LOADING, GIVEN_UP)))
            .values(state=GIVEN_UP, touched_at=tx.now)
        )
        if not isinstance(ended, CursorResult) or ended.rowcount != 1:
            return
        rows.reopen(tx, organisation_id, register, number)
    while True:
        with database.begin() as tx:
            if not rows.delete_first(tx, organisation_id, register, number):
                tx.session.execute(
                    update(RegisterImport)
                    .where(*_of(organisation_id, register), RegisterImport.number == number)
                    .values(count=0, root=None, blocks=None)
                )
                return


def clear_up(database: Database, organisation_id: UUID, register: str) -> None:
    """Gives up an import that stands still, ends what was given up in the middle, and forgets old imports."""
    at = now()
    with database.read() as session:
        unfinished = session.scalars(
            select(RegisterImport.number).where(
                *_of(organisation_id, register),
                ((RegisterImport.state == LOADING) & (RegisterImport.touched_at < at - STALLED))
                | ((RegisterImport.state == GIVEN_UP) & RegisterImport.root.is_not(None)),
            )
        ).all()
        # An import is needed for proofs until KEEP after the next one took its place (touched_at).
        last = session.scalar(
            select(func.max(RegisterImport.number)).where(
                *_of(organisation_id, register),
                RegisterImport.state == REPLACED,
                RegisterImport.touched_at < at - KEEP,
            )
        )
    for number in unfinished:
        give_up(database, organisation_id, register, number)
    if last is not None:
        _forget(database, organisation_id, register, last)


def _forget(database: Database, organisation_id: UUID, register: str, last: int) -> None:
    """Forgets the imports up to `last`: what the next one that is kept does not list is deleted."""
    with database.begin() as tx:
        tx.session.execute(
            update(RegisterImport)
            .where(*_of(organisation_id, register), RegisterImport.number <= last)
            .where(RegisterImport.state == REPLACED)
            .values(state=FORGOTTEN, blocks=None)
        )
        kept = tx.session.scalar(
            select(func.min(RegisterImport.number)).where(
                *_of(organisation_id, register), RegisterImport.state.in_((REPLACED, CURRENT))
            )
        )
    gone = kept is not None
    while gone and kept is not None:
        with database.begin() as tx:
            gone = bool(rows.delete_gone(tx, organisation_id, register, kept))


def _of(organisation_id: UUID, register: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return (
        RegisterImport.organisation_id == organisation_id,
        RegisterImport.register == register,
    )
