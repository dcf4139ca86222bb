"""When a form pauses itself: most of those who were mailed for it never pressed. Pure; `now` is an argument."""

from __future__ import annotations

from datetime import datetime, timedelta

# A person gets an hour to press; what was asked longer ago than a day says nothing of an attack of now.
PATIENCE = timedelta(hours=1)
OLDEST = timedelta(hours=24)
FEWEST_MAILED = 50
LEAST_CONFIRMED_PERCENT = 10
UNCONFIRMED = "unconfirmed"


def window(now: datetime) -> tuple[datetime, datetime]:
    """Returns from when until before when a request counts."""
    return now - OLDEST, now - PATIENCE


def reason_to_pause(mailed: int, confirmed: int) -> str | None:
    """Returns why a form must pause, by its requests of the window that got a mail and those confirmed; or None."""
    if mailed < FEWEST_MAILED or confirmed * 100 >= mailed * LEAST_CONFIRMED_PERCENT:
        return None
    return UNCONFIRMED
