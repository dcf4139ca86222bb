"""The loop: lease what is due, do it in a few threads, keep the leases alive, drain on SIGTERM.

Nothing is lost on SIGKILL: a job is done only when its row is deleted, together with its results;
what was leased then comes back when its lease runs out, and the leases are short because a living
worker prolongs them.
"""

from __future__ import annotations

import os
import queue
import signal
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType
from uuid import UUID, uuid4

import structlog

from consentledger.db.installation import Installation
from consentledger.kernel.clock import now
from consentledger.kernel.errors import ConsentLedgerError
from consentledger.outbox.queries import anything_due
from consentledger.outbox.service import Job, extend, lease
from consentledger.worker.context import Context, Handler
from consentledger.worker.jobs.lookups import domains_of
from consentledger.worker.mailer import Mailer
from consentledger.worker.peers import Peers, Rest
from consentledger.worker.perform import perform
from consentledger.worker.timers import Timer, TimerThread

_log = structlog.get_logger("consentledger.worker")


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds, and the number of threads: SMTP peers are waited for, so more than there are cores.

    `lease` is how long after a SIGKILL its work comes back; `drain` how long SIGTERM waits.
    """

    threads: int = 4
    poll: float = 0.2
    lease: float = 30.0
    drain: float = 25.0
    pause: float = 1.0
    rest: Rest = field(default_factory=Rest)


class Worker:
    """Does the work of all organisations of one installation until it is stopped."""

    def __init__(
        self,
        installation: Installation,
        handlers: Mapping[str, Handler],
        timers: Sequence[Timer] = (),
        pace: Pace | None = None,
    ) -> None:
        self._installation = installation
        self._handlers = handlers
        self._kinds = tuple(sorted(handlers))
        self._pace = pace or Pace()
        self.name = f"{socket.gethostname()}/{os.getpid()}/{uuid4().hex[:8]}"
        self._stop = threading.Event()
        self._ended = threading.Event()
        self._changed = threading.Event()
        self._lock = threading.Lock()
        self._in_hand: dict[UUID, Job] = {}
        # One thread is always left for the other peers' work.
        self._peers = Peers(self._pace.threads - 1, self._pace.rest)
        self._domains = domains_of(installation.settings)
        self._queue: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._slots = [
            threading.Thread(target=self._work, name=f"slot-{n}", daemon=True)
            for n in range(self._pace.threads)
        ]
        self._timers = [TimerThread(timer, installation) for timer in timers]

    def stop(self, _signal: int = 0, _frame: FrameType | None = None) -> None:
        """Asks the loop to end; fit for a signal handler."""
        self._stop.set()
        self._changed.set()

    def stop_on_signals(self) -> None:
        """Drains on SIGTERM and SIGINT; to be called in the main thread."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.stop)

    def run(self) -> bool:
        """Works until `stop`; then finishes what was begun. Says whether all of it was finished."""
        heart = threading.Thread(target=self._beat, name="leases", daemon=True)
        for thread in (heart, *self._slots, *self._timers):
            thread.start()
        _log.info("worker started", worker=self.name, kinds=len(self._kinds))
        try:
            while not self._stop.is_set():
                if not self._feed():
                    self._changed.wait(self._pace.poll)
                    self._changed.clear()
        finally:
            finished = self._drain()
            self._ended.set()
            heart.join(self._pace.pause)
            _log.info("worker stopped", worker=self.name, finished=finished)
        return finished

    def _feed(self) -> bool:
        """Leases as much as there are free threads; says whether there may be more."""
        free = self._pace.threads - len(self._in_hand)
        if free <= 0:
            return False
        database = self._installation.database
        try:
            with database.read() as session:
                if not anything_due(session, now(), self._kinds):
                    return False
            seconds = self._pace.lease
            jobs = lease(database, self.name, self._kinds, limit=free, seconds=seconds)
        except ConsentLedgerError as error:
            _log.warning("no work can be taken now", reason=str(error))
            self._stop.wait(self._pace.pause)
            return False
        with self._lock:
            self._in_hand.update({job.outbox_id: job for job in jobs})
        for job in jobs:
            self._queue.put(job)
        return len(jobs) == free

    def _work(self) -> None:
        mailer = Mailer(self._installation, self._peers)
        context = Context(self._installation, mailer, self._peers, self._domains)
        while (job := self._queue.get()) is not None:
            try:
                perform(context, self._handlers[job.kind], job)
            finally:
                with self._lock:
                    self._in_hand.pop(job.outbox_id, None)
                self._changed.set()
        mailer.close()

    def _beat(self) -> None:
        # On through the drain: what is still in hand must not be taken by another worker.
        while not self._ended.wait(self._pace.lease / 3):
            with self._lock:
                jobs = list(self._in_hand.values())
            if not jobs:
                continue
            try:
                with self._installation.database.begin() as tx:
                    extend(tx, jobs, seconds=self._pace.lease)
            except ConsentLedgerError as error:
                _log.warning("leases not prolonged", reason=str(error))

    def _drain(self) -> bool:
        self._stop.set()
        for timer in self._timers:
            timer.stop()
        for _ in self._slots:
            self._queue.put(None)
        deadline = time.monotonic() + self._pace.drain
        for thread in (*self._slots, *self._timers):
            thread.join(max(0.0, deadline - time.monotonic()))
        with self._lock:
            return not self._in_hand
