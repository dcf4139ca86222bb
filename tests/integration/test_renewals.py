"""The exception's own clock (Ireland), on both engines: only a message that it permitted itself starts it anew."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select, update

from consentledger.contacts.models import LastSend
from consentledger.db.installation import Installation
from consentledger.organisations.packs import Adoption, AdoptPacks, adopt_packs
from consentledger.permits.links import PermitId
from consentledger.permits.rechecks import dead_by_now
from consentledger.permits.service import Issued
from consentledger.replay.service import fsck, rebuild
from consentledger.sends import rules, service
from consentledger.sends.service import Recorded
from tests.support.customer_permits import ANNA, BERT, ask, bought, open_shop, said
from tests.support.evidence import Path

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
SALE = "2025-10-20"  # thirteen months before
FIVE_MONTHS_AGO = datetime(2026, 6, 22, 10, tzinfo=UTC)


@pytest.fixture
def path(installation: Installation) -> Path:
    """An Irish shop as it was five months ago; anna and bert had bought eight months before that."""
    with time_machine.travel(FIVE_MONTHS_AGO, tick=True):
        path = open_shop(installation)
        with installation.database.begin() as tx:
            adopt_packs(tx, AdoptPacks(path.made.organisation_id, (Adoption("IE"),), "operator"))
        for person in (ANNA, BERT):
            bought(path, person, on=SALE, country="IE")
    return path


def agree(path: Path, *boxes: int) -> None:
    """Anna confirms consent to some purposes."""
    link = path.decide(path.request(ANNA, *boxes))
    assert link is not None
    path.press(link)


def report(path: Path, issued: Issued, row: int = 0) -> Recorded:
    """Reports that the message went, just now."""
    permit = str(PermitId(path.made.form.organisation_number, issued.batch, row))
    body = {"sends": [{"permit": permit, "status": "sent"}]}
    command = rules.read_sends(body, path.made.organisation_id, "key:test")
    with path.installation.database.begin() as tx:
        return service.report(tx, command)[0]


def last(path: Path) -> list[tuple[date, date | None, int]]:
    """What is kept of last messages."""
    with path.installation.database.read() as session:
        query = select(LastSend.sent_on, LastSend.renewed_on, LastSend.entry_index)
        return [tuple(row) for row in session.execute(query)]


def findings(path: Path) -> list[str]:
    """What the check of the tables against the log finds."""
    found = fsck(path.installation, path.made.organisation_id).findings
    return [f"{one.where}: {one.message}" for one in found]


def test_a_message_under_the_exception_starts_its_clock_anew(path: Path) -> None:
    with time_machine.travel(FIVE_MONTHS_AGO + timedelta(hours=1), tick=True):
        first = ask(path)
        assert said(first) == [("allow", "existing_customer", "existing_customer")]
        told = report(path, first)
    sent_on = FIVE_MONTHS_AGO.date()
    assert last(path) == [(sent_on, sent_on, told.entry_index)]
    with time_machine.travel(NOW, tick=True):
        again = ask(path, ANNA, BERT)
        verdicts = {issued[0]: issued[2] for issued in said(again)}
        assert verdicts.keys() == {"allow", "deny"}
        assert "too_old" in verdicts["deny"]  # bert was never written to
        (facts,) = [one.facts for one in again.rulings if one.verdict.basis == "existing_customer"]
        assert facts.customer is not None
        assert facts.customer.text().startswith("sale_paid old - current similar ")
        permits = [
            str(PermitId(path.made.form.organisation_number, again.batch, n)) for n in (0, 1)
        ]
        with path.installation.database.read() as session:
            dead = dead_by_now(session, path.made.organisation_id, permits, NOW)
        assert [one.reason for one in dead] == ["denied"]  # judged again, the other one lives
        _, verified = path.verified(ANNA)
    assert "2 permits and 0 denials" in verified.text()
    assert "asserted" not in verified.text()
    assert findings(path) == []


def test_a_message_on_consent_starts_no_clock_of_the_exception(path: Path) -> None:
    with time_machine.travel(FIVE_MONTHS_AGO + timedelta(hours=1), tick=True):
        agree(path, 1)
        by_consent = ask(path, purpose=1)
        assert said(by_consent)[0][:2] == ("allow", "consent")
        told = report(path, by_consent)
    assert last(path) == [(FIVE_MONTHS_AGO.date(), None, told.entry_index)]
    with time_machine.travel(NOW, tick=True):
        [(verdict, _, codes)] = said(ask(path))
        assert (verdict, "too_old" in codes) == ("deny", True)
        path.verified(ANNA)
    assert findings(path) == []


def test_a_renewal_on_the_day_of_another_message_is_kept_and_seen(path: Path) -> None:
    with time_machine.travel(FIVE_MONTHS_AGO + timedelta(hours=1), tick=True):
        agree(path, 1)
        day = FIVE_MONTHS_AGO.date()
        first = report(path, ask(path, purpose=1))
        assert last(path) == [(day, None, first.entry_index)]
        second = report(path, ask(path))
        # Decisions that are being made must look again, so the entry moves with either day.
        assert last(path) == [(day, day, second.entry_index)]
        report(path, ask(path))
        assert last(path) == [(day, day, second.entry_index)]
    with time_machine.travel(FIVE_MONTHS_AGO + timedelta(days=2), tick=True):
        third = report(path, ask(path, purpose=1))
    assert last(path) == [(day + timedelta(days=2), day, third.entry_index)]
    assert findings(path) == []


def test_a_renewal_changed_by_hand_is_named_and_made_anew(path: Path) -> None:
    with time_machine.travel(FIVE_MONTHS_AGO + timedelta(hours=1), tick=True):
        agree(path, 1)
        report(path, ask(path, purpose=1))
    before, org, database = last(path), path.made.organisation_id, path.installation.database
    with database.begin() as tx:
        tx.session.execute(update(LastSend).values(renewed_on=NOW.date()))
    (found,) = findings(path)
    assert "last_send" in found
    assert "renewed_on: not what the log gives" in found
    assert rebuild(path.installation, org).rows == 1
    assert (findings(path), last(path)) == ([], before)
