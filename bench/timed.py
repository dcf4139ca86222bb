"""The web as it is, with one clock more: how long each transaction held the log's head, from lock to commit.

The longest hold of each process is written to the file that BENCH_HEAD_LOCK names, with its process id.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Any

from sqlalchemy import event

from consentledger.cli.web import application as served
from consentledger.db.installation import open_installation
from consentledger.db.log.append import Log
from consentledger.kernel import logging
from consentledger.kernel.settings import Settings

_since = threading.local()
_longest = 0.0
_folder = Path(os.environ["BENCH_HEAD_LOCK"])
_lock_head = Log.lock_head


def _timed(log: Log, *words: Any) -> Any:
    head = _lock_head(log, *words)
    _since.at = time.perf_counter()
    return head


def _committed(*_: Any) -> None:
    global _longest
    began = getattr(_since, "at", None)
    _since.at = None
    if began is not None and (held := time.perf_counter() - began) > _longest:
        _longest = held
        (_folder / str(os.getpid())).write_text(str(held))


Log.lock_head = _timed  # type: ignore[method-assign]
logging.configure()
_installation = open_installation(Settings.load())
# Behind the commit itself: the connection goes back to its pool.
event.listen(_installation.database.write_engine, "checkin", _committed)
application = served(_installation.settings, _installation)
