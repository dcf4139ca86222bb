"""fsck names what somebody changed by hand with the triggers off."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import text

from consentledger.db.fsck import fsck
from consentledger.db.guard import Signed
from consentledger.db.installation import Installation
from tests.support.logs import SmallLog, expired, make_log


@pytest.fixture
def log(installation: Installation) -> SmallLog:
    log = make_log(installation.database)
    log.fill(300)
    chain = log.contact()
    log.append(expired(chain), expired(chain))
    assert installation.signer.sign(log.organisation_id) is not None
    log.fill(3)
    return log


def tamper(installation: Installation, statement: str) -> None:
    with installation.database.begin() as tx:
        if installation.database.name == "sqlite":
            names = tx.session.scalars(
                text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            )
            for name in names.all():
                tx.session.execute(text(f"DROP TRIGGER {name}"))
        else:
            tx.session.execute(text("SET LOCAL session_replication_role = replica"))
        tx.session.execute(text(statement))


def test_a_sound_log_has_no_findings_and_progress_reaches_its_end(
    installation: Installation, log: SmallLog
) -> None:
    seen: list[tuple[int, int]] = []
    report = fsck(
        installation,
        log.organisation_id,
        openings=True,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert report.findings == []
    assert (report.size, report.checkpoints, report.openings) == (305, 1, 305)
    assert seen[-1] == (305, 305)


ATTACKS = {
    "a leaf changed": (
        "UPDATE log_leaf SET leaf = leaf || {x} WHERE entry_index = 7",
        "log_leaf 7",
    ),
    "a leaf hash changed": (
        (
            "UPDATE log_leaf SET leaf_hash = (SELECT leaf_hash FROM log_leaf WHERE entry_index = 8)"
            " WHERE entry_index = 7"
        ),
        "log_leaf 7",
    ),
    "a leaf and its hash replaced by another's": (
        (
            "UPDATE log_leaf SET leaf = o.leaf, leaf_hash = o.leaf_hash FROM (SELECT leaf, leaf_hash"
            " FROM log_leaf WHERE entry_index = 8) AS o WHERE entry_index = 7"
        ),
        "log_head",
    ),
    "a leaf deleted": ("DELETE FROM log_leaf WHERE entry_index = 7", "log_leaf 7"),
    "the last leaf deleted": ("DELETE FROM log_leaf WHERE entry_index = 304", "log_head"),
    "a leaf put in behind the head": (
        (
            "INSERT INTO log_leaf SELECT organisation_id, 305, leaf, leaf_hash, appended_at"
            " FROM log_leaf WHERE entry_index = 1"
        ),
        "log_head",
    ),
    "a node changed": ("UPDATE log_node SET hash = {h}", "log_node 1/0"),
    "a node deleted": ("DELETE FROM log_node", "log_node 1/0"),
    "a node put in": (
        "INSERT INTO log_node SELECT organisation_id, 1, 9, hash FROM log_node",
        "log_node 1/9",
    ),
    "the head's size moved": ("UPDATE log_head SET size = 304", "log_head"),
    "the head's root changed": ("UPDATE log_head SET root = {h}", "log_head"),
    "the head's frontier changed": ("UPDATE log_head SET frontier = {h}", "log_head"),
    "the head's MAC changed": ("UPDATE log_head SET mac = {h}", "log_head"),
    "a checkpoint's root changed": ("UPDATE log_checkpoint SET root = {h}", "log_checkpoint 302"),
    "a checkpoint's note changed": (
        "UPDATE log_checkpoint SET note = replace(note, '302', '301')",
        "log_checkpoint 302",
    ),
    "a checkpoint moved": ("UPDATE log_checkpoint SET size = 300", "log_checkpoint 300"),
    "an opening deleted": ("DELETE FROM opening WHERE entry_index = 300", "opening 300"),
    "an opening swapped": (
        (
            "UPDATE opening SET sealed = (SELECT sealed FROM opening WHERE entry_index = 300)"
            " WHERE entry_index = 301"
        ),
        "opening 301",
    ),
    "a contact's key deleted": ("DELETE FROM contact_key", "opening 300"),
}


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_a_change_by_hand_is_named(installation: Installation, log: SmallLog, attack: str) -> None:
    statement, where = ATTACKS[attack]
    sqlite = installation.database.name == "sqlite"
    values = {"x": "X'00'" if sqlite else "'\\x00'::bytea"}
    values["h"] = f"X'{'07' * 32}'" if sqlite else f"'\\x{'07' * 32}'::bytea"
    tamper(installation, statement.format(**values))
    report = fsck(installation, log.organisation_id, openings=True)
    assert where in {finding.where for finding in report.findings}, report.findings


def test_a_guard_that_signed_another_root_is_named(
    installation: Installation, log: SmallLog
) -> None:
    before = installation.guard.read("test.example/log/log")
    assert before is not None
    assert installation.guard.swap("test.example/log/log", before, Signed(302, b"\7" * 32))
    report = fsck(installation, log.organisation_id)
    assert [finding.where for finding in report.findings] == ["guard"]


def test_a_guard_ahead_of_the_rows_is_named(installation: Installation, log: SmallLog) -> None:
    before = installation.guard.read("test.example/log/log")
    assert installation.guard.swap("test.example/log/log", before, Signed(999, b"\7" * 32))
    report = fsck(installation, log.organisation_id)
    assert [finding.where for finding in report.findings] == ["tree size 999"]


def test_a_log_that_is_signed_while_fsck_begins_is_not_accused(
    installation: Installation, log: SmallLog
) -> None:
    class Busy(type(installation.guard)):  # type: ignore[misc]
        """A guard before whose every reading the service appends and signs."""

        def read(self, origin: str) -> Signed | None:
            log.fill(1)
            assert installation.signer.sign(log.organisation_id) is not None
            return installation.guard.read(origin)

    busy = object.__new__(Busy)
    busy.__dict__.update(installation.guard.__dict__)
    assert fsck(replace(installation, guard=busy), log.organisation_id).findings == []
