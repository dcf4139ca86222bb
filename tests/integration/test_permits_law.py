"""What permits turn on beside consent, on both engines: sales, countries, services, tracking, voids, and the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select

from consentledger.db.installation import Installation
from consentledger.db.models import LogHead, LogLeaf
from consentledger.kernel.clock import now
from consentledger.kernel.errors import InputError
from consentledger.ledger.leaf import parse_leaf
from consentledger.ledger.permit import parse_permit
from consentledger.organisations.categories import PublishCategories, publish_categories
from consentledger.organisations.packs import Adoption, AdoptPacks, adopt_packs
from consentledger.permits import queries, service
from consentledger.permits.links import PermitId, batch_text
from consentledger.permits.models import PermitVoid
from consentledger.permits.rechecks import dead_by_now
from consentledger.permits.service import Issued
from consentledger.permits.voiding import Voided, VoidPermits, void
from tests.support.customers import lapse, record, sale
from tests.support.permits import Shop, make_purpose, make_shop

ANN, BEA, CID = "ann@example.org", "bea@example.org", "cid@example.org"
SPADES = {"categories": ("garden/spades",)}


@pytest.fixture
def shop(installation: Installation) -> Shop:
    """An organisation that decides by Germany's rules too, with a category tree."""
    made = make_shop(installation.database, installation.settings)
    adopt(made, "DE@1")
    with made.database.begin() as tx:
        nodes = ("garden", "garden/spades", "garden/tools", "toys")
        publish_categories(
            tx, PublishCategories(made.organisation_id, nodes, ("garden",), "key:test")
        )
    return made


def adopt(shop: Shop, pack: str, *stricter: str) -> None:
    """Adopts a pack, with what it needs."""
    with shop.database.begin() as tx:
        wanted = AdoptPacks(shop.organisation_id, (Adoption(pack, stricter),), "key:test")
        adopt_packs(tx, wanted)


def sell(shop: Shop, *people: str) -> None:
    """Records a recent sale to each."""
    on = (now() - timedelta(days=20)).date().isoformat()
    rows = [sale(one, f"order {one}", on=on) for one in people]
    done = record(shop.database, shop.organisation_id, *rows)
    assert {row.outcome for row in done.rows} == {"recorded"}


def object_to(shop: Shop, *people: str) -> None:
    """Each objects to marketing as a customer."""
    values = {"channel": "email", "method": "page", "permit": None}
    with shop.database.begin() as tx:
        shop.act(tx, people, lambda _: ("customer.objected", values))


def told(issued: Issued) -> list[tuple[str, str | None]]:
    """Verdict and basis of each row."""
    rulings = [issued.rulings[row.verdict].verdict for row in issued.rows]
    return [(one.verdict, one.basis) for one in rulings]


def codes(issued: Issued, row: int = 0) -> set[str]:
    """The codes of one row's reasons."""
    return {reason.code for reason in issued.rulings[issued.rows[row].verdict].verdict.reasons}


def ids(shop: Shop, issued: Issued) -> list[str]:
    """The ids of a batch's permits."""
    return [str(PermitId(shop.number, issued.batch, n)) for n in range(len(issued.rows))]


def dead(shop: Shop, *permits: str) -> list[str]:
    """Why these permits are dead, in order; those that live are left out."""
    with shop.database.read() as session:
        found = dead_by_now(session, shop.organisation_id, permits, now())
    return [one.reason for one in found]


def size(shop: Shop) -> int:
    """How many entries the log has."""
    with shop.database.read() as session:
        return session.scalars(
            select(LogHead.size).where(LogHead.organisation_id == shop.organisation_id)
        ).one()


def test_a_customer_may_hear_of_similar_products_and_the_line_tells_the_ground(shop: Shop) -> None:
    sell(shop, ANN)
    issued = shop.issue(ANN, **SPADES)
    assert told(issued) == [("allow", "existing_customer")]
    with shop.database.read() as session:
        line = parse_permit(
            queries.lines(session, shop.organisation_id, issued.batch).disclosures[0].decode()
        )
    assert (line.countries, line.person, line.packs) == ("DE", "natural", "DE@1")
    assert line.entry == 0  # her first entry recorded the sale
    assert line.customer is not None
    assert line.customer.startswith("sale_paid current - - similar same_person directly offered")
    assert codes(shop.issue(ANN, categories=("toys",))) >= {"products_not_similar"}
    assert codes(shop.issue(ANN)) >= {"products_not_similar"}  # nobody said what is advertised
    assert told(shop.issue(BEA, **SPADES)) == [("deny", None)]


