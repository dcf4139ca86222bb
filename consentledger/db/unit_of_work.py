"""The unit of work: state rows, log entries and outbox rows commit together, once."""

from __future__ import annotations

from datetime import datetime
from time import monotonic
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from consentledger.kernel.errors import UnavailableError

if TYPE_CHECKING:
    from consentledger.db.engine import Database
    from consentledger.db.log.append import Log

KEYS_WAIT_SECONDS = 600.0  # a sixth of the age at which a key that nobody took is swept


class Tx:
    """One open transaction, made by delivery (web, worker, cli) and handed down to one verb.

    `now` is fixed when it begins. `closed` is set by db.log.append: behind it come only reads and the commit,
    because the lock order is own rows, then the head, then nothing (architecture, One transaction).
    """

    __slots__ = (
        "_keys_since",
        "_session",
        "closed",
        "connection",
        "database",
        "held",
        "log",
        "now",
    )

    def __init__(self, database: Database, connection: Connection, now: datetime) -> None:
        self.database = database
        self.log: Log = database.log
        self.connection = connection
        self.now = now
        self.closed = False
        self.held: set[UUID] = (
            set()
        )  # organisations whose suppression key can't change before the end
        self._keys_since: float | None = None
        self._session: Session | None = None

    @property
    def session(self) -> Session:
        """The ORM's session on this connection, made when first asked for."""
        if self._session is None:
            self._session = Session(bind=self.connection, autoflush=False, expire_on_commit=False)
        return self._session

    @property
    def driver(self) -> Any:
        """The driver's own connection, for the log's few hot statements; its errors are translated too."""
        return self.connection.connection.driver_connection

    def keys_were_stored(self) -> None:
        """Notes that a key store of its own holds keys which only this transaction's commit will use."""
        self._keys_since = self._keys_since or monotonic()

    def flush(self) -> None:
        """Writes what the session still holds back; UnavailableError when its keys may be swept already."""
        if self._keys_since is not None and monotonic() - self._keys_since > KEYS_WAIT_SECONDS:
            raise UnavailableError("this took so long that its keys may be gone: try again")
        if self._session is not None:
            self._session.flush()

    def close(self) -> None:
        """Lets the session go; the connection is the engine's."""
        if self._session is not None:
            self._session.close()
