"""A sign-up that waits for its mail, a worker in a process of its own, and the entries that came of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from consentledger.consents.commands import Accepted, RequestConsent
from consentledger.consents.requesting import request
from consentledger.db.engine import Database
from consentledger.db.installation import Installation
from consentledger.db.log.entries import open_disclosures, opening_context, unframe
from consentledger.db.models import LogHead, LogLeaf, Opening
from consentledger.db.tables import metadata
from consentledger.ledger.leaf import check_disclosures, parse_leaf
from consentledger.organisations.facts import PublishedForm
from consentledger.outbox.models import OutboxRow
from consentledger.worker.context import Handler
from consentledger.worker.handlers import HANDLERS
from consentledger.worker.loop import Pace, Worker
from consentledger.worker.peers import Rest
from consentledger.worker.timers import Timer

# The worker's own pace is made for months; a test's for seconds. With the fault `before-commit` it
# is killed behind the peer's 250 and before anything of it is committed.
WORKER = """
import os, signal, sys
from dataclasses import replace
from consentledger.db.installation import open_installation
from consentledger.kernel.settings import Settings
from consentledger.outbox.rules import RetryPolicy
from consentledger.worker import main
from consentledger.worker.jobs import confirmation
from consentledger.worker.loop import Pace
from consentledger.worker.peers import Rest

fault, lease, most = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
if fault == "before-commit":
    confirmation._tell_surely = lambda *words: os.kill(os.getpid(), signal.SIGKILL)
confirmation.SENDING = RetryPolicy(most=most, first=0.1, longest=0.2)
main.HANDLERS = {
    kind: replace(each, policy=confirmation.SENDING) if kind == "confirmation.send" else each
    for kind, each in main.HANDLERS.items()
}
pace = Pace(threads=3, poll=0.02, lease=lease, drain=5.0, rest=Rest(0.05, 0.1))
sys.exit(0 if main.run(open_installation(Settings.load()), pace) else 1)
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One opened entry of a log; a field whose opening is gone is missing from `values`."""

    index: int
    kind: str
    values: Mapping[str, Any]
    blobs: tuple[bytes, ...]
    appended_at: Any


def sign_up(
    database: Database, form: PublishedForm, address: str, boxes: int | None = None
) -> Accepted:
    """Posts a form with all boxes (or the first ones) ticked."""
    ticked = tuple(box.purpose_id for box in form.purposes[:boxes])
    with database.begin() as tx:
        return request(tx, RequestConsent(form=form, address=address, ticked=ticked))


def entries(database: Database, organisation_id: UUID, *kinds: str) -> list[Entry]:
    """Opens the entries of a log as an auditor would, values held against their commitments."""
    with database.read() as session:
        origin = session.scalar(
            select(LogHead.origin).where(LogHead.organisation_id == organisation_id)
        )
        keystore = database.log.keystore
        sealers: dict[UUID | None, Any] = {
            None: keystore.organisation(session, organisation_id).sealer
        }
        contents: dict[int, dict[str, bytes]] = {}
        leaves = session.scalars(
            select(LogLeaf)
            .where(LogLeaf.organisation_id == organisation_id)
            .order_by(LogLeaf.entry_index)
        ).all()
        hashes = {leaf.entry_index: leaf.leaf_hash for leaf in leaves}
        for row in session.scalars(
            select(Opening).where(Opening.organisation_id == organisation_id)
        ):
            if row.key_id not in sealers:
                keys = keystore.contact_keys(session, organisation_id, row.key_id)  # type: ignore[arg-type]
                sealers[row.key_id] = keys.sealer
            context = opening_context(str(origin), hashes[row.entry_index], row.opening_class)
            opened = sealers[row.key_id].open(row.sealed, context)
            contents.setdefault(row.entry_index, {})[row.opening_class] = opened
        return [
            _entry(leaf, contents.get(leaf.entry_index, {}))
            for leaf in leaves
            if not kinds or parse_leaf(leaf.leaf).kind_name in kinds
        ]


def _entry(leaf: LogLeaf, opened: Mapping[str, bytes]) -> Entry:
    parsed = parse_leaf(leaf.leaf)
    disclosures = [
        line
        for name in ("core", "technical")
        if name in opened
        for line in open_disclosures(opened[name])
    ]
    values = {**check_disclosures(parsed, disclosures), **parsed.plain} if disclosures else {}
    blobs = tuple(unframe(opened["copy"])) if "copy" in opened else ()
    return Entry(leaf.entry_index, parsed.kind_name, values, blobs, leaf.appended_at)


def handled(database: Database, organisation_id: UUID) -> list[Mapping[str, Any]]:
    """Returns what the log's confirmation.handled entries say, oldest first."""
    return [found.values for found in entries(database, organisation_id, "confirmation.handled")]


def stored(database: Database) -> Iterator[tuple[str, bytes]]:
    """Yields everything that is stored: each row of each table, and SQLite's files."""
    with database.read() as session:
        for table in metadata().sorted_tables:
            for row in session.execute(select(table)).all():
                yield table.name, b"|".join(map(_cell, row))
    if database.name == "sqlite":
        file = Path(str(database.url.database))
        for each in file.parent.glob(f"{file.name}*"):
            yield each.name, each.read_bytes()


def _cell(cell: object) -> bytes:
    return bytes(cell) if isinstance(cell, bytes | memoryview) else str(cell).encode()


def waiting(installation: Installation) -> int:
    """Returns how many pieces of work are in the outbox, buried ones included."""
    with installation.database.read() as session:
        return session.scalar(select(func.count()).select_from(OutboxRow)) or 0


def eventually(condition: Callable[[], bool], seconds: float = 15) -> None:
    """Waits for a condition; AssertionError if it never holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came to pass"
        time.sleep(0.02)


PACE = Pace(threads=3, poll=0.02, lease=5.0, drain=5.0, rest=Rest(0.05, 0.1))


@contextmanager
def working(
    installation: Installation,
    handlers: Mapping[str, Handler] = HANDLERS,
    timers: Sequence[Timer] = (),
) -> Iterator[None]:
    """A worker in a thread until the block ends."""
    worker = Worker(installation, handlers, timers, PACE)
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield
    finally:
        worker.stop()
        thread.join(10)


def work_off(installation: Installation, handlers: Mapping[str, Handler] = HANDLERS) -> None:
    """Lets a worker do all that is in the outbox."""
    with working(installation, handlers):
        eventually(lambda: waiting(installation) == 0)


@contextmanager
def worker_process(
    environment: Mapping[str, str], fault: str = "none", *, lease: float = 1.0, most: int = 10
) -> Iterator[subprocess.Popen[bytes]]:
    """A worker in a process of its own; killed at the end if it still lives."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG")}
    child = subprocess.Popen(
        [sys.executable, "-c", WORKER, fault, str(lease), str(most)],
        env={**kept, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield child
    finally:
        if child.poll() is None:
            child.send_signal(signal.SIGKILL)
        child.wait()
