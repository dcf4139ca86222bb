"""Signing and publishing checkpoints: consistency from the guard, compare-and-swap into it, sign, publish.

In this order, so that two signers at once, a restored database or a crash between any two steps can never make
two histories with one signature (ledger.md, Checkpoint and guard).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from consentledger.db.engine import Database
from consentledger.db.guard import Guard, Signed
from consentledger.db.log.append import Log
from consentledger.db.log.tree import TreeReader
from consentledger.db.models import LogCheckpoint, LogHead
from consentledger.db.signing.named import KeyReader, named_keys
from consentledger.db.signing.signers import LogSigners
from consentledger.db.watch import ContradictionError, Watch, contradiction, sentence
from consentledger.kernel.clock import now
from consentledger.kernel.errors import (
    ConfigurationError,
    FrozenError,
    IntegrityError,
    VerificationError,
)
from consentledger.kernel.secrets import PREFIX
from consentledger.ledger.checkpoint import Checkpoint, sign_checkpoint
from consentledger.ledger.merkle import Frontier, verify_consistency
from consentledger.ledger.note import Verifier, open_note, split_note


@dataclass(frozen=True, slots=True)
class Published:
    """A published checkpoint: the tree's size and root, and the whole signed note."""

    size: int
    root: bytes
    note: str


class CheckpointSigner:
    """Signs the heads of all organisations with every key of LOG_KEY, under each origin's name."""

    def __init__(self, database: Database, log: Log, guard: Guard, signers: LogSigners) -> None:
        self._database = database
        self._log = log
        self._guard = guard
        self.signers = signers
        self.keys = KeyReader()

    def vkey(self, origin: str) -> str:
        """Returns the newest verifier key (C2SP signed-note) under which this installation signs `origin`."""
        return self.signers.vkey(origin)

    def vkeys(self, origin: str) -> list[str]:
        """Returns all verifier keys under which this installation signs `origin`, newest first."""
        return self.signers.vkeys(origin)

    def sign_due(self) -> int:
        """Signs every organisation whose tree grew since its last checkpoint; returns how many.

        A damaged log raises IntegrityError, one that does not name our key ConfigurationError, after all others
        were signed; UnavailableError at once, when a signing command does not answer.
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
        signed = 0
        wrong: IntegrityError | ConfigurationError | FrozenError | None = None
        for organisation_id in due:
            try:
                signed += self.sign(organisation_id) is not None
            except (IntegrityError, ConfigurationError, FrozenError) as error:
                wrong = wrong or error  # one damaged log must not stop the others' checkpoints
        if wrong is not None:
            raise wrong
        return signed

    def sign(self, organisation_id: UUID) -> Published | None:
        """Signs and publishes one organisation's head; None when it is empty or another signer was first.

        Raises IntegrityError when the head contradicts its MAC, the clock or the guard (the log is frozen then:
        FrozenError from the next time on), ConfigurationError when the log does not name our newest key,
        UnavailableError when a signing command does not answer.
        """
        self.signers.ready()
        with self._database.read() as session:
            named = select(LogHead.origin).where(LogHead.organisation_id == organisation_id)
            origin = session.scalars(named).one()
        # Before the snapshot: another signer may move the guard on meanwhile, and that is no roll-back.
        before, frozen = self._guard.state(origin)
        if frozen is not None:
            raise FrozenError(sentence(origin, frozen))
        with self._database.snapshot() as session:
            row = session.execute(
                select(
                    LogHead.origin, LogHead.size, LogHead.root, LogHead.frontier, LogHead.mac
                ).where(LogHead.organisation_id == organisation_id)
            ).one()
            if row.size == 0 or row.origin != origin:
                return None
            _check_clock(session, organisation_id)
            frontier = Frontier.from_bytes(row.size, row.frontier)
            self._log.heads.check(row.origin, frontier, row.root, row.mac)
            try:
                tree = TreeReader(session, organisation_id)
                _check_growth(tree, origin, before, Signed(row.size, row.root))
            except ContradictionError as error:
                # Every process must see it, also when the head has grown past the guard: log critical, refuse.
                Watch(self._guard).freeze(origin, str(error))
                raise
            self._check_named(session, organisation_id, row.origin, row.size)
        head = Signed(row.size, row.root)
        if before != head and not self._guard.swap(row.origin, before, head):
            return None
        newest_first = reversed(self.signers.signers(row.origin))
        note = sign_checkpoint(Checkpoint(row.origin, head.size, head.root), newest_first)
        return self._publish(organisation_id, Published(head.size, head.root, note))

    def _check_named(self, session: Session, organisation_id: UUID, origin: str, size: int) -> None:
        # So that every checkpoint behind a log.key carries the key that it names, whoever signs meanwhile.
        ours = self.signers.verifiers(origin)
        published = latest_checkpoint(session, organisation_id)
        if published is not None and _is_signed_by(published.note, origin, ours):
            # Whoever signed it with just these keys has checked what lies below.
            named = named_keys(session, organisation_id, size, first=published.size)
            key = named[-1].log_key if named else None
        else:
            newest = self.keys.newest(session, organisation_id, origin, size)
            key = newest.log_key if newest else None
        if key is not None and key != ours[0].vkey:
            raise ConfigurationError(
                f"{origin} names the signing key {_short(key)}, but the newest of {PREFIX}LOG_KEY is "
                f"{_short(ours[0].vkey)}: nothing is signed. If that one is to take over, run `consentledger log "
                "rotate-key`; if it was rotated already, restart this process with the newer list."
            )

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


def _is_signed_by(note: str, origin: str, verifiers: Sequence[Verifier]) -> bool:
    """Tells whether just these keys of the log signed the note, in this order."""
    try:
        opened = open_note(note, verifiers)
    except VerificationError:
        return False
    of_log = [hash_ for name, hash_, _ in split_note(note)[1] if name == origin]
    return of_log == [v.hash for v in verifiers] and len(opened.verified) == len(of_log)


def _short(vkey: str) -> str:
    return vkey.rsplit("+", 2)[1]


def _check_growth(tree: TreeReader, origin: str, before: Signed | None, head: Signed) -> None:
    if before is None or before == head:
        return
    found = contradiction(origin, before, head)
    if found is not None:
        raise ContradictionError(found)
    try:
        proof = tree.consistency_proof(before.size, head.size)
        verify_consistency(before.size, head.size, before.root, head.root, proof)
    except VerificationError as error:
        raise ContradictionError(
            f"{origin} was forked: it does not extend what was signed at {before.size} entries"
        ) from error


def _check_clock(session: Session, organisation_id: UUID) -> None:
    latest = session.scalar(
        select(func.max(LogCheckpoint.signed_at)).where(
            LogCheckpoint.organisation_id == organisation_id
        )
    )
    if latest is not None and now() < latest:
        raise IntegrityError(f"the clock runs backwards: last checkpoint signed at {latest}")
