"""Identifiers: UUIDv7 (RFC 9562 §5.7) for rows, so that they sort by time and index well."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def uuid7() -> UUID:
    """Returns a fresh UUIDv7: 48 bits of milliseconds, 74 random bits (RFC 9562 §5.7)."""
    value = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 7 << 76
    value = value & ~(0x3 << 62) | 2 << 62
    return UUID(int=value)


def first_uuid7(instant: datetime) -> UUID:
    """Returns the smallest UUIDv7 of an instant's millisecond: ids made from then on are not below it."""
    value = (instant - _EPOCH) // timedelta(milliseconds=1) << 80
    return UUID(int=value | 7 << 76 | 2 << 62)
