"""The random key of each UTC day, under which mails are counted: made on first use, and gone a day behind its day.

Wrapped by the master key, in the main database or, where keys stand in a store of their own, there; the main
one then keeps only which days have one. A day whose key the store has lost (it is an older copy) gets another one.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from consentledger.db.engine import Database
from consentledger.db.keystore.keys import KEY_BYTES, NOBODY, day_name
from consentledger.db.models import CapKey
from consentledger.db.unit_of_work import Tx
from consentledger.kernel.clock import now
from consentledger.kernel.errors import ConfigurationError, IntegrityError

LIVES = timedelta(hours=48)  # from the beginning of its day
_STORE = {
    "sqlite": sqlite.insert(CapKey).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(CapKey).on_conflict_do_nothing(),
}


@dataclass(frozen=True, slots=True)
class DayKey:
    """One day's key, opened."""

    day: int
    secret: bytes = field(repr=False)


def held_keys(tx: Tx) -> Sequence[DayKey]:
    """Returns the living keys, oldest first; until this transaction's end nobody makes a newer one than the last.

    On SQLite there is one writer anyway.
    """
    today = tx.now.toordinal()
    keys = living_keys(tx)
    if keys and keys[-1].day >= today:
        _hold(tx, "ROW SHARE")
        # Read again: a newer one may have come while this waited. None goes: a living one is never swept.
        return living_keys(tx)
    # Not ROW SHARE first: two who hold that and want more would wait for each other for ever.
    _hold(tx, "EXCLUSIVE")
    keys = living_keys(tx)
    if not keys or keys[-1].day < today:
        _make(tx, today)
        keys = living_keys(tx)
    return keys


def living_keys(tx: Tx) -> Sequence[DayKey]:
    """Returns the keys that rows may still count under, oldest first; ConfigurationError when one does not open."""
    query = select(CapKey.day, CapKey.wrapped).where(CapKey.ends_at > tx.now).order_by(CapKey.day)
    rows = tx.connection.execute(query).all()
    store = tx.log.keystore.database
    if store is not None and rows:
        days = {row.day for row in rows}
        with store.read() as connection:
            rows = [row for row in connection.execute(query) if row.day in days]
    try:
        return [
            DayKey(day, tx.log.keystore.unwrap(wrapped, NOBODY, day_name(day)))
            for day, wrapped in rows
        ]
    except IntegrityError as error:
        # Not made anew: that would forget who had mail today. Somebody's list of master keys is incomplete.
        raise ConfigurationError(
            "the day's key that mails are counted under does not open: CONSENTLEDGER_MASTER_KEY is not the one it"
            " was made with"
        ) from error


def forget_ended(database: Database) -> None:
    """Deletes, from a store of its own, the keys of days that are over; the main database's rows are swept apart."""
    store = database.log.keystore.database
    if store is not None:
        with store.write() as connection:
            connection.execute(delete(CapKey).where(CapKey.ends_at <= now()))


def _make(tx: Tx, day: int) -> None:
    begins = datetime.combine(tx.now.date(), time(), UTC)
    wrapped = tx.log.keystore.wrap(os.urandom(KEY_BYTES), NOBODY, day_name(day))
    values: dict[str, Any] = {"day": day, "wrapped": wrapped, "ends_at": begins + LIVES}
    store = tx.log.keystore.database
    if store is not None:
        # Committed first. One that is there already is of a transaction that died: no row is under it.
        with store.write() as connection:
            connection.execute(_STORE[store.name], values)
        values["wrapped"] = b""
    tx.connection.execute(_STORE[tx.database.name], values)


def _hold(tx: Tx, mode: str) -> None:
    if tx.database.name == "postgresql":
        tx.connection.exec_driver_sql(f"LOCK TABLE cap_key IN {mode} MODE")
