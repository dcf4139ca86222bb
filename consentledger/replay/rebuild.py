"""The state made anew from the log, in batches: idempotent, and never half a contact in one transaction.

Nothing is emptied first: each batch of contacts is locked, replayed and compared, and only rows that differ are
written. So the service may run on, a run that was broken off is simply run again, and a second run writes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from consentledger.contacts.models import Contact
from consentledger.contacts.suppression import hold_suppression
from consentledger.db.engine import Database
from consentledger.db.fsck.calm import calm_collector
from consentledger.db.fsck.model import MOST_FINDINGS, Finding, Progress, Report
from consentledger.db.fsck.opener import Opener
from consentledger.db.fsck.system import SystemEntries
from consentledger.db.installation import Installation
from consentledger.db.models import LogHead
from consentledger.db.unit_of_work import Tx
from consentledger.kernel.errors import NotFoundError
from consentledger.replay import own, owners
from consentledger.replay.compare import Compared, compare_batch
from consentledger.replay.model import Difference, Key, Row
from consentledger.replay.published import PublishedReplay
from consentledger.replay.reading import Owned, Ownership, owned_batches, owned_of
from consentledger.replay.stored import table_of
from consentledger.replay.writing import (
    CONTACTS_TABLES,
    delete_row,
    mend_contacts,
    whole_row,
    write_rows,
)

AT_ONCE = 512
FEW_ROWS = 500
# Their rows are made by those who publish, who lock them before the head: so does this.
_LOCKED = ("organisation", "sender", "purpose", "wording", "form")


@dataclass(slots=True)
class Rebuilt:
    """What a rebuild did: how many entries it replayed, and rows it wrote.

    `differed` names what was not as the log gives it, `left` what could not be mended: damaged entries, and rows
    with columns that no entry tells. Each names 10,000 at most; rows and owners count all.
    """

    origin: str
    entries: int = 0
    contacts: int = 0
    rows: int = 0
    owners: int = 0
    differed: list[Finding] = field(default_factory=list)
    left: list[Finding] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The result as one JSON object."""
        return {
            "origin": self.origin,
            "entries": self.entries,
            "contacts": self.contacts,
            "rows": self.rows,
            "owners": self.owners,
            "differed": [{"where": one.where, "message": one.message} for one in self.differed],
            "left": [{"where": one.where, "message": one.message} for one in self.left],
        }

    def note(self, difference: Difference, *, mended: bool) -> None:
        """Notes one difference."""
        found = Finding(difference.where, difference.message)
        self.name(found)
        if not mended and len(self.left) < MOST_FINDINGS:
            self.left.append(found)

    def name(self, found: Finding) -> None:
        """Names one more difference."""
        if len(self.differed) < MOST_FINDINGS:
            self.differed.append(found)


