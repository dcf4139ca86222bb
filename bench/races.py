"""A thousand races of each kind against permits being issued: stops, objections, packs, categories, registers.

The races and the auditor are the tests' own (tests/support/races.py), on durable databases: a batch and an act at the
same time, every tenth with the act right between facts and lock. Afterwards the log is read in order and every line
decided again. Counts, not rates; one violation is one too many.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from bench.engines import ENGINES
from bench.figures import Figure
from bench.world import world
from tests.support.permits import make_shop
from tests.support.races import KINDS, Races

RACES = 1_000
BETWEEN_EVERY = 10


def run(engines: Sequence[str] = ENGINES, count: int = RACES) -> list[Figure]:
    """Runs `count` races of each kind on each engine."""
    return [figure for engine in engines for figure in _engine(engine, count)]


def _engine(engine: str, count: int) -> list[Figure]:
    with world(engine) as made:
        installation = made.installation
        shop = make_shop(installation.database, installation.settings, "races")
        races = Races(shop, random.Random(5)).begin()
        for number in range(count):
            for kind in KINDS:
                races.run(kind, between=number % BETWEEN_EVERY == 0)
        found = races.audit()
    counts = {
        **{f"against {kind}": count for kind in KINDS},
        "permits and denials in them": found.permits,
        "of these permits": found.allowed,
    }
    return [
        *(Figure(engine, f"races, {name}", number, "") for name, number in counts.items()),
        Figure(
            engine, "races, permits behind what forbids them", found.against, "", 0, ceiling=True
        ),
        Figure(engine, "races, lines that say otherwise", found.wrong, "", 0, ceiling=True),
    ]
