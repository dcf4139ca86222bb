"""What becomes of it: the worker's own rounds with the clock moved on, in a process of its own.

    python -m bench.siege.afterwards 1 3 8 40 100 400      # days from now

Prints what is stored behind each of these days, one JSON object a line. No service may run beside it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta

import time_machine

from bench.siege.stored import Rows, Stored, settle, stored
from bench.siege.town import Place
from consentledger.db.installation import open_installation
from consentledger.kernel.clock import now
from consentledger.kernel.settings import Settings
from consentledger.worker.housekeeping import timers
from tests.support.mails import working

ROUNDS = 3  # what one round ends, the next one erases


def later(place: Place, days: Sequence[int]) -> list[Stored]:
    """Lets time pass for a town that nobody serves any more; returns what is left behind each day."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.siege.afterwards", *map(str, days)],
        env={**os.environ, **place.world.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return [{name: Rows(**rows) for name, rows in line.items()} for line in lines]


def main() -> None:
    """The child."""
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
