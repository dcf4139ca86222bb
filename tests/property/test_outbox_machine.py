"""Any order of leases, crashes, ends and clock jumps: no work is lost, none is done by two, tries end."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
import time_machine
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import select

from consentledger.db.installation import open_database
from consentledger.db.migrate import upgrade
from consentledger.db.unit_of_work import Tx
from consentledger.kernel.ids import uuid7
from consentledger.outbox import service
from consentledger.outbox.models import OutboxRow
from consentledger.outbox.rules import RetryPolicy
from tests.support.installations import environment_for, settings_from

POLICY = RetryPolicy(most=3, first=10, longest=40)
LEASE = 30


class OutboxMachine(RuleBasedStateMachine):
    """The model: which rows live, which are buried, and the newest lease of each row."""

    @initialize()
    def start(self) -> None:
        """Opens a fresh database under a clock that stands still."""
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name)
        self.database = open_database(
            settings_from(environment_for(f"sqlite:///{path / 'machine.db'}", path))
        )
        upgrade(self.database)
        self.travel = time_machine.travel(datetime(2026, 11, 21, tzinfo=UTC), tick=False)
        self.clock = self.travel.start()
        self.organisation = uuid7()
        with self.database.begin() as tx:
            tx.log.keystore.create_organisation(tx.session, self.organisation)
        self.alive: set[UUID] = set()
        self.buried: set[UUID] = set()
        self.newest: dict[UUID, service.Job] = {}
        self.ended: set[UUID] = set()
        self.held: list[service.Job] = []

    @rule(count=st.integers(1, 3))
    def enqueue(self, count: int) -> None:
        for _ in range(count):
            with self.database.begin() as tx:
                self.alive.add(service.enqueue(tx, self.organisation, "test", {}))

    @rule(worker=st.sampled_from("ab"), limit=st.integers(1, 3))
    def lease(self, worker: str, limit: int) -> None:
        jobs = service.lease(self.database, worker, ["test"], limit=limit, seconds=LEASE)
        assert len(jobs) <= limit
        for job in jobs:
            assert job.outbox_id in self.alive
            before = self.newest.get(job.outbox_id)
            if before is not None and before.outbox_id not in self.ended:
                assert job.attempt == before.attempt + 1, "only a lease that ran out is taken over"
            self.newest[job.outbox_id] = job
            self.ended.discard(job.outbox_id)
            self.held.append(job)

    @rule(seconds=st.sampled_from([1, LEASE - 1, LEASE + 1, 100]))
    def wait(self, seconds: int) -> None:
        self.clock.shift(seconds)

    def _act(self, act: Callable[[Tx, service.Job], object], data: st.DataObject) -> UUID | None:
        """Lets a holder, in time or far too late, act on its job; only the newest lease may."""
        job = data.draw(st.sampled_from(self.held))
        self.held.remove(job)
        own = self.newest.get(job.outbox_id) == job and job.outbox_id not in self.ended
        if not own:
            with pytest.raises(service.LeaseLostError), self.database.begin() as tx:
                act(tx, job)
            return None
        with self.database.begin() as tx:
            act(tx, job)
        self.ended.add(job.outbox_id)
        return job.outbox_id

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def complete(self, data: st.DataObject) -> None:
        done = self._act(service.complete, data)
        if done:
            self.alive.remove(done)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def fail(self, data: st.DataObject) -> None:
        again: list[bool] = []
        failed = self._act(
            lambda tx, job: again.append(service.retry(tx, job, POLICY, "why")), data
        )
        if failed and not again[0]:
            assert self.newest[failed].attempt >= POLICY.most
            self.alive.remove(failed)
            self.buried.add(failed)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        self._act(service.release, data)

    @precondition(lambda self: self.buried)
    @rule(data=st.data())
    def revive(self, data: st.DataObject) -> None:
        chosen = data.draw(st.sampled_from(sorted(self.buried)))
        with self.database.begin() as tx:
            service.revive(tx, self.organisation, chosen)
        self.buried.remove(chosen)
        self.alive.add(chosen)

    @invariant()
    def nothing_is_lost(self) -> None:
        with self.database.read() as session:
            rows = dict(session.execute(select(OutboxRow.outbox_id, OutboxRow.state)).all())  # type: ignore[arg-type]
        assert {key for key, state in rows.items() if state == service.DUE} == self.alive
        assert {key for key, state in rows.items() if state == service.BURIED} == self.buried

    def teardown(self) -> None:
        if hasattr(self, "travel"):
            self.travel.stop()
            self.database.close()
            self.folder.cleanup()


TestOutbox = OutboxMachine.TestCase
TestOutbox.settings = settings(max_examples=8, stateful_step_count=25, deadline=None)
