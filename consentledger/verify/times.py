"""Step 6: the times that entries claim; without a cosigned or timestamped checkpoint none is shown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from consentledger.kernel.errors import VerificationError
from consentledger.verify.entries import Entry
from consentledger.verify.report import Report

SLACK = timedelta(minutes=10)
"""Transactions that overlap may be appended in another order than they began in; not by so much."""


def instant(text: str) -> datetime:
    """Reads an instant as entries write it; VerificationError for anything else."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise VerificationError(f"{text} is no instant", rule="time") from error
    if found.tzinfo is None:
        raise VerificationError(f"{text} is no instant", rule="time")
    return found


def check_times(entries: Sequence[Entry], report: Report) -> None:
    """Checks that claimed times do not run backwards along the log, and says what they are worth."""
    latest: datetime | None = None
    before = report.failures
    for entry in entries:
        text = entry.text("at")
        if text is None:
            continue
        with report.step(6, entry.file):
            try:
                at = datetime.fromisoformat(text)
            except ValueError as error:
                raise entry.wrong(f"{text} is no instant", "time") from error
            if latest is not None and at < latest - SLACK:
                raise entry.wrong(f"claims {text}, an earlier one {latest.isoformat()}", "time")
            latest = max(at, latest or at)
    report.noted(
        6,
        "Times are claimed, not shown: no witness cosigned the checkpoint and no time stamp covers it.",
    )
    report.passed(6, "The times that the entries claim do not run backwards.", since=before)
