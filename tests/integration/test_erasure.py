"""A person's erasure: suppressed at once, logged, destroyed; what is left is a keyed hash; on both engines."""

from __future__ import annotations

import json

import pytest
import time_machine
from sqlalchemy import delete, func, select

from consentledger.consents.models import ConfirmationMail
from consentledger.contacts.models import Contact, LinkUse, Suppression
from consentledger.db.installation import Installation
from consentledger.db.models import ContactKey, Opening
from consentledger.erasure import requesting, service
from consentledger.erasure.models import Erasure
from consentledger.kernel.errors import InputError, NotFoundError, UnavailableError
from consentledger.outbox import service as outbox
from consentledger.outbox.models import OutboxRow
from consentledger.permits import queries as permit_queries
from consentledger.permits.links import PermitId
from consentledger.permits.models import Permit
from consentledger.permits.rechecks import dead_by_now
from consentledger.replay.service import fsck
from consentledger.webhooks import service as webhooks
from tests.factories import create_published_form
from tests.support import erasures
from tests.support.consents import People, raw_bytes
from tests.support.evidence import ANNA, BERT, Path

PLANTED = (
    b"Anna@shop-customer.example",
    b"anna@shop-customer.example",
    b"shop-customer",
    b"203.0.113",
)
MORNING = "2036-03-02T08:00:00+00:00"


@pytest.fixture
def path(installation: Installation) -> Path:
    made = create_published_form(
        installation.database, installation.settings, titles=("weekly offers", "events")
    )
    return Path(installation, made)


def subscribe(path: Path, address: str = ANNA) -> bytes:
    link = path.decide(path.request(address))
    assert link
    path.press(link)
    return link


def people(path: Path) -> People:
    return People(path.installation.database, path.made)


def count(path: Path, model: type) -> int:
    with path.installation.database.read() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def codes(path: Path, *addresses: str) -> list[str]:
    issued = path.permit(*addresses)
    return [issued.rulings[row.verdict].verdict.codes for row in issued.rows]


def test_a_stop_at_once_and_nothing_left_but_a_keyed_hash(path: Path) -> None:
    database, org = path.installation.database, path.made.organisation_id
    subscribe(path)
    subscribe(path, BERT)
    issued = path.permit(ANNA, BERT, "stranger@nowhere.example")
    path.leave(issued)
    subscribe(path)
    before = people(path).entries(ANNA)
    asked = erasures.ask(database, org, ANNA)
    assert asked.state == "requested"
    assert codes(path, ANNA) == ["suppressed,no_basis"]
    with database.read() as session:
        mine = str(PermitId(path.made.form.organisation_number, issued.batch, 0))
        assert [one.reason for one in dead_by_now(session, org, [mine], asked.requested_at)] == [
            "stopped"
        ]
    assert service.collect_requested(database, org, None, path.installation.journal) == 1
    [leaf] = erasures.logged(database, org)
    first = before[0].index
    assert leaf.plain["ranges"].startswith(f"{first}-")
    assert leaf.plain["reason"] == "erased"
    assert f"{issued.entry_index}:0" in leaf.plain["permits"].split(",")
    assert people(path).entries(ANNA)[0].values  # logged, not destroyed before the commit
    assert erasures.destroy_due(database) == 1
    done = erasures.receipt(database, org, asked.erasure_id)
    assert done.state == "destroyed"
    assert done.gone is not None
    assert done.gone["contact"] == 1
    assert done.gone["opening"] >= 10
    assert done.leaf_hash is not None
    assert people(path).contact(ANNA) is None
    assert count(path, Suppression) == 1
    stored = raw_bytes(database)
    assert not [word for word in PLANTED if word in stored]
    path.verified(BERT)
    report = fsck(path.installation, org)
    assert not report.findings


