"""The days that clocks run from, out of reports: of the last message, and of the last one under the exception."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import NamedTuple
from uuid import UUID

from consentledger.sends.lines import Row, Shape


class LastDays(NamedTuple):
    """The days (UTC) of a contact's last marketing message on a channel that was reported sent as permitted.

    `sent_on`: on any basis. `renewed_on`: of the last one whose permit rested on the existing-customer exception, None
    without; a permit on that basis was given while the exception carried, so no silent gap is ever bridged.
    """

    sent_on: date
    renewed_on: date | None


def later(before: LastDays | None, shape: Shape, at: datetime) -> LastDays | None:
    """Returns the days after one more report, forward only; `before` itself where it moves none."""
    if not shape.renews:
        return before
    day = at.astimezone(UTC).date()
    renewed = before.renewed_on if before else None
    if shape.renews_exception:
        renewed = max(day, renewed or day)
    return LastDays(max(day, before.sent_on) if before else day, renewed)


def last_days(shapes: Sequence[Shape], rows: Sequence[Row]) -> dict[tuple[UUID, str], LastDays]:
    """Returns the days of one batch of reports, by contact and channel."""
    days: dict[tuple[UUID, str], LastDays] = {}
    for row in rows:
        shape = shapes[row.shape]
        if row.contact_id is not None and shape.renews:
            key = (row.contact_id, shape.channel)
            found = later(days.get(key), shape, row.sent_at)
            if found is not None:
                days[key] = found
    return days
