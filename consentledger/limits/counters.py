"""The counters in the database: one statement counts everything that a request counts.

One multi-row upsert with sorted keys in its own short transaction: one round trip, and no deadlocks. Several
processes and machines agree, for the database counts; see docs/adr/0001 and 0016.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import TextClause, bindparam, text

from consentledger.db.base import Instant
from consentledger.db.engine import Database


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """One counter: whose (a keyed hash), the number of its window, and the second in which that ends."""

    key: bytes
    window: int
    ends: int


class Counters:
    """Counts in the database's table of counters."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, slots: Sequence[Slot]) -> dict[bytes, int]:
        """Counts one more in every slot; returns the counts by key."""
        values: dict[str, object] = {}
        for n, slot in enumerate(sorted(slots)):
            values[f"key{n}"], values[f"window{n}"] = slot.key, slot.window
            values[f"ends{n}"] = datetime.fromtimestamp(slot.ends, UTC)
        with self._database.autocommit() as connection:
            counted = connection.execute(_ADD[len(slots)], values)
            return {bytes(key): count for key, count in counted}

    def read(self, slots: Sequence[Slot]) -> dict[tuple[bytes, int], int]:
        """Returns what is counted, by key and window; a slot that nobody counted is missing."""
        values: dict[str, object] = {}
        for n, slot in enumerate(slots):
            values[f"key{n}"], values[f"window{n}"] = slot.key, slot.window
        with self._database.read() as session:
            rows = session.execute(_READ[len(slots)], values)
            return {(bytes(key), window): count for key, window, count in rows}


def _adding(rows: int) -> TextClause:
    lines = ", ".join(f"(:key{n}, :window{n}, 1, :ends{n})" for n in range(rows))
    return text(
        f'INSERT INTO rate_limit (key_hash, "window", count, ends_at) VALUES {lines}'  # noqa: S608
        ' ON CONFLICT (key_hash, "window") DO UPDATE SET count = rate_limit.count + 1'
        " RETURNING key_hash, count"
    ).bindparams(*(bindparam(f"ends{n}", type_=Instant()) for n in range(rows)))


def _reading(rows: int) -> TextClause:
    wanted = " OR ".join(f'key_hash = :key{n} AND "window" = :window{n}' for n in range(rows))
    return text(f'SELECT key_hash, "window", count FROM rate_limit WHERE {wanted}')  # noqa: S608


# Written once for each number of slots: a statement built anew costs more than its round trip.
_ADD = {rows: _adding(rows) for rows in range(1, 9)}
_READ = {rows: _reading(rows) for rows in range(1, 9)}
