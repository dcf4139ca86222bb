"""The worker's timers: sign what grew, end what has ended, sweep what nobody needs any more.

Each is safe beside the timers of other workers and may die at any moment: it commits in small steps
and begins again with what is left.
"""

from __future__ import annotations

from sqlalchemy import Connection, delete, select, text
from sqlalchemy.orm import InstrumentedAttribute

from consentledger.accounts.models import IdempotentAnswer
from consentledger.db.installation import Installation
from consentledger.db.log.index import index_due
from consentledger.db.models import CapKey
from consentledger.erasure.service import erase_due, expire_due, retain_due, retire_due, sweep
from consentledger.kernel.clock import now
from consentledger.kernel.settings import Settings
from consentledger.limits import cap_keys
from consentledger.limits.models import MailCap
from consentledger.permits.bulk.models import PermitRun, PermitRunBatch
from consentledger.worker.jobs.pausing import pause_due
from consentledger.worker.timers import Timer

BATCH = 500
ROUNDS = 1000  # of one call: the rest waits for the next


def sign(installation: Installation) -> int:
    """Signs the checkpoint of every log that grew; returns how many."""
    return installation.signer.sign_due()


def index(installation: Installation) -> int:
    """Appends the log.index of every log that is due; returns how many entries that took."""
    return index_due(installation.database)


def end(installation: Installation) -> int:
    """Ends what nobody confirmed and logs its erasure; returns how much ended.

    In this order, so that what expires in this round is erased in it too; the destruction itself is
    work for the outbox, after the log.erasure has committed.
    """
    ended = 0
    for _ in range(ROUNDS):
        found = expire_due(installation.database)
        settings = installation.settings
        planned = erase_due(installation.database, settings.escrow_key, installation.journal)
        ended += found
        if not found and not planned:
            break
    return ended


def retain(installation: Installation) -> int:
    """Logs which openings and contacts have reached their age; returns how many logs and contacts."""
    return retain_due(installation.database) + retire_due(installation.database)


def sweep_ended(installation: Installation) -> dict[str, int]:
    """Deletes links and blocks that are over, and contact keys that no contact took."""
    return sweep(installation.database)


def sweep_limits(installation: Installation) -> int:
    """Deletes counters whose window is over, and mails that count no more with their days' keys; returns how many."""
    swept = installation.database.counters.sweep(now())
    swept += _sweep(installation, MailCap.until_at, MailCap.key_hash, MailCap.slot)
    cap_keys.forget_ended(installation.database)
    return swept + _sweep(installation, CapKey.ends_at, CapKey.day)


def sweep_answers(installation: Installation) -> int:
    """Deletes answers and runs that were kept for a repeated Idempotency-Key long enough."""
    answer, run, batch = IdempotentAnswer, PermitRun, PermitRunBatch
    swept = _sweep(installation, answer.kept_until, answer.organisation_id, answer.key_hash)
    swept += _sweep(installation, run.kept_until, run.organisation_id, run.key_hash)
    key = (batch.organisation_id, batch.key_hash, batch.position)
    return swept + _sweep(installation, batch.kept_until, *key)


def truncate_wal(installation: Installation) -> bool:
    """Empties SQLite's write-ahead log, which a long reader may have let grow; says whether it could."""
    if installation.database.name != "sqlite":
        return True
    with installation.database.autocommit() as connection:
        return _truncated(connection)


def _truncated(connection: Connection) -> bool:
    busy = connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)")).scalar_one()
    return not busy


def _sweep(
    installation: Installation,
    ends: InstrumentedAttribute[object],
    *key: InstrumentedAttribute[object],
) -> int:
    """Deletes rows whose end lies behind us, in small transactions and in the order of their keys."""
    table = ends.class_
    swept = 0
    while True:
        with installation.database.begin() as tx:
            old = select(*key).where(ends < tx.now).order_by(*key).limit(BATCH)
            rows = tx.session.execute(old.with_for_update(skip_locked=True)).all()
            for row in rows:
                same = [column == value for column, value in zip(key, row, strict=True)]
                tx.session.execute(delete(table).where(*same))
        swept += len(rows)
        if len(rows) < BATCH:
            return swept


def timers(settings: Settings) -> tuple[Timer, ...]:
    """Returns what a worker does by the clock."""
    return (
        Timer(
            "sign", settings.checkpoint_seconds, sign, "Signs the checkpoints of logs that grew."
        ),
        Timer("index", 60, index, "Appends the day's index of labels to logs with new entries."),
        Timer("end", 60, end, "Ends what nobody confirmed, and logs erasures that are due."),
        Timer(
            "pause", 300, pause_due, "Pauses forms of which too few mailed requests are confirmed."
        ),
        Timer("retain", 3600, retain, "Logs which openings and contacts have reached their age."),
        Timer("sweep", 600, sweep_ended, "Deletes links, blocks and keys whose time is over."),
        Timer("limits", 300, sweep_limits, "Deletes counters of limits and caps that are over."),
        Timer("answers", 600, sweep_answers, "Deletes answers kept for a repeated request."),
        Timer("wal", 60, truncate_wal, "Empties SQLite's write-ahead log."),
    )
