"""Going on under a new origin: the old one is frozen for ever, the surviving entries stay (docs/adr/0011)."""

from __future__ import annotations

import os
from base64 import b32encode, b64encode
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from consentledger.db.guard import Signed
from consentledger.db.installation import Installation
from consentledger.db.log.entries import Draft
from consentledger.db.models import LogCheckpoint, LogHead
from consentledger.db.signing.signers import newest_evidence_vkey
from consentledger.db.unit_of_work import Tx
from consentledger.db.watch import GIVEN_UP
from consentledger.kernel.errors import ConflictError
from consentledger.ledger.merkle import EMPTY_ROOT, Frontier
from consentledger.organisations.models import Organisation
from consentledger.organisations.service import LOG_ID_BYTES

RECOVERING = "being recovered: the journal is replayed before anything is sent"


def go_on_under_new_origin(installation: Installation, organisation_id: UUID, reason: str) -> str:
    """Freezes the old origin and appends the new one's log.genesis behind what survived; returns the new origin.

    The new origin is frozen too, until the journal is replayed. A crash before the commit leaves the old one.
    ConflictError when checkpoints of more entries than there are stand in the database: entries were cut out.
    """
    log_id = b32encode(os.urandom(LOG_ID_BYTES)).decode("ascii").lower()
    with installation.database.read() as session:
        head = _head(session, organisation_id)
        _refuse_cut(session, organisation_id, head.size)
        old = head.origin
        signed = installation.guard.read(old)
        note = _last_note(session, organisation_id, signed)
    new = f"{old.partition('/')[0]}/log/{log_id}"
    installation.guard.freeze(old, f"{GIVEN_UP}: the log goes on as {new}")
    installation.guard.freeze(new, RECOVERING)
    with installation.watch.lifted(new), installation.database.begin() as tx:
        _rename(tx, organisation_id, log_id, new)
        plain = {
            "evidence_key": newest_evidence_vkey(installation.settings.secrets, new),
            "log_key": installation.signer.vkey(new),
            "origin": new,
            "previous": _previous(old, signed),
        }
        values = {"checkpoint": note, "reason": reason}
        draft = Draft("log.genesis", values, actor="operator", plain=plain)
        tx.log.append(tx, organisation_id, [draft])
    # No head has the old name any more: the reason that it was frozen for makes place for the one that stays.
    installation.guard.thaw(old)
    installation.guard.freeze(old, f"{GIVEN_UP}: the log goes on as {new}")
    return new


def _rename(tx: Tx, organisation_id: UUID, log_id: str, origin: str) -> None:
    tx.session.execute(
        update(Organisation)
        .where(Organisation.organisation_id == organisation_id)
        .values(log_id=log_id)
    )
    query = select(LogHead).where(LogHead.organisation_id == organisation_id)
    head = tx.session.scalars(query.with_for_update()).one()
    frontier = Frontier.from_bytes(head.size, head.frontier)
    tx.log.heads.check(head.origin, frontier, head.root, head.mac)
    head.origin, head.mac = origin, tx.log.heads.make(origin, frontier)
    tx.session.flush()


def _head(session: Session, organisation_id: UUID) -> LogHead:
    return session.scalars(select(LogHead).where(LogHead.organisation_id == organisation_id)).one()


def _refuse_cut(session: Session, organisation_id: UUID, size: int) -> None:
    largest = session.scalar(
        select(func.max(LogCheckpoint.size)).where(LogCheckpoint.organisation_id == organisation_id)
    )
    if largest is not None and largest > size:
        raise ConflictError(
            f"a checkpoint of {largest} entries stands in a database that has {size}: entries were cut out of it by "
            "hand. Put back a backup from before that, then run this again."
        )


def _last_note(session: Session, organisation_id: UUID, signed: Signed | None) -> str | None:
    """Returns the checkpoint that the guard names, else the last one that is kept."""
    kept = select(LogCheckpoint.note).where(LogCheckpoint.organisation_id == organisation_id)
    if signed is not None:
        fits = kept.where(LogCheckpoint.size == signed.size, LogCheckpoint.root == signed.root)
        found = session.scalar(fits)
        if found is not None:
            return found
    return session.scalar(kept.order_by(LogCheckpoint.size.desc()).limit(1))


def _previous(origin: str, signed: Signed | None) -> str:
    size, root = (signed.size, signed.root) if signed else (0, EMPTY_ROOT)
    return f"{origin} {size} {b64encode(root).decode('ascii')}"
