"""A new suppression key for an organisation: every stored hash is wrapped by it, in one transaction.

The address behind a refusal is known to nobody any more, so a hash can't be made anew: HMAC(k2, HMAC(k1, address))
takes its place (docs/adr/0012). In the same transaction the main database says that its hashes stand under one key
more, so there is no moment at which some are old and some are new.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select, text, update

from consentledger.consents.models import ConfirmationMail
from consentledger.contacts.models import Suppression
from consentledger.db.keystore.keys import wrapped_hash
from consentledger.db.keystore.store import suppression_version
from consentledger.db.keystore.suppression import add_suppression_key
from consentledger.db.unit_of_work import Tx
from consentledger.kernel.errors import NotFoundError

AT_ONCE = 1_000
# In the order in which writers take them. Reading goes on; whoever would store a hash waits.
_LOCK = text("LOCK TABLE suppression, confirmation_mail IN SHARE ROW EXCLUSIVE MODE")
_REFUSALS = (
    update(Suppression.__table__)  # type: ignore[arg-type]
    .where(
        Suppression.organisation_id == bindparam("organisation"),
        Suppression.hash == bindparam("old"),
    )
    .values(hash=bindparam("new"))
)
_MAILS = (
    update(ConfirmationMail.__table__)  # type: ignore[arg-type]
    .where(
        ConfirmationMail.organisation_id == bindparam("organisation"),
        ConfirmationMail.link_id == bindparam("link"),
    )
    .values(address_hash=bindparam("new"))
)


@dataclass(frozen=True, slots=True)
class SuppressionRotated:
    """Under how many keys an organisation's hashes stand now, and how many were wrapped."""

    version: int
    hashes: int


def rotate_suppression(tx: Tx, organisation_id: UUID) -> SuppressionRotated:
    """Makes the organisation's next suppression key and wraps all its hashes by it; NotFoundError without keys.

    UnavailableError when the tables can't be had within the lock timeout: try again.
    """
    if tx.database.name == "postgresql":
        tx.connection.execute(_LOCK)
    version = suppression_version(tx.connection, organisation_id)
    if not version:
        raise NotFoundError("there is no such organisation")
    key = add_suppression_key(tx, organisation_id, version + 1)
    refusals = (
        select(Suppression.hash).distinct().where(Suppression.organisation_id == organisation_id)
    )
    mails = select(ConfirmationMail.link_id, ConfirmationMail.address_hash).where(
        ConfirmationMail.organisation_id == organisation_id
    )
    rows: Sequence[Any] = tx.connection.execute(refusals).all()
    _write(tx, _REFUSALS, [
        {"organisation": organisation_id, "old": old, "new": wrapped_hash(key, old)}
        for (old,) in rows
    ])  # fmt: skip
    links: Sequence[Any] = tx.connection.execute(mails).all()
    _write(tx, _MAILS, [
        {"organisation": organisation_id, "link": link, "new": wrapped_hash(key, old)}
        for link, old in links
    ])  # fmt: skip
    return SuppressionRotated(version + 1, len(rows) + len(links))


def _write(tx: Tx, statement: Any, changes: list[dict[str, Any]]) -> None:
    for start in range(0, len(changes), AT_ONCE):
        tx.connection.execute(statement, changes[start : start + AT_ONCE])
