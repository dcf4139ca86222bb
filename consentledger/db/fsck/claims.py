"""What fsck holds against the derived tree: the head, the published checkpoints, the guard, the openings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from heapq import merge
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from consentledger.db.fsck.calm import calm_collector
from consentledger.db.fsck.model import Position, Progress, Report, Step, Stop
from consentledger.db.fsck.opener import Opener
from consentledger.db.fsck.openings import ContactsCheck, check_openings
from consentledger.db.fsck.system import SystemEntries
from consentledger.db.fsck.tree import TreeCheck
from consentledger.db.guard import Signed
from consentledger.db.installation import Installation
from consentledger.db.log.labels import check_log_index
from consentledger.db.log.tree import TreeReader
from consentledger.db.models import LogCheckpoint, LogHead, LogNode
from consentledger.kernel.errors import (
    ConfigurationError,
    ConflictError,
    ConsentLedgerError,
    NotFoundError,
    UnavailableError,
)
from consentledger.ledger.checkpoint import open_checkpoint
from consentledger.ledger.merkle import Frontier
from consentledger.ledger.note import Verifier

_Check = Callable[[bytes], None]


def fsck(
    installation: Installation,
    organisation_id: UUID,
    *,
    openings: bool = False,
    progress: Progress = lambda _done, _total: None,
    step: Step | None = None,
    position: Position | None = None,
    contacts: ContactsCheck | None = None,
) -> Report:
    """Checks one organisation's log in one snapshot; with `openings`, also that each opens its leaf.

    `step` is called at the end of every block and may raise PausedError; `position` is where an earlier run
    stopped. `contacts` takes the entries of contacts over from the openings' walk, to look at them one contact
    after the other (replay). NotFoundError when there is no such log, ConflictError when the position is not
    one of this log.
    """
    tell: Step = step or (lambda _position, done, total: progress(done, total))
    # Before the snapshot: what was signed by then stands in it, and a log that grows meanwhile is not accused.
    guarded = _read_guard(installation, organisation_id)
    with installation.database.snapshot() as session, calm_collector() as batch_done:
        head = session.get(LogHead, organisation_id)
        if head is None:
            raise NotFoundError("this organisation has no log")

        def stepped(position: Position, done: int, total: int) -> None:
            batch_done()
            tell(position, done, total)

        position = _begin(session, head, position)
        report = position.report
        system = SystemEntries(session, organisation_id)
        stops = _stops(installation, session, head, system, position, guarded)
        TreeCheck(session, organisation_id, position).run(stops, stepped)
        if position.phase == "tree":
            _check_head(installation, head, position.frontier, report)
            _check_surplus_nodes(session, head, position.frontier, report)
            for where, message in check_log_index(session, organisation_id, system.indexes):
                report.add(where, message)
            position.phase = "openings"
        if openings:
            opener = _opener(installation, session, head, system, report)
            if opener is not None:
                check_openings(opener, position, stepped, by_contact=contacts is not None)
            if opener is not None and contacts is not None:
                contacts(opener, position, stepped)
    return report


def _opener(
    installation: Installation,
    session: Session,
    head: LogHead,
    system: SystemEntries,
    report: Report,
) -> Opener | None:
    try:
        return Opener(installation.keystore, session, head, system)
    except ConfigurationError as error:
        # Named like anything else, so that the logs behind this one are looked at, too.
        report.add("organisation_key", str(error))
        return None


def _begin(session: Session, head: LogHead, position: Position | None) -> Position:
    """Starts anew, or goes on where a run stopped, if what it derived is still the start of this tree."""
    if position is None:
        return Position(Report(head.origin, head.size))
    size, report = position.frontier.size, position.report
    if report.origin != head.origin or head.size < max(size, position.after + 1):
        raise ConflictError(
            f"the state is of a run over {report.size} entries of {report.origin}, which these rows do not begin with"
        )
    if size and not report.findings:  # with findings this run can't end well anyway
        try:
            root = TreeReader(session, head.organisation_id).root(size)
        except ConsentLedgerError as error:
            raise ConflictError(f"the state does not fit the database: {error}") from error
        if root != position.frontier.root():
            raise ConflictError(
                f"the state does not fit the database: another root of the first {size} entries"
            )
    if head.size > size:  # it grew meanwhile: the rest of the tree, and the new head, come first
        position.phase = "tree"
    report.size = head.size
    return position


def _stops(
    installation: Installation,
    session: Session,
    head: LogHead,
    system: SystemEntries,
    position: Position,
    guarded: Signed | str | None,
) -> Iterator[Stop]:
    report = position.report
    verifiers = system.verifiers(_own_verifiers(installation, head.origin))
    published = (
        Stop(row.size, _checkpoint_check(row, verifiers, position))
        for row in session.scalars(
            select(LogCheckpoint)
            .where(LogCheckpoint.organisation_id == head.organisation_id)
            .where(LogCheckpoint.size > position.checked)
            .order_by(LogCheckpoint.size)
            .execution_options(yield_per=500)
        )
    )
    return merge(published, _guard_stops(guarded, report), key=lambda stop: stop.size)


def _own_verifiers(installation: Installation, origin: str) -> list[Verifier]:
    try:
        return [Verifier.from_vkey(installation.signer.vkey(origin))]
    except UnavailableError:
        return []  # a key behind a command that does not answer: the log names it, too


def _read_guard(installation: Installation, organisation_id: UUID) -> Signed | str | None:
    """Returns what the guard holds for a log, or in words why it can't be read."""
    with installation.database.read() as session:
        query = select(LogHead.origin).where(LogHead.organisation_id == organisation_id)
        origin = session.scalar(query)
    try:
        return installation.guard.read(origin) if origin else None
    except (ConsentLedgerError, ValueError, KeyError) as error:
        return str(error)


