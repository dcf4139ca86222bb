"""How many confirmation mails one mailbox gets in 24 hours: claimed in the transaction that prepares the mail.

Over all organisations at most three; within one organisation at most one for addresses that fold alike and are
spelled otherwise (promise 8). Both are counted under keyed hashes of the coarse fold that limits use. The key is
random, made on a UTC day's first claim and looked at until the next day's end: a mail counts for 24 hours across
midnight, and when the key is gone nobody can tell any more whose row it was.

Whoever claims holds `cap_key` against newer keys until the end of its transaction. So all claims that may still
commit are under the newest key, where the rows themselves make them wait for each other; what stands under
yesterday's only ever becomes less. Lock order: contact, cap_key, mail_cap, then work and the log's head.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, bindparam, delete, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from consentledger.db.keystore.keys import keyed_hash
from consentledger.db.unit_of_work import Tx
from consentledger.limits.cap_keys import DayKey, held_keys, living_keys
from consentledger.limits.models import MailCap

MOST = 3
COUNTS = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Where one organisation's mail would go: `folded` for limits, and `spelled` as its contact is found."""

    organisation_id: UUID
    folded: str = field(repr=False)
    spelled: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Full:
    """No mail may go now. `free_at` is when the next one may; None: another spelling had this organisation's."""

    free_at: datetime | None


@dataclass(frozen=True, slots=True)
class _Hashes:
    """What one mailbox is called under one key: over all organisations, in one, and as it was spelled."""

    everywhere: bytes
    here: bytes
    spelling: bytes


def _taking(inserting: Any) -> Any:
    made = inserting(MailCap.__table__)
    over = or_(
        MailCap.until_at <= bindparam("at"),
        and_(MailCap.spelling.is_not(None), MailCap.spelling == made.excluded.spelling),
    )
    return made.on_conflict_do_update(
        index_elements=["key_hash", "slot"],
        set_={"until_at": made.excluded.until_at, "spelling": made.excluded.spelling},
        where=over,
    ).returning(MailCap.slot)


_TAKE = {"sqlite": _taking(sqlite.insert), "postgresql": _taking(postgresql.insert)}
_LIVING = (
    select(MailCap.key_hash, MailCap.slot, MailCap.spelling, MailCap.until_at)
    .where(
        MailCap.key_hash.in_(bindparam("hashes", expanding=True)),
        MailCap.until_at > bindparam("at"),
    )
    .order_by(MailCap.until_at)
)


def claim(tx: Tx, mailbox: Mailbox) -> Full | None:
    """Counts one mail to a mailbox, or says why none may go; kept only if the transaction commits.

    Under the contact's lock and before the append. What it says of another spelling or of the next free moment
    is true of `tx.now`. ConfigurationError when a day's key does not open.
    """
    named = [_hashes(key, mailbox) for key in held_keys(tx)]
    until, last = tx.now + COUNTS, named[-1]
    while True:
        rows = _living(tx, [one for each in named for one in (each.everywhere, each.here)])
        spellings = {each.here: each.spelling for each in named}
        if any(row.spelling != spellings.get(row.key_hash, row.spelling) for row in rows):
            return Full(None)
        taken = [row for row in rows if row.key_hash not in spellings]
        if len(taken) >= MOST:
            return Full(taken[len(taken) - MOST].until_at)
        used = {row.slot for row in taken if row.key_hash == last.everywhere}
        slot = min(set(range(MOST)) - used)
        if _take(tx, last.everywhere, slot, None, until):
            break
        # Somebody else's claim of this slot has committed meanwhile: the next look sees it.
    if _take(tx, last.here, 0, last.spelling, until):
        return None
    _free(tx, last.everywhere, slot)
    return Full(None)


def give_back(tx: Tx, mailbox: Mailbox, claimed_at: datetime) -> None:
    """Counts a mail no longer that was claimed then and, as its peer said for good, reached nobody."""
    until = claimed_at + COUNTS
    if until <= tx.now:
        return
    named = [_hashes(key, mailbox) for key in living_keys(tx)]
    spellings = {each.here: each.spelling for each in named}
    hashes = [one for each in named for one in (each.everywhere, each.here)]
    rows = [row for row in _living(tx, hashes) if row.until_at == until] if hashes else []
    everywhere = sorted((row.key_hash, row.slot) for row in rows if row.key_hash not in spellings)
    here = [row for row in rows if spellings.get(row.key_hash) == row.spelling is not None]
    # Two mails of one microsecond are two rows: only one of them is this one.
    for key_hash, slot in [*everywhere[:1], *((row.key_hash, row.slot) for row in here)]:
        _free(tx, key_hash, slot)


def _hashes(key: DayKey, mailbox: Mailbox) -> _Hashes:
    owner = mailbox.organisation_id.hex
    return _Hashes(
        keyed_hash(key.secret, f"everywhere\n{mailbox.folded}"),
        keyed_hash(key.secret, f"here\n{owner}\n{mailbox.folded}"),
        keyed_hash(key.secret, f"spelling\n{owner}\n{mailbox.spelled}"),
    )


def _living(tx: Tx, hashes: Sequence[bytes]) -> Sequence[Any]:
    return tx.connection.execute(_LIVING, {"hashes": hashes, "at": tx.now}).all()


def _take(tx: Tx, key_hash: bytes, slot: int, spelling: bytes | None, until: datetime) -> bool:
    values = {"key_hash": key_hash, "slot": slot, "spelling": spelling, "until_at": until}
    taken = tx.connection.execute(_TAKE[tx.database.name], {**values, "at": tx.now})
    return taken.first() is not None


def _free(tx: Tx, key_hash: bytes, slot: int) -> None:
    tx.connection.execute(delete(MailCap).where(MailCap.key_hash == key_hash, MailCap.slot == slot))
