"""Permits on both engines: who is allowed, what is stored, what the batch's entry says, and the proofs."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import DBAPIError

from consentledger.contacts.models import Contact
from consentledger.db.engine import Database
from consentledger.db.installation import Installation
from consentledger.db.log.entries import Draft, open_disclosures, opening_context
from consentledger.db.models import LogHead, LogLeaf, Opening
from consentledger.kernel.clock import now, to_text
from consentledger.kernel.errors import InputError, IntegrityError, NotFoundError, UnavailableError
from consentledger.kernel.ids import uuid7
from consentledger.law.reading import packs
from consentledger.ledger.kinds import KINDS
from consentledger.ledger.leaf import check_disclosures, check_schema, parse_leaf
from consentledger.ledger.merkle import verify_inclusion
from consentledger.ledger.permit import (
    parse_permit,
    permit_line_hash,
)
from consentledger.organisations.models import Purpose
from consentledger.permits import queries, service
from consentledger.permits.links import PermitId, batch_text
from consentledger.permits.models import Permit as PermitTable
from consentledger.permits.models import PermitBatch
from consentledger.permits.rechecks import Dead, dead_by_now
from consentledger.permits.service import Issued
from tests.support.permits import Shop, make_purpose, make_shop


@pytest.fixture
def shop(installation: Installation) -> Shop:
    """An organisation with a sender and a purpose."""
    return make_shop(installation.database, installation.settings)


def codes(issued: Issued) -> list[str]:
    """The reasons of each row of a batch, in order."""
    return [issued.rulings[row.verdict].verdict.codes for row in issued.rows]


def ids(shop: Shop, issued: Issued) -> list[str]:
    """The ids of a batch's permits, as the API writes them."""
    return [str(PermitId(shop.number, issued.batch, n)) for n in range(len(issued.rows))]


def test_each_recipient_gets_a_decision_with_its_reason(shop: Shop) -> None:
    shop.confirm("ann@example.org", "Bea@Example.org", "cid@example.org", "dan@example.org")
    shop.withdraw("cid@example.org")
    shop.stop("dan@example.org")
    shop.stop("eve@example.org", scope="sender", lasting=timedelta(days=7))
    issued = shop.issue(
        "ann@example.org", "bea@EXAMPLE.ORG", "cid@example.org", "dan@example.org", "eve@example.org",
        "nobody@example.org", "not an address", "ANN@example.org", "", "a\r\nb@example.org", "x@y@z.org",
    )  # fmt: skip
    assert codes(issued) == [
        "consent", "consent", "withdrawn", "objected,withdrawn", "objected,no_basis",
        "no_basis", "invalid_address", "duplicate", "invalid_address", "invalid_address", "invalid_address",
    ]  # fmt: skip
    assert [row.contact_id is None for row in issued.rows] == [False] * 5 + [True] * 6


def test_consent_holds_for_its_own_purpose_sender_and_organisation(
    shop: Shop, installation: Installation
) -> None:
    other = make_purpose(shop.database, shop.organisation_id)
    shop.confirm("ann@example.org", purpose_id=other)
    bob = make_shop(installation.database, installation.settings, "bob")
    bob.confirm("ann@example.org")
    assert codes(shop.issue("ann@example.org")) == ["no_basis"]
    assert codes(shop.issue("ann@example.org", purpose_id=other)) == ["consent"]


def test_tracking_needs_consent_to_a_purpose_of_its_own(shop: Shop) -> None:
    tracking = make_purpose(shop.database, shop.organisation_id, purpose_class="tracking")
    shop.confirm("ann@example.org")
    ask = {"purpose_id": tracking, "message_class": "tracking"}
    assert codes(shop.issue("ann@example.org", **ask)) == ["no_basis"]
    shop.confirm("ann@example.org", purpose_id=tracking)
    assert codes(shop.issue("ann@example.org", **ask)) == ["consent"]
    with pytest.raises(InputError) as caught:  # consent to tracking lets no newsletter out
        shop.issue("ann@example.org", purpose_id=tracking)
    assert (caught.value.field, caught.value.reason) == ("class", "not_of_purpose")


