"""The entries of registers by the driver's own statements: pages of what an import lists, and batches of change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from consentledger.db.unit_of_work import Tx

PAGE = 5_000
_VISIBLE = "first <= {m} AND (gone IS NULL OR gone > {m})"
_PAGE = f"""
SELECT hash FROM register_entry WHERE organisation_id = {{p}} AND register = {{p}} AND hash > {{p}}
 AND {_VISIBLE} ORDER BY hash LIMIT {PAGE}
"""  # noqa: S608 - numbers of our own
_BETWEEN = f"""
SELECT hash FROM register_entry WHERE organisation_id = {{p}} AND register = {{p}} AND hash >= {{p}}
 AND ({{p}} IS NULL OR hash < {{p}}) AND {_VISIBLE} ORDER BY hash LIMIT {PAGE}
"""  # noqa: S608 - the same
_INSERT = {
    "sqlite": "INSERT INTO register_entry (organisation_id, register, hash, first) VALUES (?, ?, ?, ?)",
    "postgresql": "INSERT INTO register_entry (organisation_id, register, hash, first)"
    " SELECT %(org)s, %(register)s, h, %(number)s FROM unnest(%(hashes)s::bytea[]) AS u (h)",
}
_CLOSE = {
    "sqlite": "UPDATE register_entry SET gone = ? WHERE organisation_id = ? AND register = ? AND hash = ?"
    " AND gone IS NULL",
    "postgresql": "UPDATE register_entry SET gone = %(number)s WHERE organisation_id = %(org)s"
    " AND register = %(register)s AND hash = ANY(%(hashes)s::bytea[]) AND gone IS NULL",
}
_DELETE = f"""
DELETE FROM register_entry WHERE organisation_id = {{p}} AND register = {{p}} AND (hash, first) IN
 (SELECT hash, first FROM register_entry WHERE organisation_id = {{p}} AND register = {{p}} AND {{what}} LIMIT {PAGE})
"""  # noqa: S608 - the same
_REOPEN = "UPDATE register_entry SET gone = NULL WHERE organisation_id = {p} AND register = {p} AND gone = {p}"
_LISTED = (
    "SELECT u.n FROM unnest(%(registers)b::text[], %(numbers)b::int[], %(hashes)b::bytea[])"
    " WITH ORDINALITY AS u (r, m, h, n) JOIN register_entry e"
    " ON e.organisation_id = %(org)s AND e.register = u.r AND e.hash = u.h"
    " WHERE e.first <= u.m AND (e.gone IS NULL OR e.gone > u.m)"
)


def listed_by(
    session: Session, organisation_id: UUID, register: str, number: int
) -> Iterator[bytes]:
    """Yields what an import lists, sorted, a page at a time: what an import lists never changes."""
    last = b""
    connection = session.connection()
    mark, organisation = _marks(connection.dialect.name, organisation_id)
    query = _PAGE.format(p=mark, m=int(number))
    while True:
        rows = connection.exec_driver_sql(query, (organisation, register, last)).all()
        for (found,) in rows:
            last = bytes(found)
            yield last
        if len(rows) < PAGE:
            return


def listed_between(
    session: Session,
    organisation_id: UUID,
    register: str,
    number: int,
    low: bytes,
    high: bytes | None,
) -> list[bytes]:
    """Returns what an import lists from `low` on and below `high`, sorted, at most a page."""
    connection = session.connection()
    mark, organisation = _marks(connection.dialect.name, organisation_id)
    query = _BETWEEN.format(p=mark, m=int(number))
    if mark == "%s":
        query = query.replace("%s IS NULL", "%s::bytea IS NULL")
    values = (organisation, register, low, high, high)
    return [bytes(found) for (found,) in connection.exec_driver_sql(query, values)]


def add(tx: Tx, organisation_id: UUID, register: str, number: int, hashes: Sequence[bytes]) -> None:
    """Writes hashes that an import is the first to list, sorted."""
    _change(tx, _INSERT, organisation_id, register, number, hashes)


def close(
    tx: Tx, organisation_id: UUID, register: str, number: int, hashes: Sequence[bytes]
) -> None:
    """Marks hashes that an import lists no more, sorted."""
    _change(tx, _CLOSE, organisation_id, register, number, hashes)


def _change(
    tx: Tx,
    statements: dict[str, str],
    organisation_id: UUID,
    register: str,
    number: int,
    hashes: Sequence[bytes],
) -> None:
    if not hashes:
        return
    statement = statements[tx.database.name]
    if tx.database.name == "sqlite":
        organisation = organisation_id.hex
        rows: Any = [
            (organisation, register, one, number)
            if statements is _INSERT
            else (number, organisation, register, one)
            for one in hashes
        ]
        tx.connection.exec_driver_sql(statement, rows)
        return
    values = {
        "org": organisation_id,
        "register": register,
        "number": number,
        "hashes": list(hashes),
    }
    tx.connection.exec_driver_sql(statement, values)


def delete_first(tx: Tx, organisation_id: UUID, register: str, number: int) -> int:
    """Deletes a page of what an import given up had added; returns how many rows."""
    return _delete(tx, organisation_id, register, f"first = {int(number)}")


def delete_gone(tx: Tx, organisation_id: UUID, register: str, number: int) -> int:
    """Deletes a page of what import `number` and those behind it do not list; returns how many rows."""
    return _delete(tx, organisation_id, register, f"gone <= {int(number)}")


def _delete(tx: Tx, organisation_id: UUID, register: str, what: str) -> int:
    mark, organisation = _marks(tx.database.name, organisation_id)
    values = (organisation, register) * 2
    return tx.connection.exec_driver_sql(_DELETE.format(p=mark, what=what), values).rowcount


def reopen(tx: Tx, organisation_id: UUID, register: str, number: int) -> None:
    """Takes back every mark that an import given up had made."""
    mark, organisation = _marks(tx.database.name, organisation_id)
    tx.connection.exec_driver_sql(_REOPEN.format(p=mark), (organisation, register, number))


def found_among(
    session: Session, organisation_id: UUID, wanted: Sequence[tuple[str, int, bytes]]
) -> set[int]:
    """Returns the places of those (register, number, hash) that the import lists; one statement on PostgreSQL."""
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        registers, numbers, hashes = map(list, zip(*wanted, strict=True))
        rows = connection.exec_driver_sql(
            _LISTED,
            {"registers": registers, "numbers": numbers, "hashes": hashes, "org": organisation_id},
        )
        return {place - 1 for (place,) in rows}
    found: set[int] = set()
    for register, number in sorted({(register, number) for register, number, _ in wanted}):
        places: dict[bytes, list[int]] = {}
        for place, (its, _, one) in enumerate(wanted):
            if its == register:
                places.setdefault(one, []).append(place)
        hashes = list(places)
        for start in range(0, len(hashes), PAGE):
            part = hashes[start : start + PAGE]
            marks = ",".join("?" * len(part))
            query = (
                "SELECT hash FROM register_entry WHERE organisation_id = ? AND register = ?"  # noqa: S608
                f" AND {_VISIBLE.format(m=int(number))} AND hash IN ({marks})"
            )
            values = (organisation_id.hex, register, *part)
            for (one,) in connection.exec_driver_sql(query, values):
                found.update(places[bytes(one)])
    return found


def _marks(engine: str, organisation_id: UUID) -> tuple[str, Any]:
    return ("?", organisation_id.hex) if engine == "sqlite" else ("%s", organisation_id)
