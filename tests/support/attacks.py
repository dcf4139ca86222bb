"""Changing rows by hand with the triggers off, and who sees it; the attacks themselves are in tests/fault.

A case is one change of one kind in one row: `change` of a column, `delete`, `insert` of a copy under another key,
`swap` of what two rows say. Rows of a stranger's log are never touched.
"""

from __future__ import annotations

import io
import itertools
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    Column,
    Connection,
    Table,
    UniqueConstraint,
    create_engine,
    delete,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.pool import NullPool

from consentledger.db.errors import DRIVER_ERRORS
from consentledger.db.fsck import lost_logs
from consentledger.db.installation import Installation, open_installation
from consentledger.db.tables import metadata
from consentledger.evidence.service import ExportEvidence, export
from consentledger.kernel.errors import ConsentLedgerError
from consentledger.kernel.settings import Settings
from consentledger.ledger.policy import make_policy
from consentledger.replay.service import fsck, logs_of
from consentledger.verify.bundle import verify_bundle
from tests.support.history import ANNA, History, fill

Row = Mapping[str, Any]
Pick = Callable[[Row], bool]


def anything(_row: Row) -> bool:
    """Any row will do."""
    return True


@contextmanager
def by_hand(url: str) -> Iterator[Connection]:
    """Opens a database as an insider would: no trigger fires, no check and no foreign key holds."""
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        if engine.name == "sqlite":
            names = connection.execute(
                text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            ).scalars()
            for name in list(names):
                connection.execute(text(f'DROP TRIGGER "{name}"'))
            connection.execute(text("PRAGMA ignore_check_constraints = ON"))
        else:
            connection.execute(text("SET session_replication_role = replica"))
            checks = "SELECT conrelid::regclass, conname FROM pg_constraint WHERE contype = 'c' AND conrelid > 0"
            for table, name in connection.execute(text(checks)).all():
                if name.startswith("ck_"):
                    connection.execute(text(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"'))
        yield connection
    engine.dispose()


@dataclass(frozen=True, slots=True)
class Case:
    """One change by hand; `column` names what is changed when the verb is `change`."""

    table: str
    verb: str
    column: str = ""
    pick: Pick = anything

    @property
    def name(self) -> str:
        """The case in one word."""
        return f"{self.table}.{self.column}" if self.column else f"{self.table} {self.verb}"

    def strike(self, connection: Connection, history: History) -> None:
        """Does it; AssertionError when there is no row to do it to."""
        table = metadata().tables[self.table]
        rows = rows_of(connection, table, history, self.pick)
        assert len(rows) > (self.verb == "swap"), f"{self.name}: no row to change"
        getattr(self, f"_{self.verb}")(connection, table, rows)

    def _change(self, connection: Connection, table: Table, rows: list[Row]) -> None:
        column = table.c[self.column]
        filled = [row for row in rows if row[self.column] is not None] or rows
        # The last one, where the next index may be taken by the next row.
        row = (
            filled[-1]
            if column.primary_key and isinstance(filled[0][column.name], int)
            else filled[0]
        )
        value = other(column, row[self.column])
        connection.execute(update(table).where(*key_is(table, row)).values({column.name: value}))

    def _delete(self, connection: Connection, table: Table, rows: list[Row]) -> None:
        connection.execute(delete(table).where(*key_is(table, rows[0])))

    def _insert(self, connection: Connection, table: Table, rows: list[Row]) -> None:
        row = dict(rows[-1])
        # A copy stands under another key; what must be unique is another one, too.
        keys = [[column.name for column in table.primary_key], *unique_columns(table)]
        for name in {names[-1] for names in keys}:
            row[name] = other(table.c[name], row[name])
        connection.execute(insert(table).values(row))

    def _swap(self, connection: Connection, table: Table, rows: list[Row]) -> None:
        # The order of rows is their key's: what stands under two keys changes places.
        rest = [c.name for c in table.columns if not c.primary_key and not alone(table, c)]
        one, two = next(
            (a, b)
            for a, b in itertools.combinations(rows, 2)
            if any(a[name] != b[name] for name in rest)
        )
        for key, value in ((one, two), (two, one)):
            values = {name: value[name] for name in rest}
            connection.execute(update(table).where(*key_is(table, key)).values(values))


@contextmanager
def undone(connection: Connection, name: str) -> Iterator[None]:
    """Puts back every row of a table that was changed meanwhile."""
    table = metadata().tables[name]
    before = _by_key(connection, table)
    yield
    after = _by_key(connection, table)
    for key, row in after.items():
        if before.get(key) != row:
            connection.execute(delete(table).where(*key_is(table, row)))
    wrong = [row for key, row in before.items() if after.get(key) != row]
    if wrong:
        connection.execute(insert(table), wrong)


def _by_key(connection: Connection, table: Table) -> dict[tuple[Any, ...], dict[str, Any]]:
    names = [column.name for column in table.primary_key]
    rows = [dict(row) for row in connection.execute(select(table)).mappings()]
    return {tuple(row[name] for name in names): row for row in rows}


def rows_of(connection: Connection, table: Table, history: History, pick: Pick) -> list[Row]:
    """Reads the rows of our organisation that a case may be about, by key."""
    query = select(table).order_by(*table.primary_key)
    if "organisation_id" in table.c:
        query = query.where(table.c.organisation_id == history.organisation_id)
    rows = [dict(row) for row in connection.execute(query).mappings()]
    return [row for row in rows if pick(row)]


def key_is(table: Table, row: Row) -> list[Any]:
    """The condition that names one row."""
    return [column == row[column.name] for column in table.primary_key]


def unique_columns(table: Table) -> list[list[str]]:
    """What must be unique besides the primary key, as lists of names."""
    named = [
        [column.name for column in found.columns]
        for found in table.constraints
        if isinstance(found, UniqueConstraint)
    ]
    return named + [[column.name] for column in table.columns if column.unique]


def alone(table: Table, column: Column[Any]) -> bool:
    """Says whether a column can't change places because it is unique."""
    return any(column.name in names for names in unique_columns(table))


def other(column: Column[Any], value: Any) -> Any:
    """Returns another value of the same shape: one bit, one letter, one more, another day, another id."""
    match value:
        case None:
            return _first(column)
        case bool():
            return not value
        case int():
            return value + 1
        case str():
            return _other_text(value)
        case bytes() | memoryview():
            return bytes(value)[:-1] + bytes([bytes(value)[-1] ^ 1])
        case date():  # an instant too
            return value - timedelta(days=1)
        case UUID():
            return uuid4()
        case list():
            return _other_list(value)
        case dict():
            return _other_json(value)
    raise AssertionError(f"{column}: {type(value)}")


def _other_text(value: str) -> str:
    # Letters only, in the middle: what must parse still does, so that it is no mere syntax error.
    middle = next(
        (n for n in range(len(value) // 2, len(value)) if value[n].isalnum()), len(value) - 1
    )
    letter = "b" if value[middle] == "a" else "a"
    return value[:middle] + letter + value[middle + 1 :]


def _other_list(value: list[Any]) -> list[Any]:
    match value:
        case [str() as first, *rest]:
            return [_other_text(first), *rest]
        case [list() | dict() as first, *rest]:
            return [_other_list(first) if isinstance(first, list) else _other_json(first), *rest]
    return [*value, 1]


def _other_json(value: dict[str, Any]) -> dict[str, Any]:
    for name, item in value.items():
        if isinstance(item, str) and item:
            return {**value, name: _other_text(item)}
        if isinstance(item, dict) and item:
            return {**value, name: _other_json(item)}
    return {**value, "added": 1}


def _first(column: Column[Any]) -> Any:
    kind = column.type.python_type if hasattr(column.type, "python_type") else str
    if type(column.type).__name__ == "Instant":
        return datetime.fromisoformat("2026-01-01T00:00:00+00:00")
    first = {int: 1, str: "aaaa", bytes: b"a" * 32, UUID: uuid4(), date: date(2026, 1, 1)}
    return first.get(kind, "aaaa")


@dataclass(frozen=True, slots=True)
class Attacked:
    """A database that somebody changed by hand, with its own copy of the guard, and everybody who may see it."""

    settings: Settings
    history: History
    policy: bytes
    true_guard: Path

    def reset_guard(self) -> None:
        """Makes the guard's copy what it was: without the mark that somebody saw something."""
        shutil.copytree(self.true_guard, str(self.settings.guard), dirs_exist_ok=True)

    def seen(self, *wanted: str) -> dict[str, list[str]]:
        """Asks the wanted ones, each behind a start of its own, what they say; a start that fails says all."""
        found: dict[str, list[str]] = {}
        try:
            installation = open_installation(self.settings)
        except ConsentLedgerError as error:
            return {"start": [str(error)]}
        try:
            for who in wanted:
                said = WATCHERS[who](self, installation)
                if said:
                    found[who] = said
        finally:
            installation.database.close()
        return found

    def start(self, installation: Installation) -> list[str]:
        """What a start says of the log before it serves anybody."""
        said = installation.watch.reason(installation.database, self.history.organisation_id)
        return [said] if said else []

    def fsck(self, installation: Installation) -> list[str]:
        """What `log fsck --openings` finds, one line each as it prints them, strangers' logs left out."""
        reports = lost_logs(installation)
        for organisation_id, _ in logs_of(installation):
            if organisation_id not in self.history.others:
                try:
                    reports.append(fsck(installation, organisation_id))
                except ConsentLedgerError as error:
                    return [str(error)]
        return [f"{one.where}: {one.message}" for report in reports for one in report.findings]

    def verify(self, installation: Installation) -> list[str]:
        """What an auditor's `verify` says of a bundle that was exported afterwards."""
        file = io.BytesIO()
        try:
            export(installation, ExportEvidence(self.history.organisation_id, ANNA), file)
        except ConsentLedgerError as error:
            return [f"export: {error}"]
        report = verify_bundle(file, policy=self.policy)
        return [] if report.exit_code == 0 else [report.text()]

    def append(self, installation: Installation) -> list[str]:
        """What the next append says."""
        try:
            fill(installation.database, self.history.organisation_id, 1)
        except ConsentLedgerError as error:
            return [str(error)]
        except DRIVER_ERRORS as error:  # its index is taken
            return [str(error).splitlines()[0]]
        return []

    def signer(self, installation: Installation) -> list[str]:
        """What the signer says of the head as it is now."""
        try:
            installation.signer.sign(self.history.organisation_id)
        except ConsentLedgerError as error:
            return [str(error)]
        return []


WATCHERS: dict[str, Callable[[Attacked, Installation], list[str]]] = {
    "start": Attacked.start,
    "fsck": Attacked.fsck,
    "verify": Attacked.verify,
    "append": Attacked.append,
    "signer": Attacked.signer,
}


def attacked(
    settings: Settings, history: History, policy: bytes, url: str, guard: Path
) -> Attacked:
    """Points an installation's settings at a copied database and a copied guard."""
    found = Attacked(
        replace(settings, database_url=url, guard=str(guard)),
        history,
        policy,
        Path(str(settings.guard)),
    )
    found.reset_guard()
    return found


def outside_policy(installation: Installation, history: History) -> bytes:
    """The policy that an auditor took from elsewhere, before anything was changed."""
    return make_policy([installation.signer.vkey(history.origin)]).text().encode()