def test_a_pause_ends_and_only_a_new_act_reopens_an_objection(shop: Shop) -> None:
    shop.confirm("ann@example.org", "bea@example.org")
    shop.stop("ann@example.org", scope="sender", lasting=timedelta(microseconds=1))
    shop.stop("bea@example.org", scope="purpose")
    assert codes(shop.issue("ann@example.org", "bea@example.org")) == [
        "consent",
        "objected,withdrawn",
    ]
    shop.confirm("bea@example.org")
    assert codes(shop.issue("bea@example.org")) == ["consent"]


def test_strangers_and_slips_are_only_counted(shop: Shop) -> None:
    people = ("nobody@example.org", "not an address", "nobody@example.org")
    issued = shop.issue(*people)
    with shop.database.read() as session:
        kept = session.execute(select(PermitTable.contact_id)).scalars().all()
        stored = repr(session.execute(select(PermitBatch.__table__)).all())
    assert kept == [None, None, None]
    assert "nobody" not in stored + repr(issued.rows) + repr(issued)
    assert "not an" not in stored + repr(issued)


def test_the_entry_states_message_pack_count_and_root(shop: Shop) -> None:
    shop.confirm("ann@example.org")
    issued = shop.issue("ann@example.org", "nobody@example.org", campaign="spring-1")
    keys = shop.database.log.keystore
    with shop.database.read() as session:
        leaf = session.scalar(select(LogLeaf.leaf).where(LogLeaf.entry_index == issued.entry_index))
        opening = session.scalars(
            select(Opening).where(Opening.entry_index == issued.entry_index)
        ).one()
        hashed = session.scalar(
            select(LogLeaf.leaf_hash).where(LogLeaf.entry_index == issued.entry_index)
        )
        origin = session.scalar(select(LogHead.origin))
        lines = queries.lines(session, shop.organisation_id, issued.batch)
        sealer = keys.organisation(session, shop.organisation_id).sealer
    assert leaf is not None
    assert hashed is not None
    assert origin is not None
    parsed = parse_leaf(leaf)
    assert opening.key_id is None  # the organisation's key: the batch is nobody's own
    opened = sealer.open(opening.sealed, opening_context(origin, hashed, "core"))
    values = check_disclosures(parsed, open_disclosures(opened))
    check_schema(KINDS["permits.issued", 2], parsed, values)
    assert parsed.plain == {"count": "2", "root": lines.root.hex()}
    assert parsed.label is None
    at = to_text(issued.issued_at)
    assert {name: values[name] for name in values if name != "software"} == {
        "actor": "key:test",
        "at": at,
        "batch": batch_text(issued.batch),
        "sender": str(shop.sender_id),
        "purpose": str(shop.purpose_id),
        "channel": "email",
        "class": "marketing",
        "contains": [],
        "categories": [],
        "categories_version": None,
        "campaign": "spring-1",
        "tracking": None,
        "send_at": at,
        "registers": [],
        "packs": [f"XX@1 {packs.pack('XX@1').hash}"],
        "valid_until": to_text(issued.valid_until_at),
    }
    # An hour from the decision on, which is made a moment before the entry.
    assert timedelta(minutes=59) < issued.valid_until_at - issued.issued_at <= timedelta(hours=1)


