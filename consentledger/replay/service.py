"""Verbs: check a log with all that follows from it, name where the state differs, make the state anew."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from consentledger.db.fsck import Finding, Position, Report
from consentledger.db.fsck import fsck as check_log
from consentledger.db.fsck.model import Progress, Step
from consentledger.db.fsck.opener import Opener
from consentledger.db.fsck.system import SystemEntries
from consentledger.db.installation import Installation
from consentledger.db.models import LogHead
from consentledger.kernel.errors import NotFoundError
from consentledger.organisations.models import Organisation
from consentledger.replay.compare import check_contacts
from consentledger.replay.rebuild import Rebuild, Rebuilt
from consentledger.replay.reports import mend_last


def fsck(
    installation: Installation,
    organisation_id: UUID,
    *,
    progress: Progress = lambda _done, _total: None,
    step: Step | None = None,
    position: Position | None = None,
) -> Report:
    """Checks one log down to its openings, and the state's rows against the log, in one snapshot.

    See db.fsck.fsck for `step` and `position`.
    """
    return check_log(
        installation,
        organisation_id,
        openings=True,
        progress=progress,
        step=step,
        position=position,
        contacts=check_contacts,
    )


def logs_of(installation: Installation, name: str | None = None) -> list[tuple[UUID, str]]:
    """Returns (organisation, origin) of every log, or of one organisation's; NotFoundError for an unknown name."""
    query = select(LogHead.organisation_id, LogHead.origin).order_by(LogHead.organisation_id)
    if name is not None:
        query = query.join(
            Organisation, Organisation.organisation_id == LogHead.organisation_id
        ).where(Organisation.name == name)
    with installation.database.read() as session:
        found = [(row.organisation_id, row.origin) for row in session.execute(query)]
    if name is not None and not found:
        raise NotFoundError(f"there is no organisation {name} with a log")
    return found


def rebuild(
    installation: Installation,
    organisation_id: UUID,
    progress: Progress = lambda _done, _total: None,
    *,
    dry_run: bool = False,
) -> Rebuilt:
    """Makes the derivable state of one organisation anew from its log; running it again changes nothing more.

    Each batch of contacts is one transaction under the locks of their rows, so the service never sees half of one.
    With `dry_run` nothing is written. NotFoundError when there is no such log.
    """
    result = Rebuild(installation, organisation_id, dry_run=dry_run).run(progress)
    for one in mend_last(installation.database, organisation_id, dry_run=dry_run):
        result.note(one, mended=not one.note)
        result.rows += not one.note
    return result


def compare(
    installation: Installation,
    organisation_id: UUID,
    progress: Progress = lambda _done, _total: None,
) -> list[Finding]:
    """Names every row of the state that is not what the log gives: table, key and columns, never values."""
    with installation.database.snapshot() as session:
        head = session.get(LogHead, organisation_id)
        if head is None:
            raise NotFoundError("this organisation has no log")
        system = SystemEntries(session, organisation_id)
        position = Position(Report(head.origin, head.size), phase="contacts")
        opener = Opener(installation.keystore, session, head, system)
        check_contacts(opener, position, lambda _position, done, total: progress(done, total))
        return position.report.findings
