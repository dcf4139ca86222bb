"""The second half of every recovery: state, erasures and stops follow the log again, then it is thawed and signed."""

from __future__ import annotations

from collections.abc import Container
from uuid import UUID

from consentledger.db.fsck.model import Progress
from consentledger.db.installation import Installation
from consentledger.db.journal import Record
from consentledger.erasure import service as erasure
from consentledger.kernel.errors import InputError, NotFoundError
from consentledger.organisations.queries import organisation
from consentledger.recovery.lost import log_lost
from consentledger.recovery.model import Outcome
from consentledger.recovery.origin import RECOVERING
from consentledger.recovery.stops import STOP, belongs, permit_of, replay
from consentledger.replay.service import rebuild

ERASURE = "erasure"


def finish(
    installation: Installation, organisation_id: UUID, outcome: Outcome, progress: Progress
) -> None:
    """Makes the state anew, replays the journal, thaws and signs; every step may be run again."""
    origin = outcome.origin
    installation.guard.freeze(origin, RECOVERING)
    with installation.watch.lifted(origin):
        lost = log_lost(installation, organisation_id)
        if lost:
            outcome.say(
                f"{lost} entries stay shut: their keys did not survive. A log.erasure, reason `lost`, says so."
            )
        rebuilt = rebuild(installation, organisation_id, progress)
        outcome.say(
            f"The state was made anew from the log: {rebuilt.rows} rows were not as it says."
        )
        if rebuilt.left:
            outcome.say(
                f"{len(rebuilt.left)} rows can't be made from the log alone; `consentledger log fsck` names them."
            )
        with installation.database.begin() as tx:
            returned = erasure.destroy_returned(tx, organisation_id)
        if returned:
            outcome.say(
                f"{returned} contacts whom the log has erased were back; the worker destroys them again."
            )
        _replay_erasures(installation, organisation_id, outcome)
        _replay_stops(installation, organisation_id, outcome)
    outcome.frozen = False
    installation.signer.sign(organisation_id)
    outcome.say("It is thawed: entries, permits and mails go on.")


def _replay_erasures(installation: Installation, organisation_id: UUID, outcome: Outcome) -> None:
    asked = 0
    for record in _of(installation, organisation_id, ERASURE):
        with installation.database.begin() as tx:
            asked += erasure.replay(tx, record.content)
    if asked:
        outcome.say(f"{asked} erasures of the journal were asked for again; the worker does them.")


def _replay_stops(installation: Installation, organisation_id: UUID, outcome: Outcome) -> None:
    """Replays stops until none is left under the journal's lock, and thaws under it: none can come behind."""
    done = 0
    nameless: set[str] = set()
    left: dict[bytes, Record] = {}
    while True:
        for record in waiting(installation, organisation_id, left):
            try:
                with installation.database.begin() as tx:
                    named = replay(tx, organisation_id, record)
            except (InputError, NotFoundError):
                left[record.record_id] = record
                continue
            installation.journal.mark_done(record)
            done += 1
            if not named:
                nameless.add(permit_of(record) or "")
        with installation.journal.locked():
            if not waiting(installation, organisation_id, left):
                installation.guard.thaw(outcome.origin)
                break
    installation.journal.drop_done()
    outcome.say(f"{done} stops of the journal were recorded.")
    if nameless:
        outcome.say(
            f"Of these, stops by the links of {len(nameless)} permits name nobody: the permits were lost. Whoever "
            "asked for them knows whom they were for. Record these as withdrawals before anything is sent: "
            f"{', '.join(sorted(nameless))}"
        )
    if left:
        outcome.say(
            f"{len(left)} stops name something that this database does not know; they stay in the journal."
        )


def waiting(
    installation: Installation, organisation_id: UUID, left: Container[bytes] = ()
) -> list[Record]:
    """Returns the stops of one organisation that wait in the journal, but those that are left there."""
    with installation.database.read() as session:
        number = organisation(session, organisation_id).number
    found = installation.journal.pending(STOP)
    return [r for r in found if belongs(r, organisation_id, number) and r.record_id not in left]


def _of(installation: Installation, organisation_id: UUID, what: str) -> list[Record]:
    own = str(organisation_id)
    return [r for r in installation.journal.pending(what) if r.content.get("organisation") == own]
