"""Steps 1 and 2 of promise 2's protocol: h0, then all facts of a batch, read outside the write transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from consentledger.db.engine import Database
from consentledger.kernel.clock import now
from consentledger.kernel.errors import InputError
from consentledger.permits import lookups, rules
from consentledger.permits.facts import NOTHING_SAID, Said, folded_addresses, lookup_hashes
from consentledger.permits.lookups import Known, MessageFrame
from consentledger.permits.rules import IssuePermits
from consentledger.permits.sources import Sources, listed, read_sources


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was read before the write transaction: `seen` is h0, all else are facts read after it.

    `suppressed` are the places of recipients whom an erasure left a refusal of, whoever they are by now. One that
    comes later needs no second look: the erasure's own objection is an entry of the contact. `listed` says which
    of the addresses (`folded`, as they are compared) stand in which registers.
    """

    command: IssuePermits
    seen: int
    frame: MessageFrame
    sources: Sources
    folded: list[str | None] = field(repr=False)
    hashes: list[bytes | None] = field(repr=False)
    known: Mapping[bytes, Known] = field(repr=False)
    listed: Mapping[str, tuple[str, ...]] = field(repr=False)
    suppressed: frozenset[int] = frozenset()


def prepare(database: Database, command: IssuePermits) -> Prepared:
    """Steps 1 and 2 of the protocol: h0, then the facts; InputError names what is unknown here."""
    rules.check(command)
    rules.check_send_at(command, now())
    organisation_id, keystore = command.organisation_id, database.log.keystore
    with database.read() as session:
        seen = lookups.head_size(session, organisation_id)
        frame = frame_of(session, command)
        sources = read_sources(session, keystore, command, frame)
        keys = keystore.organisation(session, organisation_id)
        folded = folded_addresses(command.recipients)
        hashes = lookup_hashes(keys, folded)
        wanted = sorted({found for found in hashes if found is not None})
        known = lookups.known_by_lookup(session, organisation_id, wanted, command.channel)
        refused = lookups.suppressed(session, keystore, organisation_id, folded)
        on_record = (a for a, h in zip(folded, hashes, strict=True) if a and h in known)
        standing_in = listed(session, organisation_id, sources, on_record)
    places = frozenset(n for n, one in enumerate(folded) if one in refused) if refused else ()
    return Prepared(
        command, seen, frame, sources, folded, hashes, known, standing_in, frozenset(places)
    )


def frame_of(session: Session, command: IssuePermits) -> MessageFrame:
    frame, purpose_class = lookups.message_frame(
        session,
        command.organisation_id,
        command.sender_id,
        command.purpose_id,
        command.channel,
    )
    if (purpose_class == "tracking") != (command.message_class == "tracking"):
        # Consent to being tracked is no consent to mail, nor the other way round.
        raise InputError(
            f"class: the purpose is for {purpose_class}", field="class", reason="not_of_purpose"
        )
    if command.tracking is not None:
        lookups.check_tracking(session, command.organisation_id, command.tracking, command.channel)
    return frame


def said_of(command: IssuePermits) -> Sequence[Said]:
    """What the caller said of each recipient; one shared word where nothing was said of anybody."""
    count = len(command.recipients)
    if not (command.countries or command.persons or command.capacities):
        return [NOTHING_SAID] * count
    nothing = (None,) * count
    return list(
        zip(
            command.countries or nothing,
            command.persons or nothing,
            command.capacities or nothing,
            strict=True,
        )
    )