def known_of(path: Path, address: str) -> dict[str, bytes]:
    """Everything that the database holds of a contact but for what the log's leaves say, as stored."""
    database, org = path.installation.database, path.made.organisation_id
    contact = people(path).contact(address)
    assert contact is not None
    found = {
        "lookup": contact.lookup,
        "sealed address": contact.sealed_address,
        "contact's id": contact.contact_id.bytes,
        "contact's id as text": contact.contact_id.hex.encode(),
        "contact's id as written": str(contact.contact_id).encode(),
        "key's id": contact.key_id.bytes,
        "key's id as text": contact.key_id.hex.encode(),
        "key's id as written": str(contact.key_id).encode(),
    }
    with database.read() as session:
        key = session.get_one(ContactKey, (org, contact.key_id))
        found["wrapped key"] = key.wrapped
        for row in session.scalars(select(Opening).where(Opening.key_id == contact.key_id)):
            found[f"opening {row.entry_index} {row.opening_class}"] = row.sealed
        for permit in session.scalars(
            select(Permit).where(Permit.contact_id == contact.contact_id)
        ):
            found[f"salt {permit.batch}"] = permit.salt
        for mail in session.scalars(select(ConfirmationMail)):
            if mail.contact_id == contact.contact_id:
                found["confirm link"], found["mail's hash"] = mail.link_id, mail.address_hash
        for work in session.scalars(select(OutboxRow).where(OutboxRow.key_id == contact.key_id)):
            found["outbox"] = work.sealed
    return found


def test_not_even_sealed_bytes_or_ids_are_left(path: Path) -> None:
    database, org = path.installation.database, path.made.organisation_id
    subscribe(path)
    path.leave(path.permit(ANNA, BERT))
    path.request(ANNA, 1)
    known = known_of(path, ANNA)
    stored = raw_bytes(database)
    written = [name for name, value in known.items() if value in stored]
    assert len(written) >= len(known) - 4  # each engine writes an id in one or two of the ways
    erasures.erase(path.installation, org, ANNA)
    stored = raw_bytes(database)
    left = [name for name, value in known.items() if value in stored]
    # The suppression is that very hash, under a scope of its own.
    assert left == ["mail's hash"]
    assert count(path, Suppression) == 1


def test_the_root_of_a_batch_is_made_again_without_the_person(path: Path) -> None:
    database, org = path.installation.database, path.made.organisation_id
    subscribe(path)
    subscribe(path, BERT)
    issued = path.permit(BERT, ANNA)
    erasures.erase(path.installation, org, ANNA)
    with database.read() as session:
        row = session.get(Permit, (org, issued.batch, 1))
        assert row is not None
        assert (row.contact_id, row.salt) == (None, bytes(16))
        made = permit_queries.lines(session, org, issued.batch)
        assert made.disclosures[1] == b""
        number = path.made.form.organisation_number
        proof = permit_queries.permit_proof(session, org, PermitId(number, issued.batch, 0))
        assert proof.count == 2
        with pytest.raises(NotFoundError):
            permit_queries.permit_proof(session, org, PermitId(number, issued.batch, 1))
    path.verified(BERT)


def test_who_comes_back_by_an_api_is_denied_until_they_press(path: Path) -> None:
    org = path.made.organisation_id
    subscribe(path)
    erasures.erase(path.installation, org, ANNA)
    assert codes(path, ANNA) == ["suppressed,no_basis"]
    link = path.decide(path.request())
    assert link
    assert codes(path, ANNA, BERT) == ["suppressed,no_basis", "no_basis"]
    path.press(link)
    assert count(path, Suppression) == 0
    assert codes(path, ANNA) == ["consent"]
    path.verified()
    assert fsck(path.installation, org).findings == []


