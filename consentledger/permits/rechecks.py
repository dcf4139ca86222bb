"""Looking again at issued permits: which of them are dead by now. Reads only.

A permit is dead past `valid_until`, at the first stop that covers it (also when the person has come back
since), when the rules of today would not allow it any more, when the organisation took it back, and of course when
it never allowed anything.
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
from consentledger.kernel.clock import from_text
from consentledger.kernel.errors import InputError
from consentledger.organisations.models import Organisation
from consentledger.permits import lookups, queries
from consentledger.permits.deciding import Deciding, Rulings
from consentledger.permits.links import PermitId
from consentledger.permits.lookups import MessageFrame, Stored, stored
from consentledger.permits.models import Permit
from consentledger.permits.queries import Batch
from consentledger.permits.rules import MAX_RECIPIENTS, IssuePermits
from consentledger.permits.rulings import Ruling
from consentledger.permits.sources import read_sources
from consentledger.permits.voiding import voided_rows

CHUNK = 1_000
STOPS = ("consent.withdrawn", "consent.declined", "objection.recorded", "customer.objected")
FROZEN = "log_frozen"
REASONS = ("unknown", "denied", "voided", "expired", "stopped", FROZEN)


@dataclass(frozen=True, slots=True)
class Dead:
    """A permit that must not be used, and why: a word of REASONS."""

    permit: str
    reason: str


class _Act(NamedTuple):
    entry_index: int
    kind: str


class _Found(NamedTuple):
    batch: Batch
    contact_id: UUID | None
    ruling: Ruling
    voided: bool


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

    Ids of another organisation are `unknown`, as those that never were. Whether a register lists a recipient is
    taken as it was at the decision; how old its import may be is judged anew.
    """
    found = _found(session, organisation_id, permits)
    living = [one for one in found.values() if _plainly(one, now) is None]
    contacts = {one.contact_id for one in living if one.contact_id}
    acts = _acts(session, organisation_id, contacts)
    again: dict[int, _Again] = {}
    for one in living:
        number = one.batch.batch
        if number not in again:
            again[number] = _Again(session, one.batch, now)
        again[number].contacts.append(one.contact_id)
    for batch in again.values():
        batch.read(session)
    dead = []
    for text in permits:
        item = found.get(text)
        reason = "unknown" if item is None else _plainly(item, now)
        if item is not None and reason is None and again[item.batch.batch].stopped(item, acts):
            reason = "stopped"
        if reason is not None:
            dead.append(Dead(text, reason))
    return dead


def _plainly(item: _Found, now: datetime) -> str | None:
    """Returns why a permit is dead as far as its own batch tells."""
    ends_at = item.ruling.ends_at(item.batch.valid_until_at)
    if ends_at is None:
        return "denied"
    if item.voided:
        return "voided"
    return "expired" if now >= ends_at else None


class _Again:
    """Decides permits of one batch again, as of now: by the rules of today and what is stored today."""

    def __init__(self, session: Session, batch: Batch, now: datetime) -> None:
        self._batch = batch
        command = _command(batch)
        frame = MessageFrame(batch.organisation_number, "", None)
        sources = read_sources(session, None, command, frame)
        self._deciding = Deciding(command, sources, now, Rulings())
        self.contacts: list[UUID | None] = []
        self._stored: Mapping[UUID, Stored] = {}

    def read(self, session: Session) -> None:
        """Reads what is stored of the contacts that were asked about."""
        wanted = sorted({contact for contact in self.contacts if contact})
        self._stored = stored(session, self._batch.organisation_id, wanted, self._batch.channel)

    def stopped(self, item: _Found, acts: Mapping[UUID, list[_Act]]) -> bool:
        """Tells whether the permit must not be used any more, by the person's acts or by the rules."""
        found = self._stored.get(item.contact_id) if item.contact_id else None
        if found is None or item.contact_id is None:
            return True  # erased meanwhile
        facts = item.ruling.facts
        said = (None, facts.person, facts.capacity)
        read = self._deciding.states.read(found.standing)
        ruling = self._deciding.ruling(read, said, found.days, facts.listed, facts.countries)
        if not ruling.verdict.allowed:
            return True
        if item.ruling.verdict.basis == "service":
            return False  # what the contract needs passes every stop of marketing
        own = acts[item.contact_id]
        before = sum(act.entry_index < self._batch.entry_index for act in own)
        if not any(act.kind in STOPS for act in own[before:]):
            return False  # consent given once more ends nothing
        return self._deciding.states.stopped_since(found.standing, before - 1)


def _command(batch: Batch) -> IssuePermits:
    """What was asked when the batch was issued, for its message to be judged again."""
    kept = batch.message
    tracking, send_at = kept.get("tracking"), kept.get("send_at")
    return IssuePermits(
        organisation_id=batch.organisation_id,
        sender_id=batch.sender_id,
        purpose_id=batch.purpose_id,
        channel=batch.channel,
        recipients=(),
        actor="",
        message_class=kept["class"],
        contains=tuple(kept.get("contains", ())),
        categories=tuple(kept.get("categories", ())),
        send_at=from_text(send_at) if send_at else None,
        tracking=UUID(tracking) if tracking else None,
    )


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
    batches = queries.batches(session, organisation_id, {batch for batch, _ in own})
    void = voided_rows(session, organisation_id, batches)
    result = {}
    for chunk in _chunks(sorted(own)):
        query = select(Permit.batch, Permit.row_number, Permit.contact_id, Permit.verdict).where(
            Permit.organisation_id == organisation_id,
            tuple_(Permit.batch, Permit.row_number).in_(chunk),
        )
        for batch, row, contact_id, verdict in session.execute(query):
            issued = batches[batch]
            gone = batch in void and void[batch].covers(row)
            result[own[batch, row]] = _Found(issued, contact_id, issued.rulings[verdict], gone)
    return result


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
