"""The unit of work: state rows, log entries and outbox rows commit together, once."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection
from sqlalchemy.orm import Session

if TYPE_CHECKING:
    from consentledger.db.engine import Database
    from consentledger.db.log import Log


class Tx:
    """One open transaction, made by delivery (web, worker, cli) and handed down to one verb.

    `now` is fixed when it begins. `closed` is set by db.log.append: behind it come only reads and the commit,
    because the lock order is own rows, then the head, then nothing (architecture, One transaction).
    """

    __slots__ = ("_session", "closed", "connection", "database", "log", "now")

    def __init__(self, database: Database, connection: Connection, now: datetime) -> None:
        self.database = database
        self.log: Log = database.log
        self.connection = connection
        self.now = now
        self.closed = False
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

    def flush(self) -> None:
        """Writes what the session still holds back."""
        if self._session is not None:
            self._session.flush()

    def close(self) -> None:
        """Lets the session go; the connection is the engine's."""
        if self._session is not None:
            self._session.close()
