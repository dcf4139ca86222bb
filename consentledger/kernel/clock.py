"""The one clock and the one way to write an instant."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from consentledger.kernel.errors import InputError

_TEXT = re.compile(r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z\Z")


def now() -> datetime:
    """Returns the present instant, aware, in UTC, with microseconds."""
    return datetime.now(UTC)


def to_text(instant: datetime) -> str:
    """Writes an aware instant as RFC 3339 in UTC with six digits, e.g. 2026-11-21T21:45:03.000000Z."""
    if instant.tzinfo is not UTC:
        instant = instant.astimezone(UTC)
    # isoformat is ten times as fast as strftime, and always writes +00:00 at the end in UTC.
    return f"{instant.isoformat(timespec='microseconds')[:-6]}Z"


def from_text(text: str) -> datetime:
    """Reads exactly what `to_text` writes; anything else is an InputError (field `at`)."""
    if not _TEXT.match(text):
        raise InputError(f"not an instant: {text!r}", field="at", reason="format")
    try:
        # Far faster than strptime; the pattern above has refused what fromisoformat is lax about.
        return datetime.fromisoformat(text[:-1]).replace(tzinfo=UTC)
    except ValueError as error:
        raise InputError(f"not an instant: {text!r}", field="at", reason="format") from error
