"""The verb: bring one log back, by its entries from outside or under a new origin, then let everybody go on.

Every step may be cut off and run again: entries are put back in one transaction, the state is made anew from the
log, a journalled stop is done once. Only then the guard's mark is taken away, under the journal's lock.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from consentledger.db.fsck.model import Progress
from consentledger.db.guard import Signed
from consentledger.db.installation import Installation
from consentledger.db.log.tree import TreeReader
from consentledger.db.models import LogHead
from consentledger.db.watch import lacking
from consentledger.kernel.errors import IntegrityError, VerificationError
from consentledger.ledger.merkle import Frontier, verify_consistency
from consentledger.recovery import replaying, rules
from consentledger.recovery.finishing import finish, waiting
from consentledger.recovery.model import Outcome
from consentledger.recovery.origin import RECOVERING, go_on_under_new_origin
from consentledger.recovery.rules import Case
from consentledger.recovery.sources import Sources


@dataclass(frozen=True, slots=True)
class Recover:
    """Asks for one log's recovery; `entries` are exports and bundles, `reason` is kept in a new log.genesis."""

    organisation_id: UUID
    entries: tuple[Path, ...] = ()
    new_origin: bool = False
    reason: str = "entries were lost with a database"
    dry_run: bool = False


def recover(
    installation: Installation,
    command: Recover,
    progress: Progress = lambda _done, _total: None,
) -> Outcome:
    """Does what can be done and says so; `frozen` in the outcome: it was not enough, and what to do instead."""
    with installation.database.read() as session:
        head = _head(session, command.organisation_id)
    signed = installation.guard.read(head.origin)
    case = _case(installation, head, signed)
    outcome = Outcome(head.origin, frozen=_frozen(installation, command, case, head.origin))
    outcome.say(rules.found(case, Signed(head.size, head.root), signed))
    if not outcome.frozen and not command.new_origin:
        outcome.say("Nothing has to be done.")
        return outcome
    if command.new_origin:
        if _renamed(installation, command, outcome):
            finish(installation, command.organisation_id, outcome, progress)
        return outcome
    if case is Case.FORKED or (case is Case.BEHIND and signed is None):
        outcome.say(rules.way_out(case))
        return outcome
    if case is Case.BEHIND and signed is not None:
        if not _put_back(installation, command, head, signed, outcome):
            return outcome
    elif command.dry_run:
        _foretell(installation, command, outcome)
    if not command.dry_run:
        finish(installation, command.organisation_id, outcome, progress)
    return outcome


def missing_logs(installation: Installation) -> list[str]:
    """Returns in sentences which logs the guard knows and the database lacks altogether."""
    return [lacking(*one) for one in installation.watch.missing(installation.database)]


def _head(session: Session, organisation_id: UUID) -> LogHead:
    return session.scalars(select(LogHead).where(LogHead.organisation_id == organisation_id)).one()


def _case(installation: Installation, head: LogHead, signed: Signed | None) -> Case:
    extends = True
    if signed is not None and head.size > signed.size:
        with installation.database.snapshot() as session:
            tree = TreeReader(session, head.organisation_id)
            try:
                proof = tree.consistency_proof(signed.size, head.size)
                verify_consistency(signed.size, head.size, signed.root, head.root, proof)
            except (VerificationError, IntegrityError):
                extends = False
    return rules.case_of(Signed(head.size, head.root), signed, extends=extends)


def _frozen(installation: Installation, command: Recover, case: Case, origin: str) -> bool:
    marked = installation.guard.frozen(origin) is not None
    return marked or case is not Case.AGREES or _pending(installation, command) > 0


def _pending(installation: Installation, command: Recover) -> int:
    return len(waiting(installation, command.organisation_id))


def _foretell(installation: Installation, command: Recover, outcome: Outcome) -> None:
    outcome.say(
        f"It would be made to go on: its state from the log, and {_pending(installation, command)} stops from the "
        "journal. Nothing was changed."
    )


def _renamed(installation: Installation, command: Recover, outcome: Outcome) -> bool:
    if command.dry_run:
        outcome.say(
            f"It would go on under a new origin behind the entries that are here; {outcome.origin} would stay frozen "
            "for ever. Nothing was changed."
        )
        return False
    old = outcome.origin
    outcome.origin = go_on_under_new_origin(installation, command.organisation_id, command.reason)
    outcome.frozen = True
    outcome.say(
        f"{old} is frozen for ever. The log goes on as {outcome.origin}; its log.genesis names what was signed last. "
        "Give auditors the new policy: /.well-known/consentledger.json has it."
    )
    return True


def _put_back(
    installation: Installation, command: Recover, head: LogHead, signed: Signed, outcome: Outcome
) -> bool:
    """Puts the missing entries back; False, with sentences, when they do not suffice or it is a dry run."""
    sources = Sources(installation, head, command.entries, (head.size, signed.size))
    for path in sources.ignored:
        outcome.say(f"{path} is of another log and was not read.")
    missing = replaying.missing_of(sources.entries, head.size, signed.size)
    if missing:
        outcome.say(f"Not found in what was given: entries {rules.gaps(missing)}.")
        outcome.say(rules.way_out(Case.BEHIND))
        return False
    frontier = Frontier.from_bytes(head.size, head.frontier)
    installation.log.heads.check(head.origin, frontier, head.root, head.mac)
    if replaying.grown(sources.entries, frontier).root() != signed.root:
        outcome.say(
            "The entries that were given do not lead from this database to what was signed: they were changed, or the "
            "database is no earlier state of this log. Try an older backup, or go on under a new origin: --new-origin."
        )
        return False
    if command.dry_run:
        outcome.say(f"{signed.size - head.size} entries can be put back.")
        _foretell(installation, command, outcome)
        return False
    installation.guard.freeze(head.origin, RECOVERING)
    with installation.database.begin() as tx:
        count = replaying.put_back(tx, command.organisation_id, sources.entries, signed)
        for table, row in sources.other_rows():
            replaying.put_rows(tx, command.organisation_id, table, [row])
    outcome.say(f"{count} entries were put back; the tree is what was signed.")
    return True
