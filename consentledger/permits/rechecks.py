"""Looking again at issued permits: which of them are dead by now. Reads only.

A permit is dead past `valid_until`, at the first stop that covers it (also when the person has come back
since), and of course when it never allowed anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import and_, select, tuple_
from sqlalchemy.orm import Session

from consentledger.db.models import ContactEntry, LogLeaf
from consentledger.kernel.errors import InputError
from consentledger.law.first.decide import decide
from consentledger.law.first.model import Facts
from consentledger.law.first.packs import pack
from consentledger.organisations.models import Organisation
from consentledger.permits import lookups
from consentledger.permits.facts import StateReader
from consentledger.permits.links import PermitId
from consentledger.permits.models import Permit, PermitBatch
from consentledger.permits.rules import MAX_RECIPIENTS

CHUNK = 1_000
STOPS = ("consent.withdrawn", "objection.recorded")
FROZEN = "log_frozen"
REASONS = ("unknown", "denied", "expired", "stopped", FROZEN)


@dataclass(frozen=True, slots=True)
class Dead:
    """A permit that must not be used, and why: unknown, denied, expired, stopped or log_frozen."""

    permit: str
    reason: str


class _Act(NamedTuple):
    entry_index: int
    kind: str


class _Found(NamedTuple):
    batch: PermitBatch
    contact_id: UUID | None
    allowed: bool


def read_ids(body: Mapping[str, Any]) -> tuple[str, ...]:
    """Reads the body of POST /permits:recheck; InputError names the field and a reason."""
    for key in sorted(body.keys() - {"permits"}):
        raise InputError(f"{key}: this field is unknown", field=str(key)[:64], reason="unknown")
    ids = body.get("permits")
    if not isinstance(ids, list) or not ids:
        raise InputError("permits: a list of ids", field="permits", reason="missing")
    if len(ids) > MAX_RECIPIENTS:
        raise InputError(
            f"permits: at most {MAX_RECIPIENTS} ids", field="permits", reason="too_many"
        )
    for number, text in enumerate(ids):
        if PermitId.parse(text) is None:
            raise InputError(
                f"permits[{number}]: no permit's id", field=f"permits[{number}]", reason="format"
            )
    return tuple(ids)


def all_frozen(permits: Sequence[str]) -> list[Dead]:
    """Returns every id as dead: what a frozen database says may be an older state, so nothing may be sent upon it."""
    return [Dead(permit, FROZEN) for permit in permits]


def dead_by_now(
    session: Session, organisation_id: UUID, permits: Sequence[str], now: datetime
) -> list[Dead]:
    """Returns those of `permits` that are dead at `now`, in the order of asking.

    Ids of another organisation are `unknown`, as those that never were.
    """
    found = _found(session, organisation_id, permits)
    contacts = {item.contact_id for item in found.values() if item.contact_id}
    standings = lookups.standings(session, organisation_id, sorted(contacts))
    acts = _acts(session, organisation_id, contacts)
    dead = []
    for text in permits:
        reason = _reason(found.get(text), standings, acts, now)
        if reason is not None:
            dead.append(Dead(text, reason))
    return dead


def _reason(
    item: _Found | None,
    standings: Mapping[UUID, str],
    acts: Mapping[UUID, list[_Act]],
    now: datetime,
) -> str | None:
    if item is None:
        return "unknown"
    if not item.allowed:
        return "denied"
    if now >= item.batch.valid_until_at:
        return "expired"
    return "stopped" if _stopped(item, standings, acts, now) else None


def _stopped(
    item: _Found,
    standings: Mapping[UUID, str],
    acts: Mapping[UUID, list[_Act]],
    now: datetime,
) -> bool:
    batch = item.batch
    stored = standings.get(item.contact_id) if item.contact_id else None
    if stored is None or item.contact_id is None:
        return True  # erased meanwhile
    reader = StateReader(batch.sender_id, batch.purpose_id, batch.channel, now)
    consent, objection = reader.states(stored)
    facts = Facts(batch.message["class"], batch.channel, "record", consent, objection)
    if not decide(facts, pack(*batch.message["pack"].split("@")), now).allowed:
        return True
    before = [act for act in acts[item.contact_id] if act.entry_index < batch.entry_index]
    since = acts[item.contact_id][len(before) :]
    if not any(act.kind in STOPS for act in since):
        return False  # consent given once more ends nothing
    return reader.stopped_since(stored, len(before) - 1)


def _found(session: Session, organisation_id: UUID, permits: Sequence[str]) -> dict[str, _Found]:
    number = session.scalar(
        select(Organisation.number).where(Organisation.organisation_id == organisation_id)
    )
    ids = {text: PermitId.parse(text) for text in permits}
    own = {
        (found.batch, found.row): text
        for text, found in ids.items()
        if found is not None and found.organisation_number == number
    }
    batches = _batches(session, organisation_id, {batch for batch, _ in own})
    result = {}
    for chunk in _chunks(sorted(own)):
        query = select(Permit.batch, Permit.row_number, Permit.contact_id, Permit.verdict).where(
            Permit.organisation_id == organisation_id,
            tuple_(Permit.batch, Permit.row_number).in_(chunk),
        )
        for batch, row, contact_id, verdict in session.execute(query):
            allowed = bool(batches[batch].verdicts[verdict]["allowed"])
            result[own[batch, row]] = _Found(batches[batch], contact_id, allowed)
    return result


def _batches(
    session: Session, organisation_id: UUID, numbers: Iterable[int]
) -> dict[int, PermitBatch]:
    found: dict[int, PermitBatch] = {}
    for chunk in _chunks(sorted(numbers)):
        query = select(PermitBatch).where(
            PermitBatch.organisation_id == organisation_id, PermitBatch.batch.in_(chunk)
        )
        found |= {row.batch: row for row in session.scalars(query)}
    return found


def _acts(
    session: Session, organisation_id: UUID, contacts: Iterable[UUID]
) -> dict[UUID, list[_Act]]:
    """The entries of each contact, in order: their indexes, and their kinds as the leaves say them."""
    found: dict[UUID, list[_Act]] = {contact: [] for contact in contacts}
    for chunk in _chunks(sorted(found)):
        query = (
            select(ContactEntry.contact_id, ContactEntry.entry_index, lookups.KIND_LINE)
            .join(
                LogLeaf,
                and_(
                    LogLeaf.organisation_id == ContactEntry.organisation_id,
                    LogLeaf.entry_index == ContactEntry.entry_index,
                ),
            )
            .where(
                ContactEntry.organisation_id == organisation_id, ContactEntry.contact_id.in_(chunk)
            )
            .order_by(ContactEntry.entry_index)
        )
        for contact, index, line in session.execute(query):
            found[contact].append(_Act(index, lookups.kind_of(line).partition("/")[0]))
    return found


def _chunks(values: Sequence[Any]) -> Iterable[Sequence[Any]]:
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]
