"""The daily log.index on both engines: when it is due, what it covers, what fsck says when it is not so."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import insert, select, text

from consentledger.db.engine import Database
from consentledger.db.log import index as log_index
from consentledger.db.log import labels as ranges
from consentledger.db.log.entries import Draft
from consentledger.db.log.index import index_due, index_log, last_index, shorten_tail
from consentledger.db.log.labels import check_log_index, index_leaves, labels_of_range
from consentledger.db.models import LogIndex, LogLeaf
from consentledger.kernel.errors import IntegrityError, NotFoundError
from consentledger.kernel.ids import uuid7
from consentledger.ledger.absence import Index, Labels, check_cover, read_index
from consentledger.ledger.leaf import label, parse_leaf
from tests.support.logs import SmallLog, expired, make_log

NOON = datetime(2036, 3, 2, 12, tzinfo=UTC)
"""No test of days may run over midnight."""


@pytest.fixture
def log(database: Database) -> Iterator[SmallLog]:
    """A log of nine entries, five of them of two contacts, at noon."""
    with on_day(0):
        log = make_log(database)
        log.fill(4)
        ann, bob = log.contact(), log.contact("bob@example.org")
        log.append(expired(ann), expired(bob), expired(ann))
        log.append(expired(bob), expired(ann))
        yield log


def indexes(log: SmallLog) -> list[Index]:
    """Everything that the log's indexes say, read from their leaves; each must be what a naive scan gives."""
    found = []
    with log.database.snapshot() as session:
        query = select(LogLeaf.leaf).where(LogLeaf.organisation_id == log.organisation_id)
        leaves = session.scalars(query.order_by(LogLeaf.entry_index)).all()
        for entry_index, leaf in index_leaves(session, log.organisation_id):
            index = read_index(parse_leaf(leaf).plain, entry_index)
            scanned = [parse_leaf(one).label for one in leaves[index.first : index.size]]
            assert Labels(filter(None, scanned)).index(index.first, index.size) == index
            found.append(index)
    check_cover(found)
    return found


def findings(log: SmallLog) -> list[tuple[str, str]]:
    with log.database.snapshot() as session:
        return list(check_log_index(session, log.organisation_id))


def on_day(days: int) -> time_machine.travel:
    return time_machine.travel(NOON + timedelta(days=days), tick=True)


def test_a_range_holds_the_labels_of_its_entries(log: SmallLog) -> None:
    assert index_log(log.database, log.organisation_id) == 1
    assert [(i.first, i.size, i.count) for i in indexes(log)] == [(0, 9, 5)]
    with log.database.snapshot() as session:
        assert last_index(session, log.organisation_id) == log_index.Indexed(9, 9)
        assert last_index(session, log.organisation_id, below=9) == log_index.NOTHING
        row = session.scalars(select(LogIndex)).one()
        found = labels_of_range(session, log.organisation_id, 0, 9)
    assert row.labels == found.to_bytes()
    assert findings(log) == []


def test_once_a_day_if_anything_came(log: SmallLog) -> None:
    other = make_log(log.database, "idle")
    assert index_due(log.database) == 0, "its entries are of today"
    with on_day(1):
        assert index_due(log.database) == 1
        assert index_due(log.database) == 0
        log.fill(2)
        assert index_due(log.database) == 0, "today's is there already"
    with on_day(2):
        assert index_due(log.database) == 1
    with on_day(3):
        assert index_due(log.database) == 0, "nothing came but the index itself"
        log.fill(1)
        other.fill(1)
        assert index_due(log.database) == 1
    assert [(i.first, i.size) for i in indexes(log)] == [(0, 9), (9, 12), (12, 14)]
    assert indexes(other) == []
    assert findings(log) == []


