"""Caps end to end on both engines: the real worker and outbox, a real SMTP peer, and what it says in the log."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from consentledger.consents import queries
from consentledger.consents.service import DECIDE
from consentledger.db.fsck import fsck
from consentledger.db.installation import Installation
from consentledger.kernel.clock import now
from consentledger.limits.models import MailCap
from consentledger.outbox.models import OutboxRow
from consentledger.replay.service import compare
from consentledger.worker import housekeeping
from tests.factories import MadeForm, create_published_form
from tests.support.consents import People
from tests.support.mails import (
    entries,
    eventually,
    sign_up,
    stored,
    work_off,
    working,
)
from tests.support.smtp import SmtpPeer

VICTIM = "victim@example.net"
STORY = ["consent.requested", "confirmation.prepared", "confirmation.handled"]


@pytest.fixture
def forms(installation: Installation) -> list[MadeForm]:
    """A form of each of five organisations."""
    database, settings = installation.database, installation.settings
    return [create_published_form(database, settings, noise=False) for _ in range(5)]


def at_rest(installation: Installation) -> list[tuple[str, int, datetime]]:
    """Waits until no work is due soon, or in hand; returns what is left: kind, tries and when it is due."""
    left: list[tuple[str, int, datetime]] = []

    def rested() -> bool:
        with installation.database.read() as session:
            rows = session.execute(
                select(
                    OutboxRow.kind, OutboxRow.attempts, OutboxRow.run_at, OutboxRow.leased_by
                ).order_by(OutboxRow.run_at)
            ).all()
        left[:] = [(row.kind, row.attempts, row.run_at) for row in rows]
        soon = now() + timedelta(minutes=1)  # an unsent mail is told of a second later
        return all(row.leased_by is None and row.run_at > soon for row in rows)

    eventually(rested, 60)
    return left


def kinds(installation: Installation, made: MadeForm) -> list[str]:
    return [
        entry.kind
        for entry in entries(installation.database, made.organisation_id)
        if entry.kind in STORY
    ]


def test_a_victim_of_five_organisations_gets_three_mails_a_day(
    installation: Installation, forms: list[MadeForm], smtp: SmtpPeer
) -> None:
    for made in forms:
        sign_up(installation.database, made.form, VICTIM)
        sign_up(installation.database, made.form, VICTIM.upper())
    with working(installation):
        left = at_rest(installation)
    assert len(smtp.messages) == 3
    # Two requests of each of two organisations wait, not tried, for when the first mail is a day old.
    assert [(kind, tries) for kind, tries, _ in left] == [(DECIDE, 0)] * 4
    sent = next(iter(left))[2]
    assert timedelta(hours=23, minutes=50) < sent - now() < timedelta(hours=24, minutes=2)
    stories = Counter(len(kinds(installation, made)) for made in forms)
    assert stories == {6: 3, 2: 2}, "asked for twice; all of it told, or nothing yet"
    with time_machine.travel(now() + timedelta(hours=24, minutes=2), tick=True):
        work_off(installation)
        assert len(smtp.messages) == 5
        assert {one.rcpt_tos[0].lower() for one in smtp.messages} == {VICTIM}
        for made in forms:
            told = kinds(installation, made)
            assert Counter(told) == dict.fromkeys(STORY, 2)
            assert fsck(installation, made.organisation_id, openings=True).ok
            assert compare(installation, made.organisation_id) == []
            outcomes = [
                entry.values["outcome"]
                for entry in entries(
                    installation.database, made.organisation_id, "confirmation.handled"
                )
            ]
            assert sorted(outcomes) == ["capped", "sent"]


def test_a_request_that_waits_ends_as_any_other_when_no_worker_comes_in_time(
    installation: Installation, forms: list[MadeForm], smtp: SmtpPeer
) -> None:
    for made in forms[:4]:
        asked = sign_up(installation.database, made.form, VICTIM)
        with working(installation):
            left = at_rest(installation)
    assert len(left) == 1
    waits = forms[3].organisation_id
    with installation.database.read() as session:
        request = queries.request_by_id(session, waits, asked.request_id)
    assert request is not None
    assert (request.state, request.link_id, len(request.entry_numbers)) == ("requested", None, 1)
    with time_machine.travel(now() + timedelta(days=7, seconds=1), tick=True):
        housekeeping.end(installation)
        work_off(installation)
        assert not any(b"victim" in content for _, content in stored(installation.database))
        told = [entry.kind for entry in entries(installation.database, waits)]
        assert told[-3:] == ["consent.requested", "consent.expired", "log.erasure"]
    assert len(smtp.messages) == 3


def test_caps_that_are_used_up_hinder_no_stop(
    installation: Installation, forms: list[MadeForm], smtp: SmtpPeer
) -> None:
    subscribed = [People(installation.database, made) for made in forms]
    for shop in subscribed[:3]:
        shop.subscribe(VICTIM)
    with installation.database.read() as session:
        claimed = select(func.count()).select_from(MailCap)
        before = session.scalar(claimed)
    for shop in subscribed:
        shop.stop(VICTIM)
    work_off(installation)
    assert len(smtp.messages) == 3, "each organisation that has them on record, and no other"
    assert [shop.state(VICTIM) for shop in subscribed[:3]] == ["paused"] * 3
    with installation.database.read() as session:
        assert session.scalar(claimed) == before, "and a stop's mail uses up no cap"


def test_spellings_on_record_are_stopped_one_by_one(
    installation: Installation, forms: list[MadeForm], smtp: SmtpPeer
) -> None:
    shop = People(installation.database, forms[0])
    shop.subscribe("alice+1@gmail.com")
    with time_machine.travel(now() + timedelta(days=2), tick=True):
        shop.subscribe("alice@gmail.com")
        for spelling in ("alice+1@gmail.com", "alice@gmail.com", "a.lice@gmail.com"):
            shop.stop(spelling)
        work_off(installation)
        # Two consents stand, and each link ends one; a spelling that is not on record gets nothing.
        assert sorted(one.rcpt_tos[0] for one in smtp.messages) == [
            "alice+1@gmail.com",
            "alice@gmail.com",
        ]
