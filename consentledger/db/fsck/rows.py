"""Reads a log's raw rows by the driver's own cursor, in order and in blocks: nothing but tuples, in flat memory."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from consentledger.db.fsck.model import BLOCK
from consentledger.kernel.clock import from_text, to_text

LeafRow = tuple[int, bytes, bytes, Any]
OpeningRow = tuple[int, str, Any, bytes]

_LEAVES = "SELECT entry_index, leaf, leaf_hash{at} FROM log_leaf WHERE organisation_id = {p}"
_OPENINGS = (
    "SELECT entry_index, opening_class, key_id, sealed FROM opening WHERE organisation_id = {p}"
)
_OWNERS = "SELECT contact_id, entry_index FROM contact_entry WHERE organisation_id = {p}"


class RawRows:
    """One organisation's raw rows, through one session's own connection."""

    def __init__(self, session: Session, organisation_id: UUID) -> None:
        connection = session.connection()
        self.sqlite = connection.dialect.name == "sqlite"
        self._driver: Any = connection.connection.driver_connection
        self._organisation: Any = organisation_id.hex if self.sqlite else organisation_id
        self._mark = "?" if self.sqlite else "%s"
        self._names = 0

    def leaves(self, after: int) -> Iterator[list[Any]]:
        """Yields blocks of (index, leaf, leaf hash) behind `after`."""
        yield from self._stream(
            _LEAVES.format(at="", p=self._mark)
            + f" AND entry_index > {self._mark} ORDER BY entry_index",
            (self._organisation, after),
        )

    def leaves_between(self, low: int, high: int) -> list[Any]:
        """Returns (index, leaf, leaf hash, appended_at) of low <= index < high."""
        return self._between(_LEAVES.format(at=", appended_at", p=self._mark), low, high)

    def leaves_at(self, indexes: Sequence[int]) -> list[Any]:
        """Returns (index, leaf, leaf hash, appended_at) of these indexes."""
        return self._among(_LEAVES.format(at=", appended_at", p=self._mark), indexes)

    def openings_between(self, low: int, high: int) -> list[Any]:
        """Returns (index, class, key id, sealed) of low <= index < high."""
        return self._between(_OPENINGS.format(p=self._mark), low, high)

    def openings_at(self, indexes: Sequence[int]) -> list[Any]:
        """Returns (index, class, key id, sealed) of these indexes."""
        return self._among(_OPENINGS.format(p=self._mark), indexes)

    def owned_between(self, low: int, high: int) -> list[Any]:
        """Returns (contact id, index) of low <= index < high."""
        return self._between(_OWNERS.format(p=self._mark), low, high)

    def count_owned(self) -> int:
        """Returns how many entries have an owner."""
        query = f"SELECT count(*) FROM contact_entry WHERE organisation_id = {self._mark}"  # noqa: S608
        return int(self._all(query, (self._organisation,))[0][0])

    def owners(self, after: UUID | None) -> Iterator[list[Any]]:
        """Yields blocks of (contact id, index) by contact, then index, behind the contact `after`."""
        first = UUID(int=0) if after is None else after
        yield from self._stream(
            _OWNERS.format(p=self._mark)
            + f" AND contact_id > {self._mark} ORDER BY contact_id, entry_index",
            (self._organisation, first.hex if self.sqlite else first),
        )

    def uuid(self, value: Any) -> UUID:
        """Reads an id as the driver gives it."""
        return UUID(value) if self.sqlite else value

    def instant(self, value: Any) -> datetime:
        """Reads an instant as the driver gives it."""
        return from_text(value) if self.sqlite else value

    def is_instant(self, value: Any, text: object) -> bool:
        """Says whether an instant as the driver gives it is the one that an entry commits to."""
        return bool((value if self.sqlite else to_text(value)) == text)

    def _stream(self, query: str, values: tuple[Any, ...]) -> Iterator[list[Any]]:
        # On PostgreSQL a cursor of the server's: the client's own would read the whole log first.
        self._names += 1
        cursor = self._driver.cursor() if self.sqlite else self._driver.cursor(f"raw{self._names}")
        try:
            self._execute(cursor, query, values)
            while rows := cursor.fetchmany(BLOCK):
                yield rows
        finally:
            cursor.close()

    def _between(self, query: str, low: int, high: int) -> list[Any]:
        mark = self._mark
        return self._all(
            f"{query} AND entry_index >= {mark} AND entry_index < {mark} ORDER BY entry_index",
            (self._organisation, low, high),
        )

    def _among(self, query: str, indexes: Sequence[int]) -> list[Any]:
        wanted = (
            " AND entry_index IN (SELECT value FROM json_each(?))"
            if self.sqlite
            else " AND entry_index = ANY(%s::bigint[])"
        )
        values: Any = json.dumps(list(indexes)) if self.sqlite else list(indexes)
        return self._all(query + wanted, (self._organisation, values))

    def _all(self, query: str, values: tuple[Any, ...]) -> list[Any]:
        cursor = self._driver.cursor()
        try:
            self._execute(cursor, query, values)
            rows: list[Any] = cursor.fetchall()
            return rows
        finally:
            cursor.close()

    def _execute(self, cursor: Any, query: str, values: tuple[Any, ...]) -> None:
        if self.sqlite:
            cursor.execute(query, values)
        else:
            cursor.execute(query, values, binary=True)
