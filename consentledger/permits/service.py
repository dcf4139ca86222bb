"""The verbs: issue a batch of permits by the protocol of promise 2, and look again at what was issued.

No permit that allows a message stands in the log behind a withdrawal or objection that covers it. `prepare`
reads h0, the log's size, in a statement of its own, before and outside the write transaction, and the facts
after it: what those facts miss has an index of h0 or more. `issue` decides, writes the rows, locks the head,
and then, in later statements, decides again every contact that has an entry at or beyond h0, or everybody when
rules, registers or the like changed there; nothing can come between that look and the append, because every append
needs the same lock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from consentledger.db.log.entries import Draft, SealedEntry
from consentledger.db.unit_of_work import Tx
from consentledger.kernel.clock import to_text
from consentledger.permits import lookups, queries, rules, store
from consentledger.permits.deciding import Deciding
from consentledger.permits.drafting import NOT_LISTED, draft, lines_of, said_of
from consentledger.permits.facts import Said
from consentledger.permits.lines import Row
from consentledger.permits.links import batch_text
from consentledger.permits.lookups import MessageFrame, Stored
from consentledger.permits.preparing import Prepared, frame_of, prepare
from consentledger.permits.rules import IssuePermits
from consentledger.permits.rulings import Ruling
from consentledger.permits.sources import listed, read_sources

__all__ = ["Issue", "Issued", "Prepared", "again", "issue", "prepare", "to_keep"]


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


def issue(tx: Tx, prepared: Prepared) -> Issued:
    """Steps 2 to 5: decides, writes rows, locks the head, looks again, appends one entry for the batch."""
    return Issue(tx, prepared).run()


class Issue:
    """One run of `issue`; a class so that a test can leave out the second look and be seen to fail."""

    def __init__(self, tx: Tx, prepared: Prepared) -> None:
        gathered, drafted = prepared.gathered, prepared.drafted
        if not drafted.deciding.holds(tx.now):  # the hour struck meanwhile, or a pause ended
            drafted = draft(gathered, tx.now)
        self._tx, self._seen, self._gathered = tx, prepared.seen, gathered
        self._command, self._frame = gathered.command, gathered.frame
        self._sources = gathered.sources
        self._batch, self._until = drafted.batch, drafted.until
        self._rulings, self._deciding = drafted.rulings, drafted.deciding
        self._rows, self._lines = list(drafted.rows), drafted.lines

    def run(self) -> Issued:
        """Writes the batch and returns it; the append is the last act but for the batch's own row."""
        tx, organisation_id = self._tx, self._command.organisation_id
        store.write_rows(tx, organisation_id, self._batch, self._rows)
        sealed = self._seal()
        head = tx.log.lock_head(tx, organisation_id)
        before = self._sources
        patched = self.look_again(head.frontier.size)
        if patched:
            store.patch_rows(tx, organisation_id, self._batch, patched)
            self._patch(patched)
        if patched or self._sources is not before:
            sealed = self._seal()
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
        message = self._message()
        store.write_batch(tx, issued, {name: message[name] for name in rules.MESSAGE_FIELDS})
        return issued

    def look_again(self, size: int) -> list[tuple[int, Row]]:
        """Step 4, under the head's lock: decides again whoever has an entry at or beyond h0, or all."""
        command, seen = self._command, self._seen
        if size == seen:
            return []
        session = self._tx.session
        since = lookups.appended_since(session, command.organisation_id, seen, size)
        if since.everyone:
            return self._all_again(session)
        affected = [
            (number, row)
            for number, row in enumerate(self._rows)
            if row.contact_id and row.contact_id in since.contacts
        ]
        return self._again(session, affected, self._gathered.listed)

    def _all_again(self, session: Session) -> list[tuple[int, Row]]:
        """Something that concerns everybody lies behind h0: frame, rules and registers are read anew."""
        command, folded = self._command, self._gathered.folded
        self._frame = frame_of(session, command)
        keystore = self._tx.database.log.keystore
        self._sources = read_sources(session, keystore, command, self._frame)
        self._deciding = Deciding(command, self._sources, self._tx.now, self._rulings)
        contacts = [(number, row) for number, row in enumerate(self._rows) if row.contact_id]
        on_record = (address for n, _ in contacts if (address := folded[n]))
        standing_in = listed(session, command.organisation_id, self._sources, on_record)
        others = []
        for number, row in enumerate(self._rows):
            if row.contact_id is None:
                again = self._deciding.again(self._rulings.list[row.verdict].facts)
                if again != row.verdict:
                    others.append((number, row._replace(verdict=again)))
        return sorted(others + self._again(session, contacts, standing_in))

    def _again(
        self,
        session: Session,
        affected: Sequence[tuple[int, Row]],
        standing_in: Mapping[str, tuple[str, ...]],
    ) -> list[tuple[int, Row]]:
        if not affected:
            return []
        contacts = [row.contact_id for _, row in affected if row.contact_id]
        organisation_id, channel = self._command.organisation_id, self._command.channel
        found = lookups.stored(session, organisation_id, contacts, channel)
        said = said_of(self._command)
        return [
            (number, again)
            for number, row in affected
            if (again := self._decide_again(number, row, found, said[number], standing_in)) != row
        ]

    def _decide_again(
        self,
        number: int,
        row: Row,
        found: Mapping[UUID, Stored],
        said: Said,
        standing_in: Mapping[str, tuple[str, ...]],
    ) -> Row:
        stored = found.get(row.contact_id) if row.contact_id else None
        if stored is None:  # erased meanwhile: a stranger, and strangers are only counted
            return Row(None, self._deciding.counted("stranger", said), row.salt)
        codes = standing_in.get(self._gathered.folded[number] or "", NOT_LISTED)
        ruling = self._deciding.record(stored.standing, said, stored.days, codes)
        return row._replace(verdict=ruling)

    def _patch(self, patched: Sequence[tuple[int, Row]]) -> None:
        numbers = [number for number, _ in patched]
        for number, row in patched:
            self._rows[number] = row
        rows = [row for _, row in patched]
        others = lines_of(self._frame, self._batch, self._rulings, self._until, rows, numbers)
        self._lines = self._lines.patched(numbers, others)

    def _seal(self) -> list[SealedEntry]:
        plain = {"count": str(len(self._rows)), "root": self._lines.root.hex()}
        draft = Draft("permits.issued", self._message(), actor=self._command.actor, plain=plain)
        return self._tx.log.seal(self._tx, self._command.organisation_id, [draft])

    def _message(self) -> dict[str, Any]:
        """What all rows share, as the entry commits it."""
        command, sources = self._command, self._sources
        rulings = [self._rulings.list[number] for number in {row.verdict for row in self._rows}]
        return {
            "batch": batch_text(self._batch),
            "sender": str(command.sender_id),
            "purpose": str(command.purpose_id),
            "channel": command.channel,
            "class": command.message_class,
            "contains": list(command.contains),
            "categories": list(sources.categories),
            "categories_version": sources.categories_version,
            "campaign": command.campaign,
            "tracking": str(command.tracking) if command.tracking else None,
            "send_at": to_text(rules.send_at(command, self._tx.now)),
            "registers": sources.registers,
            "packs": sources.pack_texts(name for one in rulings for name in one.verdict.packs),
            "valid_until": to_text(self._until),
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
