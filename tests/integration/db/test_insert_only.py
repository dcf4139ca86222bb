"""The triggers: ledger rows can't be changed, deleted, truncated or replaced with ordinary SQL."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from consentledger.db.engine import Database
from consentledger.db.installation import Installation
from consentledger.db.log.index import index_log
from consentledger.db.models import INSERT_ONLY
from tests.support.logs import make_log

CHANGES = {
    "log_leaf": "leaf = 'x'",
    "log_node": "n = n + 1000",
    "log_checkpoint": "note = 'x'",
    "log_index": "labels = 'x'",
}


@pytest.fixture
def filled(installation: Installation) -> Database:
    log = make_log(installation.database)
    log.fill(260)
    assert index_log(log.database, log.organisation_id) == 1
    assert installation.signer.sign(log.organisation_id) is not None
    return installation.database


def counts(database: Database) -> dict[str, int]:
    with database.read() as session:
        return {
            table: session.scalar(text(f"SELECT count(*) FROM {table}")) or 0
            for table in INSERT_ONLY
        }


def attack(database: Database, statement: str) -> None:
    before = counts(database)
    assert all(before.values())
    with pytest.raises(DBAPIError, match="insert-only"), database.begin() as tx:
        tx.session.execute(text(statement))
    assert counts(database) == before


@pytest.mark.parametrize("table", INSERT_ONLY)
def test_update_is_refused(filled: Database, table: str) -> None:
    attack(filled, f"UPDATE {table} SET {CHANGES[table]}")


@pytest.mark.parametrize("table", INSERT_ONLY)
def test_delete_is_refused(filled: Database, table: str) -> None:
    attack(filled, f"DELETE FROM {table}")


@pytest.mark.parametrize("table", INSERT_ONLY)
def test_replacing_is_refused(filled: Database, table: str) -> None:
    if filled.name == "sqlite":
        attack(filled, f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}")
        return
    keys = {
        "log_leaf": "organisation_id, entry_index",
        "log_node": "organisation_id, level, n",
        "log_checkpoint": "organisation_id, size",
        "log_index": "organisation_id, entry_index",
    }
    change = CHANGES[table].replace("n + 1000", "log_node.n + 1000")
    attack(
        filled,
        f"INSERT INTO {table} SELECT * FROM {table} ON CONFLICT ({keys[table]}) DO UPDATE SET {change}",
    )


@pytest.mark.parametrize("table", INSERT_ONLY)
def test_truncate_is_refused(filled: Database, table: str) -> None:
    statement = (
        f"TRUNCATE {table}" if filled.name == "postgresql" else f"DELETE FROM {table} WHERE 1"
    )
    attack(filled, statement)


def test_no_index_is_replaced_by_its_range_either(filled: Database) -> None:
    columns = "organisation_id, entry_index + 1, first, size, labels"
    words = "OR REPLACE INTO" if filled.name == "sqlite" else "INTO"
    conflict = (
        ""
        if filled.name == "sqlite"
        else " ON CONFLICT (organisation_id, first) DO UPDATE SET labels = excluded.labels"
    )
    attack(filled, f"INSERT {words} log_index SELECT {columns} FROM log_index{conflict}")
