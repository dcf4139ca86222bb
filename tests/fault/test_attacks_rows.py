"""Rows changed by hand with the triggers off: each change is named by those of whom ATTACKS says so."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from consentledger.db.installation import open_installation
from consentledger.db.tables import metadata
from tests.support.attack_list import ATTACKS, NO_EVIDENCE, NO_EVIDENCE_TABLES, Attack
from tests.support.attacks import Case, by_hand, undone
from tests.support.past import Past

pytestmark = pytest.mark.fault


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name.replace(" ", "-"))
def test_each_change_is_named(past: Past, attack: Attack) -> None:
    with past.copy() as copied, by_hand(copied.settings.database_url) as connection:
        # fsck only looks and keeps nothing: one installation will do for all cases.
        looking = set(attack.seen) <= {"fsck"}
        opened = open_installation(copied.settings) if looking else None
        wrong: dict[str, object] = {}
        for case in attack.cases:
            copied.reset_guard()
            with undone(connection, case.table):
                case.strike(connection, past.history)
                seen = {"fsck": copied.fsck(opened)} if opened else copied.seen(*attack.seen)
            # What nobody is said to see must leave them without a word.
            names = (attack.names or (case.table,)) if attack.seen else ("",)
            said = {
                who for who, lines in seen.items() if lines and any(n in str(lines) for n in names)
            }
            if said != set(attack.seen):
                wrong[case.name] = seen
        if opened:
            opened.database.close()
    assert not wrong


def test_nothing_is_named_where_nothing_was_changed(past: Past) -> None:
    with past.copy() as copied:
        assert copied.seen("start", "fsck", "verify", "signer") == {}


def test_the_command_names_a_log_that_is_gone(past: Past) -> None:
    with past.copy() as copied, by_hand(copied.settings.database_url) as connection:
        Case("log_head", "delete").strike(connection, past.history)
        here = {
            "CONSENTLEDGER_DATABASE_URL": copied.settings.database_url,
            "CONSENTLEDGER_GUARD": str(copied.settings.guard),
        }
        done = subprocess.run(
            [sys.executable, "-m", "consentledger", "log", "fsck"],
            env={**os.environ, **past.environment, **here},
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
    assert done.returncode == 65, done.stderr
    assert f"{past.history.origin}: 0 entries" in done.stdout
    assert f"log_head: missing: {past.history.size} entries of this log were signed" in done.stdout


def test_every_table_and_column_is_attacked_or_said_to_be_no_evidence() -> None:
    attacked = {case.table for attack in ATTACKS for case in attack.cases}
    tables = metadata().tables
    assert attacked | set(NO_EVIDENCE_TABLES) == set(tables)
    assert not attacked & set(NO_EVIDENCE_TABLES)
    columns = {f"{name}.{column.name}" for name in attacked for column in tables[name].columns}
    changed = {case.name for attack in ATTACKS for case in attack.cases if case.column}
    whole = {f"{case.table}.organisation_id" for attack in ATTACKS for case in attack.cases}
    assert columns - changed - set(NO_EVIDENCE) <= whole
    assert not changed & set(NO_EVIDENCE)
    assert set(NO_EVIDENCE) <= columns


def test_every_attacked_table_loses_a_row() -> None:
    attacked = {case.table for attack in ATTACKS for case in attack.cases}
    deleted = {case.table for attack in ATTACKS for case in attack.cases if case.verb == "delete"}
    assert deleted == attacked
