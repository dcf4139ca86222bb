"""What the command `consentledger worker` calls."""

from __future__ import annotations

from consentledger.db.installation import Installation
from consentledger.worker.handlers import HANDLERS
from consentledger.worker.housekeeping import timers
from consentledger.worker.loop import Pace, Worker


def run(installation: Installation, pace: Pace | None = None) -> bool:
    """Works until SIGTERM or SIGINT, finishes what was begun, and says whether all of it was.

    For the main thread of a process of its own; `Worker` alone does the same in any thread.
    """
    worker = Worker(installation, HANDLERS, timers(installation.settings), pace)
    worker.stop_on_signals()
    return worker.run()
