"""Sweeps keys that nobody took: a sign-up stores a fresh one each time, and a transaction may fail behind it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from itertools import groupby
from uuid import UUID

from sqlalchemy import delete, exists, select, tuple_

from consentledger.contacts.models import Contact
from consentledger.db.keystore.database import KeyDatabase
from consentledger.db.keystore.store import destroy_contact_keys
from consentledger.db.models import ContactKey, LogHead
from consentledger.db.unit_of_work import Tx
from consentledger.outbox.models import OutboxRow

# Six times what a transaction may take between storing a key and its commit (unit_of_work.KEYS_WAIT_SECONDS).
ORPHAN_AGE = timedelta(hours=1)
AT_ONCE = 1_000
LOOKED_AT = 20 * AT_ONCE
_Key = tuple[UUID, UUID]
# Where the last look into a store of its own ended: each sweep looks at a part, and begins again at the end.
_looked_to: dict[str, _Key] = {}


def sweep_orphan_keys(tx: Tx, *, limit: int = AT_ONCE) -> int:
    """Deletes keys that no contact and no work took, older than an hour; returns how many."""
    store = tx.log.keystore.database
    if store is not None:
        return _sweep_store(tx, store)
    orphan = (
        select(ContactKey.organisation_id, ContactKey.key_id)
        .where(
            ContactKey.made_at < tx.now - ORPHAN_AGE,
            ~exists().where(
                Contact.organisation_id == ContactKey.organisation_id,
                Contact.key_id == ContactKey.key_id,
            ),
            ~exists().where(
                OutboxRow.organisation_id == ContactKey.organisation_id,
                OutboxRow.key_id == ContactKey.key_id,
            ),
        )
        .order_by(ContactKey.organisation_id, ContactKey.key_id)
        .limit(limit)
    )
    rows = tx.session.execute(orphan).all()
    for organisation_id, key_id in rows:
        tx.session.execute(
            delete(ContactKey).where(
                ContactKey.organisation_id == organisation_id, ContactKey.key_id == key_id
            )
        )
    return len(rows)


def _sweep_store(tx: Tx, store: KeyDatabase) -> int:
    """Compares part by part. A key is read here before its contact is asked for there.

    Whoever stores a key commits its contact within minutes or not at all, so a key that is an hour old and has
    no contact in a statement behind its own reading never gets one.
    """
    address, swept = str(store.url), 0
    after = _looked_to.get(address, (UUID(int=0), UUID(int=0)))
    for _ in range(LOOKED_AT // AT_ONCE):
        keys = _old_keys(tx, store, after)
        for organisation_id, group in groupby(keys, key=lambda key: key[0]):
            if not _whole(tx, organisation_id):
                continue
            mine = {key_id for _, key_id in group}
            orphans = mine - _taken(tx, organisation_id, mine)
            destroy_contact_keys(tx, organisation_id, sorted(orphans))
            swept += len(orphans)
        if len(keys) < AT_ONCE:
            _looked_to.pop(address, None)
            return swept
        after = _looked_to[address] = keys[-1]
    return swept


def _whole(tx: Tx, organisation_id: UUID) -> bool:
    """Says whether the main database has all of a log that was signed.

    Put back from a backup, it lacks contacts whose keys are here, and `log recover` may bring them back.
    """
    if tx.session.get(LogHead, organisation_id) is None:
        return False
    watch = tx.log.watch
    return watch is None or watch.frozen_origin(tx.database, organisation_id) is None


def _old_keys(tx: Tx, store: KeyDatabase, after: _Key) -> list[_Key]:
    query = (
        select(ContactKey.organisation_id, ContactKey.key_id)
        .where(
            tuple_(ContactKey.organisation_id, ContactKey.key_id) > tuple_(*after),
            ContactKey.made_at < tx.now - ORPHAN_AGE,
        )
        .order_by(ContactKey.organisation_id, ContactKey.key_id)
        .limit(AT_ONCE)
    )
    with store.read() as connection:
        return [(row.organisation_id, row.key_id) for row in connection.execute(query)]


def _taken(tx: Tx, organisation_id: UUID, key_ids: Iterable[UUID]) -> set[UUID]:
    wanted = sorted(key_ids)
    taken: set[UUID] = set()
    for table in (Contact, OutboxRow):
        query = select(table.key_id).where(
            table.organisation_id == organisation_id, table.key_id.in_(wanted)
        )
        taken.update(one for one in tx.connection.scalars(query) if one is not None)
    return taken
