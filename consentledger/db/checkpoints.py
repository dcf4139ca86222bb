"""Signing and publishing checkpoints: consistency from the guard, compare-and-swap into it, sign, publish.

In this order, so that two signers at once, a restored database or a crash between any two steps can never make
two histories with one signature (ledger.md, Checkpoint and guard).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from consentledger.db.engine import Database
from consentledger.db.guard import FileGuard, Signed
from consentledger.db.log import Log
from consentledger.db.models import LogCheckpoint, LogHead
from consentledger.db.tree import TreeReader
from consentledger.kernel.clock import now
from consentledger.kernel.errors import IntegrityError, VerificationError
from consentledger.ledger.checkpoint import Checkpoint, sign_checkpoint
from consentledger.ledger.merkle import Frontier, verify_consistency
from consentledger.ledger.note import Signer


@dataclass(frozen=True, slots=True)
class Published:
    """A published checkpoint: the tree's size and root, and the whole signed note."""

    size: int
    root: bytes
    note: str


class CheckpointSigner:
    """Signs the heads of all organisations with LOG_KEY, one key under each origin's name."""

    def __init__(self, database: Database, log: Log, guard: FileGuard, log_key: bytes) -> None:
        self._database = database
        self._log = log
        self._guard = guard
        self._key = Ed25519PrivateKey.from_private_bytes(log_key)

    def vkey(self, origin: str) -> str:
        """Returns the verifier key (C2SP signed-note) under which this installation signs `origin`."""
        return Signer(origin, self._key).vkey

    def sign_due(self) -> int:
        """Signs every organisation whose tree grew since its last checkpoint; returns how many.

        A damaged log raises IntegrityError, after all others were signed.
        """
        with self._database.read() as session:
            # One look at the end of each log's key: every checkpoint is kept, so a scan would grow for ever.
            published = (
                select(func.max(LogCheckpoint.size))
                .where(LogCheckpoint.organisation_id == LogHead.organisation_id)
                .scalar_subquery()
            )
            due = session.scalars(
                select(LogHead.organisation_id).where(LogHead.size > func.coalesce(published, 0))
            ).all()
        signed, wrong = 0, None
        for organisation_id in due:
            try:
                signed += self.sign(organisation_id) is not None
            except IntegrityError as error:
                wrong = wrong or error  # one damaged log must not stop the others' checkpoints
        if wrong is not None:
            raise wrong
        return signed

    def sign(self, organisation_id: UUID) -> Published | None:
        """Signs and publishes one organisation's head; None when it is empty or another signer was first.

        Raises IntegrityError when the head contradicts its MAC, the guard or the clock.
        """
        with self._database.snapshot() as session:
            row = session.execute(
                select(
                    LogHead.origin, LogHead.size, LogHead.root, LogHead.frontier, LogHead.mac
                ).where(LogHead.organisation_id == organisation_id)
            ).one()
            if row.size == 0:
                return None
            _check_clock(session, organisation_id)
            frontier = Frontier.from_bytes(row.size, row.frontier)
            self._log.heads.check(row.origin, frontier, row.root, row.mac)
            before = self._guard.read(row.origin)
            _check_growth(
                TreeReader(session, organisation_id), row.origin, before, Signed(row.size, row.root)
            )
        head = Signed(row.size, row.root)
        if before != head and not self._guard.swap(row.origin, before, head):
            return None
        signer = Signer(row.origin, self._key)
        note = sign_checkpoint(Checkpoint(row.origin, head.size, head.root), [signer])
        return self._publish(organisation_id, Published(head.size, head.root, note))

    def _publish(self, organisation_id: UUID, checkpoint: Published) -> Published:
        with self._database.begin() as tx:
            if tx.session.get(LogCheckpoint, (organisation_id, checkpoint.size)) is None:
                insert = sqlite.insert if tx.database.name == "sqlite" else postgresql.insert
                values = {
                    "organisation_id": organisation_id,
                    "size": checkpoint.size,
                    "root": checkpoint.root,
                    "note": checkpoint.note,
                    "signed_at": tx.now,
                }
                # Another signer may publish the same note at the same moment.
                tx.session.execute(insert(LogCheckpoint).values(values).on_conflict_do_nothing())
        return checkpoint


def latest_checkpoint(session: Session, organisation_id: UUID) -> Published | None:
    """Returns the largest published checkpoint, or None before the first."""
    rows: Sequence[LogCheckpoint] = session.scalars(
        select(LogCheckpoint)
        .where(LogCheckpoint.organisation_id == organisation_id)
        .order_by(LogCheckpoint.size.desc())
        .limit(1)
    ).all()
    return Published(rows[0].size, rows[0].root, rows[0].note) if rows else None


def _check_growth(tree: TreeReader, origin: str, before: Signed | None, head: Signed) -> None:
    if before is None or before == head:
        return
    if head.size < before.size:
        raise IntegrityError(
            f"{origin} has {head.size} entries, but {before.size} were signed: "
            "the database was restored or truncated. Nothing is signed until somebody has looked."
        )
    if head.size == before.size:
        raise IntegrityError(f"{origin} was forked: the same size, {head.size}, has another root")
    try:
        proof = tree.consistency_proof(before.size, head.size)
        verify_consistency(before.size, head.size, before.root, head.root, proof)
    except VerificationError as error:
        raise IntegrityError(
            f"{origin} does not extend what was signed at {before.size} entries"
        ) from error


def _check_clock(session: Session, organisation_id: UUID) -> None:
    latest = session.scalar(
        select(func.max(LogCheckpoint.signed_at)).where(
            LogCheckpoint.organisation_id == organisation_id
        )
    )
    if latest is not None and now() < latest:
        raise IntegrityError(f"the clock runs backwards: last checkpoint signed at {latest}")
