"""What an erasure left is lifted by the person alone: a confirmed act opens again what it closed (product.md)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import delete, select

from consentledger.contacts.address import fold
from consentledger.contacts.models import Suppression
from consentledger.contacts.rules import EVERYTHING
from consentledger.contacts.suppression import hold_suppression, suppression_hash
from consentledger.db.unit_of_work import Tx


def lift_erasure(tx: Tx, organisation_id: UUID, address: str) -> bool:
    """Deletes the refusal that an erasure of this address left; says whether there was one. Before the append."""
    left = select(Suppression.hash).where(
        Suppression.organisation_id == organisation_id, Suppression.scope == EVERYTHING
    )
    if tx.connection.execute(left.limit(1)).one_or_none() is None:  # nobody here was ever erased
        return False
    keys = hold_suppression(tx, organisation_id)
    found = tx.connection.execute(
        delete(Suppression).where(
            Suppression.organisation_id == organisation_id,
            Suppression.hash == suppression_hash(keys, fold(address)),
            Suppression.scope == EVERYTHING,
        )
    )
    return bool(found.rowcount)
