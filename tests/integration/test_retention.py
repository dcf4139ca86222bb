"""What ends by its age: technical openings after 90 days, contacts after their retention; holds suspend all of it."""

from __future__ import annotations

import pytest
import time_machine
from sqlalchemy import func, select

from consentledger.contacts.models import Suppression
from consentledger.db.installation import Installation
from consentledger.db.models import Opening
from consentledger.erasure import retaining, service
from consentledger.erasure.commands import ChangePolicy, HoldFacts, PlaceHold, ReleaseHold
from consentledger.erasure.models import Erasure
from consentledger.outbox import service as outbox
from consentledger.replay.service import fsck
from consentledger.worker.context import Context
from consentledger.worker.handlers import HANDLERS
from consentledger.worker.housekeeping import end
from consentledger.worker.mailer import Mailer
from consentledger.worker.peers import Peers, Rest
from tests.factories import create_published_form
from tests.support import erasures
from tests.support.consents import People
from tests.support.evidence import ANNA, BERT, Path

DAY = 86_400
PEERS = Peers(1, Rest())
NOON = "2036-03-02T12:00:00+00:00"


@pytest.fixture
def path(installation: Installation) -> Path:
    with time_machine.travel("2036-03-01T12:00:00+00:00", tick=False):
        made = create_published_form(
            installation.database, installation.settings, titles=("weekly offers", "events")
        )
    return Path(installation, made)


def subscribe(path: Path, address: str = ANNA) -> None:
    link = path.decide(path.request(address))
    assert link
    path.press(link)


def technical(path: Path) -> int:
    with path.installation.database.read() as session:
        query = select(func.count()).where(Opening.opening_class == "technical")
        return session.scalar(query) or 0


def retain(path: Path) -> int:
    """Does the work of the outbox kind erasure.retain that is due; returns how many openings went."""
    before = technical(path)
    context = Context(path.installation, Mailer(path.installation, PEERS), PEERS)
    for job in outbox.lease(
        path.installation.database, "test", [retaining.RETAIN], limit=9, seconds=60
    ):
        HANDLERS[job.kind].run(context, job)
    return before - technical(path)


def hold(path: Path, address: str | None = None) -> HoldFacts:
    org = path.made.organisation_id
    with path.installation.database.begin() as tx:
        return service.place_hold(tx, PlaceHold(org, "Judge J", "case 1", "operator", address))


def release(path: Path, placed: HoldFacts) -> None:
    org = path.made.organisation_id
    with path.installation.database.begin() as tx:
        service.release_hold(tx, ReleaseHold(org, placed.hold_id, "Judge J", "operator"))


def whole(path: Path) -> bool:
    """Says whether fsck finds nothing, openings and all."""
    return fsck(path.installation, path.made.organisation_id).findings == []


def test_technical_openings_go_after_ninety_days_and_the_rest_stays(path: Path) -> None:
    database, org = path.installation.database, path.made.organisation_id
    with time_machine.travel(NOON, tick=True) as clock:
        subscribe(path)
        assert technical(path) == 3
        clock.shift(89 * DAY)
        subscribe(path, BERT)
        assert service.retain_due(database) == 0
        clock.shift(DAY + 3700)
        assert service.retain_due(database) == 1
        assert technical(path) == 6  # logged first
        [leaf] = erasures.logged(database, org, "log.retention")
        assert (leaf.plain["class"], leaf.plain["days"], leaf.plain["first"]) == (
            "technical",
            "90",
            "0",
        )
        assert retain(path) == 3
        assert service.retain_due(database) == 0
        assert technical(path) == 3
        _, report = path.verified()
        assert "3 entries are erased, wholly or in part" in report.text()
        path.verified(BERT)
        assert whole(path)
        clock.shift(91 * DAY)
        assert service.retain_due(database) == 1
        assert retain(path) == 3
        assert whole(path)
        path.verified(BERT)


def test_an_opening_that_goes_before_its_age_is_a_violation(path: Path) -> None:
    database = path.installation.database
    with time_machine.travel(NOON, tick=True) as clock:
        subscribe(path)
        clock.shift(91 * DAY)
        subscribe(path, BERT)
        service.retain_due(database)
        retain(path)
        assert whole(path)
        with database.begin() as tx:
            found = tx.session.scalars(select(Opening).where(Opening.opening_class == "technical"))
            tx.session.delete(found.first())
        assert not whole(path)
        with pytest.raises(AssertionError, match="no erasure or retention covers"):
            path.verified(BERT)


