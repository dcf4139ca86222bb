"""Rows that the verbs left are what the log gives; whatever is changed by hand is named by table and column."""

from __future__ import annotations

from datetime import UTC, datetime

import time_machine
from sqlalchemy import delete

from consentledger.db.fsck.model import Position, Report
from consentledger.db.fsck.opener import Opener
from consentledger.db.fsck.openings import check_openings
from consentledger.db.fsck.system import SystemEntries
from consentledger.db.installation import Installation
from consentledger.db.log.entries import Draft
from consentledger.db.models import ContactKey, LogHead, Opening
from consentledger.replay.compare import check_contacts
from consentledger.replay.service import fsck
from tests.support.consents import People, people
from tests.support.histories import rich_history

START = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_a_rich_history_replays_into_the_very_rows(installation: Installation) -> None:
    with time_machine.travel(START, tick=False) as clock:
        shop = rich_history(installation, clock)
        installation.signer.sign(shop.org)
        report = fsck(installation, shop.org)
    assert [(f.where, f.message) for f in report.findings] == []


def test_an_act_that_took_its_instant_earlier_and_came_later(installation: Installation) -> None:
    """Of two acts that overlap, the one that waits for the contact's row may carry the earlier instant."""
    with time_machine.travel(START, tick=False) as clock:
        shop = people(installation, "weekly offers", "herb tips")
        shop.sign_up("alice@example.com", shop.made.purpose_ids[0])
        clock.shift(-1)
        shop.sign_up("alice@example.com", shop.made.purpose_ids[1])
        clock.shift(2)
        installation.signer.sign(shop.org)
        report = fsck(installation, shop.org)
    assert [(f.where, f.message) for f in report.findings] == []


DIFFERENCES = {
    "a state": (
        "UPDATE consent SET state = 'confirmed' WHERE state = 'withdrawn'",
        "consent",
        "state",
    ),
    "a consent put in": (
        (
            "INSERT INTO consent SELECT organisation_id, contact_id, contact_id, sender_id, sender_id, 'sms',"
            " state, request_id, wording_id, link_id, confirmed_at, changed_at, 0 FROM consent LIMIT 1"
        ),
        "consent",
        "no entry",
    ),
    "a consent deleted": ("DELETE FROM consent", "consent", "missing"),
    "a standing": (
        'UPDATE contact SET standing = \'{"v":1,"consents":{},"objections":[],"closed":{}}\'',
        "contact",
        "standing",
    ),
    "a look-up hash": ("UPDATE contact SET lookup = last_leaf_hash", "contact", "lookup"),
    "an address": (
        "UPDATE contact SET sealed_address = (SELECT sealed FROM opening LIMIT 1)",
        "contact",
        "sealed_address",
    ),
    "a number of entries": ("UPDATE contact SET entries = entries + 1", "contact", "entries"),
    "a contact deleted": ("DELETE FROM contact", "contact", "missing"),
    "a request's date": (
        "UPDATE consent_request SET expires_at = requested_at",
        "consent_request",
        "expires_at",
    ),
    "a mail's outcome": (
        "UPDATE confirmation_mail SET outcome = 'refused' WHERE outcome = 'sent'",
        "confirmation_mail",
        "outcome",
    ),
    "a link's use": ("UPDATE link_use SET entry_index = 1", "link_use", "entry_index"),
    "a refusal": ("DELETE FROM suppression", "suppression", "missing"),
    "an owner's row": ("DELETE FROM contact_entry", "contact_entry", "missing"),
    "a wording": ("UPDATE wording SET language = 'de'", "wording", "language"),
    "a form's version": ("UPDATE form_version SET content = '{}'", "form_version", "content"),
    "a sender": ("UPDATE sender SET link_host = 'x.example'", "sender", "link_host"),
    "a purpose": ("UPDATE purpose SET titles = '{}'", "purpose", "titles"),
    "an organisation": ("UPDATE organisation SET country = 'AT'", "organisation", "country"),
    "a batch": ("UPDATE permit_batch SET channel = 'sms'", "permit_batch", "channel"),
    "a verdict": ("UPDATE permit SET verdict = 0", "permit", "root"),
    "a permit deleted": ("DELETE FROM permit WHERE row_number = 1", "permit", "rows"),
}


def test_each_change_by_hand_is_named(installation: Installation) -> None:
    """One history for all of them: each is done, looked for, and taken back."""
    with time_machine.travel(START, tick=False) as clock:
        shop = rich_history(installation, clock)
        missed = [
            name
            for name, (statement, table, words) in DIFFERENCES.items()
            if not named(installation, shop, statement, table, words)
        ]
        assert missed == []
        assert fsck(installation, shop.org).ok


def named(installation: Installation, shop: People, statement: str, table: str, words: str) -> bool:
    """Changes rows in a transaction that is rolled back, and says whether the comparison names them."""
    with installation.database.begin() as tx:
        tx.connection.exec_driver_sql(statement)
        head = tx.session.get(LogHead, shop.org)
        assert head is not None
        system = SystemEntries(tx.session, shop.org)
        opener = Opener(installation.keystore, tx.session, head, system)
        position = Position(Report("", opener.size))
        check_openings(opener, position, lambda *_: None, by_contact=True)
        check_contacts(opener, position, lambda *_: None)
        tx.session.rollback()
    return any(
        one.where.split(" ")[0] == table and words in one.message
        for one in position.report.findings
    )


def test_a_missing_key_and_missing_openings_are_named(installation: Installation) -> None:
    with time_machine.travel(START, tick=False):
        shop = people(installation)
        shop.subscribe()
        shop.subscribe("bob@example.com")
        bob = shop.contact("bob@example.com")
        assert bob is not None
        with installation.database.begin() as tx:
            tx.session.execute(delete(ContactKey).where(ContactKey.key_id == bob.key_id))
            tx.session.execute(delete(Opening).where(Opening.opening_class == "technical"))
        report = fsck(installation, shop.org)
    told = " ".join(one.message for one in report.findings)
    assert "its key is missing" in told
    assert "the technical opening lacks ip, user_agent" in told


def test_a_retention_excuses_its_class_after_its_days_only(installation: Installation) -> None:
    with time_machine.travel(START, tick=False) as clock:
        shop = people(installation)
        shop.subscribe()
        plain = {"class": "technical", "days": "30", "first": "0", "size": str(shop.size())}
        with installation.database.begin() as tx:
            tx.log.append(tx, shop.org, [Draft("log.retention", {}, actor="worker", plain=plain)])
            tx.session.connection().execute(
                delete(Opening).where(Opening.opening_class == "technical")
            )
        early = fsck(installation, shop.org)
        clock.shift(30 * 24 * 3600)
        late = fsck(installation, shop.org)
    assert not early.ok
    assert late.findings == []