@pytest.mark.parametrize("count", [1, 2, 17, 300])
def test_each_permit_has_a_proof_in_its_batch_and_in_the_log(
    shop: Shop, installation: Installation, count: int
) -> None:
    shop.confirm("p0@example.org")
    issued = shop.issue(*(f"p{n}@example.org" for n in range(count)))
    wanted = [PermitId(shop.number, issued.batch, n) for n in {0, count // 2, count - 1}]
    with shop.database.read() as session:
        assert queries.permit_proof(session, shop.organisation_id, wanted[0]).log is None
    checkpoint = installation.signer.sign(shop.organisation_id)
    assert checkpoint is not None
    for permit_id in wanted:
        with shop.database.read() as session:
            proof = queries.permit_proof(session, shop.organisation_id, permit_id)
        line = permit_line_hash(proof.disclosure)
        plain = parse_leaf(proof.leaf).plain
        root = bytes.fromhex(plain["root"])
        verify_inclusion(line, permit_id.row, int(plain["count"]), proof.path, root)
        assert proof.log is not None
        hashed = (
            parse_leaf(proof.leaf) and __import__("hashlib").sha256(b"\0" + proof.leaf).digest()
        )
        verify_inclusion(
            hashed, proof.entry_index, checkpoint.size, proof.log.hashes, checkpoint.root
        )
        assert proof.bundle_member().keys() == {"batch", "disclosure", "path", "permit", "row"}


def test_rows_changed_by_hand_give_no_proof(shop: Shop) -> None:
    shop.confirm("ann@example.org")
    issued = shop.issue("ann@example.org", "nobody@example.org")
    with shop.database.begin() as tx:
        tx.session.execute(update(PermitTable).values(verdict=0))
    with shop.database.read() as session, pytest.raises(IntegrityError):
        queries.permit_proof(session, shop.organisation_id, PermitId(shop.number, issued.batch, 0))


def test_ids_of_others_are_unknown(shop: Shop, installation: Installation) -> None:
    bob = make_shop(installation.database, installation.settings, "bob")
    for wrong, field in (
        ({"sender_id": bob.sender_id}, "sender"),
        ({"purpose_id": bob.purpose_id}, "purpose"),
        ({"sender_id": uuid7()}, "sender"),
        ({"channel": "sms"}, "channel"),
        ({"channel": "pigeon"}, "channel"),
        ({"message_class": "tracking"}, "class"),
    ):
        with pytest.raises(InputError) as caught:
            shop.issue("ann@example.org", **wrong)
        assert caught.value.field == field
    issued = bob.issue("ann@example.org")
    for permit_id in (
        PermitId(bob.number, issued.batch, 0),
        PermitId(shop.number, issued.batch, 0),
        PermitId(shop.number, 7, 0),
    ):
        with shop.database.read() as session, pytest.raises(NotFoundError):
            queries.permit_proof(session, shop.organisation_id, permit_id)
    with shop.database.read() as session, pytest.raises(NotFoundError):
        queries.permit_proof(session, bob.organisation_id, PermitId(bob.number, issued.batch, 1))
    with shop.database.read() as session:
        assert session.scalar(select(func.count()).select_from(PermitBatch)) == 1


def test_recheck_names_the_dead(shop: Shop, installation: Installation) -> None:
    people = [f"{name}@example.org" for name in ("ann", "bea", "cid", "dan", "eve", "fay")]
    shop.confirm(*people)
    other = make_purpose(shop.database, shop.organisation_id)
    shop.confirm("ann@example.org", purpose_id=other)
    issued = shop.issue(*people, "nobody@example.org")
    first = ids(shop, issued)
    shop.withdraw("bea@example.org")
    shop.stop("cid@example.org")
    shop.withdraw("dan@example.org")
    shop.confirm("dan@example.org")  # has come back, but the first stop killed the permit
    shop.stop("eve@example.org", scope="sender", lasting=timedelta(days=7))
    shop.confirm("fay@example.org")  # says yes once more: that ends nothing
    shop.confirm("fay@example.org", "ann@example.org", purpose_id=other)
    shop.withdraw("ann@example.org", purpose_id=other)  # leaves something else
    bob = make_shop(installation.database, installation.settings, "bob")
    foreign = ids(bob, bob.issue("ann@example.org"))[0]
    asked = [*first, foreign, str(PermitId(shop.number, issued.batch, 99))]

    def dead(at: object) -> list[Dead]:
        with shop.database.read() as session:
            return dead_by_now(session, shop.organisation_id, asked, at)  # type: ignore[arg-type]

    assert dead(now()) == [
        *(Dead(first[n], "stopped") for n in (1, 2, 3, 4)),
        Dead(first[6], "denied"),
        Dead(foreign, "unknown"),
        Dead(asked[-1], "unknown"),
    ]
    reasons = [item.reason for item in dead(now() + timedelta(hours=2))]
    assert reasons == ["expired"] * 6 + ["denied", "unknown", "unknown"]


@pytest.mark.parametrize("act", ["withdraw", "stop"])
def test_a_stop_between_the_facts_and_the_lock_is_seen(shop: Shop, act: str) -> None:
    people = [f"p{n}@example.org" for n in range(40)]
    shop.confirm(*people)
    prepared = service.prepare(shop.database, shop.ask(*people))
    getattr(shop, act)("p7@example.org", "p30@example.org")
    with shop.database.begin() as tx:
        issued = service.issue(tx, prepared)
    refused = {n for n, code in enumerate(codes(issued)) if code != "consent"}
    assert refused == {7, 30}
    with shop.database.read() as session:
        made = queries.lines(session, shop.organisation_id, issued.batch)
        stored = queries.rows(session, shop.organisation_id, issued.batch)
        proof = queries.permit_proof(
            session, shop.organisation_id, PermitId(shop.number, issued.batch, 7)
        )
    assert stored == list(issued.rows)
    assert parse_permit(made.disclosures[7].decode()).allowed is False
    assert parse_permit(proof.disclosure).valid_until is None


def test_a_change_that_concerns_everybody_is_seen(shop: Shop) -> None:
    shop.confirm("ann@example.org")
    prepared = service.prepare(shop.database, shop.ask("ann@example.org"))
    with shop.database.begin() as tx:
        tx.session.execute(update(Purpose).values(channels=["sms"]))
        values = {
            "purpose": str(shop.purpose_id), "version": 2, "class": "marketing", "titles": ["en=x"],
            "channels": ["sms"], "categories": [],
        }  # fmt: skip
        tx.log.append(tx, shop.organisation_id, [Draft("purpose.published", values, "operator")])
    with pytest.raises(InputError) as caught, shop.database.begin() as tx:
        service.issue(tx, prepared)
    assert caught.value.field == "channel"
    with shop.database.read() as session:  # nothing half-written
        assert session.scalar(select(func.count()).select_from(PermitTable)) == 0


def test_a_contact_erased_meanwhile_is_a_stranger(shop: Shop) -> None:
    shop.confirm("ann@example.org", "bea@example.org")
    prepared = service.prepare(shop.database, shop.ask("ann@example.org", "bea@example.org"))
    found: list[UUID] = [known.contact_id for known in prepared.gathered.known.values()]
    with shop.database.begin() as tx:
        tx.session.execute(Contact.__table__.delete().where(Contact.contact_id == found[0]))
        plain = {
            "classes": "core",
            "part": "1/1",
            "ranges": "3",
            "reason": "expired",
            "permits": "none",
        }
        draft = Draft("log.erasure", {}, "worker", plain=plain)
        tx.log.append(tx, shop.organisation_id, [draft])
    with shop.database.begin() as tx:
        issued = service.issue(tx, prepared)
    assert sorted(codes(issued)) == ["consent", "no_basis"]
    assert found[0] not in [row.contact_id for row in issued.rows]


def test_batches_of_every_size_are_stored(shop: Shop) -> None:
    shop.confirm("p1@example.org")
    for count in (1, 16, 17, 1000):
        issued = shop.issue(*(f"p{n}@example.org" for n in range(count)))
        with shop.database.read() as session:
            assert queries.rows(session, shop.organisation_id, issued.batch) == list(issued.rows)
            assert queries.batch(session, shop.organisation_id, issued.batch).count == count


def test_a_batch_that_fails_midway_leaves_nothing(shop: Shop) -> None:
    shop.confirm("ann@example.org")
    with shop.database.begin() as tx:
        tx.session.execute(text("ALTER TABLE permit_batch RENAME TO elsewhere"))
    with shop.database.read() as session:
        before = session.scalar(select(LogHead.size))
    # The last statement of all fails: rows, entry and head must go with it.
    with pytest.raises((UnavailableError, DBAPIError)):
        shop.issue("ann@example.org", "bea@example.org")
    with shop.database.read() as session:
        assert session.scalar(select(LogHead.size)) == before
        assert session.scalar(select(func.count()).select_from(PermitTable)) == 0


def test_a_log_that_is_locked_for_long_is_unavailable(
    shop: Shop, installation: Installation
) -> None:
    shop.confirm("ann@example.org")
    impatient = Database(
        installation.settings.database_url, log=shop.database.log, lock_timeout=0.2
    )
    prepared = service.prepare(impatient, shop.ask("ann@example.org"))
    if impatient.name == "sqlite":  # no server that could lock: another program holds the file
        holder = sqlite3.connect(impatient.url.database or "", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(UnavailableError), impatient.begin() as tx:
            service.issue(tx, prepared)
        holder.close()
    else:
        with shop.database.begin() as tx:
            tx.log.lock_head(tx, shop.organisation_id)
            with pytest.raises(UnavailableError), impatient.begin() as other:
                service.issue(other, prepared)
    impatient.close()
    with shop.database.read() as session:
        assert session.scalar(select(func.count()).select_from(PermitTable)) == 0
    assert codes(shop.issue("ann@example.org")) == ["consent"]
