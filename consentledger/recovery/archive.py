"""Entries kept outside the database: leaves with their sealed openings, as JSON lines; never a key.

First a header (format, organisation, origin, first origin, first index, size, root), then one entry per line, then
rows that no leaf tells. An archive is of use only with the keys, and is believed only as far as the guard's root.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from uuid import UUID

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from consentledger.db.models import ContactEntry, LogHead, LogLeaf, Opening
from consentledger.kernel.clock import to_text
from consentledger.kernel.errors import InputError
from consentledger.recovery import columns
from consentledger.recovery.model import SavedEntry

FORMAT = "consentledger/entries/v1"
CHUNK = 500
_KIND = b"consentledger/leaf/v1\nkind "
# Of these the entry holds the root only: the batch and its rows go along.
_BATCHES = {
    _KIND + b"permits.issued/": (columns.BATCH, columns.PERMIT),
    _KIND + b"message.sent/": (columns.REPORTS, columns.REPORT),
}


@dataclass(frozen=True, slots=True)
class Header:
    """Which log an archive is of, and which of its entries it holds: [first, size)."""

    organisation: str
    origin: str
    began_as: str
    first: int
    size: int
    root: str


def write_archive(
    session: Session, organisation_id: UUID, first: int, file: IO[str]
) -> tuple[int, int]:
    """Writes the entries from `first` on, in flat memory; returns how many, and the log's size."""
    head = session.get(LogHead, organisation_id)
    assert head is not None  # noqa: S101 -- the caller has found it
    header = {
        "format": FORMAT,
        "organisation": str(organisation_id),
        "origin": head.origin,
        "began_as": head.began_as,
        "first": first,
        "size": head.size,
        "root": head.root.hex(),
    }
    _line(file, header)
    for low in range(first, head.size, CHUNK):
        for entry in _entries(session, organisation_id, low, min(low + CHUNK, head.size)):
            _line(file, _to_json(entry))
    query = select(columns.FORM).where(columns.FORM.c.organisation_id == organisation_id)
    rows = [columns.to_json(dict(row._mapping)) for row in session.execute(query)]
    _line(file, {"rows": {columns.FORM.name: rows}})
    return max(0, head.size - first), head.size


def _entries(session: Session, organisation_id: UUID, low: int, high: int) -> Iterator[SavedEntry]:
    def within(model: Any, *wanted: Any) -> Any:
        query = select(*wanted).where(model.organisation_id == organisation_id)
        query = query.where(model.entry_index >= low, model.entry_index < high)
        return session.execute(query.order_by(model.entry_index))

    openings: dict[int, list[tuple[str, UUID | None, bytes]]] = {}
    for index, *opening in within(
        Opening, Opening.entry_index, Opening.opening_class, Opening.key_id, Opening.sealed
    ):
        openings.setdefault(index, []).append((opening[0], opening[1], opening[2]))
    owners = dict(within(ContactEntry, ContactEntry.entry_index, ContactEntry.contact_id).all())
    leaves = within(LogLeaf, LogLeaf.entry_index, LogLeaf.leaf, LogLeaf.appended_at).all()
    for index, leaf, at in leaves:
        batched = [tables for kind, tables in _BATCHES.items() if leaf.startswith(kind)]
        yield SavedEntry(
            index,
            bytes(leaf),
            to_text(at),
            tuple(openings.get(index, ())),
            owners.get(index),
            _batch(session, organisation_id, index, *batched[0]) if batched else {},
        )


def _batch(
    session: Session, organisation_id: UUID, index: int, batch: Table, row_table: Table
) -> dict[str, list[dict[str, Any]]]:
    of_entry = (batch.c.organisation_id == organisation_id) & (batch.c.entry_index == index)
    found = [
        columns.to_json(dict(row._mapping))
        for row in session.execute(select(batch).where(of_entry))
    ]
    numbers = [row["batch"] for row in found]
    query = select(row_table).where(
        row_table.c.organisation_id == organisation_id, row_table.c.batch.in_(numbers)
    )
    rows = [columns.to_json(dict(row._mapping)) for row in session.execute(query)]
    return {batch.name: found, row_table.name: rows}


def _to_json(entry: SavedEntry) -> dict[str, Any]:
    line: dict[str, Any] = {
        "i": entry.index,
        "at": entry.at,
        "leaf": entry.leaf.decode("ascii"),
        "openings": [
            [name, str(key) if key else None, b64encode(sealed).decode()]
            for name, key, sealed in entry.openings
        ],
    }
    if entry.contact_id:
        line["contact"] = str(entry.contact_id)
    return {**line, "rows": entry.rows} if entry.rows else line


def _line(file: IO[str], value: Mapping[str, Any]) -> None:
    file.write(json.dumps(value, separators=(",", ":"), ensure_ascii=False) + "\n")


def read_header(path: Path) -> Header | None:
    """Reads an archive's first line; None for a file that is none."""
    try:
        with path.open(encoding="utf-8") as file:
            found = json.loads(file.readline(65_536))
        if found.pop("format") != FORMAT:
            return None
        return Header(**found)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def read_entries(paths: Sequence[Path], low: int, high: int) -> Iterator[SavedEntry]:
    """Yields what several archives of one log hold of [low, high), in order and each index once."""
    cursor = low
    for path in sorted(paths, key=_first):
        for entry in _lines(path):
            if cursor <= entry.index < high:
                cursor = entry.index + 1
                yield entry


def other_rows(paths: Iterable[Path]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields (table, row) of what stands at the archives' ends."""
    for path in paths:
        for line in _json_lines(path):
            if "i" not in line:
                for table, rows in line.get("rows", {}).items():
                    yield from ((table, row) for row in rows)


def _first(path: Path) -> int:
    header = read_header(path)
    return header.first if header else 0


def _lines(path: Path) -> Iterator[SavedEntry]:
    for line in _json_lines(path):
        if "i" not in line:
            continue
        try:
            yield _from_json(line)
        except (KeyError, ValueError, TypeError) as error:
            raise _wrong(path, f"entry {line.get('i')} can't be read") from error


def _json_lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        next(file, None)
        for number, text in enumerate(file, 2):
            try:
                line = json.loads(text)
            except ValueError as error:
                raise _wrong(
                    path, f"line {number} is no JSON; the file may be cut short"
                ) from error
            if not isinstance(line, dict):
                raise _wrong(path, f"line {number} is no entry")
            yield line


def _from_json(line: Mapping[str, Any]) -> SavedEntry:
    openings = tuple(
        (str(name), UUID(key) if key else None, b64decode(sealed, validate=True))
        for name, key, sealed in line["openings"]
    )
    contact = line.get("contact")
    return SavedEntry(
        int(line["i"]),
        line["leaf"].encode("ascii"),
        str(line["at"]),
        openings,
        UUID(contact) if contact else None,
        line.get("rows", {}),
    )


def _wrong(path: Path, what: str) -> InputError:
    return InputError(f"{path}: {what}", field="entries", reason="malformed")