def test_an_unknown_address_gets_the_same_answer_and_a_suppression(path: Path) -> None:
    database, org = path.installation.database, path.made.organisation_id
    subscribe(path)
    known = erasures.ask(database, org, ANNA)
    unknown = erasures.ask(database, org, "nobody@nowhere.example")
    shape = ("state", "ground", "logged_at", "entry_index", "leaf_hash", "kept_until", "gone")
    assert [getattr(known, name) for name in shape] == [getattr(unknown, name) for name in shape]
    assert service.collect_requested(database, org) == 2
    [leaf] = erasures.logged(database, org)  # one entry for both: not which index is whose
    assert leaf.plain["ranges"].endswith(f"-{people(path).size() - 2}")  # both objections, too
    erasures.destroy_due(database)
    assert count(path, Contact) == 0
    assert codes(path, "nobody@nowhere.example") == ["suppressed,no_basis"]


def test_requests_wait_an_hour_for_one_another(path: Path) -> None:
    database, org = path.installation.database, path.made.organisation_id
    with time_machine.travel(MORNING, tick=False) as clock:
        subscribe(path)
        first = erasures.ask(database, org, ANNA, now=False)
        size = people(path).size()
        assert erasures.ask(database, org, ANNA.lower(), now=False) == first
        assert people(path).size() == size
        clock.shift(3599)
        assert service.erase_due(database) == 0
        clock.shift(1)
        assert service.erase_due(database) == 1
        assert service.erase_due(database) == 0
    assert erasures.receipt(database, org, first.erasure_id).state == "logged"


def test_who_comes_back_before_it_is_logged_loses_only_what_was_before(path: Path) -> None:
    database, org = path.installation.database, path.made.organisation_id
    with time_machine.travel(MORNING, tick=True) as clock:
        subscribe(path)
        asked = erasures.ask(database, org, ANNA, now=False)
        clock.shift(60)
        subscribe(path)
        clock.shift(3600)
        service.erase_due(database)
        erasures.destroy_due(database)
        assert erasures.receipt(database, org, asked.erasure_id).state == "destroyed"
        opened = [bool(entry.values) for entry in people(path).entries(ANNA)]
        assert opened == [False] * 5 + [True] * 4
        assert codes(path, ANNA) == ["consent"]
        path.verified()
        assert fsck(path.installation, org).findings == []


def test_entries_that_come_between_log_and_destruction_go_too(path: Path) -> None:
    database, org = path.installation.database, path.made.organisation_id
    request = path.request()
    asked = erasures.ask(database, org, ANNA)
    service.collect_requested(database, org)
    path.decide(request)  # the worker was at it: two entries more
    assert erasures.destroy_due(database) == 1
    assert erasures.receipt(database, org, asked.erasure_id).state == "requested"
    assert service.collect_requested(database, org) == 1
    erasures.destroy_due(database)
    assert erasures.receipt(database, org, asked.erasure_id).state == "destroyed"
    assert people(path).contact(ANNA) is None
    assert fsck(path.installation, org).findings == []


def test_a_destruction_that_is_done_twice_is_done_once(path: Path) -> None:
    database, org = path.installation.database, path.made.organisation_id
    subscribe(path)
    issued = path.permit(ANNA, BERT)
    asked = erasures.ask(database, org, ANNA)
    with database.begin() as tx:
        plans = service.collect(tx, org).record
    assert plans is not None
    erasures.destroy_due(database)
    first = erasures.receipt(database, org, asked.erasure_id)
    place = (issued.entry_index, issued.batch, 0)
    again = {
        "contact": plans["erasures"][0]["contact"], "whole": True, "entries": 6,
        "indexes": [], "requests": [], "permits": [list(place)], "erasure": str(asked.erasure_id),
    }  # fmt: skip
    with database.begin() as tx:
        service.destroy(tx, org, {"plans": [again]})
    assert erasures.receipt(database, org, asked.erasure_id) == first
    assert fsck(path.installation, org).findings == []


def test_old_links_of_an_erased_person_tell_nothing(path: Path) -> None:
    org = path.made.organisation_id
    link = subscribe(path)
    issued = path.permit(ANNA)
    path.leave(issued)
    assert count(path, LinkUse) == 2
    erasures.erase(path.installation, org, ANNA)
    assert count(path, LinkUse) == 0
    with pytest.raises(NotFoundError):
        people(path).page(link)
    path.leave(issued)  # an unsubscribe link never expires: an entry without a contact
    assert "\ns " not in people(path).last_leaf()
    assert fsck(path.installation, org).findings == []


