"""Permit lines made in bulk are the ledger's own, byte by byte, and batches of the first edition keep theirs."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, select

from consentledger.contacts.models import Contact
from consentledger.db.installation import Installation
from consentledger.db.log.entries import Draft
from consentledger.kernel.clock import now, to_text
from consentledger.kernel.errors import NotFoundError
from consentledger.law.first.decide import decide
from consentledger.law.first.model import Facts as FirstFacts
from consentledger.law.first.packs import default_pack
from consentledger.ledger import merkle
from consentledger.ledger.first_permit import (
    FirstPermit,
    first_permit_disclosure,
    first_permit_line_hash,
)
from consentledger.ledger.merkle import verify_inclusion
from consentledger.ledger.permit import Permit, parse_permit, permit_disclosure, permit_line_hash
from consentledger.permits import queries
from consentledger.permits.answers import permit_answer
from consentledger.permits.erasing import erase_places, places_of
from consentledger.permits.lines import Row
from consentledger.permits.links import PermitId, batch_text, new_batch
from consentledger.permits.models import Permit as PermitTable
from consentledger.permits.models import PermitBatch
from consentledger.permits.rechecks import dead_by_now
from consentledger.permits.service import Issued
from tests.support.permits import Shop, make_shop


@pytest.fixture
def shop(installation: Installation) -> Shop:
    """An organisation with a sender and a purpose."""
    return make_shop(installation.database, installation.settings)


def line_of(shop: Shop, issued: Issued, number: int, row: Row) -> Permit:
    """What the ledger's own writer must make of a row."""
    facts, entry, verdict = issued.rulings[row.verdict]
    until = issued.valid_until_at
    return Permit(
        permit=str(PermitId(shop.number, issued.batch, number)),
        row=number,
        contact=str(row.contact_id) if row.contact_id else None,
        entry=entry,
        recipient=facts.recipient,
        countries=",".join(facts.countries),
        person=facts.person,
        capacity=facts.capacity,
        consent=facts.consent,
        grade=facts.grade,
        consented_on=facts.consented_on,
        sent_on=facts.sent_on,
        objection=facts.objection,
        closed=facts.closed,
        customer=facts.customer.text() if facts.customer else None,
        listed=",".join(facts.listed),
        tracking=facts.tracking,
        packs=",".join(verdict.packs),
        verdict=verdict.verdict,
        basis=verdict.basis,
        reasons=verdict.codes,
        valid_until=to_text(min(until, verdict.until or until)) if verdict.allowed else None,
    )


def test_lines_made_again_are_the_ledgers_own(shop: Shop) -> None:
    shop.confirm("ann@example.org", "cid@example.org")
    shop.withdraw("cid@example.org")
    issued = shop.issue("ann@example.org", "cid@example.org", "nobody@example.org", *["x"] * 20)
    with shop.database.read() as session:
        lines = queries.lines(session, shop.organisation_id, issued.batch)
    for number, (row, disclosure) in enumerate(zip(issued.rows, lines.disclosures, strict=True)):
        permit = line_of(shop, issued, number, row)
        assert disclosure.decode() == permit_disclosure(row.salt, permit)
        assert parse_permit(disclosure.decode()) == permit
        assert lines.hashes[number] == permit_line_hash(disclosure.decode())


