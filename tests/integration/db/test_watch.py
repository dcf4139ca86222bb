"""A database that was restored, truncated or forked is recognised at the start and while running, and stays so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from consentledger.db.guard import SqlGuard
from consentledger.db.installation import Installation, open_installation
from consentledger.db.signing.checkpoints import latest_checkpoint
from consentledger.kernel.errors import FrozenError, IntegrityError
from consentledger.kernel.settings import Settings
from tests.support.installations import settings_from
from tests.support.logs import SmallLog, make_log, setting
from tests.support.restores import Backup, backup

ORIGIN = "test.example/log/log"


@pytest.fixture
def log(installation: Installation) -> SmallLog:
    log = make_log(installation.database)
    log.fill(5)
    installation.signer.sign_due()
    return log


@pytest.fixture
def earlier(installation: Installation, log: SmallLog) -> Iterator[Backup]:
    """A backup at 5 entries; the log has 7 by now, and 7 are signed."""
    with backup(installation.database) as taken:
        log.fill(2)
        installation.signer.sign_due()
        yield taken


def unwatched(installation: Installation, log: SmallLog, count: int) -> None:
    """Append as somebody would who does not ask our guard, with all our keys."""
    watch, installation.log.watch = installation.log.watch, None
    log.append(*(setting(90 + n) for n in range(count)))
    installation.log.watch = watch


def test_a_restore_under_a_running_process_stops_the_next_append(
    installation: Installation, log: SmallLog, earlier: Backup
) -> None:
    earlier.restore()
    for _ in range(2):
        with pytest.raises(FrozenError, match=r"has 5 entries, but 7 were signed.*log recover"):
            log.fill(1)
    assert installation.guard.frozen(ORIGIN)
    with pytest.raises(FrozenError, match="restored or truncated"):
        installation.signer.sign(log.organisation_id)


def test_a_restored_database_is_named_at_the_start_and_the_start_goes_on(
    installation: Installation,
    log: SmallLog,
    earlier: Backup,
    capfd: pytest.CaptureFixture[str],
) -> None:
    earlier.restore()
    capfd.readouterr()
    opened = open_installation(installation.settings)
    told = "".join(capfd.readouterr())
    assert "critical" in told
    assert "has 5 entries, but 7 were signed" in told
    reason = opened.watch.reason(opened.database, log.organisation_id)
    assert reason is not None
    assert "Run `consentledger log recover`" in reason
    with pytest.raises(FrozenError):
        opened.watch.look(opened.database, log.organisation_id)
    opened.database.close()


def test_a_truncated_log_is_recognised(installation: Installation, log: SmallLog) -> None:
    from tests.integration.db.test_checkpoints import roll_back

    roll_back(installation, log, 3)
    with pytest.raises(FrozenError, match="has 3 entries, but 5 were signed"):
        log.fill(1)


def test_a_fork_of_the_same_size_is_recognised_at_the_next_append(
    installation: Installation, log: SmallLog, earlier: Backup
) -> None:
    earlier.restore()
    unwatched(installation, log, 2)
    with pytest.raises(FrozenError, match="forked: the same size, 7"):
        log.fill(1)


def test_a_longer_fork_is_seen_by_the_signer_and_then_by_everybody(
    installation: Installation, log: SmallLog, earlier: Backup
) -> None:
    earlier.restore()
    unwatched(installation, log, 4)
    other = open_installation(installation.settings)
    assert other.watch.reason(other.database, log.organisation_id) is None
    with pytest.raises(IntegrityError, match="does not extend what was signed at 7"):
        installation.signer.sign_due()
    for opened in (installation, other):
        assert opened.guard.frozen(ORIGIN)
    with pytest.raises(FrozenError, match="does not extend"):
        SmallLog(other.database, log.organisation_id).fill(1)
    with other.database.read() as session:
        latest = latest_checkpoint(session, log.organisation_id)
    assert latest is not None
    assert latest.size == 5, "nothing of the fork may be signed"
    other.database.close()


def test_the_right_database_put_back_stays_frozen_until_somebody_recovers(
    installation: Installation, log: SmallLog
) -> None:
    """Stops may wait in the journal by then: only `log recover` may end it."""
    installation.watch.freeze(ORIGIN, "looked odd")
    with pytest.raises(FrozenError, match=r"looked odd.*docs/recovery\.md"):
        log.fill(1)
    with installation.watch.lifted(ORIGIN):
        log.fill(1)
    installation.guard.thaw(ORIGIN)
    log.fill(1)


def test_a_wrong_clock_freezes_nothing(installation: Installation, log: SmallLog) -> None:
    from datetime import timedelta

    import time_machine

    from consentledger.kernel.clock import now

    log.fill(1)
    with time_machine.travel(now() - timedelta(hours=1)), pytest.raises(IntegrityError):
        installation.signer.sign(log.organisation_id)
    assert installation.guard.frozen(ORIGIN) is None
    log.fill(1)


def test_another_log_of_the_same_database_goes_on(
    installation: Installation, log: SmallLog
) -> None:
    other = make_log(installation.database, "other")
    installation.watch.freeze(ORIGIN, "looked odd")
    other.fill(3)
    with pytest.raises(FrozenError):
        installation.signer.sign(log.organisation_id)
    assert installation.signer.sign(other.organisation_id) is not None


def test_a_guard_in_a_database_of_its_own_sees_a_restore_too(
    environment: dict[str, str], tmp_path: object
) -> None:
    values = {**environment, "CONSENTLEDGER_GUARD": f"sqlite:///{tmp_path}/guard/guard.db"}
    settings: Settings = settings_from(values)
    installation = open_installation(settings)
    assert isinstance(installation.guard, SqlGuard)
    installation.guard.fresh_seconds = 0.0
    log = make_log(installation.database)
    log.fill(2)
    with backup(installation.database) as taken:
        log.fill(1)
        installation.signer.sign_due()
        taken.restore()
    with pytest.raises(FrozenError, match="has 2 entries, but 3 were signed"):
        log.fill(1)
    with installation.database.read() as session:
        assert session.scalar(text("SELECT size FROM log_head")) == 2
    installation.database.close()
    installation.guard.close()
