"""The verb: record what became of permitted messages, one entry for the batch.

A report is the organisation's word: that a message was permitted, that it was reported sent, and that our own gate
saw it are three things. So a report that does not fit its permit is recorded and flagged, not refused; refused is only
what can't be, such as a message from the future or under a permit that this organisation never got.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from consentledger.contacts import service as contacts
from consentledger.db.log.entries import Draft
from consentledger.db.unit_of_work import Tx
from consentledger.kernel.errors import InputError
from consentledger.ledger.sent import SALT_BYTES
from consentledger.organisations.models import Organisation
from consentledger.permits.links import PermitId, batch_text, new_batch
from consentledger.sends import queries, rules, store
from consentledger.sends.last import last_days
from consentledger.sends.lines import Row, Shape, build_lines
from consentledger.sends.permitted import Place, permits_at
from consentledger.sends.queries import Told
from consentledger.sends.rules import Permitted, ReportSends, Send


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a report became: its batch's entry and its row there. `repeated`: it had been told before, in that entry."""

    permit: PermitId
    status: str
    at: datetime
    flags: str
    entry_index: int
    row: int
    repeated: bool = False

    @property
    def report(self) -> str:
        """The report's id, as bundles and the API name it."""
        return f"{self.entry_index}-{self.row}"


def report(tx: Tx, command: ReportSends) -> list[Recorded]:
    """Records reports, in the order of telling; the same report twice is one.

    InputError names the first row that can't be: its permit is not of this organisation, its time not of its permit.
    """
    return _Report(tx, command).run()


_NEW = -1


class _Report:
    """One run of `report`."""

    def __init__(self, tx: Tx, command: ReportSends) -> None:
        self._tx, self._command = tx, command
        self._batch = new_batch()
        self._shapes: dict[Shape, int] = {}
        self._rows: list[Row] = []
        query = select(Organisation.number)
        self._number = tx.session.scalars(
            query.where(Organisation.organisation_id == command.organisation_id)
        ).one()

    def run(self) -> list[Recorded]:
        """Locks the contacts, sorted; then rows, head, and what needs the index."""
        tx, command = self._tx, self._command
        permits = self._permits()
        wanted = [one.contact_id for one in permits.values() if one.contact_id]
        locked = contacts.lock_rows(tx, command.organisation_id, wanted)
        # Behind the locks: whoever told the same before has committed, and is seen.
        told = queries.told_before(tx.session, command.organisation_id, permits)
        recorded = []
        for number, send in enumerate(command.sends):
            place = (send.permit.batch, send.permit.row)
            at = rules.check_time(send, permits[place], tx.now, f"sends[{number}]")
            recorded.append(
                self._record(send, at, permits[place], set(locked), told.setdefault(place, []))
            )
        if not self._rows:
            return recorded
        index = self._write()
        return [
            replace(one, entry_index=index) if one.entry_index == _NEW else one for one in recorded
        ]

    def _permits(self) -> dict[Place, Permitted]:
        command = self._command
        places = [(one.permit.batch, one.permit.row) for one in command.sends]
        found = permits_at(self._tx.session, command.organisation_id, places)
        for number, (send, place) in enumerate(zip(command.sends, places, strict=True)):
            if send.permit.organisation_number != self._number or place not in found:
                where = f"sends[{number}].permit"
                raise InputError(f"{where}: no such permit", field=where, reason="unknown")
        return found

    def _record(
        self,
        send: Send,
        at: datetime,
        permitted: Permitted,
        locked: set[UUID],
        told: list[Told],
    ) -> Recorded:
        for one in told:
            if (one.status, one.message_hash) == (send.status, send.message_hash) and (
                send.at is None or one.sent_at == at
            ):
                return Recorded(
                    send.permit,
                    one.status,
                    one.sent_at,
                    one.flags,
                    one.entry_index,
                    one.row,
                    repeated=True,
                )
        before = any(one.status == "sent" for one in told)
        flags = rules.flags_of(send.status, at, permitted, before=before)
        shape = Shape(permitted.channel, permitted.basis, send.status, flags)
        row = len(self._rows)
        told.append(Told(send.status, at, send.message_hash, flags, _NEW, row))
        self._rows.append(
            Row(
                send.permit.batch,
                send.permit.row,
                permitted.contact_id if permitted.contact_id in locked else None,
                self._shapes.setdefault(shape, len(self._shapes)),
                at,
                send.message_hash,
                send.headers_hash,
                os.urandom(SALT_BYTES),
            )
        )
        return Recorded(send.permit, send.status, at, flags, _NEW, row)

    def _write(self) -> int:
        tx, org = self._tx, self._command.organisation_id
        shapes = list(self._shapes)
        store.write_rows(tx, org, self._batch, self._rows)
        lines = build_lines(self._number, shapes, self._rows)
        plain = {"count": str(len(self._rows)), "root": lines.root.hex()}
        values = {"batch": batch_text(self._batch)}
        draft = Draft("message.sent", values, actor=self._command.actor, plain=plain)
        index = tx.log.append(tx, org, [draft])[0].index
        store.write_batch(tx, org, self._batch, index, len(self._rows), shapes)
        store.write_last(tx, org, index, last_days(shapes, self._rows))
        return index
