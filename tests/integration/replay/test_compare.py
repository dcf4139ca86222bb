"""Rows that the verbs left are what the log gives; whatever is changed by hand is named by table and column."""

from __future__ import annotations

from datetime import UTC, datetime

import time_machine

from consentledger.db.installation import Installation
from consentledger.replay.service import fsck
from tests.support.histories import rich_history

START = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_a_rich_history_replays_into_the_very_rows(installation: Installation) -> None:
    with time_machine.travel(START, tick=False) as clock:
        shop = rich_history(installation, clock)
        installation.signer.sign(shop.org)
        report = fsck(installation, shop.org)
    assert [(f.where, f.message) for f in report.findings] == []
