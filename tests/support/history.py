"""A rich history for attacks: every table that evidence rests on has rows of ours, and of a stranger's beside them."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import time_machine
from sqlalchemy import select

from consentledger.db.engine import Database
from consentledger.db.installation import Installation
from consentledger.db.log.entries import Draft
from consentledger.db.log.index import index_log
from consentledger.db.log.tree import TreeReader
from consentledger.db.models import LogCheckpoint, LogHead, LogLeaf
from consentledger.erasure import service as erasure
from consentledger.erasure.commands import ChangePolicy, PlaceHold
from consentledger.erasure.escrow import public_of
from consentledger.erasure.holds import place_hold
from consentledger.erasure.policies import change_policy
from consentledger.ledger.proof import TlogProof
from consentledger.organisations.categories import PublishCategories, publish_categories
from consentledger.organisations.packs import Adoption, AdoptPacks, adopt_packs
from consentledger.outbox.models import OutboxRow
from consentledger.permits.links import PermitId, batch_text
from consentledger.permits.rules import IssuePermits
from consentledger.permits.service import Issued, issue, prepare
from consentledger.permits.voiding import VoidPermits, void
from consentledger.registers.rules import ImportRegister
from consentledger.registers.service import import_register
from consentledger.sends.rules import read_sends
from consentledger.sends.service import report
from consentledger.worker.handlers import HANDLERS
from tests.support import erasures
from tests.support.consents import People, people
from tests.support.customers import lapse, record, sale
from tests.support.mails import eventually, working

HANS = "hans@example.org"
ANNA, BERT, CARL = "anna@example.com", "bert@example.net", "carl@example.org"
DORA, EMIL, FRITZ = "dora@example.org", "emil@example.net", "fritz@example.com"
GRETA = "greta@example.net"
ESCROW = public_of(bytes(range(32)))
LONG_AGO = "2026-03-02T12:00:00+00:00"
WEEK = 7 * 86_400 + 1
FILLING = 260  # so that a whole subtree of 256 leaves stands in log_node


@dataclass(frozen=True, slots=True)
class History:
    """Whose log it is, and where what stands in it."""

    organisation_id: UUID
    origin: str
    size: int
    people: People
    issued: Issued
    others: frozenset[UUID]


def make_history(installation: Installation, moment: Callable[[], None] = lambda: None) -> History:
    """Lets people come and go, the log be signed now and then, and an unconfirmed one be forgotten.

    `moment` is called after every act, when no transaction is open.
    """
    town = people(installation, "weekly offers", "herb tips")
    moment()
    _ruled(town, moment)
    _forgotten(installation, town, moment)
    _sign(installation, town, moment)
    link = town.ask(ANNA, *town.made.purpose_ids)
    assert link is not None
    moment()
    town.press(link)
    moment()
    issued = permit(town, ANNA, DORA, "stranger@example.com")
    moment()
    _reported(town, issued, moment)
    _registered(town, moment)
    fill(installation.database, town.org, FILLING)
    _sign(installation, town, moment)
    _stopped(town, moment)
    town.unsubscribe(PermitId(town.made.organisation.number, issued.batch, 0).to_bytes())
    moment()
    _taken_back(town, issued, permit(town, ANNA, CARL, DORA), moment)
    _sold(town, moment)
    _erased(installation, town, moment)
    assert index_log(installation.database, town.org)
    moment()
    _sign(installation, town, moment)
    size = size_of(installation.database, town.org)
    with installation.database.read() as session:
        others = session.scalars(
            select(LogHead.organisation_id).where(LogHead.organisation_id != town.org)
        )
        strangers = frozenset(others)
    return History(town.org, town.made.organisation.origin, size, town, issued, strangers)


def _ruled(town: People, moment: Callable[[], None]) -> None:
    """Rules beyond the first pack: adopted, made stricter; and two versions of the product categories."""
    for stricter in ((), ("exception.sms=off",)):
        adoption = Adoption("DE", stricter, ("sale_indirect_remuneration",))
        with town.database.begin() as tx:
            adopt_packs(tx, AdoptPacks(town.org, (adoption,), "operator"))
        moment()
    for groups in (("herbs",), ("herbs/tea",)):
        command = PublishCategories(town.org, ("herbs", "herbs/tea"), groups, "operator")
        with town.database.begin() as tx:
            publish_categories(tx, command)
        moment()


def _forgotten(installation: Installation, town: People, moment: Callable[[], None]) -> None:
    with time_machine.travel(LONG_AGO, tick=False) as clock:
        assert town.ask(EMIL) is not None
        moment()
        clock.shift(WEEK)
        erasure.expire_due(installation.database)
        moment()
        erasure.erase_due(installation.database)
        moment()
        work(installation)
    moment()


def _stopped(town: People, moment: Callable[[], None]) -> None:
    blocked = town.ask(BERT)
    assert blocked is not None
    town.not_me(blocked)
    moment()
    for person in (CARL, DORA):
        town.subscribe(person)
        moment()
        town.stop(person)
        moment()


def _sold(town: People, moment: Callable[[], None]) -> None:
    """Two sales to one person; one of them is taken back."""
    record(town.database, town.org, sale(GRETA), sale(GRETA, "A-2", on="2026-02-01"))
    moment()
    lapse(town.database, town.org, {"address": GRETA, "reference": "A-1", "reason": "taken_back"})
    moment()


def _reported(town: People, issued: Issued, moment: Callable[[], None]) -> None:
    """Two batches of reports: of one who was written to and one who was not, and of another on another entry."""
    town.subscribe(HANS)
    moment()
    for batch, rows in ((issued.batch, (0, 2)), (permit(town, HANS).batch, (0,))):
        moment()
        sends = [
            {
                "permit": str(PermitId(town.made.organisation.number, batch, row)),
                "status": "failed" if row else "sent",
                "message_id": f"{batch}.{row}@mail.example",
                "list_headers_hash": "ab" * 32,
            }
            for row in rows
        ]
        with town.database.begin() as tx:
            report(tx, read_sends({"sends": sends}, town.org, "key:test"))
        moment()


def _registered(town: People, moment: Callable[[], None]) -> None:
    """Two imports of a register: one entry stays, one goes, one comes."""
    for day, content in (
        (1, b"a@list.example\n@b.example\n"),
        (2, b"a@list.example\n@c.example\n"),
    ):
        at = datetime(2026, 1, day, tzinfo=UTC)
        import_register(
            town.database, ImportRegister(town.org, "AT-X", at, f"day {day}"), io.BytesIO(content)
        )
        moment()


def _erased(installation: Installation, town: People, moment: Callable[[], None]) -> None:
    """One is erased, with evidence kept for legal claims; another one's destruction is on hold."""
    with installation.database.begin() as tx:
        change_policy(tx, ChangePolicy(town.org, "operator", keep_for_claims_days=365), ESCROW)
    with installation.database.begin() as tx:
        place_hold(tx, PlaceHold(town.org, "Anna Adler", "a case", "operator", CARL))
    moment()
    town.subscribe(FRITZ)
    moment()
    erasures.erase(installation, town.org, FRITZ, escrow_key=ESCROW)
    moment()


