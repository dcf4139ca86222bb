"""Refusals that outlive an address: keyed hashes, under keys that may change while rows live on.

A stored hash is HMAC(kn, … HMAC(k2, HMAC(k1, address))): a new key wraps what the ones before it made
(docs/adr/0012). How many keys the hashes of an organisation stand under is told by the main database, in
`organisation_key`, and changes in the very transaction that wraps them all. So a look-up reads that number in its
own statement, and whoever writes a hash holds the number still first: a process that knows only yesterday's keys
finds out before it misses a refusal or stores one where nobody looks.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import and_, bindparam, func, select, text
from sqlalchemy.dialects import postgresql, sqlite

from consentledger.contacts.address import FOLD_VERSION
from consentledger.contacts.models import Suppression
from consentledger.db.keystore.keys import keyed_hash, wrapped_hash
from consentledger.db.keystore.store import SUPPRESSION, KeyStore, OrganisationKeys, Reader
from consentledger.db.models import OrganisationKey
from consentledger.db.unit_of_work import Tx
from consentledger.kernel.errors import ConflictError, UnavailableError

IN_CHUNK = 5_000  # SQLite takes 32,766 parameters a statement
TRIES = 5
_VERSION = (
    select(func.max(OrganisationKey.version).label("version"))
    .where(
        OrganisationKey.organisation_id == bindparam("organisation"),
        OrganisationKey.use == SUPPRESSION,
    )
    .subquery("standing")
)
# The number and the rows in one statement, so in one snapshot; always at least one row, for the number.
_FIND = select(
    _VERSION.c.version,
    Suppression.hash,
    Suppression.scope,
    Suppression.reason,
    Suppression.until_at,
).select_from(
    _VERSION.outerjoin(
        Suppression,
        and_(
            Suppression.organisation_id == bindparam("organisation"),
            Suppression.hash.in_(bindparam("hashes", expanding=True)),
        ),
    )
)
_HOLD = text("LOCK TABLE suppression IN ROW EXCLUSIVE MODE")


class Refusal(NamedTuple):
    """One refusal that outlives an address; `until_at` None has no end."""

    scope: str
    reason: str
    until_at: datetime | None

    def in_force(self, now: datetime) -> bool:
        """Says whether it holds at `now`."""
        return self.until_at is None or now < self.until_at


def suppression_hash(keys: OrganisationKeys, folded: str) -> bytes:
    """Returns the hash that keeps a refusal alive without the address, 32 bytes; under keys of its own."""
    first, *newer = keys.suppression
    hashed = keyed_hash(first, f"{FOLD_VERSION}\n{folded}")
    for key in newer:
        hashed = wrapped_hash(key, hashed)
    return hashed


def carried(keys: OrganisationKeys, hashed: bytes, version: int) -> bytes:
    """Returns a hash that was kept elsewhere under `version` keys as it stands under `keys`.

    ConflictError when it stands under a key that this database does not know yet: rotate first.
    """
    if version > len(keys.suppression):
        raise ConflictError(
            "this hash stands under a newer key: `secrets rotate suppression` first"
        )
    for key in keys.suppression[version:]:
        hashed = wrapped_hash(key, hashed)
    return hashed


def refusals(
    session: Reader, keystore: KeyStore, organisation_id: UUID, folded: Iterable[str]
) -> dict[str, list[Refusal]]:
    """Reads the refusals of folded addresses, one statement for up to 5,000; addresses without any are missing.

    Never made from keys that were rotated meanwhile.
    """
    wanted = sorted(set(folded))
    found: dict[str, list[Refusal]] = {}
    for start in range(0, len(wanted), IN_CHUNK):
        part = wanted[start : start + IN_CHUNK]
        found |= _refusals(session, keystore, organisation_id, part)
    return found


def _refusals(
    session: Reader, keystore: KeyStore, organisation_id: UUID, folded: list[str]
) -> dict[str, list[Refusal]]:
    keys = keystore.organisation(session, organisation_id)
    for _ in range(TRIES):
        by_hash = {suppression_hash(keys, one): one for one in folded}
        wanted = {"organisation": organisation_id, "hashes": list(by_hash)}
        rows: Any = session.execute(_FIND, wanted).all()
        if rows[0].version == len(keys.suppression):
            found: dict[str, list[Refusal]] = {}
            for _version, hashed, *refusal in rows:
                if hashed is not None:
                    found.setdefault(by_hash[bytes(hashed)], []).append(Refusal(*refusal))
            return found
        keys = keystore.current(session, organisation_id)
    raise UnavailableError("the suppression key is being rotated: try again")


def hold_suppression(tx: Tx, organisation_id: UUID) -> OrganisationKeys:
    """Keeps the suppression key as it is until this transaction ends; returns the keys that hold.

    Call it before a suppression hash is made or read that will be stored; before the head's lock.
    """
    if tx.database.name == "postgresql" and not tx.held:
        tx.connection.execute(
            _HOLD
        )  # a rotation locks the table against this; on SQLite there is one writer
    tx.held.add(organisation_id)
    return tx.log.keystore.current(tx.connection, organisation_id)


def suppress(
    tx: Tx,
    organisation_id: UUID,
    hashed: bytes,
    *,
    scope: str,
    reason: str,
    until_at: datetime | None,
) -> None:
    """Records a refusal under a keyed hash that was made or read behind `hold_suppression`.

    A second one of the same scope takes the first one's place.
    """
    if organisation_id not in tx.held:
        raise RuntimeError("a suppression hash is made and stored behind hold_suppression")
    insert = sqlite.insert if tx.database.name == "sqlite" else postgresql.insert
    made = insert(Suppression).values(
        organisation_id=organisation_id,
        hash=hashed,
        scope=scope,
        reason=reason,
        recorded_at=tx.now,
        until_at=until_at,
    )
    tx.session.execute(
        made.on_conflict_do_update(
            index_elements=["organisation_id", "hash", "scope"],
            set_={"reason": made.excluded.reason, "until_at": made.excluded.until_at},
        )
    )
