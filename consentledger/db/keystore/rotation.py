"""Wraps every stored key anew under the newest master key, while everything goes on; no entry is touched.

What a master key wraps are keys, and what those keys sealed stays as it is. A row is changed only if it is still
what was read, so an erasure in between wins. Broken off, it is begun again: what is done already is only looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, func, select, tuple_, update

from consentledger.db.engine import Database
from consentledger.db.keystore.keys import NOBODY, day_name
from consentledger.db.models import CapKey, ContactKey, OrganisationKey

AT_ONCE = 1_000
PASSES = 5
_LEAST = UUID(int=0)
_CONTACT = (
    update(ContactKey.__table__)  # type: ignore[arg-type]
    .where(
        ContactKey.organisation_id == bindparam("organisation"),
        ContactKey.key_id == bindparam("key"),
        ContactKey.wrapped == bindparam("old"),
    )
    .values(wrapped=bindparam("new"))
)
_ORGANISATION = (
    update(OrganisationKey.__table__)  # type: ignore[arg-type]
    .where(
        OrganisationKey.organisation_id == bindparam("organisation"),
        OrganisationKey.use == bindparam("key_use"),
        OrganisationKey.version == bindparam("key_version"),
        OrganisationKey.wrapped == bindparam("old"),
    )
    .values(wrapped=bindparam("new"))
)
_DAY = (
    update(CapKey.__table__)  # type: ignore[arg-type]
    .where(CapKey.day == bindparam("key_day"), CapKey.wrapped == bindparam("old"))
    .values(wrapped=bindparam("new"))
)
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Rewrapped:
    """How many keys there are, and how many were wrapped anew; `done` when the last look found none to wrap."""

    keys: int
    changed: int
    done: bool


def rewrap_keys(database: Database, progress: Progress = lambda _done, _total: None) -> Rewrapped:
    """Wraps all contacts' and organisations' keys, and those of days, under the newest master key, 1,000 a transaction.

    It looks again until nothing is left that an older process may have stored meanwhile. IntegrityError when a
    key opens under none of the master keys; what was done before stays done.
    """
    changed = looked = 0
    for _ in range(PASSES):
        found, looked = 0, 0
        total = _count(database)
        for keys, wrapped in _steps(database):
            looked += keys
            found += wrapped
            progress(min(looked, total), total)
        changed += found
        if not found:
            return Rewrapped(looked, changed, True)
    return Rewrapped(looked, changed, False)


def _steps(database: Database) -> Iterator[tuple[int, int]]:
    yield _organisations(database)
    yield _days(database)
    after = (_LEAST, _LEAST)
    while True:
        rows = _contacts(database, after)
        if not rows:
            return
        keystore = database.log.keystore
        changes = [
            {"organisation": row.organisation_id, "key": row.key_id, "old": row.wrapped, "new": new}
            for row in rows
            if (new := keystore.rewrap(row.wrapped, row.organisation_id, row.key_id.bytes))
        ]
        _write(database, _CONTACT, changes)
        yield len(rows), len(changes)
        after = (rows[-1].organisation_id, rows[-1].key_id)


def _organisations(database: Database) -> tuple[int, int]:
    query = (
        select(
            OrganisationKey.organisation_id,
            OrganisationKey.use,
            OrganisationKey.version,
            OrganisationKey.wrapped,
        )
        .where(func.length(OrganisationKey.wrapped) > 0)
        .order_by(*OrganisationKey.__table__.primary_key)
    )
    with _reading(database) as connection:
        rows = connection.execute(query).all()
    keystore = database.log.keystore
    changes = [
        {"organisation": org, "key_use": use, "key_version": version, "old": wrapped, "new": new}
        for org, use, version, wrapped in rows
        if (new := keystore.rewrap(wrapped, org, f"{use}/{version}".encode()))
    ]
    _write(database, _ORGANISATION, changes)
    return len(rows), len(changes)


def _days(database: Database) -> tuple[int, int]:
    with _reading(database) as connection:
        rows = connection.execute(select(CapKey.day, CapKey.wrapped).order_by(CapKey.day)).all()
    keystore = database.log.keystore
    changes = [
        {"key_day": day, "old": wrapped, "new": new}
        for day, wrapped in rows
        if (new := keystore.rewrap(wrapped, NOBODY, day_name(day)))
    ]
    _write(database, _DAY, changes)
    return len(rows), len(changes)


def _contacts(database: Database, after: tuple[UUID, UUID]) -> Sequence[Any]:
    query = (
        select(ContactKey.organisation_id, ContactKey.key_id, ContactKey.wrapped)
        .where(tuple_(ContactKey.organisation_id, ContactKey.key_id) > tuple_(*after))
        .order_by(ContactKey.organisation_id, ContactKey.key_id)
        .limit(AT_ONCE)
    )
    with _reading(database) as connection:
        return connection.execute(query).all()


def _write(database: Database, statement: Any, changes: list[dict[str, Any]]) -> None:
    if not changes:
        return
    store = database.log.keystore.database
    if store is not None:
        with store.write() as connection:
            connection.execute(statement, changes)
        return
    with database.begin() as tx:
        tx.connection.execute(statement, changes)


@contextmanager
def _reading(database: Database) -> Iterator[Connection]:
    with database.read() as session:
        store = database.log.keystore.database
        if store is None:
            yield session.connection()
            return
    with store.read() as connection:
        yield connection


def _count(database: Database) -> int:
    with _reading(database) as connection:
        own = select(func.count()).where(func.length(OrganisationKey.wrapped) > 0)
        queries = (*(select(func.count()).select_from(each) for each in (ContactKey, CapKey)), own)
        return sum(connection.scalar(query) or 0 for query in queries)
