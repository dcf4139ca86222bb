"""Writes the rows that differ from the log: each contact's in one transaction, under the lock of its row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Table, column, delete, select
from sqlalchemy import table as text_table
from sqlalchemy.dialects import postgresql, sqlite

from consentledger.contacts.queries import address_context
from consentledger.db.fsck.opener import Opener
from consentledger.db.unit_of_work import Tx
from consentledger.replay.compare import Compared
from consentledger.replay.model import UNKNOWN, Difference, History, Row
from consentledger.replay.rules import merged_standing
from consentledger.replay.stored import key_columns, table_of

# What a row that vanished starts with where no entry tells it: counters at nothing, texts empty.
UNTOLD: dict[str, Row] = {
    "confirmation_mail": {"message_id": "", "state": "open", "fetches": 0, "first_fetch_at": None},
    "consent": {"request_id": None, "wording_id": None, "link_id": None, "confirmed_at": None},
    "sender": {"sealed_transport": None},
}
# Tables of which a vanished row can't be made: a column that it can't do without stands in no entry.
UNMAKEABLE = frozenset(("organisation", "form", "permit", "permit_batch"))
CONTACTS_TABLES = (
    "contact",
    "consent",
    "consent_request",
    "confirmation_mail",
    "customer_record",
    "suppression",
    "link_use",
)
COPY_ABOVE = 16
PARKED = "rebuilt_rows"  # a table of the transaction's own


def mend_contacts(
    tx: Tx,
    opener: Opener,
    compared: Compared,
) -> int:
    """Writes what differs and deletes what no entry gives; returns how many rows."""
    rows = {history.contact_id: tables for history, tables in compared.derived}
    writes: dict[str, list[Row]] = {}
    surplus: list[Difference] = []
    for history, difference in compared.differences:
        if difference.surplus:
            surplus.append(difference)
            continue
        values = rows[history.contact_id].of(difference.table)[difference.key]
        before = compared.stored.of(difference.table).get(difference.key)
        if difference.table == "contact":
            values = _contact_row(opener, history, values, before)
        row = whole_row(opener.organisation_id, difference, values, before)
        if row is not None:
            writes.setdefault(difference.table, []).append(row)
    # Surplus rows go first: one of them may hold the place of a row that must be made.
    for difference in surplus:
        delete_row(tx, opener.organisation_id, difference)
    for name in CONTACTS_TABLES:
        write_rows(tx, name, writes.get(name, []))
    return len(surplus) + sum(map(len, writes.values()))


def whole_row(
    organisation_id: UUID, difference: Difference, values: Row, before: Row | None
) -> Row | None:
    """Returns the row to write: what is told, what stood there for the rest; None when it can't be made."""
    name = difference.table
    if before is None and name in UNMAKEABLE:
        return None
    told = {column: value for column, value in values.items() if value is not UNKNOWN}
    row = {**UNTOLD.get(name, {}), **(before or {}), **told}
    if any(column.name not in row for column in _needed(name)):
        return None
    key = dict(zip(key_columns(name), difference.key, strict=True))
    return {"organisation_id": organisation_id, **key, **row}


def _needed(name: str) -> list[Any]:
    table = table_of(name)
    return [one for one in table.columns if not one.primary_key and not one.nullable]


def _contact_row(opener: Opener, history: History, values: Row, before: Row | None) -> Row:
    """Seals the address anew, and keeps what an erased entry has closed."""
    row = dict(values)
    key_id = history.key_id
    keys = opener.keys([key_id])[key_id] if key_id else None
    if values["sealed_address"] is not UNKNOWN and keys is not None:
        row["sealed_address"] = keys.sealer.seal(
            values["sealed_address"].encode(),
            address_context(opener.organisation_id, history.contact_id),
        )
    stored = before["standing"] if before else None
    row["standing"] = merged_standing(values["standing"], stored, history.erased)
    return row


def write_rows(tx: Tx, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts rows, or replaces those that are there."""
    if not rows:
        return
    insert: Any = sqlite.insert if tx.database.name == "sqlite" else postgresql.insert
    table = table_of(name)
    groups: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault(tuple(sorted(row)), []).append(row)
    keys = ["organisation_id", *key_columns(name)]
    for columns, group in groups.items():
        made = insert(table)
        changed = {one: made.excluded[one] for one in columns if one not in keys}
        if tx.database.name == "postgresql" and len(group) > COPY_ABOVE:
            _park(tx, table, columns, group)
            parked = text_table(PARKED, *(column(one, table.c[one].type) for one in columns))
            made = made.from_select(columns, select(parked))
            tx.connection.execute(made.on_conflict_do_update(index_elements=keys, set_=changed))
            tx.connection.exec_driver_sql(f"DROP TABLE {PARKED}")
            continue
        statement = made.on_conflict_do_update(index_elements=keys, set_=changed)
        tx.connection.execute(statement, list(group))


def _park(tx: Tx, table: Table, columns: Sequence[str], group: Sequence[Mapping[str, Any]]) -> None:
    """Copies rows beside the table, from where one statement takes them all: a message per row is slower by half."""
    listed = ", ".join(columns)
    tx.connection.exec_driver_sql(
        f"CREATE TEMPORARY TABLE {PARKED} ON COMMIT DROP AS SELECT {listed} FROM {table.name} WITH NO DATA"  # noqa: S608
    )
    dialect = tx.connection.dialect
    kinds = [table.c[one].type.dialect_impl(dialect) for one in columns]
    binds = [(one, kind.bind_processor(dialect)) for one, kind in zip(columns, kinds, strict=True)]
    with tx.driver.cursor() as cursor, cursor.copy(f"COPY {PARKED} ({listed}) FROM STDIN") as copy:
        for row in group:
            copy.write_row([bind(row[one]) if bind else row[one] for one, bind in binds])


def delete_row(tx: Tx, organisation_id: UUID, difference: Difference) -> None:
    """Deletes one row."""
    table = table_of(difference.table)
    columns = dict(zip(key_columns(difference.table), difference.key, strict=True))
    tx.connection.execute(
        delete(table).where(
            table.c.organisation_id == organisation_id,
            *(table.c[column] == value for column, value in columns.items()),
        )
    )
