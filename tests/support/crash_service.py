"""`consentledger serve` at a pace for crashes: the same supervisor and web, a worker whose waits are short.

    python -m tests.support.crash_service serve 127.0.0.1:PORT
    python -m tests.support.crash_service worker

The worker's own pace is made for months: a job that a killed worker had in hand comes back after 30 seconds.
"""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace

from consentledger.cli import children
from consentledger.cli.children import Child, Children, die_with_parent
from consentledger.cli.serve import service
from consentledger.cli.sockets import listen
from consentledger.db.installation import open_installation
from consentledger.kernel import logging
from consentledger.kernel.settings import Settings
from consentledger.outbox.rules import RetryPolicy
from consentledger.worker.handlers import HANDLERS
from consentledger.worker.housekeeping import timers
from consentledger.worker.jobs import confirmation
from consentledger.worker.loop import Pace, Worker
from consentledger.worker.peers import Rest

RETRIES = RetryPolicy(most=10_000, first=0.1, longest=0.3)
PACE = Pace(threads=3, poll=0.05, lease=1.5, drain=5.0, pause=0.2, rest=Rest(0.05, 0.1))
PROCESSES, THREADS = 2, 4


def serve(bind: str) -> int:
    """Runs web and worker under the real supervisor, which waits no longer however often they die."""
    children.LONGEST_PAUSE_SECONDS = 0.1
    logging.configure()
    with listen(bind) as listener:
        web, _ = service(listener, os.environ, processes=PROCESSES, threads=THREADS)
        hands = Child("worker", ["-m", "tests.support.crash_service", "worker"], os.environ)
        with Children([web, hands]) as running:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, running.stop)
            return running.watch()


def work() -> int:
    """Runs the real worker; whatever is interrupted comes again at once and is never given up."""
    die_with_parent()
    logging.configure()
    confirmation.SENDING = RETRIES
    handlers = {kind: replace(each, policy=RETRIES) for kind, each in HANDLERS.items()}
    installation = open_installation(Settings.load())
    worker = Worker(installation, handlers, timers(installation.settings), PACE)
    worker.stop_on_signals()
    return 0 if worker.run() else 1


if __name__ == "__main__":
    sys.exit(work() if sys.argv[1] == "worker" else serve(sys.argv[2]))
