"""The verb: import a register, all of it or nothing.

The file is read and sorted first, and refused for its first bad line. What differs from the import before is then
written in batches, in short transactions, which change nothing that the current import lists; the new one becomes
current with its entry, in one transaction. So a decision sees the old register or the new one, and a permit that is
being issued looks again (`affects: organisation`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import IO

from sqlalchemy import CursorResult, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from consentledger.db.engine import Database
from consentledger.db.log.entries import Draft
from consentledger.db.unit_of_work import Tx
from consentledger.kernel.clock import now, to_text
from consentledger.kernel.errors import ConflictError
from consentledger.ledger.register import SALT_BYTES
from consentledger.registers import ending, rows, rules
from consentledger.registers.models import RegisterImport
from consentledger.registers.queries import (
    CURRENT,
    LOADING,
    REPLACED,
    Import,
    imports,
    salt_context,
)
from consentledger.registers.reading import SortedFile, read_sorted
from consentledger.registers.rules import ImportRegister
from consentledger.registers.sorting import Sorter

BATCH = 5_000


@dataclass(frozen=True, slots=True)
class Imported:
    """A committed import. `repeated`: this very file was the current import already, and nothing was written."""

    register: str
    as_of: datetime
    count: int
    added: int
    removed: int
    entry_index: int
    root: bytes
    repeated: bool = False


def import_register(database: Database, command: ImportRegister, file: IO[bytes]) -> Imported:
    """Imports a register's file; opens its own transactions, since one would hold up every act for long.

    InputError names the first bad line; ConflictError when another import of it is under way or is newer.
    """
    rules.check(command, now())
    ending.clear_up(database, command.organisation_id, command.register)
    with database.read() as session:
        current = imports(session, database.log.keystore, command.organisation_id).get(
            command.register
        )
    rules.check_newer(command.as_of, current.as_of if current else None)
    salt = current.salt if current else os.urandom(SALT_BYTES)
    with Sorter() as sorter:
        told = read_sorted(command, salt, sorter, file)
        rules.check_size(told.tree.count, current.count if current else None, force=command.force)
        return _Import(database, command, current, salt, told).run()


class _Import:
    """One import on its way into the tables."""

    def __init__(
        self,
        database: Database,
        command: ImportRegister,
        current: Import | None,
        salt: bytes,
        told: SortedFile,
    ) -> None:
        self._database, self._command, self._told = database, command, told
        self._current, self._salt = current, salt
        self._number = 0
        self._added = self._removed = 0

    def run(self) -> Imported:
        repeated = self._repeated()
        if repeated is not None:
            return repeated
        try:
            with self._database.begin() as tx:
                self._number = self._claim(tx)
        except IntegrityError as error:
            raise _busy(self._command.register) from error
        try:
            self._load()
            with self._database.begin() as tx:
                return self._become_current(tx)
        except BaseException:
            ending.give_up(
                self._database, self._command.organisation_id, self._command.register, self._number
            )
            raise

    def _repeated(self) -> Imported | None:
        """The answer for the very file that is current already."""
        current, told, command = self._current, self._told, self._command
        if current is None or current.as_of != command.as_of or current.count != told.tree.count:
            return None
        with self._database.read() as session:
            row = session.get(
                RegisterImport, (command.organisation_id, command.register, current.number)
            )
        if row is None or (row.root, row.file) != (told.tree.root, told.digest):
            return None
        index = current.entry_index
        return Imported(
            command.register,
            command.as_of,
            told.tree.count,
            0,
            0,
            index,
            told.tree.root,
            repeated=True,
        )

    def _claim(self, tx: Tx) -> int:
        command, told = self._command, self._told
        mine = (
            RegisterImport.organisation_id == command.organisation_id,
            RegisterImport.register == command.register,
        )
        if tx.session.scalar(
            select(RegisterImport.number).where(*mine, RegisterImport.state == LOADING).limit(1)
        ):
            raise _busy(command.register)
        number = (tx.session.scalar(select(func.max(RegisterImport.number)).where(*mine)) or 0) + 1
        keys = tx.log.keystore.organisation(tx.session, command.organisation_id)
        tx.session.execute(
            insert(RegisterImport).values(
                organisation_id=command.organisation_id,
                register=command.register,
                number=number,
                state=LOADING,
                as_of=command.as_of,
                count=told.tree.count,
                root=told.tree.root,
                blocks=told.tree.blocks,
                matched=command.adapter.matched,
                sealed_salt=keys.sealer.seal(
                    self._salt, salt_context(command.organisation_id, command.register)
                ),
                source=command.source,
                file=told.digest,
                entry_index=None,
                imported_at=tx.now,
                touched_at=tx.now,
            )
        )
        return number

    def _load(self) -> None:
        """Writes the difference to the current import: two sorted streams, side by side."""
        added: list[bytes] = []
        removed: list[bytes] = []
        for one, is_new in self._differences():
            (added if is_new else removed).append(one)
            if len(added) + len(removed) >= BATCH:
                self._write(added, removed)
                added, removed = [], []
        self._write(added, removed)

    def _differences(self) -> Iterator[tuple[bytes, bool]]:
        command, current = self._command, self._current
        with self._database.read() as session:
            old = iter(
                rows.listed_by(session, command.organisation_id, command.register, current.number)
                if current
                else ()
            )
            before = next(old, None)
            for one in self._told.sorter:
                while before is not None and before < one:
                    yield before, False
                    before = next(old, None)
                if before == one:
                    before = next(old, None)
                else:
                    yield one, True
            while before is not None:
                yield before, False
                before = next(old, None)

    def _write(self, added: list[bytes], removed: list[bytes]) -> None:
        command = self._command
        if not added and not removed:
            return
        with self._database.begin() as tx:
            self._touch(tx)
            place = (command.organisation_id, command.register, self._number)
            rows.close(tx, *place, removed)
            rows.add(tx, *place, added)
        self._added += len(added)
        self._removed += len(removed)

    def _touch(self, tx: Tx) -> None:
        """Says that this import still moves; ConflictError when somebody took it for given up."""
        command = self._command
        moved = tx.session.execute(
            update(RegisterImport)
            .where(
                RegisterImport.organisation_id == command.organisation_id,
                RegisterImport.register == command.register,
                RegisterImport.number == self._number,
                RegisterImport.state == LOADING,
            )
            .values(touched_at=tx.now)
        )
        if not isinstance(moved, CursorResult) or moved.rowcount != 1:
            raise _busy(command.register)

    def _become_current(self, tx: Tx) -> Imported:
        command, told = self._command, self._told
        self._touch(tx)
        mine = (
            RegisterImport.organisation_id == command.organisation_id,
            RegisterImport.register == command.register,
        )
        states = update(RegisterImport).where(*mine)
        tx.session.execute(
            states.where(RegisterImport.state == CURRENT).values(state=REPLACED, touched_at=tx.now)
        )
        tx.session.execute(
            states.where(RegisterImport.number == self._number).values(
                state=CURRENT, imported_at=tx.now
            )
        )
        appended = tx.log.append(tx, command.organisation_id, [self._draft()])
        index = appended[0].index
        # Behind the append, because it needs the index: the row is this transaction's own already.
        tx.connection.execute(
            states.where(RegisterImport.number == self._number).values(entry_index=index)
        )
        return Imported(
            command.register,
            command.as_of,
            told.tree.count,
            self._added,
            self._removed,
            index,
            told.tree.root,
        )

    def _draft(self) -> Draft:
        command, told = self._command, self._told
        values = {
            "register": command.register,
            "as_of": to_text(command.as_of),
            "source": command.source,
            "file": told.digest,
            "matched": command.adapter.matched,
            "salt": self._salt.hex(),
        }
        plain = {"count": str(told.tree.count), "root": told.tree.root.hex()}
        return Draft("register.imported", values, actor=command.actor, plain=plain)


def _busy(register: str) -> ConflictError:
    return ConflictError(
        f"another import of {register} is under way, or stopped less than 10 minutes ago"
    )
