"""A lost APPEND_KEY: the guard vouches for the heads that it signed, so that they may get a new key's MAC."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from consentledger.db.guard import Signed
from consentledger.db.installation import Installation
from consentledger.db.log.tree import TreeReader
from consentledger.db.models import LogHead
from consentledger.db.unit_of_work import Tx
from consentledger.kernel.errors import (
    ConfigurationError,
    FrozenError,
    IntegrityError,
    VerificationError,
)
from consentledger.ledger.merkle import Frontier, verify_consistency


def replace_head_mac(
    installation: Installation, tx: Tx, organisation_id: UUID, *, vouch: bool
) -> bool:
    """Gives one head the newest key's MAC, though none of our keys made the one that it has; False: one did.

    The head must be what the guard holds. `vouch`: entries behind that are taken too, because somebody has looked at
    them; they must at least extend what was signed. ConfigurationError names how many there are, IntegrityError what
    contradicts the guard, FrozenError a log that has to be recovered first.
    """
    # Not by the log's own lock: that one asks for the MAC which nobody can make any more.
    query = select(LogHead).where(LogHead.organisation_id == organisation_id).with_for_update()
    head = tx.session.scalars(query).one()
    frontier = Frontier.from_bytes(head.size, head.frontier)
    try:
        tx.log.heads.check(head.origin, frontier, head.root, head.mac)
        return False
    except IntegrityError:
        if head.root != frontier.root():
            raise
    signed, frozen = installation.guard.state(head.origin)
    if frozen is not None:
        raise FrozenError(f"{head.origin} is frozen: {frozen}")
    behind = head.size - (signed.size if signed else 0)
    if behind > 0 and not vouch:
        raise ConfigurationError(
            f"{head.origin}: the last {behind} entries were never signed, so nothing vouches for them. "
            "Look at them with `consentledger log fsck --openings`, then run this again with --vouch."
        )
    _check_extends(tx.session, head, signed or Signed(0, Frontier.empty().root()))
    head.mac = tx.log.heads.make(head.origin, frontier)
    tx.flush()
    return True


def _check_extends(session: Session, head: LogHead, signed: Signed) -> None:
    tree = TreeReader(session, head.organisation_id)
    try:
        if tree.root(head.size) != head.root:
            raise IntegrityError(f"the head of {head.origin} is not that of its entries")
        if head.size < signed.size:
            raise IntegrityError(f"{head.origin} has fewer entries than were signed")
        proof = tree.consistency_proof(signed.size, head.size) if signed.size else []
        if signed.size:
            verify_consistency(signed.size, head.size, signed.root, head.root, proof)
    except VerificationError as error:
        raise IntegrityError(
            f"{head.origin} does not extend what was signed at {signed.size} entries"
        ) from error