def test_much_in_one_day_is_indexed_at_once_in_bounded_ranges(
    log: SmallLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (ranges, log_index):
        monkeypatch.setattr(module, "RANGE", 4)
    assert index_due(log.database) == 3
    assert [(i.first, i.size) for i in indexes(log)] == [(0, 4), (4, 8), (8, 9)]
    assert index_due(log.database) == 0
    assert findings(log) == []


def test_an_export_shortens_a_long_tail_only(
    log: SmallLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shorten_tail(log.database, log.organisation_id) == 0
    monkeypatch.setattr(log_index, "TAIL", 8)
    assert shorten_tail(log.database, log.organisation_id) == 1
    assert shorten_tail(log.database, log.organisation_id) == 0
    with pytest.raises(NotFoundError):
        shorten_tail(log.database, uuid7())


def test_two_workers_at_once_close_a_range_once(log: SmallLog) -> None:
    with ThreadPoolExecutor(4) as pool:
        done = pool.map(lambda _: index_log(log.database, log.organisation_id), range(8))
    assert sum(done) == len(indexes(log))
    assert indexes(log)[0].size == 9
    assert findings(log) == []


def test_a_label_that_two_entries_carry_is_never_indexed(log: SmallLog) -> None:
    chain = log.contact("eve@example.org")
    log.append(expired(chain))
    chain.entries = 0
    log.append(expired(chain))
    with pytest.raises(IntegrityError, match="same label"):
        index_log(log.database, log.organisation_id)
    with on_day(1), pytest.raises(IntegrityError):
        index_due(log.database)


def test_a_damaged_log_does_not_stop_the_others(log: SmallLog) -> None:
    chain = log.contact("eve@example.org")
    log.append(expired(chain))
    chain.entries = 0
    log.append(expired(chain))
    sound = [make_log(log.database, name) for name in ("one", "two", "three")]
    for one in sound:
        one.fill(2)
    with on_day(1), pytest.raises(IntegrityError):
        index_due(log.database)
    assert [len(indexes(one)) for one in sound] == [1, 1, 1]


def tamper(log: SmallLog, *statements: str) -> None:
    with log.database.begin() as tx:
        if log.database.name == "sqlite":
            query = text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            for name in tx.session.scalars(query).all():
                tx.session.execute(text(f"DROP TRIGGER {name}"))
            tx.session.execute(text("PRAGMA ignore_check_constraints = ON"))
        else:
            tx.session.execute(text("SET LOCAL session_replication_role = replica"))
        for statement in statements:
            tx.session.execute(text(statement))


def test_rows_that_were_lost_come_back_from_the_leaves(log: SmallLog) -> None:
    index_log(log.database, log.organisation_id)
    log.fill(3)
    index_log(log.database, log.organisation_id)
    tamper(log, "DELETE FROM log_index")
    assert [where for where, _ in findings(log)] == ["log_index 9", "log_index 13"]
    log.fill(1)
    assert index_log(log.database, log.organisation_id) == 1
    assert [(i.first, i.size) for i in indexes(log)] == [(0, 9), (9, 13), (13, 15)]
    assert findings(log) == []


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ("DELETE FROM log_index", "log_index 9"),
        ("UPDATE log_index SET labels = substr(labels, 33)", "log_index 9"),
        ("UPDATE log_index SET labels = '" + "x" * 160 + "'", "log_index 9"),
        ("UPDATE log_index SET size = 8", "log_index 9"),
        ("UPDATE log_index SET entry_index = 10", "log_index 9"),
    ],
)
def test_fsck_names_a_row_that_was_changed(log: SmallLog, change: str, where: str) -> None:
    index_log(log.database, log.organisation_id)
    log.fill(3)
    tamper(log, change)
    assert where in [where for where, _ in findings(log)]


def test_fsck_names_an_index_that_its_leaves_do_not_give(log: SmallLog) -> None:
    good = indexes_of(log, 0, 9).plain()
    for number, plain in enumerate(
        [
            good | {"count": "4"},
            good | {"root": "00" * 32},
            good | {"size": "999"},
            good | {"first": "1"},
        ]
    ):
        log.append(Draft("log.index", {}, actor="worker", plain=plain))
        wrong = {where for where, _ in findings(log)}
        assert f"log_leaf {9 + number}" in wrong
    with pytest.raises(IntegrityError, match="entry 9"):
        index_log(log.database, log.organisation_id)


def indexes_of(log: SmallLog, first: int, size: int) -> Index:
    with log.database.snapshot() as session:
        return labels_of_range(session, log.organisation_id, first, size).index(first, size)


def test_an_index_that_overlaps_what_is_indexed_is_never_taken_for_the_next(log: SmallLog) -> None:
    index_log(log.database, log.organisation_id)
    log.fill(3)
    plain = indexes_of(log, 8, 12).plain()
    log.append(Draft("log.index", {}, actor="worker", plain=plain))
    with pytest.raises(IntegrityError, match="begins at 8, not at 9"):
        index_log(log.database, log.organisation_id)


def test_a_row_alone_is_no_index(log: SmallLog) -> None:
    with log.database.begin() as tx:
        row = {"entry_index": 8, "first": 0, "size": 4, "labels": label(bytes(32), 0)}
        tx.session.execute(insert(LogIndex).values(organisation_id=log.organisation_id, **row))
    assert findings(log) == [("log_index 8", "no log.index stands at this entry")]
