"""What fsck holds against the derived tree: the head, the published checkpoints, the guard, the openings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from heapq import merge
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from consentledger.db.fsck.model import Progress, Report, Stop
from consentledger.db.fsck.openings import check_openings
from consentledger.db.fsck.tree import TreeCheck
from consentledger.db.guard import Signed
from consentledger.db.installation import Installation
from consentledger.db.models import LogCheckpoint, LogHead, LogNode
from consentledger.kernel.errors import ConsentLedgerError, NotFoundError
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
) -> Report:
    """Checks one organisation's log in one snapshot; with `openings`, also that each opens its leaf.

    `progress` is called with (entries done, entries in all). NotFoundError when there is no such log.
    """
    with installation.database.snapshot() as session:
        head = session.get(LogHead, organisation_id)
        if head is None:
            raise NotFoundError("this organisation has no log")
        report = Report(head.origin, head.size)
        # The guard is read after the snapshot began: what it holds may be younger, never older, than the rows.
        check = TreeCheck(session, organisation_id, report)
        check.run(_stops(installation, session, head, report), progress)
        _check_head(installation, head, check.frontier, report)
        _check_surplus_nodes(session, head, check.frontier, report)
        if openings:
            report.openings = check_openings(installation, session, head, report, progress)
    return report


def _stops(
    installation: Installation, session: Session, head: LogHead, report: Report
) -> Iterator[Stop]:
    verifier = Verifier.from_vkey(installation.signer.vkey(head.origin))
    published = (
        Stop(row.size, _checkpoint_check(row, verifier, report))
        for row in session.scalars(
            select(LogCheckpoint)
            .where(LogCheckpoint.organisation_id == head.organisation_id)
            .order_by(LogCheckpoint.size)
            .execution_options(yield_per=500)
        )
    )
    return merge(published, _guard_stops(installation, head, report), key=lambda stop: stop.size)


def _guard_stops(installation: Installation, head: LogHead, report: Report) -> list[Stop]:
    try:
        signed = installation.guard.read(head.origin)
    except (ConsentLedgerError, ValueError, KeyError) as error:
        report.add("guard", f"can't be read: {error}")
        return []
    return [Stop(signed.size, _guard_check(signed, report))] if signed else []


def _guard_check(signed: Signed, report: Report) -> _Check:
    def check(root: bytes) -> None:
        if root != signed.root:
            report.add("guard", f"another root was signed at {signed.size} entries: a fork")

    return check


def _checkpoint_check(row: LogCheckpoint, verifier: Verifier, report: Report) -> _Check:
    def check(root: bytes) -> None:
        report.checkpoints += 1
        where = f"log_checkpoint {row.size}"
        if row.root != root:
            report.add(where, "its root is not the root of the entries before it")
        try:
            signed = open_checkpoint(row.note, [verifier])
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