class Rebuild:
    """One rebuild of one organisation's state; with `dry_run` it only says what it would do."""

    def __init__(
        self, installation: Installation, organisation_id: UUID, *, dry_run: bool = False
    ) -> None:
        self._installation = installation
        self._database: Database = installation.database
        self._organisation_id = organisation_id
        self._dry_run = dry_run
        self._homeless: dict[bytes, int] = {}
        self._told_planner = FEW_ROWS

    def run(self, progress: Progress) -> Rebuilt:
        """Rebuilds; NotFoundError when there is no such log. `progress` is given (entries done, in all)."""
        result = Rebuilt("")
        with self._database.snapshot() as session:
            opener = self._opener(session)
            result.origin = self._origin
            for found in owners.lost_owners(opener, self._homeless):
                self._write_owners(found, result)
        with self._database.snapshot() as session, calm_collector() as batch_done:
            opener = self._opener(session)
            self._mend_ownerless(opener, result)
            total = opener.rows.count_owned()
            suspects: dict[UUID, None] = {}
            for batch in owned_batches(opener, None, at_once=AT_ONCE):
                suspects |= dict.fromkeys(self._mend_batch(opener, batch, result))
                result.contacts += len(batch)
                result.entries += sum(len(owned.indexes) for owned in batch)
                batch_done()
                self._tell_planner(result.rows)
                progress(min(result.entries, total), total)
        self._mend_suspects(list(suspects), result)
        with self._database.snapshot() as session:
            self._mend_own(self._opener(session), result)
        return result

    def _tell_planner(self, rows: int) -> None:
        """Lets PostgreSQL count the tables again when they have grown much: it believes them empty until it does."""
        if rows < self._told_planner or self._dry_run or self._database.name != "postgresql":
            return
        self._told_planner = rows * 4
        with self._database.begin() as tx:
            tx.connection.exec_driver_sql(f"ANALYZE {', '.join(CONTACTS_TABLES)}")

    def _opener(self, session: Session) -> Opener:
        head = session.get(LogHead, self._organisation_id)
        if head is None:
            raise NotFoundError("this organisation has no log")
        self._origin = head.origin
        system = SystemEntries(session, self._organisation_id)
        opener = Opener(self._installation.keystore, session, head, system)
        opener.homeless = self._homeless
        return opener

    def _mend_suspects(self, suspects: Sequence[UUID], result: Rebuilt) -> None:
        """Contacts whose entries do not carry their labels: owners first, then their rows, until nothing moves.

        An erased entry that stood under a stranger is nobody's after one look, and its own contact's after two.
        """
        while suspects:
            with self._database.snapshot() as session:
                opener = self._opener(session)
                owned = owned_of(opener, suspects)
                found = owners.wrong_owners(opener, owned, self._homeless)
            self._write_owners(found, result)
            again = {*suspects, *(owner for owner in found.values() if owner is not None)}
            with self._database.snapshot() as session:
                opener = self._opener(session)
                report = Report("", 0)
                suspects = self._mend_batch(opener, owned_of(opener, again), result, report)
            if not found or self._dry_run:
                result.left += report.findings[: MOST_FINDINGS - len(result.left)]
                return

    def _write_owners(self, found: owners.Owners, result: Rebuilt) -> None:
        result.owners += len(found)
        for index in sorted(found):
            result.name(Finding(f"contact_entry {index}", "not the owner that the log gives"))
        if found and not self._dry_run:
            with self._database.begin() as tx:
                owners.write_owners(tx, self._organisation_id, found)

    def _mend_ownerless(self, opener: Opener, result: Rebuilt) -> None:
        for difference in list(own.ownerless(opener)):
            result.note(difference, mended=True)
            result.rows += 1
            if not self._dry_run:
                with self._database.begin() as tx:
                    delete_row(tx, self._organisation_id, difference)

    def _mend_batch(
        self,
        opener: Opener,
        batch: Sequence[Owned],
        result: Rebuilt,
        wrong: Report | None = None,
    ) -> list[UUID]:
        """Mends the rows of these contacts; returns those whose entries do not carry their labels."""
        ownership = Ownership(wrong or Report("", 0))
        if self._dry_run:
            compared = self._compare(opener, batch, result, ownership)
            result.rows += len(compared.differences)
        else:
            with self._database.begin() as tx:
                _keep_to_indexes(tx)
                self._lock(tx, batch)
                hold_suppression(tx, self._organisation_id)
                here = opener.on(tx.session)
                compared = self._compare(here, batch, result, ownership)
                if compared.differences:
                    result.rows += mend_contacts(tx, here, compared)
        return [owned.contact_id for owned in ownership.suspects]

    def _compare(
        self, opener: Opener, batch: Sequence[Owned], result: Rebuilt, ownership: Ownership
    ) -> Compared:
        report = Report("", 0)
        compared = compare_batch(opener, batch, report, ownership)
        result.left += report.findings[: MOST_FINDINGS - len(result.left)]
        taken = _taken(opener, compared)
        kept = []
        for history, one in compared.differences:
            if history.contact_id in taken:
                result.note(
                    Difference(
                        "contact", (history.contact_id,), note="another contact has its address"
                    ),
                    mended=False,
                )
                continue
            result.note(one, mended=True)
            kept.append((history, one))
        return Compared(compared.derived, compared.stored, kept)

    def _lock(self, tx: Tx, batch: Sequence[Owned]) -> None:
        wanted = sorted(owned.contact_id for owned in batch)
        tx.session.execute(
            select(Contact.contact_id)
            .where(Contact.organisation_id == self._organisation_id, Contact.contact_id.in_(wanted))
            .order_by(Contact.contact_id)
            .with_for_update()
        ).all()

    def _mend_own(self, opener: Opener, result: Rebuilt) -> None:
        if self._dry_run:
            for replay, names in own.own_replays(opener):
                stored = own.stored_of(opener, replay, names)
                for one in own.own_differences(replay, names, stored):
                    result.note(one, mended=True)
            return
        with self._database.begin() as tx:
            for name in _LOCKED:
                table = table_of(name)
                query = select(*table.primary_key).where(
                    table.c.organisation_id == self._organisation_id
                )
                tx.session.execute(query.order_by(*table.primary_key).with_for_update()).all()
            here = opener.on(tx.session)
            for replay, names in own.own_replays(here):
                self._write_own(tx, here, replay, names, result)

    def _write_own(
        self,
        tx: Tx,
        opener: Opener,
        replay: PublishedReplay,
        names: Sequence[str],
        result: Rebuilt,
    ) -> None:
        org = self._organisation_id
        stored = own.stored_of(opener, replay, names)
        for one in own.own_differences(replay, names, stored):
            if one.surplus:
                delete_row(tx, org, one)
                result.note(one, mended=True)
                result.rows += 1
                continue
            derived: dict[Key, Row] = replay.tables.of(one.table)
            row = whole_row(org, one, derived[one.key], stored.of(one.table).get(one.key))
            result.note(one, mended=row is not None)
            if row is not None:
                write_rows(tx, one.table, [row])
                result.rows += 1


def _keep_to_indexes(tx: Tx) -> None:
    """A statement is planned once: made while the tables are empty, its plan would scan them whole as they fill."""
    if tx.database.name == "postgresql":
        tx.connection.exec_driver_sql("SET LOCAL enable_seqscan = off")


def _taken(opener: Opener, compared: Compared) -> set[UUID]:
    """Contacts whose row can't be made, because somebody else's row has their look-up hash meanwhile."""
    wanted = {
        row["lookup"]: history.contact_id
        for history, tables in compared.derived
        for row in tables.of("contact").values()
        if isinstance(row["lookup"], bytes)
    }
    missing = {
        history.contact_id for history, one in compared.differences if one.table == "contact"
    }
    if not missing:
        return set()
    rows = opener.session.execute(
        select(Contact.contact_id, Contact.lookup).where(
            Contact.organisation_id == opener.organisation_id, Contact.lookup.in_(list(wanted))
        )
    )
    return {wanted[lookup] for owner, lookup in rows if wanted[lookup] != owner}
