"""State rows that were wiped or changed by hand come back from the log as they were; a second run writes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from sqlalchemy import text

from consentledger.contacts.queries import open_address
from consentledger.db.installation import Installation
from consentledger.db.models import ContactEntry
from consentledger.replay import rebuild as rebuilding
from consentledger.replay import writing
from consentledger.replay.service import compare, rebuild
from consentledger.replay.stored import MODELS, all_rows
from tests.support.consents import People
from tests.support.histories import rich_history

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
WIPE = (
    "DELETE FROM contact_entry WHERE entry_index % 3 = 0",
    (
        "UPDATE contact_entry SET contact_id = (SELECT e.contact_id FROM contact_entry AS e ORDER BY 1 LIMIT 1)"
        " WHERE entry_index % 7 = 1"
    ),
    "DELETE FROM consent",
    # A mail whose request was erased is in no opening any more: its row is the last of it.
    (
        "DELETE FROM confirmation_mail WHERE contact_id IS NOT NULL"
        " AND link_id IN (SELECT link_id FROM consent_request)"
    ),
    "DELETE FROM consent_request",
    "DELETE FROM link_use WHERE capability <> 'stop'",
    "DELETE FROM suppression",
    "DELETE FROM contact",
    "UPDATE sender SET version = 9, identity = '{}', link_host = 'x.example'",
    "UPDATE purpose SET channels = '[]'",
    "UPDATE wording SET content = '{}', text_blob = notice_blob",
    "UPDATE form SET state = 'unpublished'",
    "UPDATE form_version SET content = '{}'",
    "UPDATE organisation SET ip_policy = 'none'",
    "UPDATE permit_batch SET channel = 'sms'",
)


@pytest.fixture
def shop(installation: Installation) -> Iterator[People]:
    """A shop with a rich history behind it, at the instant where that ends."""
    with time_machine.travel(START, tick=False) as clock:
        yield rich_history(installation, clock)


def rows_of(installation: Installation, shop: People) -> dict[str, Any]:
    """Everything that a rebuild answers for, addresses opened."""
    with installation.database.read() as session:
        found = all_rows(session, shop.org, MODELS).rows
        for (contact_id,), row in found["contact"].items():
            keys = installation.keystore.contact_keys(session, shop.org, row["key_id"])
            row["sealed_address"] = open_address(keys, shop.org, contact_id, row["sealed_address"])
        owners = session.query(ContactEntry).filter_by(organisation_id=shop.org).all()
        return {**found, "contact_entry": {row.entry_index: row.contact_id for row in owners}}


def wipe(installation: Installation, *statements: str) -> None:
    """Changes rows by hand."""
    with installation.database.begin() as tx:
        for statement in statements:
            tx.session.execute(text(statement))


@pytest.mark.parametrize("copy_above", [writing.COPY_ABOVE, 0], ids=["few", "copied"])
def test_wiped_and_changed_rows_come_back_as_they_were(
    installation: Installation, shop: People, monkeypatch: pytest.MonkeyPatch, copy_above: int
) -> None:
    monkeypatch.setattr(writing, "COPY_ABOVE", copy_above)
    monkeypatch.setattr(rebuilding, "FEW_ROWS", copy_above)
    before = rows_of(installation, shop)
    assert len(before["contact"]) > 12
    assert compare(installation, shop.org) == []
    wipe(installation, *WIPE)
    planned = rebuild(installation, shop.org, dry_run=True)
    assert planned.differed
    assert rows_of(installation, shop) != before
    seen: list[tuple[int, int]] = []
    done = rebuild(installation, shop.org, lambda *at: seen.append(at))
    assert done.left == []
    assert seen[-1] == (done.entries, done.entries)
    after = rows_of(installation, shop)
    assert after == before
    assert compare(installation, shop.org) == []
    again = rebuild(installation, shop.org)
    assert (again.rows, again.owners, again.differed) == (0, 0, [])
