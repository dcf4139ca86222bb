"""Holds every head against the guard, also while running: a database may be restored under our feet.

`check` is called under the head's lock before every append, so a log that contradicts its guard takes no entry, no
permit and no stop from the next request on. A head that is ahead of the guard but does not extend what was signed
is not seen here: the signer sees it, within CHECKPOINT_SECONDS, and freezes it in the guard for everybody.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import UUID

import structlog
from sqlalchemy import select

from consentledger.db.guard.model import Guard, Signed
from consentledger.db.models import LogHead
from consentledger.kernel.errors import FrozenError, IntegrityError

if TYPE_CHECKING:
    from consentledger.db.engine import Database

GIVEN_UP = "given up"  # begins the reason of an origin that a log has left behind
WHAT_TO_DO = "Run `consentledger log recover`; docs/recovery.md says what it does."
_log = structlog.get_logger(__name__)


class ContradictionError(IntegrityError):
    """A head contradicts what was signed: restored, truncated or forked. The text says which."""


class Watch:
    """Refuses what contradicts the guard. Once seen, it stays frozen until somebody runs `log recover`.

    The mark stands in the guard, so that all processes see it, also when the next database that is put in this
    one's place looks right again: stops may wait in the journal by then.
    """

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._lifted: set[str] = set()

    def check(self, origin: str, size: int, root: bytes) -> None:
        """Raises FrozenError unless entries may be appended to this head; it must be read under its lock.

        A head read without the lock may be older than what the guard holds by now: for that there is `look`.
        """
        state = self._guard.look(origin)
        if state.frozen is not None and origin not in self._lifted:
            raise FrozenError(sentence(origin, state.frozen))
        found = contradiction(origin, state.signed, Signed(size, root))
        if found is not None:
            self.freeze(origin, found)
            raise FrozenError(sentence(origin, found))

    def look(self, database: Database, organisation_id: UUID) -> None:
        """Raises FrozenError when an organisation's log is frozen, for reads that nothing may be sent upon."""
        reason = self.reason(database, organisation_id)
        if reason is not None:
            raise FrozenError(reason)

    def reason(self, database: Database, organisation_id: UUID) -> str | None:
        """Returns in a sentence why a log is frozen, or None; as it was a second ago at most."""
        found = self._found(database, organisation_id)
        return sentence(*found) if found else None

    def frozen_origin(self, database: Database, organisation_id: UUID) -> str | None:
        """Returns the origin of a log that is frozen, None for any other."""
        found = self._found(database, organisation_id)
        return found[0] if found else None

    def _found(self, database: Database, organisation_id: UUID) -> tuple[str, str] | None:
        """Returns origin and reason of a frozen log."""
        row = _head(database, organisation_id)
        if row is None:
            return None
        origin, head = row
        state = self._guard.look(origin)
        if state.frozen is not None:
            return origin, state.frozen
        if contradiction(origin, state.signed, head) is None:
            return None
        # The guard may have moved on since the head was read: only one that was read after it is held against it.
        again = _head(database, organisation_id)
        wrong = contradiction(origin, state.signed, again[1]) if again else None
        if wrong is None:
            return None
        self.freeze(origin, wrong)
        return origin, wrong

    def missing(self, database: Database) -> list[tuple[str, Signed]]:
        """Returns the logs that were signed and that the database lacks altogether, with what was signed."""
        states = [(origin, self._guard.state(origin)) for origin in self._guard.origins()]
        # Behind the guard's look, as everywhere: a new log is committed before it is signed.
        with database.read() as session:
            here = set(session.scalars(select(LogHead.origin)))
        return [
            (origin, state.signed)
            for origin, state in states
            if state.signed and origin not in here and not (state.frozen or "").startswith(GIVEN_UP)
        ]

    def still_frozen(self, origin: str) -> bool:
        """Says whether the guard has the mark now, not a moment ago."""
        return self._guard.frozen(origin) is not None

    def freeze(self, origin: str, reason: str) -> None:
        """Marks a log frozen for every process, and raises the alarm once."""
        if self._guard.freeze(origin, reason):
            _log.critical("log frozen", reason=reason, todo=WHAT_TO_DO)

    @contextmanager
    def lifted(self, origin: str) -> Iterator[None]:
        """Lets this process alone append to a frozen log, for its recovery; what the guard signed must be there."""
        self._lifted.add(origin)
        try:
            yield
        finally:
            self._lifted.discard(origin)


def _head(database: Database, organisation_id: UUID) -> tuple[str, Signed] | None:
    query = select(LogHead.origin, LogHead.size, LogHead.root)
    with database.read() as session:
        row = session.execute(query.where(LogHead.organisation_id == organisation_id)).one_or_none()
    return (row.origin, Signed(row.size, row.root)) if row else None


def contradiction(origin: str, signed: Signed | None, head: Signed) -> str | None:
    """Says what a head tells against what was signed, or None when nothing does or only its tree could."""
    if signed is None or head.size > signed.size or head == signed:
        return None
    if head.size < signed.size:
        return (
            f"{origin} has {head.size} entries, but {signed.size} were signed: "
            "the database was restored or truncated"
        )
    return f"{origin} was forked: the same size, {head.size}, has another root than was signed"


def lacking(origin: str, signed: Signed) -> str:
    """Says that a log is missing from the database, and what to do."""
    return (
        f"{origin}: {signed.size} entries were signed, and the database has no such log: it was restored to a moment "
        "before the organisation was made. Put back a later backup."
    )


def sentence(origin: str, reason: str) -> str:
    """Returns what happened to a frozen log and what to do."""
    about = reason if origin in reason else f"{origin}: {reason}"
    return f"{about}. It is frozen: nothing is appended, signed or permitted. {WHAT_TO_DO}"
