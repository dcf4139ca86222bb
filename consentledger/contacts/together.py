"""Several writes as one round trip: on PostgreSQL as one statement with CTEs, on SQLite one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, insert
from sqlalchemy.sql.dml import UpdateBase

from consentledger.db.unit_of_work import Tx


@dataclass(frozen=True, slots=True)
class Write:
    """One statement made once, its parameters, and a name for it; names of parameters are its own."""

    name: str
    statement: UpdateBase
    values: Mapping[str, Any]


class InsertInto:
    """An INSERT into one table, made once; `name` keeps its parameters apart from others'."""

    def __init__(self, table: Any, name: str) -> None:
        self._name = name
        self._statement = insert(table).values(
            {column.name: bindparam(f"{name}_{column.name}") for column in table.columns}
        )

    def write(self, row: Mapping[str, Any]) -> Write:
        """Returns the write of one row."""
        values = {f"{self._name}_{column}": value for column, value in row.items()}
        return Write(self._name, self._statement, values)


_joined: dict[tuple[int, ...], UpdateBase] = {}


def write_together(tx: Tx, *writes: Write) -> None:
    """Executes writes on different rows; in one statement they all see the same moment.

    The statements must be module-level constants: what they join to is kept.
    """
    if tx.database.name == "sqlite" or len(writes) == 1:
        for write in writes:
            tx.connection.execute(write.statement, write.values)
        return
    key = tuple(id(write.statement) for write in writes)
    joined = _joined.get(key)
    if joined is None:
        *first, last = writes
        joined = last.statement.add_cte(*(write.statement.cte(write.name) for write in first))
        _joined[key] = joined
    values = {name: value for write in writes for name, value in write.values.items()}
    tx.connection.execute(joined, values)
