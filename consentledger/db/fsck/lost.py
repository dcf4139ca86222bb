"""Logs that are gone as a whole: the guard knows them, and no head of theirs is in the database."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from consentledger.db.fsck.model import Report
from consentledger.db.installation import Installation
from consentledger.db.models import LogHead, LogLeaf
from consentledger.kernel.errors import ConsentLedgerError
from consentledger.ledger.leaf import parse_leaf

GENESIS = b"consentledger/leaf/v1\nkind log.genesis/"


def lost_logs(installation: Installation) -> list[Report]:
    """Returns a report, with its finding, for each log that was signed and is not there.

    A log that went on under a new origin is not lost: a `log.genesis` names it (its plain `previous`).
    """
    known = set(installation.guard.origins())
    with installation.database.read() as session:
        missing = known - set(session.scalars(select(LogHead.origin)))
        if missing:  # else the leaves need not be searched
            missing -= _went_on(session)
    return [report for origin in sorted(missing) if (report := _report(installation, origin))]


def _report(installation: Installation, origin: str) -> Report | None:
    signed = installation.guard.read(origin)
    if signed is None:
        return None
    report = Report(origin, 0)
    report.add(
        "log_head",
        f"missing: {signed.size} entries of this log were signed, and the database knows no such log",
    )
    return report


def _went_on(session: Session) -> set[str]:
    found = set()
    query = select(LogLeaf.leaf).where(func.substr(LogLeaf.leaf, 1, len(GENESIS)) == GENESIS)
    for leaf in session.scalars(query):
        try:
            previous = parse_leaf(bytes(leaf)).plain["previous"]
        except (ConsentLedgerError, KeyError, TypeError):
            continue  # a leaf that does not parse is the tree's to find
        found.add(previous.partition(" ")[0])
    return found