def test_a_preview_counts_and_changes_nothing(path: Path) -> None:
    database, org = path.installation.database, path.made.organisation_id
    subscribe(path)
    path.permit(ANNA)
    size = people(path).size()
    with database.read() as session:
        seen = requesting.preview(session, path.installation.keystore, org, ANNA)
        none = requesting.preview(session, path.installation.keystore, org, BERT)
    assert seen.rows["contact"] == 1
    assert seen.rows["permit"] == 1
    assert seen.openings["core"] == 4
    assert (none.rows, none.openings) == ({}, {})
    assert (people(path).size(), count(path, Erasure), count(path, Suppression)) == (size, 0, 0)


def test_a_restored_database_forgets_again_by_the_journal(path: Path) -> None:
    database, org = path.installation.database, path.made.organisation_id
    subscribe(path)
    subscribe(path, BERT)
    asked = erasures.ask(database, org, ANNA)
    service.collect_requested(database, org, None, path.installation.journal)
    [record] = path.installation.journal.pending("erasure")
    assert ANNA.lower() not in str(record.content).lower()
    with database.begin() as tx:  # the state before: as an older backup has it
        tx.session.execute(delete(Erasure))
        tx.session.execute(delete(Suppression))
        tx.session.execute(delete(OutboxRow))
    with database.begin() as tx:
        assert service.replay(tx, record.content) == 1
    with database.begin() as tx:
        service.replay(tx, record.content)
    assert count(path, Suppression) == 1
    assert codes(path, ANNA) == ["suppressed,no_basis"]
    assert service.erase_due(database) == 1
    erasures.destroy_due(database)
    assert erasures.receipt(database, org, asked.erasure_id).state == "destroyed"
    assert people(path).contact(ANNA) is None
    with database.begin() as tx:
        assert service.replay(tx, record.content) == 0
    assert service.erase_due(database) == 0
    assert fsck(path.installation, org).findings == []
    path.verified(BERT)


def test_a_journal_that_can_not_be_written_stops_the_commit(path: Path) -> None:
    class Full:
        def append(self, record: dict[str, object]) -> object:
            raise UnavailableError("the disk is full")

    database, org = path.installation.database, path.made.organisation_id
    subscribe(path)
    asked = erasures.ask(database, org, ANNA)
    with pytest.raises(UnavailableError):
        service.collect_requested(database, org, None, Full())
    assert erasures.receipt(database, org, asked.erasure_id).state == "requested"
    assert erasures.logged(database, org) == []


def test_recipients_of_the_data_are_told(path: Path) -> None:
    database, org = path.installation.database, path.made.organisation_id
    with database.begin() as tx:
        made = webhooks.CreateWebhook(org, "https://crm.example/hook", ("contact.erased",))
        webhooks.create_webhook(tx, made)
    subscribe(path)
    erasures.erase(path.installation, org, ANNA)
    [job] = outbox.lease(database, "test", [webhooks.DELIVER], limit=9, seconds=60)
    with database.begin() as tx:
        said = json.loads(
            outbox.open_job(tx, job)["body"]
        )  # sealed, and it outlives the contact's key
    assert said["type"] == "contact.erased"
    assert said["data"]["address"] == ANNA


def test_what_is_amiss_is_named(path: Path) -> None:
    database, org = path.installation.database, path.made.organisation_id
    with pytest.raises(InputError) as caught:
        erasures.ask(database, org, "no address")
    assert caught.value.field == "address"
    with pytest.raises(InputError) as caught:
        erasures.ask(database, org, ANNA, ground="because")
    assert caught.value.field == "ground"
    assert count(path, Erasure) == 0
