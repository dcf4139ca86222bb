"""The verbs: issue a batch of permits by the protocol of promise 2, and look again at what was issued.

No permit that allows a message stands in the log behind a withdrawal or objection that covers it. `prepare`
reads h0, the log's size, in a statement of its own, before and outside the write transaction, and the facts
after it: what those facts miss has an index of h0 or more. `issue` decides, writes the rows, locks the head,
and then, in later statements, decides again every contact that has an entry at or beyond h0; nothing can
come between that look and the append, because every append needs the same lock.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from consentledger.db.engine import Database
from consentledger.db.log.entries import Draft, SealedEntry
from consentledger.db.unit_of_work import Tx
from consentledger.kernel.clock import to_text
from consentledger.kernel.errors import InputError
from consentledger.law.first.model import Pack
from consentledger.law.first.packs import default_pack
from consentledger.permits import lookups, queries, rules, store
from consentledger.permits.facts import StateReader, folded_addresses, lookup_hashes
from consentledger.permits.lines import Lines, Row, Ruling, build_lines
from consentledger.permits.links import batch_text, new_batch
from consentledger.permits.lookups import Known, MessageFrame
from consentledger.permits.rules import IssuePermits, Rulings

SALT_BYTES = 16


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was read before the write transaction: `seen` is h0, all else are facts read after it.

    `suppressed` are the places of recipients whom an erasure left a refusal of, whoever they are by now. One that
    comes later needs no second look: the erasure's own objection is an entry of the contact.
    """

    command: IssuePermits
    seen: int
    frame: MessageFrame
    hashes: list[bytes | None] = field(repr=False)
    known: Mapping[bytes, Known] = field(repr=False)
    suppressed: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Issued:
    """A committed batch: `rows` in the order of the recipients, each pointing into `rulings`."""

    command: IssuePermits
    frame: MessageFrame
    batch: int
    entry_index: int
    issued_at: datetime
    valid_until_at: datetime
    rulings: tuple[Ruling, ...]
    rows: tuple[Row, ...] = field(repr=False)


def prepare(database: Database, command: IssuePermits) -> Prepared:
    """Steps 1 and 2 of the protocol: h0, then the facts; InputError names what is unknown here."""
    rules.check(command)
    organisation_id = command.organisation_id
    with database.read() as session:
        seen = lookups.head_size(session, organisation_id)
        frame = _frame(session, command)
        keys = database.log.keystore.organisation(session, organisation_id)
        folded = folded_addresses(command.recipients)
        hashes = lookup_hashes(keys, folded)
        wanted = sorted({found for found in hashes if found is not None})
        known = lookups.known_by_lookup(session, organisation_id, wanted)
        refused = lookups.suppressed(session, database.log.keystore, organisation_id, folded)
    places = frozenset(n for n, one in enumerate(folded) if one in refused) if refused else ()
    return Prepared(command, seen, frame, hashes, known, frozenset(places))


def issue(tx: Tx, prepared: Prepared) -> Issued:
    """Steps 2 to 5: decides, writes rows, locks the head, looks again, appends one entry for the batch."""
    return Issue(tx, prepared, default_pack()).run()


