"""Eight writers to one organisation at a paced 300 appends a second for 30 s, while a real worker signs.

Four processes of two threads each; every append is a transaction of its own on the writer's own contact, whose row
it locks first. Latency counts from when the append was due, so that waiting behind a slow one counts, too. Lost is
what was committed and is not in the tree afterwards. A checkpoint's delay is from an entry's commit to `signed_at`
of the first checkpoint that covers it.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading
import time
from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from bench.engines import ENGINES
from bench.figures import Figure, percentile
from bench.million import build_log
from bench.world import World, on_each
from consentledger.contacts import service as contacts
from consentledger.contacts.models import Contact
from consentledger.db.installation import open_database
from consentledger.db.log.entries import Draft
from consentledger.db.models import LogCheckpoint, LogLeaf
from consentledger.kernel.clock import now
from consentledger.kernel.ids import uuid7
from tests.support.installations import settings_from

PROCESSES, THREADS = 4, 2
RATE, SECONDS = 300, 30.0
WARM = 5
LIMIT_P99_MS = 50.0
LIMIT_WORST_S = 1.0
LIMIT_SIGNED_S = 3.0
Written = tuple[int, float, datetime]  # index, seconds from when it was due, when it was committed


def run(engines: Sequence[str] = ENGINES, seconds: float = SECONDS) -> list[Figure]:
    """Measures on each engine."""
    return on_each(engines, lambda made: _engine(made, seconds))


def _engine(made: World, seconds: float) -> list[Figure]:
    database, org = made.installation.database, made.made.organisation_id
    build_log(database, org, 1_000)
    with database.read() as session:
        mine = select(Contact.contact_id).where(Contact.organisation_id == org)
        ids = list(session.scalars(mine.limit(PROCESSES * THREADS)))
    worker = subprocess.Popen(
        [sys.executable, "-m", "consentledger", "worker"],
        env={**os.environ, **made.environment},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        with multiprocessing.get_context("spawn").Pool(PROCESSES) as pool:
            pool.map(_idle, range(PROCESSES), chunksize=1)  # all are up before the clock starts
            begin = time.time() + 3.0  # time to warm up
            work = [
                (made.environment, org, dict(list(enumerate(ids))[n::PROCESSES]), begin, seconds)
                for n in range(PROCESSES)
            ]
            results = pool.starmap(_process, work, chunksize=1)
        _wait_until_signed(made)
    finally:
        worker.terminate()
        worker.wait(40)
    written = [one for part, _ in results for one in part]
    failed = [error for _, errors in results for error in errors]
    for error in failed[:3]:
        print(f"failed: {error}", file=sys.stderr)
    return _figures(made, written, len(failed), seconds)


def _idle(_: int) -> None:
    time.sleep(1.0)


def _process(
    environment: dict[str, str], org: UUID, ids: dict[int, UUID], begin: float, seconds: float
) -> tuple[list[Written], list[str]]:
    """One process of writers, each by its number and with its contact; errors as text."""
    database = open_database(settings_from(environment))
    written: list[Written] = []
    failed: list[str] = []
    pause = PROCESSES * THREADS / RATE

    def append(contact_id: UUID) -> int:
        with database.begin() as tx:
            contact = contacts.lock(tx, org, [contact_id])[contact_id]
            values = {"request": str(uuid7())}
            draft = Draft("consent.expired", values, actor="worker", chain=contact.chain)
            return tx.log.append(tx, org, [draft])[0].index

    def write(number: int, contact_id: UUID) -> None:
        for _ in range(WARM):
            append(contact_id)
        due = begin + number / RATE
        while due < begin + seconds:
            time.sleep(max(0.0, due - time.time()))
            try:
                index = append(contact_id)
                written.append((index, time.time() - due, now()))
            except Exception as error:
                failed.append(repr(error))
            due += pause

    threads = [threading.Thread(target=write, args=one) for one in ids.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    database.close()
    return written, failed


def _wait_until_signed(made: World) -> None:
    deadline = time.monotonic() + 30
    while made.installation.signer.sign_due() and time.monotonic() < deadline:
        time.sleep(0.5)


def _figures(made: World, written: list[Written], failed: int, seconds: float) -> list[Figure]:
    org = made.made.organisation_id
    with made.installation.database.read() as session:
        leaves = select(LogLeaf.entry_index).where(LogLeaf.organisation_id == org)
        there = set(session.scalars(leaves))
        query = select(LogCheckpoint.size, LogCheckpoint.signed_at)
        query = query.where(LogCheckpoint.organisation_id == org).order_by(LogCheckpoint.size)
        signed = [(row.size, row.signed_at) for row in session.execute(query)]
    sizes = [size for size, _ in signed]
    if not signed or sizes[-1] <= max(index for index, _, _ in written):
        raise SystemExit("not everything was signed")
    delays = [
        (signed[bisect_right(sizes, index)][1] - at).total_seconds() for index, _, at in written
    ]
    waits = [wait for _, wait, _ in written]
    lost = len(written) - len({index for index, _, _ in written} & there)
    name, server = "8 writers, 300/s", made.engine == "postgresql"
    return [
        Figure(made.engine, f"{name}, appends", len(written) / seconds, "/s"),
        Figure(made.engine, f"{name}, failed", failed, "", 0, ceiling=True),
        Figure(made.engine, f"{name}, lost or twice", lost, "", 0, ceiling=True),
        Figure(
            made.engine, f"{name}, p99", percentile(waits, 0.99) * 1000, "ms",
            LIMIT_P99_MS if server else None, ceiling=True,
        ),
        Figure(
            made.engine, f"{name}, worst", max(waits), "s",
            None if server else LIMIT_WORST_S, ceiling=True,
        ),
        Figure(
            made.engine, "checkpoint behind a commit, p99", percentile(delays, 0.99), "s",
            LIMIT_SIGNED_S, ceiling=True,
        ),
        Figure(made.engine, "checkpoints meanwhile", len(signed), ""),
    ]  # fmt: skip
