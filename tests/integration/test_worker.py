"""The worker's loop on both engines: does, retries, buries, drains, and never loses a job."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest
from sqlalchemy import func, select

from consentledger.db.installation import Installation
from consentledger.kernel.errors import InputError, IntegrityError, UnavailableError
from consentledger.kernel.ids import uuid7
from consentledger.outbox import queries, service
from consentledger.outbox.models import OutboxRow
from consentledger.outbox.rules import RetryPolicy
from consentledger.outbox.service import Job
from consentledger.worker.context import Context, Handler
from consentledger.worker.loop import Pace, Worker
from consentledger.worker.timers import Timer

QUICK = RetryPolicy(most=3, first=0.02, longest=0.05)
PACE = Pace(threads=3, poll=0.02, lease=1.0, drain=5.0, pause=0.05)


@pytest.fixture
def organisation_id(installation: Installation) -> UUID:
    """An organisation that has keys."""
    made = uuid7()
    with installation.database.begin() as tx:
        tx.log.keystore.create_organisation(tx.session, made)
    return made


def put(installation: Installation, organisation_id: UUID, n: int = 1) -> None:
    with installation.database.begin() as tx:
        for number in range(n):
            service.enqueue(tx, organisation_id, "test", {"n": number})


def handler(run: Callable[[Context, Job], None], **more: object) -> dict[str, Handler]:
    return {"test": Handler("test", "a test's work", run, QUICK, **more)}  # type: ignore[arg-type]


def finish(context: Context, job: Job) -> None:
    with context.database.begin() as tx:
        service.complete(tx, job)


@contextmanager
def working(worker: Worker) -> Iterator[Worker]:
    """A worker that runs in a thread until the block ends."""
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield worker
    finally:
        worker.stop()
        thread.join(10)
        assert not thread.is_alive()


def wait_for(condition: Callable[[], bool], seconds: float = 8) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came to pass"
        time.sleep(0.01)


def waiting(installation: Installation) -> int:
    with installation.database.read() as session:
        return session.scalar(select(func.count()).select_from(OutboxRow)) or 0


def test_all_work_is_done_once_by_competing_workers(
    installation: Installation, organisation_id: UUID
):
    other = uuid7()
    with installation.database.begin() as tx:
        tx.log.keystore.create_organisation(tx.session, other)
    done: list[int] = []

    def run(context: Context, job: Job) -> None:
        with context.database.begin() as tx:
            payload = service.open_job(tx, job)
            service.complete(tx, job)
        done.append(payload["n"])

    put(installation, organisation_id, 20)
    put(installation, other, 20)
    with (
        working(Worker(installation, handler(run), pace=PACE)),
        working(Worker(installation, handler(run), pace=PACE)),
    ):
        wait_for(lambda: waiting(installation) == 0)
    assert sorted(done) == sorted([*range(20), *range(20)])


def test_work_that_fails_is_tried_again_and_then_buried(
    installation: Installation, organisation_id: UUID
):
    tries: list[int] = []

    def run(context: Context, job: Job) -> None:
        tries.append(job.attempt)
        raise ZeroDivisionError("erika@example.net")

    put(installation, organisation_id)
    with working(Worker(installation, handler(run), pace=PACE)):
        wait_for(lambda: len(buried(installation)) == 1)
    assert tries == [1, 2, 3]
    assert buried(installation)[0].last_error == "ZeroDivisionError"


def buried(installation: Installation) -> list[queries.Buried]:
    with installation.database.read() as session:
        return queries.buried(session)


@pytest.mark.parametrize(
    "error",
    [InputError("bad", field="x", reason="y"), IntegrityError("sealed bytes do not open")],
)
def test_what_waiting_can_not_mend_is_buried_at_once(
    installation: Installation, organisation_id: UUID, error: Exception
):
    def run(context: Context, job: Job) -> None:
        raise error

    put(installation, organisation_id)
    with working(Worker(installation, handler(run), pace=PACE)):
        wait_for(lambda: len(buried(installation)) == 1)
    assert buried(installation)[0].attempts == 1


def test_a_database_that_is_away_costs_no_work(installation: Installation, organisation_id: UUID):
    tries: list[int] = []

    def run(context: Context, job: Job) -> None:
        tries.append(job.attempt)
        if len(tries) == 1:
            raise UnavailableError("the database is away")
        finish(context, job)

    put(installation, organisation_id)
    with working(Worker(installation, handler(run), pace=PACE)):
        wait_for(lambda: waiting(installation) == 0)
    assert tries == [1, 2]


def test_the_last_failure_may_be_told_instead_of_buried(
    installation: Installation, organisation_id: UUID
):
    told: list[str] = []

    def run(context: Context, job: Job) -> None:
        raise ConnectionError

    def give_up(context: Context, tx: object, job: Job, reason: str) -> None:
        service.complete(tx, job)  # type: ignore[arg-type]
        told.append(reason)

    put(installation, organisation_id)
    with working(Worker(installation, handler(run, give_up=give_up), pace=PACE)):
        wait_for(lambda: waiting(installation) == 0)
    assert told == ["ConnectionError"]


def test_long_work_keeps_its_lease(installation: Installation, organisation_id: UUID):
    tries: list[int] = []

    def run(context: Context, job: Job) -> None:
        tries.append(job.attempt)
        time.sleep(1.2)
        finish(context, job)

    put(installation, organisation_id)
    hasty = Pace(threads=2, poll=0.02, lease=0.5, drain=5)
    with (
        working(Worker(installation, handler(run), pace=hasty)),
        working(Worker(installation, handler(run), pace=hasty)),
    ):
        wait_for(lambda: waiting(installation) == 0)
    assert tries == [1]


def test_a_stopped_worker_finishes_what_it_began_and_begins_nothing(
    installation: Installation, organisation_id: UUID
):
    began, may_end = threading.Event(), threading.Event()
    done: list[int] = []

    def run(context: Context, job: Job) -> None:
        began.set()
        may_end.wait(5)
        finish(context, job)
        done.append(1)

    put(installation, organisation_id, 5)
    worker = Worker(installation, handler(run), pace=Pace(threads=1, poll=0.02, drain=5))
    with working(worker):
        assert began.wait(5)
        worker.stop()
        time.sleep(0.1)
        may_end.set()
    assert done == [1]
    assert waiting(installation) == 4


def test_a_drain_has_an_end(installation: Installation, organisation_id: UUID):
    began, never = threading.Event(), threading.Event()

    def run(context: Context, job: Job) -> None:
        began.set()
        never.wait(20)

    put(installation, organisation_id)
    worker = Worker(installation, handler(run), pace=Pace(threads=1, poll=0.02, drain=0.2))
    results: list[bool] = []
    thread = threading.Thread(target=lambda: results.append(worker.run()))
    thread.start()
    assert began.wait(5)
    worker.stop()
    thread.join(5)
    assert results == [False]
    assert waiting(installation) == 1
    never.set()


def test_timers_run_and_survive_their_errors(installation: Installation):
    rounds: list[str] = []

    def fail(opened: Installation) -> None:
        rounds.append("fail")
        raise ZeroDivisionError if len(rounds) % 2 else IntegrityError("forked")

    def act(opened: Installation) -> None:
        assert opened is installation
        rounds.append("act")

    timers = [Timer("a", 0.02, fail, "fails"), Timer("b", 0.02, act, "acts")]
    with working(Worker(installation, {}, timers, PACE)):
        wait_for(lambda: rounds.count("fail") > 2 and rounds.count("act") > 2)


def test_work_of_an_unknown_kind_is_left_alone(installation: Installation, organisation_id: UUID):
    with installation.database.begin() as tx:
        service.enqueue(tx, organisation_id, "of.tomorrow", {})
    with working(Worker(installation, handler(finish), pace=PACE)):
        put(installation, organisation_id)
        wait_for(lambda: waiting(installation) == 1)