def test_consent_is_told_without_the_sale(shop: Shop) -> None:
    sell(shop, ANN)
    shop.confirm(ANN)
    issued = shop.issue(ANN, **SPADES)
    ruling = issued.rulings[issued.rows[0].verdict]
    assert (ruling.verdict.basis, ruling.facts.customer, ruling.entry) == ("consent", None, None)


def test_an_objection_a_lapse_and_a_stricter_pack_end_permits(shop: Shop) -> None:
    sell(shop, ANN, BEA, CID)
    first = ids(shop, shop.issue(ANN, BEA, CID, **SPADES))
    assert dead(shop, *first) == []
    object_to(shop, ANN)
    lapse(shop.database, shop.organisation_id,
          {"address": BEA, "reference": f"order {BEA}", "reason": "taken_back"})  # fmt: skip
    assert dead(shop, *first) == ["stopped", "stopped"]
    adopt(shop, "DE@1", "exception=off")
    assert dead(shop, *first) == ["stopped"] * 3
    again = shop.issue(ANN, BEA, CID, **SPADES)
    assert [one for one, _ in told(again)] == ["deny"] * 3
    assert "exception_closed" in codes(again) or "exception_off" in codes(again)
    assert "exception_off" in codes(again, 2)


def test_who_comes_back_as_a_subscriber_does_not_revive_a_customers_permit(shop: Shop) -> None:
    sell(shop, ANN)
    first = ids(shop, shop.issue(ANN, **SPADES))
    object_to(shop, ANN)
    shop.confirm(ANN)
    assert dead(shop, *first) == ["stopped"]
    assert told(shop.issue(ANN, **SPADES)) == [("allow", "consent")]


def test_what_the_caller_says_of_a_recipient_counts(shop: Shop) -> None:
    shop.confirm(ANN, BEA)
    issued = shop.issue(ANN, BEA, countries=("DE", None), persons=("legal", None))
    packs = [issued.rulings[row.verdict].verdict.packs for row in issued.rows]
    assert packs == [("DE@1",), ("XX@1",)]
    sell(shop, CID)
    both = shop.issue(CID, countries=("US",), persons=("legal",), **SPADES)
    ruling = both.rulings[both.rows[0].verdict]
    assert ruling.facts.countries == ("DE", "US")  # both may be true: both must allow
    assert ruling.facts.person == "unknown"  # the sale says natural
    assert ruling.verdict.verdict == "deny"


def test_a_service_message_passes_a_stop_and_a_survey_does_not(shop: Shop) -> None:
    shop.confirm(ANN)
    shop.stop(ANN)
    ask = {"message_class": "service"}
    issued = shop.issue(ANN, BEA, **ask)
    assert told(issued) == [("allow", "service"), ("deny", None)]  # strangers get no service
    assert dead(shop, ids(shop, issued)[0]) == []
    shop.stop(ANN)
    assert dead(shop, ids(shop, issued)[0]) == []
    survey = shop.issue(ANN, contains=("survey",), **ask)
    assert "objected" in codes(survey)


def test_tracking_without_its_own_consent_is_a_duty(shop: Shop) -> None:
    tracking = make_purpose(shop.database, shop.organisation_id, purpose_class="tracking")
    shop.confirm(ANN, BEA)
    shop.confirm(BEA, purpose_id=tracking)
    issued = shop.issue(ANN, BEA, tracking=tracking)
    duties = [
        {duty.code for duty in issued.rulings[row.verdict].verdict.duties} for row in issued.rows
    ]
    assert ["send_without_tracking" in one for one in duties] == [True, False]
    for wrong in (shop.purpose_id, shop.sender_id):
        with pytest.raises(InputError) as caught:
            shop.issue(ANN, tracking=wrong)
        assert caught.value.field == "tracking"


def take_back(shop: Shop, batch: str | None = None, *permits: str) -> tuple[Voided, ...]:
    """Voids a batch, or permits."""
    command = VoidPermits(
        shop.organisation_id, (batch,) if batch else (), permits, "a wrong price", "key:test"
    )
    with shop.database.begin() as tx:
        return void(tx, command)


