"""fsck and rebuild-state: rates on one core, and the peak memory of the commands, on a small and on a large log."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

from sqlalchemy import text

from bench.engines import ENGINES
from bench.figures import Figure
from bench.histories import build_histories
from bench.proofs import build
from bench.world import World, on_each
from consentledger.db.fsck import fsck as check_tree
from consentledger.replay.service import fsck as check_everything
from consentledger.replay.service import rebuild

SIZES = (10_000, 1_000_000)
OPENED = 100_000
MOST_MIB = 200.0
TREE = {"sqlite": 100_000.0, "postgresql": 50_000.0}
OPENINGS = 8_000.0
REBUILD = 5_000.0


def run(engines: Sequence[str] = ENGINES) -> list[Figure]:
    """Measures on each engine: the tree at both sizes, the openings and the rebuild on whole sign-ups."""
    return [*on_each(engines, _tree), *on_each(engines, _state)]


def _tree(made: World) -> list[Figure]:
    figures = []
    for entries in SIZES:
        build(made, entries)
        rate = _rate(entries, lambda: _sound(made, check_tree))
        name = f"{entries:,} entries"
        peak = _peak(made, "fsck")
        figures += [
            Figure(made.engine, f"fsck, {name}", rate, "entries/s", TREE[made.engine]),
            Figure(made.engine, f"fsck, {name}, peak memory", peak, "MiB", MOST_MIB, ceiling=True),
        ]
    return figures


def _state(made: World) -> list[Figure]:
    engine = made.engine
    build_histories(made, OPENED)
    org = made.made.organisation_id
    _analyse(made)
    rates = [_rate(OPENED, lambda: rebuild(made.installation, org))]
    _analyse(made)
    rates.append(_rate(OPENED, lambda: _sound(made, check_everything)))
    rates.append(_rate(OPENED, lambda: rebuild(made.installation, org)))
    peak = _peak(made, "fsck", "--openings")
    again = _peak(made, "rebuild-state")
    name = f"{OPENED:,} entries"
    return [
        Figure(engine, f"rebuild-state from nothing, {name}", rates[0], "entries/s", REBUILD),
        Figure(engine, f"rebuild-state, nothing to do, {name}", rates[2], "entries/s", REBUILD),
        Figure(engine, f"fsck --openings, {name}", rates[1], "entries/s", OPENINGS),
        Figure(engine, "fsck --openings, peak memory", peak, "MiB", MOST_MIB, ceiling=True),
        Figure(engine, "rebuild-state, peak memory", again, "MiB", MOST_MIB, ceiling=True),
    ]


def _analyse(made: World) -> None:
    """What autovacuum does soon after on a server that lives longer than a bench."""
    with made.installation.database.begin() as tx:
        tx.session.execute(text("ANALYZE"))


def _sound(made: World, check: Callable[..., object]) -> None:
    report = check(made.installation, made.made.organisation_id)
    findings = getattr(report, "findings", [])
    if findings:
        raise SystemExit(f"the log is not sound: {findings[:3]}")


def _rate(entries: int, work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return entries / (time.perf_counter() - started)


def _peak(made: World, *words: str) -> float:
    """Runs a command in a process of its own; returns its peak of resident memory in MiB."""
    child = subprocess.Popen(
        [sys.executable, "-m", "consentledger", "log", *words],
        env={**os.environ, **made.environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{' '.join(words)} ended with {child.returncode}")
    return usage.ru_maxrss / 1024
