"""Recipients from a CSV table: one row each, the first row names the columns."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import islice
from typing import TextIO

from consentledger.kernel.errors import ConflictError, InputError
from consentledger.permits.bulk.body import Asked, Kept, LineError, Piece
from consentledger.permits.reading import read_recipient

COLUMNS = ("address", "country", "person", "capacity")


class Table:
    """The rows of a table, numbered from 1, the names' row included. A row that can't be read is told in its place.

    InputError when the first row is no row of names, lacks `address`, or has an unknown or a double one.
    """

    def __init__(self, file: TextIO) -> None:
        self._rows = _strict(csv.reader(file, strict=True))
        self._names = [name.strip() for name in next(self._rows, [])]
        unknown = sorted(set(self._names) - set(COLUMNS))
        if unknown or "address" not in self._names or len(set(self._names)) < len(self._names):
            raise InputError(
                f"the first row must name the columns: address, and any of {', '.join(COLUMNS[1:])}",
                field=unknown[0][:64] if unknown else "address",
                reason="unknown" if unknown else "missing",
            )
        self.line = 1

    def next(self, count: int) -> Piece | None:
        """Reads the next rows; None behind the last."""
        rows = list(islice(self._rows, count))
        if not rows:
            return None
        first, said, places, errors = self.line + 1, [], [], []
        self.line += len(rows)
        for number, row in enumerate(rows, first):
            try:
                if any(row):
                    said.append(self._recipient(row, f"row {number}"))
                    places.append(number)
            except InputError as error:
                errors.append(LineError(number, error.reason, str(error)))
        addresses = [one[0] for one in said]
        return Piece(first, self.line, addresses, places, tuple(errors), tuple(said))

    def again(self, _session: object, kept: Kept, _issued: object) -> Piece:
        """Reads the rows of a batch that was committed before."""
        piece = self.next(kept.last - kept.first + 1)
        if piece is None or (piece.first, piece.last) != (kept.first, kept.last):
            raise ConflictError("this run was begun by another version: take another key")
        return piece

    def _recipient(self, row: list[str], where: str) -> Asked:
        if len(row) != len(self._names):
            raise InputError(
                f"{where}: {len(row)} cells under {len(self._names)} names",
                field=where,
                reason="type",
            )
        told = {name: cell for name, cell in zip(self._names, row, strict=True) if cell}
        return read_recipient(told, where)


def _strict(rows: Iterator[list[str]]) -> Iterator[list[str]]:
    try:
        yield from rows
    except (csv.Error, UnicodeDecodeError) as error:
        raise InputError(
            f"this is no CSV in UTF-8: {error}", field="recipients", reason="malformed"
        ) from error
