"""What becomes of it: the worker's own rounds with the clock moved on, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence

from bench.siege.stored import Rows, Stored
from bench.siege.town import Place


def later(place: Place, days: Sequence[int]) -> list[Stored]:
    """Lets time pass for a town that nobody serves any more; returns what is left behind each day."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.siege.clock", *map(str, days)],
        env={**os.environ, **place.world.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return [{name: Rows(**rows) for name, rows in line.items()} for line in lines]
