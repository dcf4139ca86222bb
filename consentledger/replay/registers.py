"""Imports of registers held against their entries, and what they list against the roots there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any

from sqlalchemy import func, or_, select

from consentledger.db.fsck.opener import Opener
from consentledger.kernel.clock import now, to_text
from consentledger.kernel.errors import ConsentLedgerError
from consentledger.registers.models import RegisterEntry, RegisterImport
from consentledger.registers.queries import CURRENT, FORGOTTEN, REPLACED, open_import
from consentledger.registers.rows import listed_by
from consentledger.registers.rules import KEEP
from consentledger.registers.tree import summarise
from consentledger.replay.model import Difference, Entry
from consentledger.replay.own import indexes_of, tell

DONE = (CURRENT, REPLACED, FORGOTTEN)


@dataclass(slots=True)
class _Imports:
    """What the entries say, by register, in the log's order."""

    entries: dict[str, list[Entry]] = field(default_factory=dict)

    def tell(self, entry: Entry) -> None:
        """Takes one entry."""
        if entry.values is not None:
            self.entries.setdefault(str(entry.values["register"]), []).append(entry)


def register_differences(opener: Opener) -> Iterator[Difference]:
    """Names imports that no entry gives, entries without their import, and lists that do not give their root."""
    told = _Imports()
    for indexes in indexes_of(opener, ("register.imported",)):
        tell(opener, indexes, told)
    query = select(RegisterImport.__table__).where(
        RegisterImport.organisation_id == opener.organisation_id
    )
    rows = opener.session.execute(
        query.order_by(RegisterImport.register, RegisterImport.number)
    ).all()
    stored: dict[str, list[Any]] = {}
    for row in rows:
        stored.setdefault(row.register, []).append(row)
    for register in sorted(told.entries.keys() | stored.keys()):
        every = stored.get(register, [])
        if [row.number for row in every] != list(range(1, len(every) + 1)):
            note = "its imports, those given up included, are not numbered from 1 on"
            yield Difference("register_import", (register,), note=note)
        done = [row for row in every if row.state in DONE]
        yield from _compare(opener, register, told.entries.get(register, []), done)
    yield from _beside(opener)


def _compare(
    opener: Opener, register: str, entries: Sequence[Entry], rows: Sequence[Any]
) -> Iterator[Difference]:
    by_index = {row.entry_index: row for row in rows}
    ends = [entry.at for entry in entries[1:]]
    for place, entry in enumerate(entries):
        row = by_index.get(entry.index)
        if row is None:
            note = f"missing: entry {entry.index} tells of this import"
            yield Difference("register_import", (register,), note=note)
            continue
        end = ends[place] if place < len(ends) else None
        wrong = _columns(opener, entry, row, end)
        if wrong:
            yield Difference("register_import", (register, row.number), wrong)
        if row.state != FORGOTTEN:
            yield from _list(opener, entry, row)
    told = {entry.index for entry in entries}
    for row in rows:
        if row.entry_index not in told or by_index[row.entry_index] is not row:
            yield Difference("register_import", (register, row.number), surplus=True)
    if any(one.number >= two.number for one, two in pairwise(_in_order(entries, by_index))):
        yield Difference("register_import", (register,), ("number",))


def _in_order(entries: Sequence[Entry], by_index: dict[int, Any]) -> list[Any]:
    return [by_index[entry.index] for entry in entries if entry.index in by_index]


def _columns(opener: Opener, entry: Entry, row: Any, end: datetime | None) -> tuple[str, ...]:
    values = entry.values or {}
    state = CURRENT
    if end is not None:
        state = FORGOTTEN if row.state == FORGOTTEN and end + KEEP <= now() else REPLACED
    told = {
        "state": (row.state, state),
        "as_of": (to_text(row.as_of), values["as_of"]),
        "count": (str(row.count), entry.plain["count"]),
        "root": (row.root.hex() if row.root else "", entry.plain["root"]),
        "matched": (row.matched, values["matched"]),
        "sealed_salt": (_salt(opener, row), values["salt"]),
        "source": (row.source, values["source"]),
        "file": (row.file, values["file"]),
        "imported_at": (row.imported_at, entry.at),
    }
    return tuple(name for name, (stored, given) in told.items() if stored != given)


def _salt(opener: Opener, row: Any) -> str:
    keys = opener.keystore.current(opener.session, opener.organisation_id)
    try:
        return open_import(keys, row).salt.hex()
    except ConsentLedgerError:
        return ""


def _list(opener: Opener, entry: Entry, row: Any) -> Iterator[Difference]:
    hashes = listed_by(opener.session, opener.organisation_id, row.register, row.number)
    made = summarise(hashes)
    if (str(made.count), made.root.hex()) != (entry.plain["count"], entry.plain["root"]):
        note = f"its rows do not give the root in entry {entry.index}"
        yield Difference("register_entry", (row.register, row.number), note=note)
    elif row.blocks != made.blocks:
        yield Difference("register_import", (row.register, row.number), ("blocks",))


def _beside(opener: Opener) -> Iterator[Difference]:
    """Rows that no import up to now lists, and a later one would suddenly find."""
    newest = (
        select(func.max(RegisterImport.number))
        .where(RegisterImport.organisation_id == RegisterEntry.organisation_id)
        .where(RegisterImport.register == RegisterEntry.register)
        .scalar_subquery()
    )
    rows = opener.session.execute(
        select(RegisterEntry.register, func.count())
        .where(RegisterEntry.organisation_id == opener.organisation_id)
        .where(
            or_(
                newest.is_(None),
                RegisterEntry.first > newest,
                RegisterEntry.gone > newest,
                RegisterEntry.gone <= RegisterEntry.first,
            )
        )
        .group_by(RegisterEntry.register)
    )
    for register, count in rows:
        note = f"{count} rows that no import gives"
        yield Difference("register_entry", (register,), note=note)
