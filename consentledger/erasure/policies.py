"""How long an organisation keeps: its own days, else the defaults; every change is an entry."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from consentledger.db.log.entries import Draft
from consentledger.db.unit_of_work import Tx
from consentledger.erasure.commands import ChangePolicy, Policy
from consentledger.erasure.models import ErasurePolicy
from consentledger.erasure.rules import DEFAULT_RETENTION_DAYS, check_days
from consentledger.kernel.errors import ConflictError

NO_ESCROW_KEY = (
    "evidence can be kept for claims only under an escrow key that is not here: make one with "
    "`consentledger restriction keygen FILE` and set CONSENTLEDGER_ESCROW_KEY to what it prints"
)


def policy(session: Session, organisation_id: UUID) -> Policy:
    """Reads how long an organisation keeps."""
    row = session.get(ErasurePolicy, organisation_id)
    if row is None:
        return Policy(0, DEFAULT_RETENTION_DAYS)
    return Policy(row.keep_for_claims_days, row.retention_days)


def change_policy(tx: Tx, command: ChangePolicy, escrow_key: bytes | None) -> Policy:
    """Changes the days and appends configuration.changed for each; InputError names a field out of range.

    ConflictError when evidence shall be kept for claims and the installation has no escrow key.
    """
    before = policy(tx.session, command.organisation_id)
    claims, retention = command.keep_for_claims_days, command.retention_days
    after = Policy(
        before.keep_for_claims_days if claims is None else claims,
        before.retention_days if retention is None else retention,
    )
    check_days(after.keep_for_claims_days, "keep_for_claims_days", 0)
    check_days(after.retention_days, "retention_days", 90)
    if after.keep_for_claims_days and escrow_key is None:
        raise ConflictError(NO_ESCROW_KEY)
    changed = {
        name: getattr(after, name)
        for name in ("keep_for_claims_days", "retention_days")
        if getattr(after, name) != getattr(before, name)
    }
    if not changed:
        return after
    row = tx.session.get(ErasurePolicy, command.organisation_id, with_for_update=True)
    if row is None:
        row = ErasurePolicy(organisation_id=command.organisation_id)
        tx.session.add(row)
    row.keep_for_claims_days, row.retention_days = after.keep_for_claims_days, after.retention_days
    tx.session.flush()
    drafts = [
        Draft("configuration.changed", {"setting": name, "value": str(days)}, actor=command.actor)
        for name, days in sorted(changed.items())
    ]
    tx.log.append(tx, command.organisation_id, drafts)
    return after
