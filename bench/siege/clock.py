"""The child of bench/siege/afterwards.py: the worker's own rounds with the clock moved on.

    python -m bench.siege.clock 1 3 8 40 100 400      # days from now

Prints what is stored behind each of these days, one JSON object a line. No service may run beside it.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import timedelta

import time_machine

from bench.siege.stored import settle, stored
from consentledger.db.installation import open_installation
from consentledger.kernel.clock import now
from consentledger.kernel.settings import Settings
from consentledger.worker.housekeeping import timers
from tests.support.mails import working

ROUNDS = 3  # what one round ends, the next one erases


def main() -> None:
    """Does each day's rounds."""
    settings = Settings.load()
    installation, start = open_installation(settings), now()
    for day in map(int, sys.argv[1:]):
        with time_machine.travel(start + timedelta(days=day), tick=True):
            for _ in range(ROUNDS):
                for timer in timers(settings):
                    timer.act(installation)
                with working(installation):
                    settle(installation)
            told = {name: asdict(rows) for name, rows in stored(installation).items()}
        print(json.dumps(told), flush=True)
    installation.database.close()


if __name__ == "__main__":
    main()
