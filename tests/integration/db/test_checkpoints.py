"""Signing: only what extends what was signed before, and never two histories."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select, text, update

from consentledger.db.guard import FileGuard, Signed
from consentledger.db.installation import Installation, open_installation
from consentledger.db.log.tree import TreeReader
from consentledger.db.models import LogCheckpoint, LogHead
from consentledger.db.signing.checkpoints import latest_checkpoint
from consentledger.kernel.clock import now
from consentledger.kernel.errors import ConfigurationError, IntegrityError
from consentledger.ledger.checkpoint import open_checkpoint
from consentledger.ledger.merkle import Frontier
from consentledger.ledger.note import Verifier
from tests.support.logs import SmallLog, make_log, setting


@pytest.fixture
def log(installation: Installation) -> SmallLog:
    log = make_log(installation.database)
    log.fill(5)
    return log


def test_a_checkpoint_is_signed_once_per_growth_and_verifies(
    installation: Installation, log: SmallLog
) -> None:
    assert installation.signer.sign_due() == 1
    assert installation.signer.sign_due() == 0
    log.append(setting())
    assert installation.signer.sign_due() == 1
    with installation.database.read() as session:
        published = latest_checkpoint(session, log.organisation_id)
        head = session.get(LogHead, log.organisation_id)
    assert published is not None
    assert head is not None
    verifier = Verifier.from_vkey(installation.signer.vkey(head.origin))
    signed = open_checkpoint(published.note, [verifier])
    assert (signed.size, signed.root) == (6, head.root)


def test_an_empty_log_is_not_signed(installation: Installation) -> None:
    empty = make_log(installation.database, "empty")
    assert installation.signer.sign(empty.organisation_id) is None
    assert installation.signer.sign_due() == 0


def roll_back(installation: Installation, log: SmallLog, size: int) -> None:
    """What a restore of an older backup leaves: an older head with its true MAC, and fewer rows."""
    with installation.database.snapshot() as session:
        tree = TreeReader(session, log.organisation_id)
        frontier = Frontier.empty().append([tree.leaf_hash(i) for i in range(size)])[0]
        head = session.get(LogHead, log.organisation_id)
    assert head is not None
    mac = installation.log.heads.make(head.origin, frontier)
    with installation.database.begin() as tx:
        tx.session.execute(
            update(LogHead).values(
                size=size, root=frontier.root(), frontier=frontier.to_bytes(), mac=mac
            )
        )
        off = (
            "DROP TRIGGER log_leaf_no_delete"
            if installation.database.name == "sqlite"
            else "ALTER TABLE log_leaf DISABLE TRIGGER USER"
        )
        tx.session.execute(text(off))
        for table in ("log_leaf", "opening"):
            tx.session.execute(text(f"DELETE FROM {table} WHERE entry_index >= {size}"))


def test_a_database_rolled_back_behind_the_guard_is_not_signed(
    installation: Installation, log: SmallLog
) -> None:
    assert installation.signer.sign(log.organisation_id) is not None
    roll_back(installation, log, 3)
    with pytest.raises(IntegrityError, match="restored or truncated"):
        installation.signer.sign(log.organisation_id)


def test_a_fork_of_the_same_size_is_not_signed(installation: Installation, log: SmallLog) -> None:
    assert installation.signer.sign(log.organisation_id) is not None
    roll_back(installation, log, 4)
    installation.log.watch = None  # whoever forks it does not ask our guard
    log.append(setting(99))
    with pytest.raises(IntegrityError, match="forked"):
        installation.signer.sign(log.organisation_id)


def test_a_longer_fork_is_not_signed(installation: Installation, log: SmallLog) -> None:
    assert installation.signer.sign(log.organisation_id) is not None
    roll_back(installation, log, 4)
    installation.log.watch = None  # whoever forks it does not ask our guard
    log.append(setting(99), setting(100))
    with pytest.raises(IntegrityError, match="does not extend"):
        installation.signer.sign(log.organisation_id)


def test_a_head_written_by_a_database_insider_is_not_signed(
    installation: Installation, log: SmallLog
) -> None:
    frontier = Frontier.empty().append([b"\7" * 32])[0]
    with installation.database.begin() as tx:
        tx.session.execute(
            update(LogHead).values(size=1, root=frontier.root(), frontier=frontier.to_bytes())
        )
    with pytest.raises(IntegrityError, match="changed by hand"):
        installation.signer.sign(log.organisation_id)


def test_a_clock_that_runs_backwards_stops_signing(
    installation: Installation, log: SmallLog
) -> None:
    assert installation.signer.sign(log.organisation_id) is not None
    log.append(setting())
    with (
        time_machine.travel(now() - timedelta(hours=1)),
        pytest.raises(IntegrityError, match="backwards"),
    ):
        installation.signer.sign(log.organisation_id)


def test_two_signers_at_once_publish_one_history(installation: Installation, log: SmallLog) -> None:
    for _ in range(5):
        log.append(setting())
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: installation.signer.sign(log.organisation_id), range(4)))
    with installation.database.read() as session:
        sizes = session.scalars(select(LogCheckpoint.size).order_by(LogCheckpoint.size)).all()
        assert session.scalar(select(func.count()).select_from(LogCheckpoint)) == len(set(sizes))
    assert sizes[-1] == 10


def test_a_crash_between_guard_and_publishing_is_made_good(
    installation: Installation, log: SmallLog
) -> None:
    with installation.database.read() as session:
        head = session.get(LogHead, log.organisation_id)
    assert head is not None
    assert installation.guard.swap(head.origin, None, Signed(head.size, head.root))
    assert installation.signer.sign_due() == 1


def test_the_guard_swaps_only_from_what_it_holds(installation: Installation) -> None:
    guard, one, two = installation.guard, Signed(1, b"\1" * 32), Signed(2, b"\2" * 32)
    assert guard.read("o") is None
    assert guard.swap("o", None, one)
    assert not guard.swap("o", None, two)
    assert guard.read("o") == one
    assert guard.swap("o", one, two)
    assert guard.read("o") == two


def test_a_lost_guard_stops_the_start_once_something_was_signed(
    installation: Installation, log: SmallLog
) -> None:
    assert installation.signer.sign(log.organisation_id) is not None
    assert isinstance(installation.guard, FileGuard)
    for file in installation.guard.folder.iterdir():
        file.unlink()
    with pytest.raises(ConfigurationError, match="CONSENTLEDGER_GUARD"):
        open_installation(installation.settings)


def test_another_databases_guard_stops_the_start(installation: Installation) -> None:
    assert isinstance(installation.guard, FileGuard)
    other = FileGuard(installation.guard.folder, "another")
    with pytest.raises(ConfigurationError, match="another database"):
        other.open(create=False)
