"""Steps 1 and 2 of promise 2's protocol: h0, then all facts of a batch, read outside the write transaction."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from consentledger.contacts.queries import lookup_hashes
from consentledger.db.engine import Database
from consentledger.kernel.clock import now
from consentledger.kernel.errors import InputError
from consentledger.permits import lookups, rules
from consentledger.permits.drafting import Drafted, Gathered, draft
from consentledger.permits.facts import folded_addresses
from consentledger.permits.lookups import MessageFrame
from consentledger.permits.rules import IssuePermits
from consentledger.permits.sources import listed, read_sources


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was read before the write transaction, and the batch that follows: `seen` is h0, read before any fact."""

    seen: int
    gathered: Gathered
    drafted: Drafted

    @property
    def command(self) -> IssuePermits:
        """What was asked."""
        return self.gathered.command


def prepare(database: Database, command: IssuePermits, before: Prepared | None = None) -> Prepared:
    """Steps 1 and 2 of the protocol: h0, then the facts, then decisions and lines; InputError names what is unknown.

    All that takes long is done here: the write transaction, of which SQLite has one at a time, only writes. `before`
    is the batch before of the same message, whose verdicts are used again while nothing but its people differs.
    """
    at = now()
    rules.check(command)
    if before is None:  # a long run outlives the time of sending that it was asked with
        rules.check_send_at(command, at)
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
    gathered = Gathered(
        command, frame, sources, folded, hashes, known, standing_in, frozenset(places)
    )
    deciding = before.drafted.deciding if before else None
    return Prepared(seen, gathered, draft(gathered, at, deciding))


def frame_of(session: Session, command: IssuePermits) -> MessageFrame:
    """Reads what a message has from the organisation; InputError where class and purpose do not fit."""
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