def _taken_back(town: People, issued: Issued, whole: Issued, moment: Callable[[], None]) -> None:
    """Two permits of one batch, and all of another."""
    moment()
    number = town.made.organisation.number
    ids = tuple(str(PermitId(number, issued.batch, row)) for row in (0, 2))
    for batches, permits in (((), ids), ((batch_text(whole.batch),), ())):
        with town.database.begin() as tx:
            void(tx, VoidPermits(town.org, batches, permits, "a wrong price", "operator"))
        moment()


def _sign(installation: Installation, town: People, moment: Callable[[], None]) -> None:
    assert installation.signer.sign(town.org) is not None
    moment()


def permit(town: People, *recipients: str) -> Issued:
    """Issues permits for the first purpose as delivery does."""
    command = IssuePermits(
        town.org, town.made.sender_id, town.made.purpose_ids[0], "email", recipients, "key:test"
    )
    prepared = prepare(town.database, command)
    with town.database.begin() as tx:
        return issue(tx, prepared)


def fill(database: Database, organisation_id: UUID, count: int) -> None:
    """Appends entries without a contact, in one batch."""
    values = [{"setting": "request_days", "value": str(n)} for n in range(count)]
    with database.begin() as tx:
        drafts = [Draft("configuration.changed", value, actor="operator") for value in values]
        tx.log.append(tx, organisation_id, drafts)


def work(installation: Installation) -> None:
    """Lets a worker do what waits for it, mail left out."""
    handlers = {kind: each for kind, each in HANDLERS.items() if kind.startswith("erasure.")}

    def done() -> bool:
        with installation.database.read() as session:
            left = select(OutboxRow.outbox_id).where(OutboxRow.kind.in_(list(handlers)))
            return session.scalars(left).first() is None

    with working(installation, handlers):
        eventually(done)


def size_of(database: Database, organisation_id: UUID) -> int:
    """Reads the size of a log."""
    with database.read() as session:
        return session.get_one(LogHead, organisation_id).size


def checkpoints(database: Database, organisation_id: UUID) -> list[LogCheckpoint]:
    """Reads every published checkpoint, the oldest first."""
    with database.read() as session:
        query = select(LogCheckpoint).where(LogCheckpoint.organisation_id == organisation_id)
        return list(session.scalars(query.order_by(LogCheckpoint.size)))


def proof_of(installation: Installation, organisation_id: UUID, index: int) -> TlogProof:
    """What somebody holds who saved the proof of an entry's receipt now."""
    checkpoint = checkpoints(installation.database, organisation_id)[-1]
    with installation.database.read() as session:
        path = TreeReader(session, organisation_id).inclusion_proof(index, checkpoint.size)
    return TlogProof(index, tuple(path), checkpoint.note)


def leaf_hash_at(installation: Installation, organisation_id: UUID, index: int) -> bytes:
    """Reads the leaf hash that a receipt shows."""
    with installation.database.read() as session:
        return session.get_one(LogLeaf, (organisation_id, index)).leaf_hash
