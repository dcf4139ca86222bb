"""The run itself: piece after piece is prepared, issued, committed and handed on, in flat memory.

While one batch is issued, the next is read and its facts are looked up in a second thread: what they miss lies at
or beyond their own h0 and is looked at again under the head's lock, however long the asker took to read the answer.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy.orm import Session

from consentledger.db.engine import Database
from consentledger.kernel.errors import ConflictError, ConsentLedgerError
from consentledger.permits import service
from consentledger.permits.bulk import runs
from consentledger.permits.bulk.asking import command_for
from consentledger.permits.bulk.body import PIECE, Kept, Piece
from consentledger.permits.bulk.runs import Run
from consentledger.permits.rules import IssuePermits
from consentledger.permits.service import Issued, Prepared


class Source(Protocol):
    """Where recipients come from: the lines of a body, or all contacts of the organisation."""

    @property
    def line(self) -> int:
        """The number of the last recipient's line."""

    def next(self, count: int) -> Piece | None:
        """Reads the next recipients; None behind the last."""

    def again(self, session: Session, kept: Kept, issued: Issued) -> Piece:
        """Reads the recipients of a batch that was committed before, in the order of its rows."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A piece and its committed batch; None where no line of the piece asked about anybody."""

    piece: Piece
    issued: Issued | None


class Bulk:
    """One request: `head` is the message, `run` what its Idempotency-Key has committed so far."""

    def __init__(
        self, database: Database, head: IssuePermits, source: Source, run: Run | None = None
    ) -> None:
        self._database, self._head, self._source, self._run = database, head, source, run
        self._position = 0
        self._before: Prepared | None = None
        self.done = False

    def answers(self) -> Generator[Answered]:
        """Yields committed pieces: those of the store first, then new ones. Closing it lets the run go."""
        try:
            yield from self._again()
            if self._run is None or not self._run.done:
                yield from self._anew()
            self.done = True
        finally:
            self._release()

    def _again(self) -> Iterator[Answered]:
        if self._run is None:
            return
        with self._database.read() as session:
            kept = runs.committed(session, self._database.log.keystore, self._run)
        for batch in kept:
            yield from self._without_batch(batch.first - 1)
            with self._database.read() as session:
                issued = service.again(session, self._head, batch.kept)
                piece = self._source.again(session, batch, issued)
            if len(piece.addresses) != len(issued.rows):
                raise _other_version()
            self._position += 1
            yield Answered(piece, issued)
        if self._run.done:
            yield from self._without_batch(None)

    def _without_batch(self, last: int | None) -> Iterator[Answered]:
        """Lines that asked about nobody left no batch, and are read again as they were."""
        while last is None or self._source.line < last:
            piece = self._source.next(PIECE if last is None else last - self._source.line)
            if piece is None:
                return
            if piece.addresses:
                raise _other_version()
            yield Answered(piece, None)

    def _anew(self) -> Iterator[Answered]:
        with ThreadPoolExecutor(1, "permits-ahead") as ahead:
            future = ahead.submit(self._prepare)
            while (found := future.result()) is not None:
                future = ahead.submit(self._prepare)
                piece, prepared = found
                yield Answered(piece, None if prepared is None else self._issue(piece, prepared))

    def _prepare(self) -> tuple[Piece, Prepared | None] | None:
        piece = self._source.next(PIECE)
        if piece is None:
            return None
        if not piece.addresses:
            return piece, None
        prepared = service.prepare(self._database, command_for(self._head, piece), self._before)
        self._before = prepared
        return piece, prepared

    def _issue(self, piece: Piece, prepared: Prepared) -> Issued:
        with self._database.begin() as tx:
            if self._run is None:
                return service.issue(tx, prepared)
            runs.hold(tx, self._run)
            issued = service.issue(tx, prepared)
            lines = (piece.first, piece.last)
            runs.add(tx, self._run, self._position, lines, service.to_keep(issued))
        self._position += 1
        return issued

    def _release(self) -> None:
        if self._run is None or self._run.done:
            return
        # What can't be written now is no harm: the holder's time ends by itself.
        with suppress(ConsentLedgerError), self._database.begin() as tx:
            if self._position == 0 and not self.done:
                runs.forget(tx, self._run)
            else:
                runs.release(tx, self._run, done=self.done)


def _other_version() -> ConflictError:
    return ConflictError("this run was begun by another version: take another key")
