"""What a replay reads and what it gives: histories of entries, and the rows that follow from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID


class Unknown:
    """The mark of a column that no entry tells: it is neither compared nor changed."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()
Row = dict[str, Any]
Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as the replay needs it: `values` is None when its opening is gone and that is excused.

    `n` is its number among its contact's entries; `at` what it commits, or when its row was written if that is
    all that is left; `going` says that a log.erasure covers it already.
    """

    index: int
    n: int
    kind: str
    leaf_hash: bytes
    at: datetime
    values: Mapping[str, Any] | None
    blobs: tuple[bytes, ...] = field(default=(), repr=False)
    plain: Mapping[str, str] = field(default_factory=dict)
    going: bool = False


@dataclass(slots=True)
class History:
    """All entries of one contact in the order of their labels; `key_id` is the key that its openings name."""

    contact_id: UUID
    key_id: UUID | None
    entries: list[Entry]

    @property
    def erased(self) -> frozenset[int]:
        """The numbers of the entries that do not open any more."""
        return frozenset(entry.n for entry in self.entries if entry.values is None)


@dataclass(slots=True)
class Tables:
    """Rows by table and key (without the organisation); one column's value may be UNKNOWN."""

    rows: dict[str, dict[Key, Row]] = field(default_factory=dict)

    def put(self, table: str, key: Key, row: Row) -> None:
        """Puts a row in, or replaces it."""
        self.rows.setdefault(table, {})[key] = row

    def of(self, table: str) -> dict[Key, Row]:
        """The rows of one table."""
        return self.rows.get(table, {})


@dataclass(frozen=True, slots=True)
class Difference:
    """Where a row is not what the log gives: `columns` differ; none: the row is missing or `surplus`.

    Values are never told: they may be somebody's.
    """

    table: str
    key: Key
    columns: tuple[str, ...] = ()
    surplus: bool = False
    note: str = ""

    @property
    def where(self) -> str:
        """Table and key, as a finding names them."""
        return f"{self.table} {'/'.join(_text(part) for part in self.key)}".rstrip()

    @property
    def message(self) -> str:
        """What is wrong, in words."""
        if self.note:
            return self.note
        if self.surplus:
            return "no entry of the log gives this row"
        if not self.columns:
            return "missing: the log gives this row"
        return f"{', '.join(self.columns)}: not what the log gives"


def _text(part: Any) -> str:
    return part.hex() if isinstance(part, bytes) else str(part)
