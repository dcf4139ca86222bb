"""Two hundred kills under load: web, worker, the whole tree, and PostgreSQL itself; and whether anything is lost.

The harness is the tests' own (tests/support/crash.py), on durable databases. Counts, not rates: how much is done
between two kills is chance. Violations are printed, and one is one too many.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.engines import ENGINES
from bench.figures import Figure
from tests.support.crash import Outcome, Plan, crashing

KILLS = 104
PLAN = Plan(kills=KILLS, seed=3, clients=6, pause=0.01, between=(0.0, 1.0), check_every=8)


def run(engines: Sequence[str] = ENGINES, plan: Plan = PLAN) -> list[Figure]:
    """Kills as planned on each engine."""
    return [figure for engine in engines for figure in _engine(engine, plan)]


def _engine(engine: str, plan: Plan) -> list[Figure]:
    with (
        tempfile.TemporaryDirectory(prefix="cl-crash-") as folder,
        crashing(engine, Path(folder), durable=True) as running,
    ):
        if running is None:
            raise SystemExit("PostgreSQL's server binaries are needed: run `make packages` as root")
        told = running.go(plan)
    for violation in told.violations:
        print(f"violation: {violation}", file=sys.stderr)
    return _figures(engine, told)


def _figures(engine: str, told: Outcome) -> list[Figure]:
    counts = {
        **{f"killed: {kind}": count for kind, count in sorted(told.kills.items())},
        "acts acknowledged": told.acknowledged,
        "of these sign-ups": told.sign_ups,
        "requests broken off": told.broken,
        "answered 503": sum(n for answer, n in told.answers.items() if answer.endswith(" 503")),
        "entries in the log": told.entries,
        "checkpoints published": told.checkpoints,
        "different mails": told.messages,
        "mails sent again, byte for byte": told.mails - told.messages,
        "looks at the whole log": told.checks,
    }
    return [
        *(Figure(engine, f"crash, {name}", count, "") for name, count in counts.items()),
        Figure(engine, "crash, violations", len(told.violations), "", 0, ceiling=True),
    ]