def _guard_stops(guarded: Signed | str | None, report: Report) -> list[Stop]:
    if isinstance(guarded, str):
        report.add("guard", f"can't be read: {guarded}")
        return []
    return [Stop(guarded.size, _guard_check(guarded, report))] if guarded else []


def _guard_check(signed: Signed, report: Report) -> _Check:
    def check(root: bytes) -> None:
        if root != signed.root:
            report.add("guard", f"another root was signed at {signed.size} entries: a fork")

    return check


def _checkpoint_check(row: LogCheckpoint, verifiers: list[Verifier], position: Position) -> _Check:
    report = position.report

    def check(root: bytes) -> None:
        report.checkpoints += 1
        position.checked = row.size
        where = f"log_checkpoint {row.size}"
        if row.root != root:
            report.add(where, "its root is not the root of the entries before it")
        try:
            signed = open_checkpoint(row.note, verifiers)
        except ConsentLedgerError as error:
            report.add(where, f"its note does not verify: {error}")
            return
        if (signed.size, signed.root) != (row.size, row.root):
            report.add(where, "its note signs another size or root")

    return check


def _check_head(
    installation: Installation, head: LogHead, derived: Frontier, report: Report
) -> None:
    if derived.size != head.size:
        report.add("log_head", f"its size is {head.size}, there are {derived.size} leaves")
    if head.root != derived.root() or head.frontier != derived.to_bytes():
        report.add("log_head", "its root or frontier does not come from the leaves")
    try:
        stored = Frontier.from_bytes(head.size, head.frontier)
        installation.log.heads.check(head.origin, stored, head.root, head.mac)
    except ConsentLedgerError as error:
        report.add("log_head", str(error))


def _check_surplus_nodes(
    session: Session, head: LogHead, derived: Frontier, report: Report
) -> None:
    for level, n in session.execute(
        select(LogNode.level, LogNode.n)
        .where(LogNode.organisation_id == head.organisation_id)
        .execution_options(yield_per=5_000)
    ):
        if not 1 <= level <= 7 or n < 0 or (n + 1) << (8 * level) > derived.size:
            report.add(f"log_node {level}/{n}", "no leaves stand below it")


def organisations_with_logs(installation: Installation) -> list[UUID]:
    """Returns every organisation that has a log."""
    with installation.database.read() as session:
        return list(
            session.scalars(select(LogHead.organisation_id).order_by(LogHead.organisation_id))
        )