def first_edition(shop: Shop) -> tuple[int, list[str]]:
    """A batch as the first edition of the law left it: rows, texts and entry; returns its number and its lines."""
    shop.confirm("ann@example.org")
    pack, at, number = default_pack(), now(), new_batch()
    until = at + timedelta(hours=1)
    with shop.database.read() as session:
        contact = session.scalars(select(Contact.contact_id)).one()
    verdicts, lines, rows = [], [], []
    for row, (recipient, consent, who) in enumerate(
        (("record", "confirmed", contact), ("stranger", "none", None), ("duplicate", "none", None))
    ):
        facts = FirstFacts("marketing", "email", recipient, consent, "none")
        verdict, salt = decide(facts, pack, at), os.urandom(16)
        verdicts.append(
            {
                "consent": consent, "objection": "none", "allowed": verdict.allowed, "basis": verdict.basis,
                "reasons": [list(reason) for reason in verdict.reasons], "duties": list(verdict.duties),
            }
        )  # fmt: skip
        permit = FirstPermit(
            str(PermitId(shop.number, number, row)), row, str(who) if who else None, consent, "none",
            verdict.allowed, verdict.basis, verdict.codes, to_text(until) if verdict.allowed else None,
        )  # fmt: skip
        lines.append(first_permit_disclosure(salt, permit))
        rows.append({"row_number": row, "contact_id": who, "verdict": row, "salt": salt})
    root = merkle.root_of([first_permit_line_hash(line) for line in lines])
    message = {"class": "marketing", "campaign": None, "pack": pack.name, "pack_hash": pack.hash}
    values = {
        **message, "batch": batch_text(number), "sender": str(shop.sender_id), "purpose": str(shop.purpose_id),
        "channel": "email", "valid_until": to_text(until),
    }  # fmt: skip
    plain = {"count": "3", "root": root.hex()}
    key: dict[str, Any] = {"organisation_id": shop.organisation_id, "batch": number}
    with shop.database.begin() as tx:
        draft = Draft("permits.issued", values, "key:test", plain=plain, version=1)
        (entry,) = tx.log.append(tx, shop.organisation_id, [draft])
        tx.session.execute(insert(PermitTable), [{**key, **row, "line_hash": None} for row in rows])
        tx.session.execute(
            insert(PermitBatch).values(
                **key, entry_index=entry.index, count=3, sender_id=shop.sender_id, purpose_id=shop.purpose_id,
                channel="email", message=message, verdicts=verdicts, issued_at=tx.now, valid_until_at=until,
            )
        )  # fmt: skip
    return number, lines


def test_a_batch_of_the_first_edition_gives_its_lines_proofs_and_answers(shop: Shop) -> None:
    number, lines = first_edition(shop)
    permit_id = PermitId(shop.number, number, 0)
    with shop.database.read() as session:
        made = queries.lines(session, shop.organisation_id, number)
        proof = queries.permit_proof(session, shop.organisation_id, permit_id)
        batch = queries.batch(session, shop.organisation_id, number)
        row = queries.row(session, shop.organisation_id, permit_id)
        ids = [str(PermitId(shop.number, number, n)) for n in range(3)]
        dead = dead_by_now(session, shop.organisation_id, ids, now())
    assert [line.decode() for line in made.disclosures] == lines
    verify_inclusion(first_permit_line_hash(lines[0]), 0, 3, proof.path, made.root)
    answer = permit_answer(batch, row, proof, "valid")
    assert (answer["verdict"], answer["basis"], answer["facts"]["consent"]) == (
        "allow", "consent", "confirmed",
    )  # fmt: skip
    assert answer["message"]["packs"] == [f"consent_only@1 {default_pack().hash}"]
    assert answer["reasons"][0]["rule"] == "consent_only@1#consent"
    assert [one.reason for one in dead] == ["denied", "denied"]


def test_a_person_is_taken_out_of_a_batch_of_the_first_edition(shop: Shop) -> None:
    number, lines = first_edition(shop)
    with shop.database.begin() as tx:
        contact: UUID = tx.session.scalars(select(Contact.contact_id)).one()
        found = places_of(tx.session, shop.organisation_id, [contact])[contact]
        assert [(batch, row) for _, batch, row in found] == [(number, 0)]
        assert erase_places(tx, shop.organisation_id, [(number, 0)]) == 1
    with shop.database.read() as session:
        made = queries.lines(session, shop.organisation_id, number)
        assert made.hashes == [first_permit_line_hash(line) for line in lines]
        with pytest.raises(NotFoundError):
            queries.permit_proof(session, shop.organisation_id, PermitId(shop.number, number, 0))
