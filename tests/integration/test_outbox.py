"""The outbox on both engines: committed with its event, leased once, never lost, bounded."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import time_machine
from sqlalchemy import select, text

from consentledger.db.engine import Database
from consentledger.db.installation import Installation
from consentledger.db.keystore.store import destroy_contact_keys
from consentledger.kernel.clock import now
from consentledger.kernel.errors import IntegrityError, NotFoundError
from consentledger.kernel.ids import uuid7
from consentledger.outbox import queries, service
from consentledger.outbox.models import OutboxRow
from consentledger.outbox.rules import RetryPolicy

KINDS = ("test.a", "test.b")
POLICY = RetryPolicy(most=3, first=10, longest=100)


@pytest.fixture
def organisation_id(database: Database) -> UUID:
    """An organisation that has keys, beside another one, so that a wrong filter fails."""
    ids = (uuid7(), uuid7())
    with database.begin() as tx:
        for each in ids:
            tx.log.keystore.create_organisation(tx.session, each)
            service.enqueue(tx, each, "noise", {}, run_at=tx.now + timedelta(days=9))
    return ids[0]


def put(database: Database, organisation_id: UUID, kind: str = "test.a", **more: object) -> UUID:
    with database.begin() as tx:
        return service.enqueue(tx, organisation_id, kind, {"n": 1}, **more)  # type: ignore[arg-type]


def take(database: Database, worker: str = "w", **more: object) -> list[service.Job]:
    options: dict[str, object] = {"limit": 10, "seconds": 30, **more}
    return service.lease(database, worker, KINDS, **options)  # type: ignore[arg-type]


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """A clock that stands still until it is moved."""
    with time_machine.travel(datetime(2026, 11, 21, 12, tzinfo=UTC), tick=False) as traveller:
        yield traveller


def test_work_is_taken_opened_and_completed(database: Database, organisation_id: UUID):
    outbox_id = put(database, organisation_id)
    (job,) = take(database)
    assert (job.organisation_id, job.outbox_id, job.kind) == (organisation_id, outbox_id, "test.a")
    assert (job.attempt, job.worker) == (1, "w")
    assert take(database) == []
    with database.begin() as tx:
        assert service.open_job(tx, job) == {"n": 1}
        service.complete(tx, job)
    with database.read() as session:
        assert session.get(OutboxRow, (organisation_id, outbox_id)) is None


def test_work_commits_with_its_event_or_not_at_all(database: Database, organisation_id: UUID):
    def fail() -> None:
        with database.begin() as tx:
            service.enqueue(tx, organisation_id, "test.a", {})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert take(database) == []


def test_nothing_is_enqueued_behind_the_append(database: Database, organisation_id: UUID):
    with database.begin() as tx:
        tx.closed = True
        with pytest.raises(RuntimeError, match="before the log's append"):
            service.enqueue(tx, organisation_id, "test.a", {})


def test_only_what_is_due_and_of_a_known_kind(
    database: Database, organisation_id: UUID, clock: time_machine.Traveller
):
    put(database, organisation_id, run_at=now() + timedelta(seconds=60))
    put(database, organisation_id, "somebody.else")
    assert take(database) == []
    with database.read() as session:
        assert not queries.anything_due(session, now(), KINDS)
    clock.shift(61)
    with database.read() as session:
        assert queries.anything_due(session, now(), KINDS)
    assert [job.kind for job in take(database)] == ["test.a"]


def test_oldest_first_and_never_more_than_the_limit(database: Database, organisation_id: UUID):
    ids = [put(database, organisation_id, KINDS[n % 2]) for n in range(7)]
    taken = [take(database, limit=3) for _ in range(3)]
    assert [len(jobs) for jobs in taken] == [3, 3, 1]
    assert [job.outbox_id for jobs in taken for job in jobs] == ids


def test_contents_are_sealed(database: Database, organisation_id: UUID):
    with database.begin() as tx:
        payload = {"address": "erika@example.net", "token": "tokentoken"}
        service.enqueue(tx, organisation_id, "test.a", payload)
    with database.read() as session:
        for row in session.execute(text("SELECT * FROM outbox")).all():
            assert (
                b"erika"
                not in repr(
                    tuple(bytes(v) if isinstance(v, memoryview) else v for v in row)
                ).encode()
            )
            assert "tokentoken" not in repr(row)
    (job,) = take(database)
    assert b"erika" not in job.sealed
    assert "sealed" not in repr(job)


def test_a_contact_s_work_dies_with_its_key(database: Database, organisation_id: UUID):
    with database.begin() as tx:
        prepared = tx.log.keystore.prepare_contact(organisation_id)
        tx.log.keystore.store_many(tx, organisation_id, [prepared])
        service.enqueue(tx, organisation_id, "test.a", {"n": 2}, keys=prepared.keys)
    (job,) = take(database)
    assert job.key_id == prepared.keys.key_id
    with database.begin() as tx:
        assert service.open_job(tx, job) == {"n": 2}
        destroy_contact_keys(tx, organisation_id, [prepared.keys.key_id])
    with database.begin() as tx, pytest.raises(NotFoundError):
        service.open_job(tx, job)


@pytest.mark.parametrize("column", ["kind", "organisation_id", "outbox_id", "sealed"])
def test_a_row_that_was_changed_by_hand_does_not_open(
    database: Database, organisation_id: UUID, column: str
):
    put(database, organisation_id)
    other = put(database, organisation_id, "test.b")
    (job, foreign) = take(database)
    assert foreign.outbox_id == other
    swapped = {name: getattr(job, name) for name in job.__dataclass_fields__}
    with database.read() as session:
        everybody = session.scalars(select(OutboxRow.organisation_id)).all()
    stranger = next(each for each in everybody if each != organisation_id)
    swapped[column] = stranger if column == "organisation_id" else getattr(foreign, column)
    with database.begin() as tx, pytest.raises(IntegrityError):
        service.open_job(tx, service.Job(**swapped))


def test_competing_workers_share_the_work(database: Database, organisation_id: UUID):
    ids = {put(database, organisation_id) for _ in range(60)}
    taken: list[UUID] = []
    start = threading.Barrier(4)

    def work(name: str) -> None:
        start.wait()
        while jobs := take(database, name, limit=2):
            for job in jobs:
                with database.begin() as tx:
                    service.complete(tx, job)
                taken.append(job.outbox_id)

    threads = [threading.Thread(target=work, args=(f"w{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(taken) == sorted(ids)


def test_a_failed_try_waits_longer_each_time_and_is_buried_at_last(
    database: Database, organisation_id: UUID, clock: time_machine.Traveller
):
    outbox_id = put(database, organisation_id)
    for attempt, least in ((1, 5), (2, 10)):
        (job,) = take(database)
        assert job.attempt == attempt
        with database.begin() as tx:
            assert service.retry(tx, job, POLICY, "recipient 451")
        clock.shift(least - 1)
        assert take(database) == []
        clock.shift(least + 2)
    (job,) = take(database)
    with database.begin() as tx:
        assert not service.retry(tx, job, POLICY, "recipient 451")
    clock.shift(86_400)
    assert take(database) == []
    with database.read() as session:
        (found,) = queries.buried(session)
        assert (found.outbox_id, found.attempts) == (outbox_id, 3)
        assert found.last_error == "recipient 451"
        assert queries.buried(session, uuid7()) == []
        counted = {(count.kind, count.state): count.rows for count in queries.counts(session)}
        assert counted == {("noise", "due"): 2, ("test.a", "buried"): 1}


def test_buried_work_can_be_revived_with_all_its_tries(database: Database, organisation_id: UUID):
    outbox_id = put(database, organisation_id)
    with database.begin() as tx, pytest.raises(NotFoundError):
        service.revive(tx, organisation_id, outbox_id)
    (job,) = take(database)
    with database.begin() as tx:
        service.bury(tx, job, "why")
    with database.begin() as tx, pytest.raises(NotFoundError):
        service.revive(tx, uuid7(), outbox_id)
    with database.begin() as tx:
        service.revive(tx, organisation_id, outbox_id)
    assert [job.attempt for job in take(database)] == [1]


def test_work_that_was_not_begun_is_given_back_uncounted(database: Database, organisation_id: UUID):
    put(database, organisation_id)
    (job,) = take(database)
    with database.begin() as tx:
        service.release(tx, job)
    assert [job.attempt for job in take(database)] == [1]


def test_a_lease_that_ran_out_is_taken_again_and_the_first_worker_can_not_commit(
    database: Database, organisation_id: UUID, clock: time_machine.Traveller
):
    put(database, organisation_id)
    (first,) = take(database, "first", seconds=30)
    clock.shift(20)
    with database.begin() as tx:
        service.extend(tx, [first], seconds=30)
    clock.shift(20)
    assert take(database, "second") == [], "the lease was extended"
    clock.shift(11)
    (second,) = take(database, "second")
    assert (second.outbox_id, second.attempt) == (first.outbox_id, 2)
    for act in (
        lambda tx: service.complete(tx, first),
        lambda tx: service.release(tx, first),
        lambda tx: service.bury(tx, first, "x"),
        lambda tx: service.retry(tx, first, POLICY, "x"),
    ):
        with pytest.raises(service.LeaseLostError), database.begin() as tx:
            act(tx)
    with database.begin() as tx:
        service.complete(tx, second)


def test_the_same_worker_s_older_lease_is_lost_too(
    database: Database, organisation_id: UUID, clock: time_machine.Traveller
):
    put(database, organisation_id)
    (first,) = take(database)
    clock.shift(31)
    (again,) = take(database)
    with pytest.raises(service.LeaseLostError), database.begin() as tx:
        service.complete(tx, first)
    with database.begin() as tx:
        service.complete(tx, again)


KILLED = """
import sys, time
from consentledger.db.installation import open_installation
from consentledger.kernel.settings import Settings
from consentledger.outbox import service
database = open_installation(Settings.load()).database
jobs = service.lease(database, "doomed", ("test.a",), limit=10, seconds=1.0)
with database.begin() as tx:
    service.complete(tx, jobs[0])
    tx.session.flush()
    print(len(jobs), flush=True)
    time.sleep(60)
"""


@pytest.mark.fault
def test_a_killed_worker_s_work_is_taken_again(
    installation: Installation, environment: dict[str, str]
):
    database, organisation = installation.database, uuid7()
    with database.begin() as tx:
        tx.log.keystore.create_organisation(tx.session, organisation)
    outbox_id = put(database, organisation)
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED], env=environment, stdout=subprocess.PIPE
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == b"1\n"
    finally:
        child.send_signal(signal.SIGKILL)
        child.communicate()
    deadline = time.monotonic() + 10
    jobs: list[service.Job] = []
    while not jobs and time.monotonic() < deadline:
        jobs = take(database)
        time.sleep(0.05)
    assert [(job.outbox_id, job.attempt) for job in jobs] == [(outbox_id, 2)]
