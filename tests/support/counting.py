"""Posts as limits see them, and counters set to a number as if so many had come."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from consentledger.db.counters import Slot
from consentledger.db.engine import Database
from consentledger.kernel.clock import now
from consentledger.limits.form_tokens import FormTokens
from consentledger.limits.service import Post
from consentledger.limits.slots import Slots

KEY = b"k" * 32
FORM, OTHER_FORM, ORGANISATION = UUID(int=1), UUID(int=2), UUID(int=9)
TOKENS = FormTokens([b"t" * 32])


def post(n: int = 0, *, form: UUID = FORM, issued_at: datetime | None = None) -> Post:
    """A post by the n-th person: an address, a network and a token of their own."""
    token = TOKENS.read(TOKENS.make(form, 1, now=issued_at or now()))
    return Post(f"10.{n // 250}.{n % 250}.1", f"p{n}@example.org", form, ORGANISATION, token)


def slots() -> Slots:
    """The names of the counters of a limiter under KEY."""
    return Slots(KEY)


def pressing(form: UUID = FORM) -> tuple[Slot, Slot]:
    """The counters of posts to a form and its organisation in this window."""
    return slots().posts(form, ORGANISATION, now().timestamp())


def set_to(database: Database, counters: Iterable[Slot], count: int) -> None:
    """Sets counters to a number, as if so many posts had come from other processes."""
    wanted = list(counters)
    database.counters.add(wanted)
    if database.name == "sqlite":
        with contextlib.closing(sqlite3.connect(f"{database.url.database}.limits")) as connection:
            for slot in wanted:
                change = "UPDATE counter SET count = ? WHERE ends = ? AND key = ?"
                connection.execute(change, (count, slot.ends, slot.key))
            connection.commit()
        return
    with database.begin() as tx:
        for slot in wanted:
            change = 'UPDATE rate_limit SET count = :n WHERE key_hash = :key AND "window" = :window'
            values = {"n": count, "key": slot.key, "window": slot.window}
            tx.session.execute(text(change), values)