def test_permits_are_taken_back_by_id_and_by_batch(shop: Shop) -> None:
    shop.confirm(ANN, BEA, CID)
    issued = shop.issue(ANN, BEA, CID)
    permits = ids(shop, issued)
    before = size(shop)
    (done,) = take_back(shop, None, permits[1], permits[1])
    assert (done.batch, done.entry_index, done.count) == (batch_text(issued.batch), before, 1)
    assert dead(shop, *permits) == ["voided"]
    assert take_back(shop, None, permits[1]) == ()  # void already: nothing to say
    assert size(shop) == before + 1
    (rest,) = take_back(shop, batch_text(issued.batch))
    assert rest.count == 2
    assert dead(shop, *permits) == ["voided"] * 3
    assert take_back(shop, batch_text(issued.batch)) == take_back(shop, None, permits[0]) == ()
    with shop.database.read() as session:
        leaf = session.scalars(select(LogLeaf.leaf).where(LogLeaf.entry_index == before)).one()
        rows = session.scalars(select(PermitVoid.row_numbers).order_by(PermitVoid.entry_index))
        assert list(rows) == [[1], []]
    assert parse_leaf(leaf).kind_name == "permits.voided"


def test_only_what_one_has_issued_can_be_taken_back(shop: Shop, installation: Installation) -> None:
    bob = make_shop(installation.database, installation.settings, "bob")
    own, foreign = shop.issue(ANN), bob.issue(ANN)
    before = size(shop)
    beyond = str(PermitId(shop.number, own.batch, 7))
    for batch, permits, field in (
        (batch_text(foreign.batch), (), "batch"),
        (None, (ids(shop, own)[0], ids(bob, foreign)[0]), "permits[1]"),
        (None, (beyond,), "permits[0]"),
        (None, (str(PermitId(shop.number, foreign.batch, 0)),), "permits[0]"),
    ):
        with pytest.raises(InputError) as caught:
            take_back(shop, batch, *permits)
        assert (caught.value.field, caught.value.reason) == (field, "unknown")
    assert size(shop) == before


def test_a_batch_that_the_clock_overtook_is_decided_anew(shop: Shop) -> None:
    start = datetime(2027, 3, 1, 12, 0, 30, tzinfo=UTC)
    with time_machine.travel(start, tick=False) as clock:
        shop.confirm(ANN, BEA)
        shop.stop(ANN, scope="sender", lasting=timedelta(seconds=10))
        waiting = service.prepare(shop.database, shop.ask(ANN, BEA))
        assert told_of(waiting) == ["deny", "allow"]
        clock.shift(timedelta(seconds=5))
        with shop.database.begin() as tx:
            issued = service.issue(tx, waiting)
        assert [verdict for verdict, _ in told(issued)] == ["deny", "allow"]
        assert issued.valid_until_at == start + timedelta(hours=1)
        waiting = service.prepare(shop.database, shop.ask(ANN, BEA))
        clock.shift(timedelta(seconds=8))  # the pause is over
        with shop.database.begin() as tx:
            issued = service.issue(tx, waiting)
        assert [verdict for verdict, _ in told(issued)] == ["allow", "allow"]
        assert issued.valid_until_at == issued.issued_at + timedelta(hours=1)


def told_of(prepared: service.Prepared) -> list[str]:
    """The verdicts of a batch before it is written."""
    drafted = prepared.drafted
    return [drafted.rulings.list[row.verdict].verdict.verdict for row in drafted.rows]


def test_a_long_run_outlives_the_time_of_sending_that_it_was_asked_with(shop: Shop) -> None:
    start = datetime(2027, 3, 1, 12, 0, 30, tzinfo=UTC)
    with time_machine.travel(start, tick=False) as clock:
        shop.confirm(ANN, BEA)
        first = service.prepare(shop.database, shop.ask(ANN, send_at=start))
        clock.shift(timedelta(minutes=5))
        later = service.prepare(shop.database, shop.ask(BEA, send_at=start), first)
        with shop.database.begin() as tx:
            issued = service.issue(tx, later)
    assert told(issued) == [("allow", "consent")]
    with shop.database.read() as session:
        message = queries.batch(session, shop.organisation_id, issued.batch).message
    assert message["send_at"] == message_time(issued)


def test_send_at_must_be_near(shop: Shop) -> None:
    for wrong, reason in ((-timedelta(hours=1), "past"), (timedelta(hours=2), "too_far")):
        with pytest.raises(InputError) as caught:
            shop.issue(ANN, send_at=now() + wrong)
        assert (caught.value.field, caught.value.reason) == ("send_at", reason)
    issued = shop.issue(ANN, send_at=now() + timedelta(minutes=30))
    with shop.database.read() as session:
        message = queries.batch(session, shop.organisation_id, issued.batch).message
    assert message["send_at"] > message_time(issued)


def message_time(issued: Issued) -> str:
    """The instant of a batch as entries write it."""
    return issued.issued_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
