"""The memory of an evidence export: one person's bundle out of a log of ten thousand entries, and of a million.

Each export is a process of its own; what counts is the most that it ever held (ru_maxrss).
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from typing import BinaryIO, cast
from uuid import UUID

from bench.engines import ENGINES
from bench.figures import Figure
from bench.million import grown
from bench.people import people
from bench.world import World, on_each
from consentledger.db.installation import open_installation
from consentledger.evidence.service import ExportEvidence, export
from consentledger.kernel.settings import Settings

SIZES = (10_000, 1_000_000)
LIMIT_MIB = 200
ADDRESS = "subscriber@example.org"


def run(engines: Sequence[str] = ENGINES, sizes: Sequence[int] = SIZES) -> list[Figure]:
    """Measures on each engine, in one log that grows; how long it takes to grow is bench/million.py's figure."""
    return on_each(engines, lambda made: _engine(made, sizes))


def _engine(made: World, sizes: Sequence[int]) -> list[Figure]:
    people(made).subscribe(ADDRESS)
    figures, person = [], 0
    for size in sizes:
        figures += grown(made, size, person)
        person += size
        name = f"memory of an export from {size:,} entries"
        figures.append(Figure(made.engine, name, _most(made), "MiB", LIMIT_MIB, ceiling=True))
    return figures


def _most(made: World) -> float:
    words = [sys.executable, "-m", "bench.memory", str(made.made.organisation_id)]
    done = subprocess.run(
        words,
        env={**os.environ, **made.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return float(done.stdout.split()[-1])


def main() -> None:
    """The child: exports into an unlinked file and says how many MiB it held at most."""
    installation = open_installation(Settings.load())
    with tempfile.TemporaryFile() as file:
        export(installation, ExportEvidence(UUID(sys.argv[1]), ADDRESS), cast(BinaryIO, file))
    installation.database.close()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    main()
