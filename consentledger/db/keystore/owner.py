"""Whose keys are these? Asked at every start, so that a database never works with another one's keys, or none."""

from __future__ import annotations

from sqlalchemy import func, select

from consentledger.db.engine import Database
from consentledger.db.keystore.database import SETTING, KeyDatabase
from consentledger.db.models import OrganisationKey
from consentledger.kernel.clock import now
from consentledger.kernel.errors import ConfigurationError


def require_own_keystore(database: Database, guard_id: str) -> None:
    """Ties a new key store to this installation; ConfigurationError says what is amiss with any other one.

    `guard_id` names the installation: it stands in the main database, in its guard and in its key store.
    """
    store = database.log.keystore.database
    here, elsewhere = _keys_of(database)
    if store is None:
        if elsewhere:
            raise ConfigurationError(
                f"the keys of this database stand in a key store of their own: set {SETTING} to its address"
            )
        return
    if here:
        raise ConfigurationError(
            f"the keys of this database stand in the database itself: take {SETTING} away; a key store of its own is"
            " for a new database (docs/keystore.md)"
        )
    owner = store.owner() if elsewhere else store.claim(guard_id, now())
    if owner is None:
        raise ConfigurationError(
            f"the key store that {SETTING} names is new, and this database has organisations already: their keys"
            " are somewhere else. Name that store, or restore it from its backup (docs/keystore.md)"
        )
    if owner != guard_id:
        raise ConfigurationError(
            f"the key store that {SETTING} names belongs to another installation ({owner}, this is {guard_id}):"
            " name the store of this database, or restore both (docs/keystore.md)"
        )
    _require_organisations(database, store, elsewhere)


def _keys_of(database: Database) -> tuple[int, int]:
    """Reads how many organisations have keys in the main database, and how many only their version's number."""
    length = func.length(OrganisationKey.wrapped)
    with database.read() as session:
        query = select(
            func.count().filter(length > 0),
            func.count(OrganisationKey.organisation_id.distinct()).filter(length == 0),
        )
        here, elsewhere = session.execute(query).one()
    return int(here), int(elsewhere)


def _require_organisations(database: Database, store: KeyDatabase, organisations: int) -> None:
    """An older copy of the right store lacks the organisations that were made since: none of them could act."""
    with store.read() as connection:
        held = connection.scalar(select(func.count(OrganisationKey.organisation_id.distinct())))
    if int(held or 0) < organisations:
        raise ConfigurationError(
            f"the key store that {SETTING} names has the keys of {held} organisations, this database has"
            f" {organisations}: it is an older copy (docs/keystore.md)"
        )