def test_a_hold_on_one_contact_keeps_its_technical_openings_too(path: Path) -> None:
    database = path.installation.database
    with time_machine.travel(NOON, tick=True) as clock:
        subscribe(path)
        subscribe(path, BERT)
        placed = hold(path, ANNA)
        clock.shift(91 * DAY)
        service.retain_due(database)
        assert retain(path) == 3
        assert technical(path) == 3
        path.verified()  # with the hold among her entries
        release(path, placed)
        assert retain(path) == 0  # looked at again the next day
        clock.shift(DAY)
        assert retain(path) == 3
        assert whole(path)


def test_batches_go_on_where_they_ended(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consentledger.erasure.retaining.AT_ONCE", 2)
    with time_machine.travel(NOON, tick=True) as clock:
        subscribe(path)
        subscribe(path, BERT)
        hold(path, ANNA)
        clock.shift(91 * DAY)
        service.retain_due(path.installation.database)
        assert retain(path) == 3
        assert technical(path) == 3


def test_a_hold_on_all_stops_every_end(path: Path) -> None:
    database, org = path.installation.database, path.made.organisation_id
    with time_machine.travel(NOON, tick=True) as clock:
        path.decide(path.request(BERT))
        subscribe(path)
        placed = hold(path)
        asked = erasures.ask(database, org, ANNA)
        assert asked.state == "held"
        clock.shift(8 * DAY)
        service.expire_due(database)
        assert service.erase_due(database) == 0
        clock.shift(83 * DAY)
        service.retain_due(database)
        assert retain(path) == 0
        assert service.sweep(database)["links"] == 0
        openings = technical(path)
        release(path, placed)
        assert end(path.installation) == 0
        erasures.destroy_due(database)
        assert erasures.receipt(database, org, asked.erasure_id).state == "destroyed"
        assert People(database, path.made).contact(BERT) is None
        assert technical(path) < openings
        assert whole(path)


def test_a_hold_between_log_and_destruction_makes_it_wait(path: Path) -> None:
    database, org = path.installation.database, path.made.organisation_id
    with time_machine.travel(NOON, tick=True) as clock:
        subscribe(path)
        asked = erasures.ask(database, org, ANNA)
        service.collect_requested(database, org)
        placed = hold(path, ANNA)
        assert erasures.destroy_due(database) == 1
        assert People(database, path.made).contact(ANNA) is not None
        release(path, placed)
        assert erasures.destroy_due(database) == 0
        clock.shift(601)
        assert erasures.destroy_due(database) == 1  # the hold was an entry more: logged anew
        service.collect_requested(database, org)
        erasures.destroy_due(database)
        assert erasures.receipt(database, org, asked.erasure_id).state == "destroyed"
        assert whole(path)


def test_contacts_without_a_living_consent_end_after_their_days(path: Path) -> None:
    database, org = path.installation.database, path.made.organisation_id
    with time_machine.travel(NOON, tick=True) as clock:
        subscribe(path)
        subscribe(path, BERT)
        issued = path.permit(ANNA, BERT)
        path.leave(issued)
        with database.begin() as tx:
            service.change_policy(tx, ChangePolicy(org, "operator", retention_days=365), None)
        clock.shift(364 * DAY)
        assert service.retire_due(database) == 0
        clock.shift(DAY + 60)
        with database.read() as session:
            assert retaining.due(session, org, issued.issued_at, 365).contacts == 0
        assert service.retire_due(database) == 1
        assert service.retire_due(database) == 0
        erasures.destroy_due(database)
        people = People(database, path.made)
        assert people.contact(ANNA) is None
        assert people.contact(BERT) is not None  # consent stands
        with database.read() as session:
            assert session.scalar(select(func.count()).select_from(Suppression)) == 1
            assert session.scalar(select(func.count()).select_from(Erasure)) == 0
        again = path.permit(ANNA)
        assert again.rulings[again.rows[0].verdict].verdict.codes == "suppressed,no_basis"
        [leaf] = erasures.logged(database, org)
        assert leaf.plain["reason"] == "retention"
        assert whole(path)
        path.verified(BERT)
