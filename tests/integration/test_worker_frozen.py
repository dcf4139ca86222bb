"""While a log is frozen the outbox waits: nothing is sent upon a restored database, and no try is used up."""

from __future__ import annotations

from typing import cast

from sqlalchemy import select

from consentledger.app import create_app
from consentledger.db.installation import Installation
from consentledger.erasure import service as erasure
from consentledger.erasure.commands import EraseContact
from consentledger.outbox import service
from consentledger.outbox.models import OutboxRow
from consentledger.outbox.service import Job
from consentledger.worker.context import Context, Handler
from consentledger.worker.mailer import Mailer
from consentledger.worker.peers import Peers
from consentledger.worker.perform import perform
from tests.support.logs import make_log
from tests.web import acts
from tests.web.town import open_shop


def test_work_of_a_frozen_log_is_put_back_untried_and_other_work_goes_on(
    installation: Installation,
) -> None:
    frozen, other = make_log(installation.database, "a"), make_log(installation.database, "b")
    installation.watch.freeze("test.example/log/a", "looked odd")
    with installation.database.begin() as tx:
        for log in (frozen, other):
            service.enqueue(tx, log.organisation_id, "test", {})
    done: list[Job] = []

    def run(context: Context, job: Job) -> None:
        done.append(job)
        with context.database.begin() as tx:
            service.complete(tx, job)

    # Neither is asked: the work of this test sends no mail.
    context = Context(installation, cast("Mailer", None), cast("Peers", None))
    jobs = service.lease(installation.database, "w", ["test"], limit=9, seconds=60)
    assert len(jobs) == 2
    for job in jobs:
        perform(context, Handler("test", "a test's work", run), job)
    assert [job.organisation_id for job in done] == [other.organisation_id]
    with installation.database.read() as session:
        (row,) = session.scalars(select(OutboxRow)).all()
    assert (row.organisation_id, row.state, row.attempts) == (frozen.organisation_id, "due", 0)
    assert row.leased_until is None
    assert row.run_at > row.made_at


def test_erasures_of_a_frozen_log_wait_and_others_are_logged(installation: Installation) -> None:
    client = create_app(installation.settings, installation).test_client(use_cookies=False)
    shops = [open_shop(installation, name) for name in ("Frozen", "Other")]
    for shop in shops:
        acts.press(client, acts.confirm_token(installation, client, shop))
        command = EraseContact(shop.organisation_id, acts.MARIA, "test", now=True)
        with installation.database.begin() as tx:
            erasure.request_erasure(tx, command)
    installation.watch.freeze(shops[0].origin, "looked odd")
    assert erasure.erase_due(installation.database, None, installation.journal) == 1
    kinds = [acts.last_kinds(installation, shop, 1) for shop in shops]
    assert kinds == [["objection.recorded/1"], ["log.erasure/2"]]
    installation.guard.thaw(shops[0].origin)
    assert erasure.erase_due(installation.database, None, installation.journal) == 1
