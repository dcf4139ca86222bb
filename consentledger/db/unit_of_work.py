"""The unit of work: state rows, log entries and outbox rows commit together, once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection
from sqlalchemy.orm import Session

if TYPE_CHECKING:
    from consentledger.db.engine import Database
    from consentledger.db.log import Log


@dataclass(slots=True)
class Tx:
    """One open transaction, made by delivery (web, worker, cli) and handed down to one verb.

    `now` is fixed when it begins. `closed` is set by db.log.append: behind it come only reads and the commit,
    because the lock order is own rows, then the head, then nothing (architecture, One transaction).
    """

    database: Database
    log: Log
    session: Session
    connection: Connection
    now: datetime
    closed: bool = False