class Issue:
    """One run of `issue`; a class so that a test can leave out the second look and be seen to fail."""

    def __init__(self, tx: Tx, prepared: Prepared, pack: Pack) -> None:
        command = prepared.command
        self._tx, self._prepared, self._command, self._pack = tx, prepared, command, pack
        self._frame = prepared.frame
        self._batch = new_batch()
        self._until = tx.now + command.valid_for
        self._rulings = Rulings(pack, command.message_class, command.channel, tx.now)
        self._states = StateReader(
            command.sender_id, command.purpose_id, command.channel, tx.now
        ).states
        self._rows = self._decide_all()

    def run(self) -> Issued:
        """Writes the batch and returns it; the append is the last act but for the batch's own row."""
        tx, organisation_id = self._tx, self._command.organisation_id
        store.write_rows(tx, organisation_id, self._batch, self._rows)
        lines = self._lines()
        sealed = self._seal(lines)
        head = tx.log.lock_head(tx, organisation_id)
        patched = self.look_again(head.frontier.size)
        if patched:
            store.patch_rows(tx, organisation_id, self._batch, patched)
            sealed = self._seal(self._patch(lines, patched))
        appended = tx.log.append_sealed(tx, organisation_id, sealed, head)
        issued = Issued(
            command=self._command,
            frame=self._frame,
            batch=self._batch,
            entry_index=appended[0].index,
            issued_at=tx.now,
            valid_until_at=self._until,
            rulings=tuple(self._rulings.list),
            rows=tuple(self._rows),
        )
        store.write_batch(tx, issued, self._message())
        return issued

    def look_again(self, size: int) -> list[tuple[int, Row]]:
        """Step 4, under the head's lock: decides again whoever has an entry at or beyond h0."""
        command, seen = self._command, self._prepared.seen
        if size == seen:
            return []
        session = self._tx.session
        since = lookups.appended_since(session, command.organisation_id, seen, size)
        if since.everyone:
            self._frame = _frame(session, command)
        affected = [
            (number, row)
            for number, row in enumerate(self._rows)
            if row.contact_id and (since.everyone or row.contact_id in since.contacts)
        ]
        if not affected:
            return []
        contacts = [row.contact_id for _, row in affected if row.contact_id]
        standings = lookups.standings(session, command.organisation_id, contacts)
        return [
            (number, again)
            for number, row in affected
            if (again := self._decide_again(row, standings)) != row
        ]

    def _decide_all(self) -> list[Row]:
        salts = os.urandom(SALT_BYTES * len(self._prepared.hashes))
        number, states, known = self._rulings.number, self._states, self._prepared.known
        rows, taken = [], set()
        for position, lookup in enumerate(self._prepared.hashes):
            salt = salts[SALT_BYTES * position : SALT_BYTES * (position + 1)]
            if lookup is None:
                rows.append(Row(None, number("invalid"), salt))
                continue
            if lookup in taken:
                rows.append(Row(None, number("duplicate"), salt))
                continue
            taken.add(lookup)
            if position in self._prepared.suppressed:
                # The contact, if there is one again, has said nothing of it: the row names nobody.
                rows.append(Row(None, number("stranger", objection="active"), salt))
                continue
            found = known.get(lookup)
            if found is None:
                rows.append(Row(None, number("stranger"), salt))
            else:
                ruling = number("record", *states(found.standing))
                rows.append(Row(found.contact_id, ruling, salt))
        return rows

    def _decide_again(self, row: Row, standings: Mapping[UUID, str]) -> Row:
        stored = standings.get(row.contact_id) if row.contact_id else None
        if stored is None:  # erased meanwhile: a stranger, and strangers are only counted
            return Row(None, self._rulings.number("stranger"), row.salt)
        return row._replace(verdict=self._rulings.number("record", *self._states(stored)))

    def _patch(self, lines: Lines, patched: Sequence[tuple[int, Row]]) -> Lines:
        numbers = [number for number, _ in patched]
        for number, row in patched:
            self._rows[number] = row
        return lines.patched(numbers, self._lines(numbers))

    def _lines(self, numbers: Sequence[int] | None = None) -> Lines:
        return build_lines(
            organisation_number=self._frame.organisation_number,
            batch=self._batch,
            valid_until=to_text(self._until),
            rulings=self._rulings.list,
            rows=self._rows if numbers is None else [self._rows[number] for number in numbers],
            numbers=numbers,
        )

    def _seal(self, lines: Lines) -> list[SealedEntry]:
        command = self._command
        draft = Draft(
            "permits.issued",
            {
                "batch": batch_text(self._batch),
                "sender": str(command.sender_id),
                "purpose": str(command.purpose_id),
                "channel": command.channel,
                "class": command.message_class,
                "campaign": command.campaign,
                "pack": self._pack.name,
                "pack_hash": self._pack.hash,
                "valid_until": to_text(self._until),
            },
            actor=command.actor,
            plain={"count": str(len(self._rows)), "root": lines.root.hex()},
            version=1,
        )
        return self._tx.log.seal(self._tx, command.organisation_id, [draft])

    def _message(self) -> dict[str, str | None]:
        return {
            "class": self._command.message_class,
            "campaign": self._command.campaign,
            "pack": self._pack.name,
            "pack_hash": self._pack.hash,
        }


def again(session: Session, command: IssuePermits, kept: Mapping[str, Any]) -> Issued:
    """Returns a committed batch once more from its rows, for a request that came twice.

    `kept` is what `to_keep` gave: the answer then says the same, also when the sender has changed since.
    """
    organisation_id, number = command.organisation_id, kept["batch"]
    batch = queries.batch(session, organisation_id, number)
    return Issued(
        command=command,
        frame=MessageFrame(batch.organisation_number, kept["from_address"], kept["link_host"]),
        batch=number,
        entry_index=batch.entry_index,
        issued_at=batch.issued_at,
        valid_until_at=batch.valid_until_at,
        rulings=batch.rulings,
        rows=tuple(queries.rows(session, organisation_id, number)),
    )


def to_keep(issued: Issued) -> dict[str, Any]:
    """Returns the little that `again` needs: a million permits need not be stored twice."""
    frame = issued.frame
    return {
        "batch": issued.batch,
        "from_address": frame.from_address,
        "link_host": frame.link_host,
    }


def _frame(session: Session, command: IssuePermits) -> MessageFrame:
    frame, purpose_class = lookups.message_frame(
        session,
        command.organisation_id,
        command.sender_id,
        command.purpose_id,
        command.channel,
    )
    if purpose_class != command.message_class:
        # Consent to being tracked is no consent to mail, nor the other way round.
        raise InputError(
            f"class: the purpose is for {purpose_class}", field="class", reason="not_of_purpose"
        )
    return frame
