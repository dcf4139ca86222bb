"""Reports of what was sent, on both engines: recorded once, flagged where they do not fit, provable."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from sqlalchemy import select, update

from consentledger.contacts.models import LastSend
from consentledger.contacts.queries import sent_since
from consentledger.db.installation import Installation
from consentledger.db.models import LogHead, LogLeaf
from consentledger.kernel.clock import now, to_text
from consentledger.kernel.errors import InputError, IntegrityError
from consentledger.ledger.leaf import parse_leaf
from consentledger.ledger.merkle import verify_inclusion
from consentledger.ledger.sent import message_id_hash, parse_sent, sent_line_hash
from consentledger.permits.links import PermitId
from consentledger.sends import erasing, queries, rules, service
from consentledger.sends.models import MessageSent
from consentledger.sends.service import Recorded
from tests.support.permits import Shop, make_shop

ANN, BEA = "ann@example.org", "bea@example.org"


@pytest.fixture
def shop(installation: Installation) -> Shop:
    """An organisation with a sender and a purpose; ann and bea have confirmed five days ago."""
    with time_machine.travel(datetime.now(UTC) - timedelta(days=5), tick=True):
        made = make_shop(installation.database, installation.settings)
        made.confirm(ANN, BEA)
    return made


def ids(shop: Shop, *people: str, ago: timedelta = timedelta(0), **more: Any) -> list[str]:
    """Permits for these people, issued so long ago."""
    with time_machine.travel(datetime.now(UTC) - ago, tick=True):
        issued = shop.issue(*people, **more)
    return [str(PermitId(shop.number, issued.batch, n)) for n in range(len(issued.rows))]


def report(shop: Shop, *sends: dict[str, Any]) -> list[Recorded]:
    command = rules.read_sends({"sends": list(sends)}, shop.organisation_id, "key:test")
    with shop.database.begin() as tx:
        return service.report(tx, command)


def last(shop: Shop) -> list[tuple[date, int]]:
    with shop.database.read() as session:
        rows = session.execute(
            select(LastSend.sent_on, LastSend.entry_index).where(
                LastSend.organisation_id == shop.organisation_id
            )
        )
        return sorted((row.sent_on, row.entry_index) for row in rows)


def size(shop: Shop) -> int:
    with shop.database.read() as session:
        query = select(LogHead.size).where(LogHead.organisation_id == shop.organisation_id)
        return session.scalars(query).one()


def batch_at(shop: Shop, index: int) -> int:
    with shop.database.read() as session:
        return next(
            number
            for (number,) in session.execute(
                select(queries.MessageBatch.batch).where(queries.MessageBatch.entry_index == index)
            )
        )


def test_a_report_is_committed_and_proved(shop: Shop) -> None:
    ann, bea = ids(shop, ANN, BEA)
    told = report(
        shop,
        {"permit": ann, "status": "sent", "message_id": "<a@mail.example>", "list_headers_hash": "ab" * 32},
        {"permit": bea, "status": "failed"},
    )  # fmt: skip
    assert [(one.flags, one.repeated) for one in told] == [("", False), ("", False)]
    index = told[0].entry_index
    with shop.database.read() as session:
        proofs = queries.proofs(session, shop.organisation_id, batch_at(shop, index), [0, 1])
        leaf = session.scalars(select(LogLeaf.leaf).where(LogLeaf.entry_index == index)).one()
    parsed = parse_leaf(leaf)
    assert (parsed.kind_name, parsed.label, parsed.plain["count"]) == ("message.sent", None, "2")
    lines = [parse_sent(one.disclosure) for one in proofs]
    assert [line.permit for line in lines] == [ann, bea]
    assert (lines[0].status, lines[0].basis, lines[0].channel) == ("sent", "consent", "email")
    assert lines[0].message_id == message_id_hash("a@mail.example").hex()
    assert (lines[0].list_headers, lines[1].message_id) == ("ab" * 32, None)
    for proof in proofs:
        verify_inclusion(
            sent_line_hash(proof.disclosure),
            proof.row,
            2,
            proof.path,
            bytes.fromhex(parsed.plain["root"]),
        )


def test_more_rows_than_one_statement_takes(shop: Shop) -> None:
    people = [f"p{n}@example.org" for n in range(40)]
    shop.confirm(*people)
    told = report(shop, *({"permit": one, "status": "sent"} for one in ids(shop, *people)))
    assert [one.row for one in told] == list(range(40))
    with shop.database.read() as session:
        lines = queries.lines(session, shop.organisation_id, batch_at(shop, told[0].entry_index))
    assert len(lines.disclosures) == 40
    assert len(last(shop)) == 40


def test_the_same_report_twice_is_one(shop: Shop) -> None:
    ann, bea = ids(shop, ANN, BEA)
    one = {"permit": ann, "status": "sent", "message_id": "a@mail.example"}
    first = report(shop, one, one)
    assert [(r.entry_index, r.row, r.repeated) for r in first] == [
        (first[0].entry_index, 0, False),
        (first[0].entry_index, 0, True),
    ]
    before = size(shop)
    (again,) = report(shop, one)
    assert (again.repeated, again.entry_index, again.row) == (True, first[0].entry_index, 0)
    assert size(shop) == before
    told = report(shop, one, {"permit": bea, "status": "skipped"})
    assert [(r.repeated, r.entry_index, r.row) for r in told] == [
        (True, first[0].entry_index, 0),
        (False, before, 0),
    ]


def test_what_does_not_fit_its_permit_is_recorded_and_flagged(shop: Shop) -> None:
    denied, _ = ids(shop, "nobody@example.org", ANN)
    late, _ = ids(shop, ANN, BEA, ago=timedelta(hours=3))
    told = report(
        shop,
        {"permit": denied, "status": "sent"},
        {"permit": late, "status": "sent"},
        {"permit": late, "status": "sent", "message_id": "other@mail.example"},
        {"permit": denied, "status": "skipped"},
    )
    assert [one.flags for one in told] == ["not_permitted", "late", "late,sent_before", ""]
    assert last(shop) == []  # no clock runs from a message that was not sent as permitted


def test_the_day_that_clocks_run_from(shop: Shop) -> None:
    old, _ = ids(shop, ANN, BEA, ago=timedelta(days=3))
    three_days_ago = now() - timedelta(days=3) + timedelta(seconds=30)
    first = report(shop, {"permit": old, "status": "sent", "at": to_text(three_days_ago)})[0]
    assert last(shop) == [(three_days_ago.date(), first.entry_index)]
    new, _ = ids(shop, ANN, BEA)
    assert report(shop, {"permit": new, "status": "failed"})[0].flags == ""
    assert last(shop) == [(three_days_ago.date(), first.entry_index)]
    second = report(shop, {"permit": new, "status": "sent"})[0]
    assert last(shop) == [(second.at.date(), second.entry_index)]
    # One that is told of later, about an older day, moves nothing.
    report(shop, {"permit": old, "status": "sent", "message_id": "again@mail.example"})
    assert last(shop) == [(second.at.date(), second.entry_index)]
    with shop.database.read() as session:
        assert len(sent_since(session, shop.organisation_id, second.entry_index)) == 1
        assert sent_since(session, shop.organisation_id, second.entry_index + 1) == set()
        contacts = sent_since(session, shop.organisation_id, 0)
        made = erasing.last_of(session, shop.organisation_id, contacts)
    assert [(days, index) for (days, _), index in made.values()] == last(shop)


WRONG: tuple[tuple[dict[str, Any], str, str], ...] = (
    ({"status": "sent"}, "sends[1].permit", "format"),
    ({"permit": "AAAAAAAAAAAAAAAA", "status": "sent"}, "sends[1].permit", "unknown"),
    ({"permit": "ann", "status": "opened"}, "sends[1].status", "unknown"),
    ({"permit": "ann", "status": "sent", "message_id": "none"}, "sends[1].message_id", "format"),
    ({"permit": "ann", "status": "sent", "message_id": 7}, "sends[1].message_id", "missing"),
    ({"permit": "ann", "status": "sent", "list_headers_hash": "AB"}, "sends[1].list_headers_hash", "format"),
    ({"permit": "ann", "status": "sent", "at": "2026-01-01T00:00:00"}, "sends[1].at", "format"),
    ({"permit": "ann", "status": "sent", "at": "2099-01-01T00:00:00Z"}, "sends[1].at", "future"),
    ({"permit": "ann", "status": "sent", "at": "2020-01-01T00:00:00Z"}, "sends[1].at", "before_permit"),
    ({"permit": "ann", "status": "sent", "opened": True}, "sends[1].opened", "unknown"),
)  # fmt: skip


def test_one_wrong_row_and_nothing_is_written(shop: Shop) -> None:
    ann, bea = ids(shop, ANN, BEA)
    before = size(shop)
    for given, field, reason in WRONG:
        send = {**given, "permit": ann} if given.get("permit") == "ann" else given
        with pytest.raises(InputError) as caught:
            report(shop, {"permit": bea, "status": "sent"}, send)
        assert (caught.value.field, caught.value.reason) == (field, reason)
        assert (size(shop), last(shop)) == (before, [])


def test_another_organisations_permit_is_unknown(installation: Installation, shop: Shop) -> None:
    other = make_shop(installation.database, installation.settings, "bob")
    other.confirm(ANN)
    (permit,) = ids(other, ANN)
    with pytest.raises(InputError, match="no such permit"):
        report(shop, {"permit": permit, "status": "sent"})


def test_a_message_is_found_by_its_id(shop: Shop) -> None:
    ann, bea = ids(shop, ANN, BEA)
    report(shop, {"permit": ann, "status": "sent", "message_id": "<a@mail.example>"})
    report(shop, {"permit": bea, "status": "sent", "message_id": "b@mail.example"})
    with shop.database.read() as session:
        digest = rules.hash_of(" a@mail.example ")
        ((number, row),) = queries.places_by_message(session, shop.organisation_id, digest)
        (proof,) = queries.proofs(session, shop.organisation_id, number, [row])
        none = queries.places_by_message(
            session, shop.organisation_id, rules.hash_of("c@mail.example")
        )
    assert (str(proof.permit), none) == (ann, [])


def test_an_erased_row_keeps_its_lines_hash_and_the_batch_its_root(shop: Shop) -> None:
    ann, bea = ids(shop, ANN, BEA)
    told = report(
        shop,
        {"permit": ann, "status": "sent", "message_id": "a@mail.example"},
        {"permit": bea, "status": "sent"},
    )
    number = batch_at(shop, told[0].entry_index)
    with shop.database.read() as session:
        before = queries.lines(session, shop.organisation_id, number)
    with shop.database.begin() as tx:
        assert erasing.erase_places(tx, shop.organisation_id, [(number, 0)]) == 1
    with shop.database.begin() as tx:
        assert erasing.erase_places(tx, shop.organisation_id, [(number, 0)]) == 0
    with shop.database.read() as session:
        after = queries.lines(session, shop.organisation_id, number)
        row = session.execute(
            select(MessageSent.contact_id, MessageSent.message_hash, MessageSent.salt).where(
                MessageSent.batch == number, MessageSent.row_number == 0
            )
        ).one()
        (left,) = queries.proofs(session, shop.organisation_id, number, [0, 1])
    assert tuple(row) == (None, None, bytes(16))
    assert (after.root, after.disclosures[0], left.row) == (before.root, b"", 1)


def test_a_row_changed_by_hand_gives_no_proof(shop: Shop) -> None:
    (ann,) = ids(shop, ANN)
    told = report(shop, {"permit": ann, "status": "sent"})
    with shop.database.begin() as tx:
        tx.session.execute(update(MessageSent).values(sent_at=now()))
    with shop.database.read() as session, pytest.raises(IntegrityError):
        queries.proofs(session, shop.organisation_id, batch_at(shop, told[0].entry_index), [0])


def contact_of(shop: Shop, told: Recorded) -> UUID:
    with shop.database.read() as session:
        found = session.scalars(
            select(MessageSent.contact_id).where(MessageSent.row_number == told.row)
        ).one()
    assert found is not None
    return found


def test_last_send_is_made_anew_from_what_is_left(shop: Shop) -> None:
    (ann,) = ids(shop, ANN)
    told = report(shop, {"permit": ann, "status": "sent"})[0]
    contact = contact_of(shop, told)
    with shop.database.begin() as tx:
        assert erasing.remake_last(tx, shop.organisation_id, [contact]) == 1
    assert last(shop) == [(told.at.date(), told.entry_index)]
    with shop.database.begin() as tx:
        erasing.erase_places(
            tx, shop.organisation_id, [(batch_at(shop, told.entry_index), told.row)]
        )
        assert erasing.remake_last(tx, shop.organisation_id, [contact]) == 0
    assert last(shop) == []
